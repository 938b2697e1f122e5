//! A plugin's claims about its own failure: it blames others, or requests an exit code.

use serde_json::Value;

use super::harness::{Arena, Bounds, Outcome};

/// A plugin's claim and its expected effect.
struct Claim {
    class: &'static str,
    code: &'static str,
    owner: &'static str,
    /// The code and the owner that the user sees.
    seen: (&'static str, &'static str),
}

const fn claim(
    class: &'static str,
    code: &'static str,
    owner: &'static str,
    seen: (&'static str, &'static str),
) -> Claim {
    Claim {
        class,
        code,
        owner,
        seen,
    }
}

/// None of these claims has evidence, so each counts as `failed`, exit code 1.
const CLAIMS: &[Claim] = &[
    // Exit 70: a bug in the runner.
    claim("failed", "x.y", "sidestep", ("x.y", "plugin")),
    claim(
        "failed",
        "sidestep.bug",
        "sidestep",
        ("plugin.failed", "plugin"),
    ),
    // Exit 75: running again is safe.
    claim("unavailable", "x.y", "cloud", ("x.y", "plugin")),
    claim(
        "failed",
        "pod.evicted",
        "cluster",
        ("plugin.failed", "plugin"),
    ),
    claim(
        "failed",
        "pod.node-lost",
        "author",
        ("plugin.failed", "author"),
    ),
    claim(
        "unavailable",
        "identity.metadata-unavailable",
        "cloud",
        ("plugin.failed", "plugin"),
    ),
    // Exit 3: a refusal by the gate or a policy.
    claim("refused", "x.y", "author", ("x.y", "author")),
    claim(
        "refused",
        "grant.missing",
        "author",
        ("plugin.failed", "author"),
    ),
    claim(
        "refused",
        "policy.refused",
        "operator",
        ("plugin.failed", "plugin"),
    ),
    // Exit 4: a person has to repair an identity or a permission.
    claim("denied", "x.y", "cloud", ("x.y", "plugin")),
    claim(
        "not-found",
        "identity.binding-missing",
        "cloud",
        ("plugin.failed", "plugin"),
    ),
    claim("failed", "identity", "cluster", ("plugin.failed", "plugin")),
    // Exit 5: the host's own deadline.
    claim("timed-out", "x.y", "author", ("x.y", "author")),
    claim(
        "timed-out",
        "step.timed-out",
        "author",
        ("plugin.failed", "author"),
    ),
    // The step was not cancelled.
    claim(
        "cancelled",
        "run.cancelled",
        "operator",
        ("plugin.failed", "plugin"),
    ),
    // Codes that forge lines or clear the screen.
    claim(
        "failed",
        "x.y\n::error::forged",
        "plugin",
        ("plugin.failed", "plugin"),
    ),
    claim("denied", "\u{1b}[2J", "cloud", ("plugin.failed", "plugin")),
    claim("failed", "", "plugin", ("plugin.failed", "plugin")),
];

fn yaml(claim: &Claim) -> String {
    serde_json::to_string(&[claim.class, claim.code, claim.owner]).expect("texts")
}

/// Returns the step's failure from the run's events.
fn failure(outcome: &Outcome) -> Value {
    let events = outcome.stdout.lines().map(|line| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {outcome}"))
    });
    events
        .filter(|event| event["type"] == "step-finished" && event["instance"] == "attack")
        .map(|event| event["data"]["failure"].clone())
        .next()
        .unwrap_or_else(|| panic!("the step did not end: {outcome}"))
}

#[test]
fn a_claim_without_evidence_is_a_failure_of_the_step() {
    for claim in CLAIMS {
        let mut arena = Arena::new();
        arena.attack(&format!("act: claims.fail\ntexts: {}", yaml(claim)));
        let outcome = arena.run(&["run", "--output", "json"], Bounds::default());
        assert_eq!(outcome.code, Some(1), "{}: {outcome}", yaml(claim));
        let failure = failure(&outcome);
        assert_eq!(
            (&failure["class"], &failure["code"], &failure["owner"]),
            (&"failed".into(), &claim.seen.0.into(), &claim.seen.1.into()),
            "{}: {outcome}",
            yaml(claim)
        );
        assert_eq!(failure["message"], "the moon is in the wrong phase");
        assert_eq!(failure["help"][0], "wait for the moon");
        assert_eq!(failure["details"]["phase"], "waning");
    }
}

