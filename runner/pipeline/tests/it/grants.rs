use serde_json::json;
use sidestep_events::Diagnostic;
use sidestep_pipeline::{Led, Links, Plan, PlanInputs, plan};
use sidestep_policy::{Origin, Policy, Trust, http, workspace};

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
        let call = http::HttpCall {
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

/// `Dockerfile` is a link inside the folder, and `away` is a link that leaves it.
#[derive(Debug)]
struct Linked;

impl Links for Linked {
    fn follow(&self, path: &str, within: &str) -> Led {
        let inside = |path: &str| path.strip_prefix("app/").unwrap_or(path).to_owned();
        match inside(path).as_str() {
            "Dockerfile" => Led::To("build/app.Dockerfile".to_owned()),
            "away" if !within.is_empty() => Led::Outside,
            _ => Led::Itself,
        }
    }
}

/// Returns the plan of one step that reads a file in a workspace with links.
fn reading(uses: &str, path: &str, file: &str, grants: &str) -> Result<Plan, Vec<Diagnostic>> {
    let text = format!(
        "version: 1\nname: x\nsteps:\n  r:\n    uses: {uses}\n    with: {{ path: {path}, file: {file} }}\n{grants}"
    );
    let plugins = plugins();
    let given = PlanInputs {
        links: &Linked,
        ..PlanInputs::new(&plugins, &evaluator())
    };
    plan(&read(&text).expect("a pipeline"), given)
}

#[test]
fn a_link_that_a_built_in_plugin_reads_is_granted_by_both_names_and_shown() {
    let plan = reading("sidestep/reader", ".", "Dockerfile", "").expect("automatic");
    let shown = &plan.planned()[0].grants[0];
    assert_eq!(
        shown.scopes[0].exact(),
        "read Dockerfile → build/app.Dockerfile"
    );
    let scopes = &plan.instances[0].scopes;
    for path in ["Dockerfile", "build/app.Dockerfile"] {
        assert!(
            scopes.allows(&workspace::WorkspaceCall { path }).is_ok(),
            "{path}"
        );
    }
    // A stored plan has the same grants.
    let stored = serde_json::to_string(&plan).expect("JSON");
    let stored: Plan = serde_json::from_str(&stored).expect("a plan");
    assert_eq!(stored, plan);
    assert_eq!(
        stored.instances[0].scopes.leads("Dockerfile").as_deref(),
        Some("build/app.Dockerfile")
    );
}

#[test]
fn a_link_that_another_plugin_reads_is_granted_in_writing() {
    let uses = "./plugins/reader.wasm";
    let refused = reading(
        uses,
        ".",
        "Dockerfile",
        "    grants: { workspace: [{ read: [Dockerfile] }] }\n",
    );
    let refused = refused.expect_err("one name alone");
    assert_eq!(refused[0].exit, Some(3));
    insta::assert_snapshot!(lines(&refused), @r"
    7:5+6 grant.missing (exit 3): step `r`: the plugin wants to read Dockerfile and build/app.Dockerfile, but no grant of `workspace` covers that
        add to the step:
        grants:
          workspace: [{ read: [Dockerfile] }, { read: [Dockerfile, build/app.Dockerfile] }]
        `Dockerfile` is a link to `build/app.Dockerfile`: the grant needs both names
    ");
    let both = "    grants: { workspace: [{ read: [Dockerfile, build/app.Dockerfile] }] }\n";
    let plan = reading(uses, ".", "Dockerfile", both).expect("granted");
    let call = workspace::WorkspaceCall {
        path: "build/app.Dockerfile",
    };
    assert!(plan.instances[0].scopes.allows(&call).is_ok());
}

#[test]
fn a_link_that_leaves_its_folder_is_refused_for_every_plugin() {
    for uses in ["sidestep/reader", "./plugins/reader.wasm"] {
        let all = "    grants: { workspace: [{ read: ['**'] }] }\n";
        let refused = reading(uses, "app", "away", all).expect_err("it leaves");
        assert_eq!(
            lines(&refused),
            "5:11+15 workspace.outside: `app/away` is a link that leaves `app`\n    the builder gets only `app`: put a copy of the file there, or make `path` a folder that holds both\n".replace("15", &uses.len().to_string())
        );
    }
}
