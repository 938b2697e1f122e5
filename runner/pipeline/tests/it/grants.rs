use serde_json::json;
use sidestep_pipeline::{PlanInputs, plan};
use sidestep_policy::{Origin, Policy, Trust, http};

use crate::fixtures::{evaluator, lines, planned, plugins, read};
use crate::good::{FILE, good};

const BARE: &str = "version: 1\nname: x\nsteps:\n  n:\n    uses: ./plugins/notify.wasm\n    with: { status: ok }\n";

#[test]
fn what_is_not_granted_is_refused_with_the_yaml_to_add() {
    let problems = planned(BARE, json!({})).expect_err("nothing is granted");
    assert_eq!(problems[0].exit, Some(3));
    insta::assert_snapshot!(lines(&problems));
    let granted = BARE.to_owned()
        + "    grants:\n      http: [{ host: hooks.example.com, methods: [POST] }]\n";
    assert!(
        planned(&granted, json!({})).is_ok(),
        "the YAML that the message gives is right"
    );
}

#[test]
fn a_step_can_only_do_what_it_was_granted() {
    let plan = good();
    let scopes = &plan.instance("notify").expect("notify").scopes;
    let call = |host: &'static str, port: &'static str, method: &'static str| {
        let call = http::Request {
            host,
            port,
            method,
            path: "/deploy",
        };
        scopes.allows(&call).map_err(|refusal| refusal.code)
    };
    assert_eq!(call("hooks.example.com", "443", "POST"), Ok(()));
    assert_eq!(call("hooks.example.com", "443", "GET"), Err("grant.scope"));
    assert_eq!(
        call("hooks.example.com", "8443", "POST"),
        Err("grant.scope")
    );
    assert_eq!(call("evil.example.com", "443", "POST"), Err("grant.scope"));
}

#[test]
fn what_depends_on_another_step_has_to_be_written() {
    let text = |grants: &str| {
        format!(
            "version: 1\nname: x\nsteps:\n  a: {{ uses: sidestep/context-upload, with: {{ bucket: b }} }}\n  b:\n    uses: sidestep/context-upload\n    with: {{ bucket: \"${{{{ steps.a.outputs.uri }}}}\" }}\n{grants}"
        )
    };
    let problems = planned(&text(""), json!({})).expect_err("not automatic");
    insta::assert_snapshot!(lines(&problems));
    assert_eq!(problems[0].exit, Some(3));
    let plan = planned(
        &text("    grants: { storage: [{ bucket: known, actions: [get, create] }] }\n"),
        json!({}),
    )
    .expect("granted in writing");
    let b = plan.instance("b").expect("b");
    assert_eq!(b.later_requests.keys().collect::<Vec<_>>(), ["storage"]);
    assert!(
        b.scopes(&plan, &evaluator(), &json!({ "bucket": "known" }))
            .is_ok()
    );
    let refused = b
        .scopes(&plan, &evaluator(), &json!({ "bucket": "other" }))
        .expect_err("not granted");
    assert_eq!(
        (refused.class.as_str(), refused.code.exact()),
        ("refused", "grant.missing")
    );
}

#[test]
fn a_policy_refuses_by_its_line_and_nothing_undoes_it() {
    let strict = Policy::parse(
        "policy.yaml",
        "version: 1\nrules:\n- match: { trust: [verified, unverified] }\n  allow:\n    workspace: [{ read: \"**\" }]\n    kubernetes: [{}]\n    registry: [{}]\n    http: [{}]\n    storage:\n    - { bucket: other }\n",
    )
    .expect("a policy");
    let wide = Policy::parse(
        "wide.yaml",
        "version: 1\nrules:\n- match: { trust: [verified, unverified] }\n  allow: { workspace: [{}], storage: [{}], kubernetes: [{}], registry: [{}], http: [{}] }\n",
    )
    .expect("a policy");
    let pipeline = read(FILE).expect("right");
    let plugins = plugins();
    let with = |policies: &[Policy], trust: Trust| {
        let mut given = PlanInputs::new(&plugins, &evaluator());
        given.inputs = json!({ "bucket": "b", "image": "e.dev/p/i", "tag": "1" })
            .as_object()
            .cloned()
            .expect("a map");
        given.run = json!({ "id": "r" });
        given.policies = policies;
        given.origin = Origin {
            trust,
            ..Origin::default()
        };
        plan(&pipeline, given)
    };
    assert!(with(std::slice::from_ref(&wide), Trust::Unverified).is_ok());
    let problems =
        with(&[wide.clone(), strict], Trust::Unverified).expect_err("one of two refuses");
    assert_eq!(problems[0].exit, Some(3));
    insta::assert_snapshot!(lines(&problems));
    let fork = with(&[wide], Trust::Fork).expect_err("no rule matches");
    assert!(
        fork.iter().all(|p| p.message.contains("wide.yaml:2")),
        "{}",
        lines(&fork)
    );
}

#[test]
fn a_policy_that_cannot_be_read_is_exit_6() {
    let problems = Policy::parse(
        "policy.yaml",
        "version: 2\nmode: enforced\nrules:\n- mach: { trust: x }\n  allow: { storrage: [{}], storage: [{ buckt: x, actions: [fly] }] }\n",
    )
    .expect_err("wrong");
    assert!(problems.iter().all(|p| p.exit == Some(6)));
    insta::assert_snapshot!(lines(&problems));
}
