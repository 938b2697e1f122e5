//! Link C3: the provider's mapping and condition, for the claims of a token.

use sidestep::gcp::iam::Provider;
use sidestep::identity::{ConditionPart, Federation, Truth};
use sidestep::{Command, Error, codes};

use super::provider::Name;
use super::{Claims, broken, commands, shown};
use crate::verdict::Verdict;

/// The maximum length of the mapped subject, in bytes
/// (<https://cloud.google.com/iam/docs/workload-identity-federation#mapping>).
const LONGEST_SUBJECT: usize = 127;

/// Judges a provider's decision about a token.
pub(super) fn judge(
    name: &Name,
    provider: &Provider,
    found: &Federation,
    claims: &Claims,
) -> Verdict {
    if let Some(error) = subject(name, provider, found) {
        return Verdict::Broken(error);
    }
    let rejects = found
        .condition
        .iter()
        .find(|part| part.truth != Truth::Yes && !is_untold(part));
    if let Some(part) = rejects {
        return Verdict::Broken(rejected(name, provider, part, claims));
    }
    if let Some(part) = found
        .condition
        .iter()
        .find(|part| part.truth == Truth::Unknown)
    {
        return Verdict::Unknown(format!(
            "cannot tell whether `{}` holds: {}",
            part.text,
            part.why.as_deref().unwrap_or("it can't be evaluated here")
        ));
    }
    let subject = attribute(found, "google.subject").unwrap_or_default();
    Verdict::Holds(match provider.condition {
        Some(_) => format!("the condition accepts {subject}"),
        None => format!("no condition; the subject is {subject}"),
    })
}

/// Returns the value of a mapped attribute.
pub(super) fn attribute<'f>(found: &'f Federation, name: &str) -> Option<&'f str> {
    let named = found.attributes.iter().find(|one| one.name == name)?;
    named.value.as_deref()
}

/// Returns whether it is unknown what a part comes to, although the token has all that it reads.
fn is_untold(part: &ConditionPart) -> bool {
    part.truth == Truth::Unknown && part.read.iter().all(|claim| claim.value.is_some())
}

fn subject(name: &Name, provider: &Provider, found: &Federation) -> Option<Error> {
    let expression = provider
        .mappings
        .iter()
        .find(|mapping| mapping.attribute == "google.subject")
        .map_or("nothing", |mapping| mapping.expression.as_str());
    let Some(subject) = attribute(found, "google.subject") else {
        let why = found
            .attributes
            .iter()
            .find(|one| one.name == "google.subject")
            .and_then(|one| one.why.as_deref())
            .unwrap_or("it is not mapped");
        return Some(
            broken(
                codes::identity::MAPPING,
                format!("google.subject is mapped from `{expression}`, which has no value for this token: {why}."),
            )
            .help("map it from a claim that every token has:")
            .helps(remap(name, provider, &mapping(provider, "assertion.sub"))),
        );
    };
    if subject.len() <= LONGEST_SUBJECT {
        return None;
    }
    Some(
        broken(
            codes::identity::MAPPING,
            format!(
                "google.subject is mapped from `{expression}`, and is `{subject}` for this token: {} bytes, of which Google allows {LONGEST_SUBJECT}.",
                subject.len()
            ),
        )
        .help("map it from a shorter claim; policies that name the job by its subject then need the new one:")
        .helps(remap(name, provider, &mapping(provider, shorter(found)))),
    )
}

/// Returns a claim in place of a long subject: an id of what the job is about.
fn shorter(found: &Federation) -> &'static str {
    let known = |name: &str| attribute(found, name).is_some();
    if known("attribute.project_id") {
        "assertion.project_id"
    } else if known("attribute.repository_id") {
        "assertion.repository_id"
    } else {
        "assertion.jti"
    }
}

/// Returns the provider's mapping with another subject.
fn mapping(provider: &Provider, subject: &str) -> String {
    let others = provider
        .mappings
        .iter()
        .filter(|mapping| mapping.attribute != "google.subject")
        .map(|mapping| format!("{}={}", mapping.attribute, mapping.expression));
    std::iter::once(format!("google.subject={subject}"))
        .chain(others)
        .collect::<Vec<_>>()
        .join(",")
}

/// Returns the failure of a part that is false, or that reads what the token does not have.
fn rejected(name: &Name, provider: &Provider, part: &ConditionPart, claims: &Claims) -> Error {
    let absent = part.read.iter().find(|claim| claim.value.is_none());
    let told: Vec<String> = part
        .read
        .iter()
        .map(|claim| match &claim.value {
            Some(value) => format!("{} is `{value}`", claim.name),
            None => format!("the token has no {}", claim.name),
        })
        .collect();
    let mut message = format!(
        "the condition of the provider {} rejects the job: `{}` is not true, since {}.",
        name.provider,
        part.text,
        if told.is_empty() {
            "it reads nothing of the token".to_owned()
        } else {
            told.join(", and ")
        }
    );
    if let Some(near) = near(part, claims) {
        message.push('\n');
        message.push_str(&near);
    }
    let error = broken(codes::identity::CALLER_CONDITION, message);
    let unmapped = absent.and_then(|claim| claim.name.strip_prefix("attribute."));
    if let Some(attribute) = unmapped.filter(|attribute| claims.contains_key(*attribute)) {
        let more = format!(
            "{},attribute.{attribute}=assertion.{attribute}",
            current(provider)
        );
        return error
            .help(format!(
                "the provider does not map attribute.{attribute}; an administrator can map it:"
            ))
            .helps(remap(name, provider, &more));
    }
    match accepting(provider, part) {
        Some(condition) => error
            .help("if this job is meant to get in, an administrator can change that part:")
            .helps(commands::update(name, "--attribute-condition", &condition)),
        None => error.help("run a job that the condition allows, or ask an administrator of the pool to change the condition"),
    }
}

