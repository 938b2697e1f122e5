//! The plugins that a policy allows.

use std::collections::BTreeMap;

use sidestep_events::PluginRef;
use sidestep_policy::{
    Ceiling, Granted, Grants, Origin, PluginFacts, Policy, Refusal, Signer, StepScopes, Trust, meet,
};

const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn digest(first: char) -> String {
    format!("sha256:{first}{}", &HEX[1..])
}

fn plugin(text: &str) -> PluginRef {
    PluginRef::parse(text).expect(text)
}

fn policy(file: &str, text: &str) -> Policy {
    Policy::parse(file, text).expect(text)
}

/// Returns a policy with one rule for every run, and this list on line 3.
fn listing(entries: &str) -> Policy {
    policy(
        "p.yaml",
        &format!(
            "version: 1\nrules:\n- plugins: [{entries}]\n  match: {{ trust: [verified, unverified, fork] }}\n"
        ),
    )
}

fn ceiling(policy: &Policy, plugin: &PluginRef, digest: &str) -> Ceiling {
    let facts = PluginFacts {
        plugin,
        digest,
        signer: None,
    };
    policy.ceiling(&Origin::default(), facts)
}

/// Returns the intersection for a plugin that requests nothing.
fn met(ceilings: &[Ceiling]) -> Result<StepScopes, Vec<Refusal>> {
    let granted = Granted {
        written: &Grants::default(),
        automatic: false,
    };
    meet(&BTreeMap::new(), granted, ceilings)
}

#[test]
fn each_entry_lists_plugins_of_its_own_kind() {
    let built_in = plugin("sidestep/context-upload");
    let file = plugin("./sidestep/context-upload");
    let oci = plugin(&format!("oci://ghcr.io/acme/notify:1@sha256:{HEX}"));
    let all = [&built_in, &file, &oci];
    let bytes = format!("{{ digest: \"{}\" }}", digest('0'));
    let both = format!("{{ name: \"sidestep/*\", digest: \"{}\" }}", digest('f'));
    for (entries, listed) in [
        ("{ name: \"sidestep/*\" }", [true, false, false]),
        ("{ name: \"sidestep/**\" }", [true, false, false]),
        ("{ name: sidestep/context-upload }", [true, false, false]),
        ("{ name: sidestep/kaniko-launch }", [false, false, false]),
        (
            "{ reference: \"oci://ghcr.io/acme/*\" }",
            [false, false, true],
        ),
        ("{ reference: \"oci://**\" }", [false, false, true]),
        (
            "{ reference: \"oci://ghcr.io/other/*\" }",
            [false, false, false],
        ),
        // No signature was verified.
        (
            "{ signer: { issuer: \"**\", identity: \"**\" } }",
            [false, false, false],
        ),
        (bytes.as_str(), [true, true, true]),
        (both.as_str(), [false, false, false]),
        ("", [false, false, false]),
    ] {
        let policy = listing(entries);
        let found = all.map(|one| met(&[ceiling(&policy, one, &digest('0'))]).is_ok());
        assert_eq!(found, listed, "{entries}");
    }
}

#[test]
fn a_signer_lists_a_registry_s_plugin_by_issuer_and_identity_together() {
    let policy = listing(
        "{ signer: { issuer: \"https://issuer.example\", identity: \"https://ci.example/acme/**\" } }",
    );
    let oci = plugin(&format!("oci://ghcr.io/acme/notify@sha256:{HEX}"));
    let judged = |plugin: &PluginRef, issuer: &str, identity: &str| {
        let signer = Signer {
            issuer: issuer.to_owned(),
            identity: identity.to_owned(),
        };
        let facts = PluginFacts {
            plugin,
            digest: "sha256:00",
            signer: Some(&signer),
        };
        met(&[policy.ceiling(&Origin::default(), facts)]).is_ok()
    };
    let (issuer, identity) = ("https://issuer.example", "https://ci.example/acme/release");
    assert!(judged(&oci, issuer, identity));
    assert!(!judged(&oci, "https://issuer.example.evil", identity));
    assert!(!judged(
        &oci,
        issuer,
        "https://evil.example/https://ci.example/acme/x"
    ));
    assert!(!judged(&plugin("./notify.wasm"), issuer, identity));
}

