//! Today's policies also apply to a stored plan.

use serde_json::{Value, json};
use sidestep_events::Exit;
use sidestep_pipeline::Plan;
use sidestep_policy::{Origin, Policy};

use crate::fixtures::{planned, plugins};

const GRANTED: &str = "version: 1
name: x
secrets: { token: { env: TOKEN } }
steps:
  send:
    uses: ./plugins/notify.wasm
    with: { status: ok }
    secrets: [token]
    grants: { http: [{ host: hooks.example.com, methods: [POST] }] }
  up:
    uses: sidestep/context-upload
    with: { bucket: b }
";

fn stored(change: impl FnOnce(&mut Value)) -> Result<Plan, serde_json::Error> {
    let plan = planned(GRANTED, json!({})).expect("right");
    let mut stored = serde_json::to_value(&plan).expect("JSON");
    change(&mut stored);
    serde_json::from_value(stored)
}

fn policy(rule: &str) -> Policy {
    let text = format!("version: 1\nrules:\n- match: {{ trust: unverified }}\n{rule}");
    Policy::parse("today.yaml", &text).expect("a policy")
}

fn judged(plan: Plan, rules: &[&str]) -> Result<Plan, Vec<String>> {
    let policies: Vec<Policy> = rules.iter().map(|rule| policy(rule)).collect();
    plan.judged(&plugins(), &policies, &Origin::default())
        .map_err(|found| {
            let all = found.into_iter();
            all.map(|one| {
                assert_eq!(one.exit, Some(Exit::Refused.code()), "{one:?}");
                one.message.into_exact()
            })
            .collect()
        })
}

const WIDE: &str = "  allow: { http: [{}], workspace: { read: [\"**\"] }, storage: [{}] }\n";

#[test]
fn what_today_s_policy_allows_goes_on_and_is_capped_by_it() {
    let plan = stored(|_| ()).expect("the same");
    assert_eq!(judged(plan.clone(), &[]), Ok(plan.clone()));
    let capped = judged(plan.clone(), &[WIDE]).expect("allowed");
    assert_eq!(capped.policies, ["today.yaml"]);
    assert_ne!(capped.instances[0].scopes, plan.instances[0].scopes);
}

#[test]
fn what_today_s_policy_refuses_is_refused_with_its_line() {
    let plan = stored(|_| ()).expect("the same");
    for (rule, step, said) in [
        (
            "  allow: { workspace: { read: [\"**\"] }, storage: [{}] }\n",
            "send",
            "today.yaml:4",
        ),
        (
            "  allow: { http: [{}], workspace: { read: [\"**\"] } }\n",
            "up",
            "today.yaml:4",
        ),
        (
            "  plugins: [{ name: \"sidestep/*\" }]\n  allow: { workspace: { read: [\"**\"] }, storage: [{}] }\n",
            "send",
            "today.yaml:4 does not list it",
        ),
        (
            "  allow: { http: [{}], workspace: { read: [\"**\"] }, storage: [{}] }\n  secrets: none\n",
            "send",
            "today.yaml:4",
        ),
    ] {
        let refused = judged(plan.clone(), &[rule]).expect_err(rule);
        let [message] = refused.as_slice() else {
            panic!("{refused:?}");
        };
        assert!(
            message.starts_with(&format!("step `{step}`: ")),
            "{message}"
        );
        assert!(message.contains(said), "{message}");
    }
}

#[test]
fn a_stored_plan_can_not_say_that_a_plugin_is_built_in() {
    // The file's grants, as if they had been granted separately.
    let forged = stored(|plan| {
        plan["instances"][0]["scopes"]["grants"]["http"]["source"] = "built-in".into();
        plan["instances"][0]["builtIn"] = true.into();
    });
    let refused = judged(forged.expect("it reads"), &[]).expect_err("not built in");
    assert!(
        refused[0].contains("the plugin is not built in"),
        "{refused:?}"
    );
    for name in [
        "sidestep/plugins/notify.wasm",
        "notify",
        "sidestep/./notify",
    ] {
        let forged = stored(|plan| plan["instances"][0]["uses"] = name.into());
        assert!(forged.is_err(), "{name}");
    }
}

#[test]
fn a_ceiling_of_the_stored_plan_is_not_lost() {
    let narrow = policy("  plugins: [{ name: \"sidestep/*\" }]\n  allow: {}\n");
    let plan = stored(|plan| {
        let facts = plugins();
        let (uses, info) = facts.last_key_value().expect("one");
        let mut ceiling = narrow.ceiling(&Origin::default(), info.facts(uses));
        ceiling.file = "begun.yaml".to_owned();
        let ceiling = serde_json::to_value(ceiling).expect("JSON");
        plan["instances"][0]["scopes"]["ceilings"] = json!([ceiling]);
    });
    let refused = judged(plan.expect("it reads"), &[WIDE]).expect_err("capped");
    assert!(
        refused[0].contains("begun.yaml:4 does not list it"),
        "{refused:?}"
    );
}

#[test]
fn a_policy_that_only_reports_is_a_warning() {
    let plan = stored(|_| ()).expect("the same");
    let text = "version: 1\nmode: audit\nrules:\n- match: { trust: unverified }\n  plugins: []\n";
    let audit = Policy::parse("today.yaml", text).expect("a policy");
    let found = plan
        .judged(&plugins(), &[audit], &Origin::default())
        .expect("it only reports");
    let codes: Vec<&str> = found.warnings.iter().map(|one| one.code.exact()).collect();
    assert_eq!(codes, [sidestep_pipeline::AUDIT; 2]);
}
