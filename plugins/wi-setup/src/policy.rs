//! Changes of one member in a policy. Everything else in it stays as it is.

use sidestep::gcp::iam::{self, Condition, Policy};

use crate::wanted::Binding;

/// Returns the policy with the binding, or `None` if it has the binding already.
///
/// A member is added only to the list that has the same condition: in another one, it would get the
/// role at other times or on other objects.
pub(crate) fn with(policy: &Policy, wanted: &Binding) -> Option<Policy> {
    if has(policy, wanted) {
        return None;
    }
    let mut next = policy.clone();
    let condition = wanted.condition();
    let list = next.bindings.iter_mut().find(|binding| {
        binding.role == wanted.role && is_same(binding.condition.as_ref(), condition.as_ref())
    });
    match list {
        Some(list) => list.members.push(wanted.member().to_owned()),
        None => next.bindings.push(iam::Binding {
            role: wanted.role.clone(),
            members: vec![wanted.member().to_owned()],
            condition,
        }),
    }
    Some(next)
}

/// Returns the policy without the binding, or `None` if it does not have it. The member stays in the
/// lists with other conditions.
pub(crate) fn without(policy: &Policy, unwanted: &Binding) -> Option<Policy> {
    if !has(policy, unwanted) {
        return None;
    }
    let mut next = policy.clone();
    let condition = unwanted.condition();
    let expression = condition.map(|condition| condition.expression);
    for list in &mut next.bindings {
        let found = list.condition.as_ref().map(|found| &found.expression);
        if list.role == unwanted.role && found == expression.as_ref() {
            list.members.retain(|member| member != unwanted.member());
        }
    }
    next.bindings.retain(|list| !list.members.is_empty());
    Some(next)
}

/// Returns whether a policy has the binding. A condition counts by its expression: its title does
/// not change what it allows.
pub(crate) fn has(policy: &Policy, wanted: &Binding) -> bool {
    listed(policy, wanted).is_some()
}

/// Returns the title of the condition under which a policy has the binding; none if it does not
/// have it, or has it without a condition.
pub(crate) fn title<'p>(policy: &'p Policy, wanted: &Binding) -> Option<&'p str> {
    let condition = listed(policy, wanted)?.condition.as_ref()?;
    Some(&condition.title)
}

fn listed<'p>(policy: &'p Policy, wanted: &Binding) -> Option<&'p iam::Binding> {
    let condition = wanted.condition();
    let expression = condition.as_ref().map(|condition| &condition.expression);
    policy.bindings.iter().find(|binding| {
        let found = binding.condition.as_ref();
        binding.role == wanted.role
            && found.map(|condition| &condition.expression) == expression
            && binding.members.iter().any(|m| m == wanted.member())
    })
}

fn is_same(one: Option<&Condition>, other: Option<&Condition>) -> bool {
    let parts = |condition: &Condition| {
        (
            condition.title.clone(),
            condition.description.clone().unwrap_or_default(),
            condition.expression.clone(),
        )
    };
    one.map(parts) == other.map(parts)
}

#[cfg(test)]
pub(crate) fn example(bindings: &[(&str, &str, Option<&str>)]) -> Policy {
    let binding = |(role, member, expression): &(&str, &str, Option<&str>)| iam::Binding {
        role: (*role).to_owned(),
        members: vec![(*member).to_owned()],
        condition: expression.map(|expression| Condition {
            title: "title".to_owned(),
            description: None,
            expression: expression.to_owned(),
        }),
    };
    Policy {
        etag: "e".to_owned(),
        version: 3,
        bindings: bindings.iter().map(binding).collect(),
    }
}

#[cfg(test)]
mod tests {
    use sidestep::google::{Member, Resource};

    use super::*;
    use crate::wanted::On;

    const VIEWER: &str = "roles/storage.objectViewer";
    const APP: &str = "serviceAccount:app-ci@demo.iam.gserviceaccount.com";

    fn text(binding: &iam::Binding) -> (&str, &[String], Option<&str>) {
        let condition = binding.condition.as_ref();
        let expression = condition.map(|condition| &*condition.expression);
        (&binding.role, &binding.members, expression)
    }

    fn wanted(prefix: &str) -> Binding {
        Binding {
            on: On::Target(Resource::Objects {
                bucket: "contexts".to_owned(),
                prefix: prefix.to_owned(),
            }),
            role: VIEWER.to_owned(),
            member: Member::account("app-ci@demo.iam.gserviceaccount.com"),
        }
    }

    #[test]
    fn a_member_joins_the_list_without_a_condition() {
        let policy = example(&[
            (VIEWER, "user:a@x.org", Some("false")),
            (VIEWER, "user:b@x.org", None),
            ("roles/owner", "user:c@x.org", None),
        ]);
        let next = with(&policy, &wanted("")).expect("a change");
        assert_eq!(next.etag, policy.etag);
        assert_eq!(text(&next.bindings[0]), text(&policy.bindings[0]));
        assert_eq!(next.bindings[1].members, ["user:b@x.org", APP]);
        assert_eq!(text(&next.bindings[2]), text(&policy.bindings[2]));
        assert!(with(&next, &wanted("")).is_none(), "once is enough");
    }

    #[test]
    fn a_conditional_grant_is_not_an_unconditional_one() {
        let policy = example(&[(VIEWER, APP, Some("false"))]);
        let next = with(&policy, &wanted("")).expect("a change");
        assert_eq!(text(&next.bindings[0]), text(&policy.bindings[0]));
        assert!(next.bindings[1].condition.is_none());
        let on_prefix = with(&policy, &wanted("ci/")).expect("a change");
        assert_eq!(on_prefix.bindings.len(), 2);
        assert!(has(&on_prefix, &wanted("ci/")));
        assert!(!has(&on_prefix, &wanted("")));
    }

    #[test]
    fn taking_a_binding_back_leaves_every_other_one() {
        let policy = example(&[(VIEWER, "user:a@x.org", None), (VIEWER, APP, Some("false"))]);
        assert!(without(&policy, &wanted("")).is_none(), "it is not there");
        let with = with(&policy, &wanted("")).expect("a change");
        let back = without(&with, &wanted("")).expect("a change");
        let texts = |policy: &Policy| -> Vec<String> {
            let lists = policy.bindings.iter();
            lists
                .map(|list| format!("{} {}", list.role, list.members.join(" ")))
                .collect()
        };
        assert_eq!(texts(&back), texts(&policy));
        // A list without members is not kept.
        let alone = example(&[(VIEWER, APP, None)]);
        let back = without(&alone, &wanted("")).expect("a change");
        assert!(back.bindings.is_empty());
    }

    #[test]
    fn the_title_of_a_condition_does_not_matter() {
        let expression = wanted("ci/").condition().expect("one").expression;
        let policy = example(&[(VIEWER, APP, Some(&expression))]);
        assert!(with(&policy, &wanted("ci/")).is_none());
        assert_eq!(title(&policy, &wanted("ci/")), Some("title"));
    }
}
