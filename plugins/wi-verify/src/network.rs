//! Link 13: no network policy keeps pods from the metadata server.
//! <https://cloud.google.com/kubernetes-engine/docs/how-to/network-policy#network-policy-and-workload-identity>

use std::net::Ipv4Addr;

use sidestep::gcp::gke::ClusterFacts;
use sidestep::serde_json::{Value, json};
use sidestep::{Class, Result, codes};

use crate::account::{is_missing, on};
use crate::commands;
use crate::identity::Workload;
use crate::verdict::{Verdict, and, cluster, unread};

/// The address on which GKE's metadata server listens on a node.
const SERVER: (Ipv4Addr, u64) = (Ipv4Addr::new(169, 254, 169, 252), 988);
/// Its address under Dataplane V2.
const SERVER_V2: (Ipv4Addr, u64) = (Ipv4Addr::new(169, 254, 169, 254), 80);

/// Judges the namespace's policies. A policy with a selector applies by the pods' labels, so only
/// policies for every pod give a certain verdict.
pub(crate) fn network(
    workload: &Workload,
    facts: &ClusterFacts,
    read: Result<Vec<Value>>,
    caller: &str,
) -> Result<Verdict> {
    if !facts.network_policy && !facts.dataplane_v2 {
        return Ok(Verdict::Skipped(
            "the cluster enforces no network policies".to_owned(),
        ));
    }
    let namespace = &workload.namespace;
    let policies = match read {
        Ok(policies) => policies,
        Err(error) if is_missing(&error) => Vec::new(),
        Err(error) => return unread(caller, &format!("network policies in {namespace}"), error),
    };
    let egress: Vec<&Value> = policies
        .iter()
        .filter(|policy| limits_egress(policy))
        .collect();
    let needed: Vec<(Ipv4Addr, u64)> = if facts.dataplane_v2 {
        vec![SERVER, SERVER_V2]
    } else {
        vec![SERVER]
    };
    let open = |policies: &[&Value]| {
        needed
            .iter()
            .all(|target| policies.iter().any(|policy| lets(policy, *target)))
    };
    let (all, some): (Vec<&Value>, Vec<&Value>) =
        egress.iter().copied().partition(|p| is_for_all(p));
    if open(&all) || egress.is_empty() {
        return Ok(Verdict::Holds(
            "no policy blocks pods from the metadata server".to_owned(),
        ));
    }
    let name = |policies: &[&Value]| {
        let names = policies
            .iter()
            .map(|p| p["metadata"]["name"].as_str().unwrap_or_default());
        and(&names.collect::<Vec<_>>())
    };
    if all.is_empty() || open(&egress) {
        return Ok(Verdict::Warns(
            format!(
                "whether pods reach the metadata server depends on their labels: {} in {namespace}",
                name(&some)
            ),
            Vec::new(),
        ));
    }
    let ports: Vec<String> = needed
        .iter()
        .map(|(ip, port)| format!("{ip}:{port}"))
        .collect();
    Ok(Verdict::Broken(
        cluster(
            Class::Denied,
            codes::identity::EGRESS_BLOCKED,
            format!(
                "no pod in {namespace} can reach the metadata server ({}): egress is blocked by {}",
                and(&ports),
                name(&all)
            ),
        )
        .help(on(
            workload,
            "allow all pods of the namespace to reach the metadata server",
        ))
        .helps(commands::apply(&opening(namespace, &needed))),
    ))
}

/// Returns a policy that lets every pod of the namespace reach the metadata server.
fn opening(namespace: &str, needed: &[(Ipv4Addr, u64)]) -> Value {
    let rule = |(ip, port): &(Ipv4Addr, u64)| json!({ "to": [{ "ipBlock": { "cidr": format!("{ip}/32") } }], "ports": [{ "protocol": "TCP", "port": port }] });
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": { "name": "allow-metadata-server", "namespace": namespace },
        "spec": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": needed.iter().map(rule).collect::<Vec<_>>(),
        },
    })
}

/// Returns whether the policy limits the egress of its pods.
fn limits_egress(policy: &Value) -> bool {
    match policy["spec"]["policyTypes"].as_array() {
        Some(types) => types.iter().any(|kind| kind == "Egress"),
        None => policy["spec"]["egress"].is_array(),
    }
}

fn is_for_all(policy: &Value) -> bool {
    let selector = &policy["spec"]["podSelector"];
    let empty = |value: &Value| {
        value
            .as_object()
            .is_none_or(sidestep::serde_json::Map::is_empty)
            && value.as_array().is_none_or(Vec::is_empty)
    };
    empty(&selector["matchLabels"]) && empty(&selector["matchExpressions"])
}

