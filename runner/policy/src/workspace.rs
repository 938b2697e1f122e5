//! The scopes of the workspace's files.

use serde::{Deserialize, Serialize};

use crate::Capability;
use crate::field::{Absent, Field, Holds};
use crate::pattern::{Kind, Pattern};
use crate::scope::{Call, Scope, join};

pub(crate) const FIELDS: &[Field] = &[Field {
    name: "read",
    holds: Holds::Patterns(Kind::Path),
    absent: Absent::Required,
}];

/// A read of one file or folder.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The path, relative to the workspace.
    pub path: &'a str,
}

impl Call for Request<'_> {
    fn capability(&self) -> Capability {
        Capability::Workspace
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![("read", self.path)]
    }

    fn describe(&self) -> String {
        format!("read {}", self.path)
    }
}

/// A read of a folder with everything in it.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'a> {
    /// The folder's path, relative to the workspace; `.` is the workspace itself.
    pub folder: &'a str,
}

impl Call for Whole<'_> {
    fn capability(&self) -> Capability {
        Capability::Workspace
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        vec![("read", self.folder)]
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        match self.folder {
            "." => "read **, the whole workspace".to_owned(),
            folder => format!("read {folder}/**, the whole folder"),
        }
    }
}

/// A name in a scope, and its target through links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The pattern of the name: a path, or a folder and everything below it.
    pub from: String,
    /// The pattern of the target.
    pub to: String,
}

impl Link {
    /// Returns the target of one path, if the path goes through the link.
    pub fn leads(&self, path: &str) -> Option<String> {
        let (from, to) = match (self.from.strip_suffix(BELOW), self.to.strip_suffix(BELOW)) {
            (Some(from), Some(to)) => (from, to),
            _ => return (self.from == path).then(|| self.to.clone()),
        };
        let rest = path.strip_prefix(from)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("{to}{rest}"))
    }
}

/// The suffix of a pattern for a whole folder.
const BELOW: &str = "/**";

/// Adds the targets of a scope's names, and returns the links. `follow` returns the target of a
/// path if links change it. It is called for each path that is named exactly, or as the folder of
/// `FOLDER/**`.
pub fn follow_links(
    scope: &mut Scope,
    mut follow: impl FnMut(&str) -> Option<String>,
) -> Vec<Link> {
    let named: Vec<String> = scope
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
        let mut named = scope.patterns("read").unwrap_or_default().iter();
        if is_known {
            links.push(Link { from, to });
        } else if !named.any(|named| named.covers(&pattern)) {
            scope.allow("read", pattern);
            links.push(Link { from, to });
        }
    }
    links
}

pub(crate) fn explain(scope: &Scope) -> String {
    explain_links(scope, &[])
}

/// Describes the scope in words, each link as `NAME → WHERE`.
pub(crate) fn explain_links(scope: &Scope, links: &[Link]) -> String {
    let Some(patterns) = scope.patterns("read") else {
        return "read any file of the workspace".to_owned();
    };
    let is_target = |name: &str| links.iter().any(|link| link.to == name);
    let shown: Vec<String> = patterns
        .iter()
        .map(Pattern::as_str)
        .filter(|name| !is_target(name))
        .map(|name| match links.iter().find(|link| link.from == name) {
            Some(link) => format!("{name} → {}", link.to),
            None => name.to_owned(),
        })
        .collect();
    format!("read {}", join(&shown))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::field::Reading;

    fn scope(read: &[&str]) -> Scope {
        let scope = json!({ "read": read });
        Scope::parse(Capability::Workspace, &scope, Reading::Grant).expect("a scope")
    }

    #[test]
    fn a_name_that_is_a_link_brings_what_it_leads_to_and_nothing_else() {
        let mut one = scope(&["Dockerfile", "app/**", "lib/*.rs", "a"]);
        let links = follow_links(&mut one, |path| match path {
            "Dockerfile" => Some("build/app.Dockerfile".to_owned()),
            "app" => Some("services/api".to_owned()),
            "a" => Some("app/a".to_owned()),
            "lib/*.rs" => panic!("a pattern names no path"),
            _ => None,
        });
        assert_eq!(
            explain_links(&one, &links),
            "read Dockerfile → build/app.Dockerfile, app/** → services/api/**, lib/*.rs and a"
        );
        let allows = |path: &str| one.contains(&Request { path });
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
        let links = follow_links(&mut one, |_| Some("build/*".to_owned()));
        assert_eq!((links, one), (Vec::new(), scope(&["Dockerfile"])));
    }
}
