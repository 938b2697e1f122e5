//! Providers' decisions about a token, with this crate's evaluator.

use serde_json::{Value, json};
use sidestep_evaluator::{Claim, Federated, Part, Truth, federate};

use crate::Native;

fn decide(mapping: &[(&str, &str)], condition: Option<&str>) -> Federated {
    let claims: Value = json!({
        "sub": "repo:acme/app:ref:refs/heads/main",
        "repository": "acme/app",
        "repository_id": "456789",
        "ref": "refs/heads/main",
        "run": 3,
    });
    federate(&Native, &claims, mapping.iter().copied(), condition)
}

#[test]
fn attributes_are_the_texts_that_the_mapping_yields() {
    let found = decide(
        &[
            ("google.subject", "assertion.sub"),
            ("attribute.owner", "assertion.repository.split('/')[0]"),
            ("attribute.environment", "assertion.environment"),
            ("attribute.run", "assertion.run"),
        ],
        None,
    );
    assert_eq!(
        found.text("google.subject"),
        Some("repo:acme/app:ref:refs/heads/main")
    );
    assert_eq!(found.text("attribute.owner"), Some("acme"));
    let missing: Vec<_> = found.missing.into_iter().collect();
    let expected = [
        ("attribute.environment", "there is no `environment`"),
        ("attribute.run", "its value is not a string"),
    ];
    assert_eq!(missing, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert_eq!(found.condition, []);
}

#[test]
fn the_false_part_of_a_condition_has_the_claims_that_it_reads() {
    let condition = "assertion.ref == 'refs/heads/main' && \
                     (attribute.repository == 'acme/other' || assertion.actor == 'x')";
    let found = decide(
        &[("attribute.repository", "assertion.repository")],
        Some(condition),
    );
    assert!(!found.holds());
    let [first, second] = found.condition.try_into().expect("two parts");
    assert_eq!(first.truth, Truth::True);
    let claim = |name: &str, value: Option<&str>| Claim {
        name: name.to_owned(),
        value: value.map(str::to_owned),
    };
    assert_eq!(
        second,
        Part {
            text: "(attribute.repository == 'acme/other' || assertion.actor == 'x')".to_owned(),
            truth: Truth::Unknown("there is no `actor`".to_owned()),
            read: vec![
                claim("assertion.actor", None),
                claim("attribute.repository", Some("acme/app")),
            ],
        }
    );
}

#[test]
fn a_condition_holds_if_all_its_parts_do() {
    let id = "assertion.repository_id == '456789'";
    assert!(decide(&[], Some(id)).holds());
    assert!(decide(&[], None).holds());
    assert!(!decide(&[], Some("assertion.repository_id == 456789")).holds());
    assert!(!decide(&[], Some("assertion.repository")).holds());
}
