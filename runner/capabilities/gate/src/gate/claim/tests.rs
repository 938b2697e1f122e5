use proptest::prelude::*;
use sidestep_events::{Evidence, Exit};

use super::*;

fn failure(class: Class, code: &str, owner: Owner) -> Failure {
    Failure::new(class, code.to_owned(), owner, "m").with_help("h")
}

#[test]
fn each_claim_stands_with_its_evidence_and_with_no_other() {
    use Evidence as E;
    let no = &[E::Denied, E::MissingRight, E::PodFailed][..];
    let away = &[E::Unavailable, E::PodLost, E::TransientFault][..];
    let table = [
        (Class::Denied, "x.y", Owner::Author, no),
        (Class::Failed, "identity.x", Owner::Author, no),
        (Class::Unavailable, "x.y", Owner::Author, away),
        (Class::Failed, "pod.evicted", Owner::Author, away),
        (Class::Failed, "pod.node-lost", Owner::Author, away),
        (Class::TimedOut, "x.y", Owner::Author, &[E::TimedOut]),
        (Class::Cancelled, "x.y", Owner::Author, &[E::Cancelled]),
        (Class::Failed, "x.y", Owner::Cloud, &[E::Contact]),
        (Class::Failed, "x.y", Owner::Cluster, &[E::Contact]),
        (Class::Failed, "x.y", Owner::Operator, &[]),
        (Class::Failed, "x.y", Owner::Sidestep, &[]),
        (Class::Refused, "x.y", Owner::Author, &[]),
        (Class::Failed, "grant.scope", Owner::Author, &[]),
    ];
    for (class, code, owner, enough) in table {
        let claimed = failure(class, code, owner);
        for evidence in Evidence::ALL {
            let shown = Shown::default();
            shown.note(evidence);
            let counts = capped(claimed.clone(), &shown);
            let stands = counts == claimed;
            assert_eq!(
                stands,
                enough.contains(&evidence),
                "{claimed} by {evidence}"
            );
            assert!(stands || Exit::of_failure(&counts) == Exit::Failed);
        }
    }
}

#[test]
fn what_a_call_answered_is_handed_on_as_it_is() {
    let answered = failure(Class::Refused, "grant.scope", Owner::Author);
    let shown = Shown::default();
    shown.handed_out(&answered);
    let told = Failure {
        message: "reading the key: m".into(),
        ..answered.clone()
    };
    assert_eq!(capped(told.clone(), &shown), told);
    for other in [
        failure(Class::Refused, "policy.refused", Owner::Author),
        failure(Class::Refused, "grant.scope", Owner::Operator),
        failure(Class::Denied, "grant.scope", Owner::Author),
    ] {
        assert_eq!(capped(other, &shown).class, Class::Failed);
    }
}

#[test]
fn what_the_host_answered_is_evidence_for_the_plugin_s_own_words() {
    for (class, code) in [
        (Class::Denied, "identity.binding-missing"),
        (Class::Unavailable, "mine.away"),
        (Class::TimedOut, "mine.late"),
    ] {
        let shown = Shown::default();
        shown.handed_out(&failure(class, "google.x", Owner::Cloud));
        let claimed = failure(class, code, Owner::Author);
        assert_eq!(capped(claimed.clone(), &shown), claimed);
    }
}

#[test]
fn a_code_is_words_with_dots_between() {
    for code in ["x", "identity.binding-missing", "a1.b-2.c"] {
        assert!(is_code(code), "{code}");
    }
    let long = "x".repeat(LONGEST_CODE + 1);
    for code in ["", ".", "a.", "A.b", "a b", "a\nb", "a\u{1b}", "ä", &long] {
        assert!(!is_code(code), "{code:?}");
    }
}

#[test]
fn a_diagnostic_has_a_code_of_its_own() {
    let coded = |code: &str| diagnostic_code(code.into());
    for code in [
        "identity.key-in-secret",
        "dockerfile.syntax",
        "inputs.invalid",
    ] {
        assert_eq!(coded(code), code);
    }
    for code in [
        "policy.refused",
        "sidestep.bug",
        "plugin.panicked",
        "a\nb",
        "",
    ] {
        assert_eq!(coded(code), UNUSABLE_NOTE, "{code:?}");
    }
}

proptest! {
    /// Any claim of a plugin without evidence leads to exit code 1 and a valid code.
    #[test]
    fn no_claim_is_worth_more_than_a_failure(
        class in prop::sample::select(Class::ALL.to_vec()),
        owner in prop::sample::select(Owner::ALL.to_vec()),
        code in prop_oneof![
            any::<String>(),
            "(sidestep|grant|policy|step|identity|pod)(\\.[a-z-]{1,12}){0,2}",
        ],
        (message, help) in (any::<String>(), prop::collection::vec(any::<String>(), 0..8)),
    ) {
        let mut claimed = failure(class, &code, owner);
        claimed.message = (&message).into();
        claimed.help = help.into_iter().map(sidestep_events::Help::from).collect();
        let counts = capped(claimed, &Shown::default());
        prop_assert_eq!(Exit::of_failure(&counts), Exit::Failed);
        prop_assert!(is_code(counts.code.exact()));
        prop_assert_eq!(counts.message, message);
    }
}