/// Returns the command that sets the whole mapping. gcloud splits it at commas, so an expression
/// that has some can't be written.
fn remap(name: &Name, provider: &Provider, mapping: &str) -> Option<Command> {
    let can_be_written = provider
        .mappings
        .iter()
        .all(|mapping| !mapping.expression.contains(','));
    can_be_written.then(|| commands::update(name, "--attribute-mapping", mapping))?
}

fn current(provider: &Provider) -> String {
    let all = provider
        .mappings
        .iter()
        .map(|mapping| format!("{}={}", mapping.attribute, mapping.expression));
    all.collect::<Vec<_>>().join(",")
}

/// Returns the text between the quotes of `NAME == 'TEXT'`, if a part is that.
fn literal(part: &str) -> Option<&str> {
    let (_, right) = part.split_once("==")?;
    let right = right.trim();
    let quote = right
        .chars()
        .next()
        .filter(|quote| matches!(quote, '\'' | '"'))?;
    let text = right.strip_prefix(quote)?.strip_suffix(quote)?;
    (!text.contains([quote, '\\'])).then_some(text)
}

/// Returns a sentence about a value that is nearly right.
fn near(part: &ConditionPart, claims: &Claims) -> Option<String> {
    let wanted = literal(&part.text)?;
    let is = |value: &str| value != wanted && value.eq_ignore_ascii_case(wanted);
    if part
        .read
        .iter()
        .any(|claim| claim.value.as_deref().is_some_and(is))
    {
        return Some("They differ in case, which Google compares.".to_owned());
    }
    let other = claims.iter().find(|(_, value)| shown(value) == wanted);
    other.map(|(name, _)| format!("`{wanted}` is the value of assertion.{name}."))
}

/// Returns the condition with a part that accepts the token: the value in place of the literal.
fn accepting(provider: &Provider, part: &ConditionPart) -> Option<String> {
    let condition = provider.condition.as_deref()?;
    let wanted = literal(&part.text)?;
    let [claim] = part.read.as_slice() else {
        return None;
    };
    let value = claim.value.as_deref()?;
    if value.contains(['\'', '"', '\\']) {
        return None;
    }
    let (left, right) = part.text.split_once("==")?;
    let changed = format!("{left}=={}", right.replacen(wanted, value, 1));
    Some(condition.replacen(&part.text, &changed, 1))
}

#[cfg(test)]
mod tests {
    use sidestep::identity::{Claim, Mapping};
    use sidestep::serde_json::json;

    use super::*;

    fn provider(condition: &str) -> Provider {
        let mapping = |attribute: &str, expression: &str| Mapping {
            attribute: attribute.to_owned(),
            expression: expression.to_owned(),
        };
        Provider {
            name: String::new(),
            state: "ACTIVE".to_owned(),
            disabled: false,
            kind: "oidc".to_owned(),
            issuer: None,
            allowed_audiences: Vec::new(),
            mappings: vec![mapping("google.subject", "assertion.sub")],
            condition: Some(condition.to_owned()),
        }
    }

    fn part(text: &str, truth: Truth, name: &str, value: Option<&str>) -> ConditionPart {
        ConditionPart {
            text: text.to_owned(),
            truth,
            why: None,
            read: vec![Claim {
                name: name.to_owned(),
                value: value.map(str::to_owned),
            }],
        }
    }

    fn rejects(condition: &str, part: &ConditionPart) -> Error {
        let text = "projects/12/locations/global/workloadIdentityPools/jobs/providers/github";
        let claims = json!({ "repository": "acme/app", "ref": "refs/heads/x" });
        let claims = claims.as_object().expect("an object");
        rejected(
            &Name::read(text).expect("a name"),
            &provider(condition),
            part,
            claims,
        )
    }

    #[test]
    fn the_false_part_is_named_with_the_claim_and_changed_alone() {
        let text = "assertion.ref == 'refs/heads/main'";
        let false_one = part(text, Truth::No, "assertion.ref", Some("refs/heads/x"));
        let error = rejects(&format!("assertion.a == 'b' && {text}"), &false_one);
        assert!(error.message.contains("`assertion.ref == 'refs/heads/main'` is not true, since assertion.ref is `refs/heads/x`"), "{error}");
        let help = format!("{:?}", error.help);
        assert!(
            help.contains("refs/heads/x") && help.contains("assertion.a"),
            "{help}"
        );
    }

    #[test]
    fn values_that_are_nearly_right_are_explained() {
        let case = part(
            "assertion.repository == 'Acme/App'",
            Truth::No,
            "assertion.repository",
            Some("acme/app"),
        );
        assert!(rejects("x", &case).message.contains("differ in case"));
        let name = part(
            "assertion.repository_id == 'acme/app'",
            Truth::No,
            "assertion.repository_id",
            Some("456"),
        );
        assert!(
            rejects("x", &name)
                .message
                .contains("is the value of assertion.repository")
        );
        let unmapped = part(
            "attribute.ref == 'y'",
            Truth::Unknown,
            "attribute.ref",
            None,
        );
        let help = format!("{:?}", rejects("x", &unmapped).help);
        assert!(help.contains("attribute.ref=assertion.ref"), "{help}");
    }

    #[test]
    fn a_value_with_quotes_makes_no_condition() {
        let text = "assertion.ref == 'refs/heads/main'";
        let hostile = part(text, Truth::No, "assertion.ref", Some("x' || true || 'y"));
        let error = rejects(text, &hostile);
        assert!(
            !format!("{:?}", error.help).contains("--attribute-condition"),
            "{error:?}"
        );
    }
}
