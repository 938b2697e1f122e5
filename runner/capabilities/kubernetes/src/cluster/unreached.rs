//! The failure of a cluster none of whose addresses can be used.

use sidestep_contract::google::Cluster;
use sidestep_events::{Class, Failure, Help, Owner, codes};
use sidestep_google::Name;

use super::answer::Unanswered;
use super::endpoint::{Candidate, Way};

/// Returns the failure, with each address that was tried and why it can't be used.
pub(super) fn failure(cluster: &Name, tried: &[(Candidate, Unanswered)]) -> Failure {
    let name = cluster.as_str();
    let refused = |(_, why): &(Candidate, Unanswered)| {
        matches!(
            why,
            Unanswered::Refused {
                status: 401 | 403,
                ..
            }
        )
    };
    let (class, code) = if tried.iter().all(refused) {
        (Class::Denied, codes::kubernetes::FORBIDDEN)
    } else {
        (Class::Unavailable, codes::kubernetes::UNREACHABLE)
    };
    let reasons: Vec<_> = tried
        .iter()
        .map(|(candidate, why)| format!("{candidate}: {why}"))
        .collect();
    let message = format!("cannot connect to cluster {name} at {}", reasons.join("; "));
    let mut failure = Failure::new(class, code, Owner::Cluster, message);
    let dns = tried
        .iter()
        .find(|(candidate, _)| candidate.way == Way::Dns);
    match dns {
        Some(refusal) if refused(refusal) => {
            failure = failure.with_help(
                "the DNS endpoint needs the permission container.clusters.connect; roles/container.clusterViewer on the cluster's project contains it. It also needs to accept requests from outside of Google Cloud's services:",
            );
            failure = failure.with_helps(open_dns(cluster).pop());
        }
        Some(_) => {}
        None => failure = failure.with_helps(open_dns(cluster)),
    }
    if tried.iter().any(|(candidate, _)| candidate.way != Way::Dns) {
        failure = failure.with_help(
            "the public endpoint answers only the cluster's authorized networks, if it has any; the private one only machines in the cluster's network",
        );
    }
    failure
}

/// Returns the help that opens the cluster's DNS endpoint: a sentence, and its command.
pub(super) fn open_dns(cluster: &Name) -> Vec<Help> {
    let sentence = "the cluster's DNS endpoint can be opened to callers outside of its network; IAM checks each of them:";
    let command = Cluster::read(cluster.as_str()).and_then(|cluster| cluster.open_dns());
    match command {
        None => Vec::new(),
        Some(command) => vec![sentence.into(), command.into()],
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sidestep_google::CLUSTER;

    use super::*;

    fn shown(tried: &[(Way, &str, Unanswered)]) -> String {
        let cluster = "projects/demo/locations/europe-west1/clusters/ci";
        let cluster = Name::read("cluster", CLUSTER, cluster).expect("a name");
        let tried: Vec<_> = tried
            .iter()
            .map(|(way, host, why)| {
                let (way, host) = (*way, (*host).to_owned());
                (Candidate { way, host }, why.clone())
            })
            .collect();
        let failure = failure(&cluster, &tried);
        let help: Vec<_> = failure.help.iter().map(Help::exact).collect();
        format!(
            "{:?} {}\n{}\n{}",
            failure.class,
            failure.code.exact(),
            failure.message.exact(),
            help.join("\n")
        )
    }

    #[test]
    fn each_address_and_its_reason_is_named() {
        let silent = || Unanswered::Silent(Duration::from_secs(15));
        let refused = || Unanswered::Refused {
            status: 403,
            why: Some("Permission denied.".to_owned()),
        };
        let dns = "gke-1.europe-west1.gke.goog";
        insta::assert_snapshot!(
            "silent",
            shown(&[
                (Way::Public, "34.1.2.3", silent()),
                (
                    Way::Private,
                    "10.0.0.2",
                    Unanswered::Broken("no route to host".to_owned())
                ),
            ])
        );
        insta::assert_snapshot!("refused", shown(&[(Way::Dns, dns, refused())]));
        insta::assert_snapshot!(
            "all",
            shown(&[
                (Way::Public, "34.1.2.3", silent()),
                (Way::Dns, dns, refused()),
                (Way::Private, "10.0.0.2", silent()),
            ])
        );
    }
}
