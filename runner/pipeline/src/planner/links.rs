//! Follows the links of the workspace in plugins' requests.
//!
//! A request names a path, but a grant is judged by the target of the path. The plan follows the
//! link once and requests both names, so that the plan shows every file that is read. The run
//! follows the link again and refuses targets that are not in the plan.

use sidestep_events::Diagnostic;
use sidestep_events::codes;
use sidestep_policy::Capability;
use sidestep_policy::workspace::Link;

use crate::given::{Led, Links};
use crate::request::Evaluated;

/// A link that leaves the folder that it must stay in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outside {
    path: String,
    within: String,
}

impl Outside {
    pub(super) fn diagnostic(&self) -> Diagnostic {
        let Self { path, within } = self;
        let (leaves, help) = match within.as_str() {
            "" => (
                "the workspace".to_owned(),
                "point the link to a file in the workspace, or replace it with a copy of the file"
                    .to_owned(),
            ),
            folder => (
                format!("`{folder}`"),
                format!(
                    "the builder gets only `{folder}`: put a copy of the file there, or make \
                     `path` a folder that holds both"
                ),
            ),
        };
        let message = format!("`{path}` is a link that leaves {leaves}");
        Diagnostic::error(codes::workspace::OUTSIDE, message).with_help(help)
    }
}

/// Adds the targets of a request's paths. Returns the links, or the first link that leaves its
/// folder; the target of that link is not added.
pub(super) fn follow(links: &dyn Links, asked: &mut Evaluated) -> Result<Vec<Link>, Outside> {
    let mut followed = Vec::new();
    let mut outside = None;
    if asked.capability != Capability::Workspace {
        return Ok(followed);
    }
    for (scope, within) in asked.scopes.iter_mut().zip(&asked.within) {
        followed.extend(scope.follow_links(|path| match links.follow(path, within) {
            Led::Itself => None,
            Led::To(real) => Some(real),
            Led::Outside => {
                let (path, within) = (path.to_owned(), within.clone());
                outside.get_or_insert(Outside { path, within });
                None
            }
        }));
    }
    outside.map_or(Ok(followed), Err)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sidestep_policy::{Reading, Scope};

    use super::*;

    /// `Dockerfile` and `app/Dockerfile` are links.
    #[derive(Debug)]
    struct Linked;

    impl Links for Linked {
        fn follow(&self, path: &str, within: &str) -> Led {
            match (path, within) {
                ("Dockerfile", _) => Led::To("build/app.Dockerfile".to_owned()),
                ("app/Dockerfile", "app") => Led::Outside,
                ("app/Dockerfile", _) => Led::To("shared/Dockerfile".to_owned()),
                _ => Led::Itself,
            }
        }
    }

    fn asked(read: &str, within: &str) -> Evaluated {
        let scope = json!({ "read": read });
        let scope = Scope::parse(Capability::Workspace, &scope, Reading::Grant);
        Evaluated {
            capability: Capability::Workspace,
            scopes: vec![scope.expect("a scope")],
            within: vec![within.to_owned()],
        }
    }

    #[test]
    fn a_link_is_followed_in_its_folder_and_refused_beyond() {
        let mut one = asked("Dockerfile", "");
        let followed = follow(&Linked, &mut one).expect("inside");
        assert_eq!(followed[0].to, "build/app.Dockerfile");
        assert_eq!(
            one.scopes[0].explain(),
            "read Dockerfile and build/app.Dockerfile"
        );
        let mut one = asked("app/Dockerfile", "app");
        let outside = follow(&Linked, &mut one).expect_err("outside");
        assert_eq!(
            outside.diagnostic().message.exact(),
            "`app/Dockerfile` is a link that leaves `app`"
        );
        assert_eq!(one.scopes[0].explain(), "read app/Dockerfile");
        let mut one = asked("app/Dockerfile", "");
        assert_eq!(follow(&Linked, &mut one).expect("inside").len(), 1);
        assert_eq!(
            follow(&Linked, &mut asked("app/other", "app")),
            Ok(Vec::new())
        );
    }
}
