use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use sidestep_events::PluginRef;
use sidestep_policy::{
    Capability, Granted, Grants, Origin, PluginFacts, Policy, Reading, Requested, StepScopes,
    kubernetes, meet, scopes, storage,
};

static PLUGIN: LazyLock<PluginRef> = LazyLock::new(|| PluginRef::built_in("x").expect("a name"));

fn facts() -> PluginFacts<'static> {
    PluginFacts {
        plugin: &PLUGIN,
        digest: "sha256:00",
        signer: None,
    }
}

fn arbitrary_scope() -> impl Strategy<Value = Value> {
    let bucket = prop_oneof![Just("a"), Just("b"), Just("*"), Just("a*"), Just("**")];
    let prefix = prop_oneof![Just(""), Just("x"), Just("x/"), Just("x/y")];
    let actions = proptest::sample::subsequence(vec!["get", "create", "delete"], 1..=3);
    (bucket, prefix, actions)
        .prop_map(|(bucket, prefix, actions)| json!({ "bucket": bucket, "prefix": prefix, "actions": actions }))
}

fn arbitrary_scopes() -> impl Strategy<Value = Value> {
    proptest::collection::vec(arbitrary_scope(), 0..4).prop_map(Value::Array)
}

fn policy(allow: &Value) -> Policy {
    let text = format!(
        "version: 1\nrules:\n- match: {{ trust: unverified }}\n  allow: {}\n",
        json!({ "storage": allow })
    );
    Policy::parse("p.yaml", &text).expect("a policy")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    /// Each of the three allows everything that their intersection allows.
    #[test]
    fn the_meeting_is_never_wider_than_any_of_the_three(
        requested in arbitrary_scopes(), granted in proptest::option::of(arbitrary_scopes()),
        allow in arbitrary_scopes(), later in any::<bool>(),
        bucket in "[ab]{1,2}", object in "(x|xy|x/y|x/y/z|y)", action in "(get|create|delete)",
    ) {
        let read = |value: &Value| scopes(Capability::Storage, value, Reading::Grant).expect("scopes");
        let mut written = Grants::default();
        if let Some(granted) = &granted {
            written.insert(Capability::Storage, read(granted));
        }
        let request = if later { Requested::Later("x".into()) } else { Requested::Now(read(&requested)) };
        let policy = policy(&allow);
        let ceiling = policy.ceiling(&Origin::default(), facts());
        let requests = BTreeMap::from([(Capability::Storage, request)]);
        let met = meet(&requests, Granted { written: &written, automatic: true }, std::slice::from_ref(&ceiling));
        let call = storage::StorageCall { bucket: &bucket, object: Some(&object), action: &action };
        if let Ok(step) = met {
            let json = serde_json::to_string(&step).expect("data");
            prop_assert_eq!(&serde_json::from_str::<StepScopes>(&json).expect("the same data"), &step);
            if step.allows(&call).is_ok() {
                let within = |value: &Value| read(value).iter().any(|scope| scope.contains(&call));
                prop_assert!(later || within(&requested));
                if let Some(granted) = &granted {
                    prop_assert!(within(granted));
                }
                prop_assert!(within(&allow));
            }
        }
    }

    /// A scope that covers another allows every call that the other allows.
    #[test]
    fn a_cover_contains_what_it_covers(
        a in arbitrary_scope(), b in arbitrary_scope(),
        bucket in "[ab]{1,2}", object in "(x|xy|x/y|x/y/z|y)", action in "(get|create|delete)",
    ) {
        let read = |value: &Value| scopes(Capability::Storage, value, Reading::Grant).expect("scopes").remove(0);
        let (a, b) = (read(&a), read(&b));
        let call = storage::StorageCall { bucket: &bucket, object: Some(&object), action: &action };
        prop_assert!(!a.covers(&b) || !b.contains(&call) || a.contains(&call));
    }
}

#[test]
fn a_dangerous_field_needs_the_grant_and_the_policy() {
    let grant = |fields: &[&str]| json!({ "kubernetes": [{ "cluster": "c", "namespace": "n", "resources": ["pods"], "actions": ["create"], "serviceAccounts": ["a"], "images": ["i"], "podFields": fields }] });
    let step = |granted: &Value, policy: Option<&str>| {
        let written = Grants::parse(granted, Reading::Grant).expect("grants");
        let requested = written
            .iter()
            .map(|(key, scopes)| (key, Requested::Now(scopes.to_vec())))
            .collect();
        let ceilings: Vec<_> = policy
            .map(|text| {
                Policy::parse("p", text)
                    .expect("a policy")
                    .ceiling(&Origin::default(), facts())
            })
            .into_iter()
            .collect();
        meet(
            &requested,
            Granted {
                written: &written,
                automatic: false,
            },
            &ceilings,
        )
    };
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": { "serviceAccountName": "a", "hostNetwork": true, "containers": [{ "name": "c", "image": "i" }] } });
    let call = kubernetes::KubernetesCall {
        cluster: "c",
        namespace: "n",
        resource: "pods",
        action: "create",
    };
    let silent =
        "version: 1\nrules: [{ match: { trust: unverified }, allow: { kubernetes: [{}] } }]\n";
    let naming = "version: 1\nrules: [{ match: { trust: unverified }, allow: { kubernetes: [{ podFields: [hostNetwork] }] } }]\n";
    let admits = |granted: &Value, policy: Option<&str>| {
        step(granted, policy).is_ok_and(|step| step.admits(&call, &pod, &[]).is_ok())
    };
    assert!(!admits(&grant(&["hostNetwork"]), None));
    assert!(!admits(&grant(&["hostNetwork"]), Some(silent)));
    assert!(!admits(&grant(&[]), Some(naming)));
    assert!(admits(&grant(&["hostNetwork"]), Some(naming)));
    let deployment = json!({ "kind": "Deployment", "spec": { "template": {} } });
    assert!(
        step(&grant(&[]), Some(silent))
            .expect("granted")
            .admits(&call, &deployment, &[])
            .is_err()
    );
}
