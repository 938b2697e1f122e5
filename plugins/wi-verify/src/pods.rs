//! Link 12: pods that run under the service account but have another identity.

use sidestep::Result;
use sidestep::serde_json::Value;

use crate::identity::Workload;
use crate::verdict::{Verdict, and, helps, unread};

/// The variable by which Google's client libraries prefer a file to the metadata server.
const KEY: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// Judges the pods that exist now; the steps of later builds create their own.
pub(crate) fn pods(workload: &Workload, read: Result<Vec<Value>>, caller: &str) -> Result<Verdict> {
    let pods = match read {
        Ok(pods) => pods,
        Err(error) => return unread(caller, &format!("pods in {}", workload.namespace), error),
    };
    let name = workload.name();
    let over = |pod: &Value| {
        matches!(
            pod["status"]["phase"].as_str(),
            Some("Succeeded" | "Failed")
        )
    };
    let running: Vec<&Value> = pods
        .iter()
        .filter(|pod| pod["spec"]["serviceAccountName"] == workload.account.as_str() && !over(pod))
        .collect();
    let named = |choose: fn(&Value) -> bool| -> Vec<&str> {
        let pods = running.iter().filter(|pod| choose(pod));
        pods.filter_map(|pod| pod["metadata"]["name"].as_str())
            .collect()
    };
    let mut odd = Vec::new();
    let mut help = Vec::new();
    let keyed = named(has_key);
    if !keyed.is_empty() {
        odd.push(format!(
            "{} set {KEY}: the file that it names takes precedence over {name}",
            and(&keyed)
        ));
        help.push("if it is a service account's key, remove the variable and the Secret from the pods, and delete the key (a file of type external_account is not a key)".to_owned());
    }
    let host = named(|pod| pod["spec"]["hostNetwork"] == true);
    if !host.is_empty() {
        odd.push(format!(
            "{} use the host's network, so they run as the node's account",
            and(&host)
        ));
        help.push("remove `hostNetwork` from them".to_owned());
    }
    Ok(match (odd.is_empty(), running.len()) {
        (false, _) => Verdict::Warns(odd.join("; "), helps(help)),
        (true, 0) => Verdict::Skipped(format!("no pod runs as {name} now")),
        (true, 1) => Verdict::Holds(format!(
            "1 pod runs as {name}, without a key or the host's network"
        )),
        (true, many) => Verdict::Holds(format!(
            "{many} pods run as {name}, without a key or the host's network"
        )),
    })
}

/// Returns whether a container sets the variable that names a credentials file.
fn has_key(pod: &Value) -> bool {
    let spec = &pod["spec"];
    [&spec["containers"], &spec["initContainers"]]
        .into_iter()
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(|container| container["env"].as_array())
        .flatten()
        .any(|variable| variable["name"] == KEY)
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::identity::{Way, example};

    fn judge(spec: Value, phase: &str) -> Verdict {
        let pod =
            json!({ "metadata": { "name": "p" }, "spec": spec, "status": { "phase": phase } });
        pods(&example(Way::Direct).workload, Ok(vec![pod]), "dev@x").expect("a verdict")
    }

    #[test]
    fn what_goes_around_the_identity_is_told() {
        let key = json!({
            "serviceAccountName": "kaniko",
            "containers": [{ "env": [{ "name": "GOOGLE_APPLICATION_CREDENTIALS", "value": "/k.json" }] }],
        });
        assert!(
            matches!(judge(key.clone(), "Running"), Verdict::Warns(text, _) if text.starts_with("p set GOOGLE"))
        );
        assert!(matches!(judge(key, "Succeeded"), Verdict::Skipped(_)));
        let host = json!({ "serviceAccountName": "kaniko", "hostNetwork": true });
        assert!(
            matches!(judge(host, "Running"), Verdict::Warns(text, _) if text.contains("host's network"))
        );
        let other = json!({ "serviceAccountName": "other", "hostNetwork": true });
        assert!(matches!(judge(other, "Running"), Verdict::Skipped(_)));
        let good = json!({ "serviceAccountName": "kaniko", "containers": [{}] });
        assert!(matches!(judge(good, "Running"), Verdict::Holds(_)));
    }
}
