//! Deny policies: they take away what allow policies grant.
//!
//! <https://cloud.google.com/iam/docs/deny-overview>. Most callers may not read them, so they are
//! read only to explain a denial in spite of a grant.

use sidestep::gcp::iam::{Condition, DenyPolicy, DenyRule, Level};
use sidestep::google::{Member, deny};
use sidestep::serde_json::{Map, Value, json};
use sidestep::{Class, Command, Error, Result, codes};

use crate::commands;
use crate::verdict::cloud;

/// The result of a search for a deny policy that denies a permission.
#[derive(Debug, Clone)]
pub(crate) enum Denial {
    /// A rule denies it.
    Found(Box<Found>),
    /// It is unknown, for this reason.
    Unknown(String),
    /// No deny policy denies it.
    Absent,
}

/// A rule that denies a permission.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// `projects/P`, `folders/N`, `organizations/N`.
    level: String,
    policy: DenyPolicy,
    rule: usize,
    /// The permission as the rule has it.
    permission: String,
}

/// Whether a part of a rule applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Applies {
    No,
    Unknown,
    Yes,
}

/// Searches the levels for a rule that denies a permission to a member that `is` recognises.
pub(crate) fn find(
    levels: &Result<Vec<Level>>,
    permission: &str,
    is: impl Fn(&str) -> bool,
) -> Denial {
    let levels = match levels {
        Ok(levels) => levels,
        Err(error) => return Denial::Unknown(unread("the deny policies that apply", error)),
    };
    let Some(permission) = deny::permission(permission) else {
        return Denial::Absent;
    };
    let mut unknown = None;
    for level in levels {
        let policies = match &level.deny_policies {
            Ok(policies) => policies,
            Err(failure) => {
                let what = format!("the deny policies of {}", level.name);
                unknown.get_or_insert(unread(&what, &Error::from(failure.clone())));
                continue;
            }
        };
        for policy in policies {
            for (index, rule) in policy.rules.iter().enumerate() {
                match applies(rule, &permission, &is) {
                    Applies::Yes => {
                        return Denial::Found(Box::new(Found {
                            level: level.name.clone(),
                            policy: policy.clone(),
                            rule: index,
                            permission,
                        }));
                    }
                    Applies::Unknown => {
                        unknown.get_or_insert(undecided(level, policy, rule));
                    }
                    Applies::No => {}
                }
            }
        }
    }
    unknown.map_or(Denial::Absent, Denial::Unknown)
}

fn unread(what: &str, error: &Error) -> String {
    format!("{what} could not be read ({})", error.message)
}

fn undecided(level: &Level, policy: &DenyPolicy, rule: &DenyRule) -> String {
    let what = format!(
        "the deny policy {} of {} may deny it",
        policy.id, level.name
    );
    match &rule.condition {
        Some(Condition { expression, .. }) => {
            format!("{what}, depending on tags of the resource: `{expression}`")
        }
        None => format!("{what}: it names a set of principals whose members are not known"),
    }
}

/// Returns whether a rule denies a permission.
fn applies(rule: &DenyRule, permission: &str, is: impl Fn(&str) -> bool) -> Applies {
    let covers = |entries: &[String]| entries.iter().any(|one| deny::covers(one, permission));
    if !covers(&rule.denied_permissions) || covers(&rule.exception_permissions) {
        return Applies::No;
    }
    let named = |principals: &[String]| {
        let each = principals.iter().map(|one| names(one, &is));
        each.max().unwrap_or(Applies::No)
    };
    let except = match named(&rule.exception_principals) {
        Applies::Yes => Applies::No,
        Applies::Unknown => Applies::Unknown,
        Applies::No => Applies::Yes,
    };
    // Only tags are supported in conditions of deny policies, and they are not read.
    let condition = rule
        .condition
        .as_ref()
        .map_or(Applies::Yes, |_| Applies::Unknown);
    named(&rule.denied_principals).min(except).min(condition)
}

/// Returns whether a principal of a deny policy is, or has, the member that `is` recognises.
fn names(principal: &str, is: impl Fn(&str) -> bool) -> Applies {
    match deny::member(principal) {
        Some(member) if is(&member) => Applies::Yes,
        // Any account can be in a group.
        Some(member) if !member.starts_with("group:") => Applies::No,
        _ => Applies::Unknown,
    }
}

impl Found {
    /// Returns the failure: `who` has the grant, and lacks the permission on `place`. `member` is
    /// the principal that an exception would name.
    pub(crate) fn error(&self, who: &str, place: &str, member: Option<&Member>) -> Error {
        let Self {
            level,
            policy,
            permission,
            ..
        } = self;
        let name = match &policy.display_name {
            Some(title) => format!("{} ({title})", policy.id),
            None => policy.id.clone(),
        };
        let message = format!(
            "the allow policies grant it, but the deny policy {name} of {level} denies {who} {permission} on {place}"
        );
        let error = cloud(Class::Denied, codes::identity::DENY_POLICY, message);
        let exception = member
            .and_then(Member::text)
            .and_then(deny::principal)
            .and_then(|principal| self.except(&principal));
        match exception {
            Some(command) => error
                .help("if it should have access, an administrator of deny policies can except it:")
                .help(command)
                .help("a change of a deny policy can take some minutes to take effect"),
            None => error
                .help("a role does not help; an administrator of deny policies can read the policy, and add an exception:")
                .helps(commands::show_deny_policy(level, &policy.id)),
        }
    }

    /// Returns the command that adds an exception to the rule, and changes nothing else.
    fn except(&self, principal: &str) -> Option<Command> {
        let rules = self.policy.rules.iter().enumerate().map(|(index, rule)| {
            let mut exceptions = rule.exception_principals.clone();
            if index == self.rule {
                exceptions.push(principal.to_owned());
            }
            written(rule, &exceptions)
        });
        let mut policy = json!({ "etag": self.policy.etag, "rules": rules.collect::<Vec<_>>() });
        if let Some(title) = &self.policy.display_name {
            policy["displayName"] = json!(title);
        }
        if !self.policy.annotations.is_empty() {
            let pairs = self.policy.annotations.iter();
            let pairs = pairs.map(|(name, value)| (name.clone(), json!(value)));
            policy["annotations"] = Value::Object(pairs.collect());
        }
        commands::update_deny_policy(&self.level, &self.policy.id, &policy)
    }
}

/// Returns a rule in the form of the API.
fn written(rule: &DenyRule, exceptions: &[String]) -> Value {
    let lists = [
        ("deniedPrincipals", rule.denied_principals.as_slice()),
        ("exceptionPrincipals", exceptions),
        ("deniedPermissions", &rule.denied_permissions),
        ("exceptionPermissions", &rule.exception_permissions),
    ];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let mut denied: Map<String, Value> = lists
        .map(|(key, list)| (key.to_owned(), json!(list)))
        .collect();
    if let Some(condition) = &rule.condition {
        let value = json!({
            "title": condition.title,
            "description": condition.description.as_deref().unwrap_or_default(),
            "expression": condition.expression,
        });
        denied.insert("denialCondition".to_owned(), value);
    }
    let mut written = json!({ "denyRule": denied });
    if let Some(description) = &rule.description {
        written["description"] = json!(description);
    }
    written
}

#[cfg(test)]
mod tests;
