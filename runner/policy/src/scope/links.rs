//! The links of the workspace that a scope names.

use super::Scope;
use crate::pattern::{Kind, Pattern};
use crate::workspace::{BELOW, Link};

impl Scope {
    /// Adds the targets of a scope's names, and returns the links. `follow` returns the target of a
    /// path if links change it. It is called for each path that is named exactly, or as the folder of
    /// `FOLDER/**`.
    pub fn follow_links(&mut self, mut follow: impl FnMut(&str) -> Option<String>) -> Vec<Link> {
        let named: Vec<String> = self
            .patterns("read")
            .unwrap_or_default()
            .iter()
            .map(Pattern::to_string)
            .collect();
        let mut links = Vec::new();
        for from in named {
            let (path, below) = match from.strip_suffix(BELOW) {
                Some(folder) => (folder, BELOW),
                None => (from.as_str(), ""),
            };
            if path.contains('*') {
                continue;
            }
            let Some(real) = follow(path) else { continue };
            let to = if real.is_empty() && !below.is_empty() {
                "**".to_owned()
            } else {
                format!("{real}{below}")
            };
            let Ok(pattern) = Pattern::literal(Kind::Path, &real, below) else {
                continue;
            };
            // Two links may have the same target.
            let is_known = links.iter().any(|known: &Link| known.to == to);
            let mut named = self.patterns("read").unwrap_or_default().iter();
            if is_known {
                links.push(Link { from, to });
            } else if !named.any(|named| named.covers(&pattern)) {
                self.limits.allow("read", pattern);
                links.push(Link { from, to });
            }
        }
        links
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Capability;
    use crate::field::Reading;
    use crate::workspace::{WorkspaceCall, explain_links};

    fn scope(read: &[&str]) -> Scope {
        let scope = json!({ "read": read });
        Scope::parse(Capability::Workspace, &scope, Reading::Grant).expect("a scope")
    }

    #[test]
    fn a_name_that_is_a_link_brings_what_it_leads_to_and_nothing_else() {
        let mut one = scope(&["Dockerfile", "app/**", "lib/*.rs", "a"]);
        let links = one.follow_links(|path| match path {
            "Dockerfile" => Some("build/app.Dockerfile".to_owned()),
            "app" => Some("services/api".to_owned()),
            "a" => Some("app/a".to_owned()),
            "lib/*.rs" => panic!("a pattern names no path"),
            _ => None,
        });
        assert_eq!(
            explain_links(one.limits(), &links),
            "read Dockerfile → build/app.Dockerfile, app/** → services/api/**, lib/*.rs and a"
        );
        let allows = |path: &str| one.contains(&WorkspaceCall { path });
        for path in [
            "build/app.Dockerfile",
            "services/api/x",
            "Dockerfile",
            "app/x",
        ] {
            assert!(allows(path), "{path}");
        }
        assert!(!allows("build/other") && !allows("services/key"));
        let leads = |path: &str| links.iter().find_map(|link| link.leads(path));
        assert_eq!(leads("Dockerfile").as_deref(), Some("build/app.Dockerfile"));
        assert_eq!(leads("app/x/y").as_deref(), Some("services/api/x/y"));
        assert_eq!(leads("apple"), None);
    }

    #[test]
    fn a_target_with_a_star_in_its_name_widens_nothing() {
        let mut one = scope(&["Dockerfile"]);
        let links = one.follow_links(|_| Some("build/*".to_owned()));
        assert_eq!((links, one), (Vec::new(), scope(&["Dockerfile"])));
    }
}