#[test]
fn a_plugin_that_no_entry_lists_is_refused_with_the_line_and_the_entry_to_write() {
    let file = plugin("./evil.wasm");
    let refused = met(&[ceiling(
        &listing("{ name: \"sidestep/*\" }"),
        &file,
        &digest('a'),
    )])
    .expect_err("not listed");
    let [refusal] = refused.as_slice() else {
        panic!("{refused:?}");
    };
    assert_eq!(
        refusal.message,
        "the plugin ./evil.wasm: p.yaml:3 does not list it"
    );
    let help = format!(
        "an administrator of the policy can list it:\nplugins: [{{ digest: \"{}\" }}]",
        digest('a')
    );
    assert_eq!(refusal.help, [help]);
    let failure = refusal.failure();
    assert_eq!(failure.code, "policy.refused");
    assert_eq!(failure.details["policyLine"], 3);
    assert!(!failure.details.contains_key("capability"));
}

#[test]
fn each_policy_has_to_list_it() {
    let file = plugin("./own.wasm");
    let lists = format!("{{ digest: \"{}\" }}", digest('a'));
    let (yes, no) = (listing(&lists), listing("{ name: \"sidestep/*\" }"));
    let of = |policy: &Policy| ceiling(policy, &file, &digest('a'));
    assert!(met(&[of(&yes), of(&yes)]).is_ok());
    for ceilings in [[of(&yes), of(&no)], [of(&no), of(&yes)], [of(&no), of(&no)]] {
        assert!(met(&ceilings).is_err());
    }
    // A policy without a plugin list does not restrict plugins.
    let silent = policy("q.yaml", "version: 1\nrules: []\n");
    assert!(met(&[of(&silent), of(&yes)]).is_ok());
}

#[test]
fn only_a_rule_that_matches_lets_a_plugin_in() {
    let text = "version: 1\nrules:\n- match: { trust: verified }\n  plugins: [{ name: \"sidestep/*\" }]\n- match: { trust: fork }\n  allow: {}\n";
    let policy = policy("p.yaml", text);
    let admits = |trust: Trust, text: &str| {
        let origin = Origin {
            trust,
            ..Origin::default()
        };
        let plugin = plugin(text);
        let facts = PluginFacts {
            plugin: &plugin,
            digest: "sha256:00",
            signer: None,
        };
        met(&[policy.ceiling(&origin, facts)]).map_err(|refused| refused[0].policy.clone())
    };
    let line = |line: u32| Err(Some(("p.yaml".to_owned(), line)));
    assert!(admits(Trust::Verified, "sidestep/x").is_ok());
    assert_eq!(admits(Trust::Verified, "./x").map(drop), line(4));
    // This rule has no list, so it allows any plugin.
    assert!(admits(Trust::Fork, "./x").is_ok());
    // No rule matches this run, so the list of the first rule still applies.
    assert_eq!(admits(Trust::Unverified, "./x").map(drop), line(2));
    assert_eq!(admits(Trust::Unverified, "sidestep/x").map(drop), line(2));
}

#[test]
fn a_ceiling_that_is_not_given_anew_stays_and_one_of_the_same_file_is_replaced() {
    let file = plugin("./own.wasm");
    let lists = format!("{{ digest: \"{}\" }}", digest('a'));
    let of = |name: &str, entries: &str| {
        let mut policy = listing(entries);
        policy.file = name.to_owned();
        ceiling(&policy, &file, &digest('a'))
    };
    let begun = met(&[of("a.yaml", &lists), of("b.yaml", &lists)]).expect("listed");
    let stored = serde_json::to_string(&begun).expect("JSON");
    let stored: StepScopes = serde_json::from_str(&stored).expect("the same");
    assert!(stored.clone().capped(&[of("a.yaml", &lists)]).is_ok());
    let places = |refused: Result<StepScopes, Vec<Refusal>>| -> Vec<String> {
        let refused = refused.expect_err("not listed");
        let files = refused.into_iter().filter_map(|one| one.policy);
        files.map(|(file, _)| file).collect()
    };
    let (none, other) = ("", "{ name: \"sidestep/*\" }");
    let narrowed = stored.clone().capped(&[of("a.yaml", other)]);
    assert_eq!(places(narrowed), ["a.yaml"]);
    // A stored ceiling that refuses still applies when today's policies differ.
    let mut json = serde_json::to_value(&stored).expect("JSON");
    json["ceilings"][1] = serde_json::to_value(of("b.yaml", none)).expect("JSON");
    let narrow: StepScopes = serde_json::from_value(json).expect("scopes");
    assert_eq!(
        places(narrow.clone().capped(&[of("a.yaml", &lists)])),
        ["b.yaml"]
    );
    assert!(narrow.capped(&[of("b.yaml", &lists)]).is_ok());
    let mut narrowed = listing("{ name: \"sidestep/*\" }");
    narrowed.audit = true;
    let audited = stored
        .capped(&[ceiling(&narrowed, &file, &digest('a'))])
        .expect("it only reports");
    assert_eq!(audited.audited().len(), 1);
}