/// Returns whether a rule of the policy lets TCP out to the address.
fn lets(policy: &Value, (ip, port): (Ipv4Addr, u64)) -> bool {
    let rules = policy["spec"]["egress"].as_array();
    rules.into_iter().flatten().any(|rule| {
        let to = rule["to"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ports = rule["ports"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        (to.is_empty() || to.iter().any(|peer| reaches(&peer["ipBlock"], ip)))
            && (ports.is_empty() || ports.iter().any(|one| opens(one, port)))
    })
}

fn reaches(block: &Value, ip: Ipv4Addr) -> bool {
    let within = |cidr: &Value| cidr.as_str().is_some_and(|cidr| contains(cidr, ip));
    let except = block["except"].as_array();
    within(&block["cidr"]) && !except.into_iter().flatten().any(within)
}

fn opens(one: &Value, port: u64) -> bool {
    if one["protocol"].as_str().unwrap_or("TCP") != "TCP" {
        return false;
    }
    match (one["port"].as_u64(), one["endPort"].as_u64()) {
        (Some(first), Some(last)) => (first..=last).contains(&port),
        (Some(only), None) => only == port,
        // A name is a port of a pod, which the metadata server is not.
        (None, _) => one["port"].is_null(),
    }
}

fn contains(cidr: &str, ip: Ipv4Addr) -> bool {
    let Some((network, length)) = cidr.split_once('/') else {
        return false;
    };
    let (Ok(network), Ok(length)) = (network.parse::<Ipv4Addr>(), length.parse::<u32>()) else {
        return false;
    };
    let shift = 32_u32.saturating_sub(length);
    // A shift by all 32 bits is one of the whole address.
    let prefix = |ip: Ipv4Addr| u32::from(ip).checked_shr(shift).unwrap_or(0);
    length <= 32 && prefix(network) == prefix(ip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::example as facts;
    use crate::identity::{Way, example};

    fn judge(specs: &[Value], dataplane_v2: bool) -> Verdict {
        let policies = specs
            .iter()
            .map(|spec| json!({ "metadata": { "name": "deny" }, "spec": spec }));
        let facts = ClusterFacts {
            network_policy: true,
            dataplane_v2,
            ..facts()
        };
        let workload = example(Way::Direct).workload;
        network(&workload, &facts, Ok(policies.collect()), "dev@x").expect("a verdict")
    }

    #[test]
    fn a_namespace_that_lets_nothing_out_is_broken() {
        let closed = json!({ "podSelector": {}, "policyTypes": ["Egress"] });
        let error = judge(std::slice::from_ref(&closed), true).broken();
        assert_eq!(error.code, "identity.egress-blocked");
        assert!(
            error
                .message
                .contains("169.254.169.252:988 and 169.254.169.254:80"),
            "{error}"
        );
        assert!(
            error.help[1].to_string().starts_with("printf %s '{"),
            "{error:?}"
        );
        // What the repair adds is enough.
        let added = opening("builds", &[SERVER, SERVER_V2]);
        assert!(matches!(
            judge(&[closed.clone(), added["spec"].clone()], true),
            Verdict::Holds(_)
        ));
        let half = opening("builds", &[SERVER]);
        assert!(judge(&[closed, half["spec"].clone()], true).is_broken());
    }

    #[test]
    fn addresses_ports_and_selectors_are_read() {
        let to = |block: Value, ports: Value| json!({ "podSelector": {}, "policyTypes": ["Egress"], "egress": [{ "to": [{ "ipBlock": block }], "ports": ports }] });
        let holds = |spec: Value| matches!(judge(&[spec], false), Verdict::Holds(_));
        assert!(holds(to(json!({ "cidr": "0.0.0.0/0" }), json!([]))));
        assert!(!holds(to(
            json!({ "cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"] }),
            json!([])
        )));
        assert!(!holds(to(json!({ "cidr": "10.0.0.0/8" }), json!([]))));
        assert!(holds(to(
            json!({ "cidr": "169.254.169.252/32" }),
            json!([{ "port": 900, "endPort": 1000 }])
        )));
        assert!(!holds(to(
            json!({ "cidr": "169.254.169.252/32" }),
            json!([{ "port": 988, "protocol": "UDP" }])
        )));
        assert!(holds(
            json!({ "podSelector": {}, "policyTypes": ["Ingress"] })
        ));
        let some =
            json!({ "podSelector": { "matchLabels": { "a": "b" } }, "policyTypes": ["Egress"] });
        assert!(matches!(judge(&[some], false), Verdict::Warns(..)));
    }
}