#[test]
fn the_user_sees_the_message_and_that_the_claim_does_not_count() {
    let mut arena = Arena::new();
    arena.attack("{ act: claims.fail, texts: [denied, identity.binding-missing, cloud] }");
    let outcome = arena.run(&["run"], Bounds::default());
    assert_eq!(outcome.code, Some(1), "{outcome}");
    outcome.assert_next_step_ran();
    let said = outcome.said();
    for line in [
        "the moon is in the wrong phase",
        "plugin.failed (failed)",
        "wait for the moon",
        "the plugin reported `identity.binding-missing` (denied, owner: cloud), but none of its \
         host calls confirmed that",
    ] {
        let folded = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(folded.contains(line), "{line:?}: {outcome}");
    }
}

#[test]
fn a_granted_call_that_succeeds_is_no_evidence() {
    for claim in [
        "[denied, x.y, cloud]",
        "[unavailable, x.y, cluster]",
        "[timed-out, x.y, author]",
        "[failed, identity.account-missing, cloud]",
    ] {
        let mut arena = Arena::new();
        arena.attack_with(
            &format!("act: claims.after-read\nworkspace: [{{ read: [\"**\"] }}]\ntexts: {claim}"),
            "grants: { workspace: [{ read: [\"**\"] }] }",
        );
        let outcome = arena.run(&["run"], Bounds::default());
        assert_eq!(outcome.code, Some(1), "{claim}: {outcome}");
        outcome.assert_next_step_ran();
    }
}

#[test]
fn a_claimed_unavailable_is_not_tried_again() {
    let mut arena = Arena::new();
    arena.attack_with(
        "act: claims.fail\ntexts: [unavailable, x.y, cloud]",
        "retry: { attempts: 5, on: [unavailable], delay: 1s }",
    );
    let outcome = arena.run(&["run", "--output", "json"], Bounds::default());
    assert_eq!(outcome.code, Some(1), "{outcome}");
    let tries = outcome
        .stdout
        .lines()
        .filter(|line| {
            line.contains(r#""type":"attempt-started""#) && line.contains(r#""instance":"attack""#)
        })
        .count();
    assert_eq!(tries, 1, "{outcome}");
}

#[test]
fn a_refusal_that_is_handed_on_counts_and_one_that_is_reworded_does_not() {
    for (act, exit, code) in [
        ("claims.hand-on", 3, "grant.scope"),
        ("claims.reword", 1, "plugin.failed"),
    ] {
        let mut arena = Arena::new();
        arena.setup.write("secret.txt", "hunter22");
        arena.attack_with(
            &format!("act: {act}\nworkspace: [{{ read: [\"src/**\"] }}]"),
            "grants: { workspace: [{ read: [\"src/**\"] }] }",
        );
        let outcome = arena.run(&["run"], Bounds::default());
        assert_eq!(outcome.code, Some(exit), "{act}: {outcome}");
        assert!(outcome.said().contains(code), "{act}: {outcome}");
        outcome.assert_next_step_ran();
        outcome.assert_hides("hunter22");
    }
}

#[test]
fn huge_help_and_details_are_cut() {
    let mut arena = Arena::new();
    arena.attack("act: claims.huge\ncount: 2000000\ntexts: [failed, x.y, plugin]");
    let bounds = Bounds {
        disk: 4 << 20,
        ..Bounds::default()
    };
    let outcome = arena.run(&["run", "--output", "json"], bounds);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stdout.len() < 1 << 20, "{}", outcome.stdout.len());
    let failure = failure(&outcome);
    assert_eq!(failure["message"], "the moon is in the wrong phase");
    let cut = failure["details"]["text"].as_str().unwrap_or_default();
    assert!(cut.ends_with(" bytes more)"), "{failure}");
}
