mod commands;
mod needs;

use std::collections::{BTreeMap, BTreeSet};

use sidestep_events::show;
use sidestep_pipeline::Plan;

use super::{Account, label};
use commands::{command, pod};

/// The principal that gets a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Runner,
    Pods(Account),
}

/// The resource on which a role is granted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum On {
    Project(String),
    /// A bucket, and a grant's prefix of its objects' names; empty for all.
    Bucket(String, String),
    Repository {
        project: String,
        location: String,
        name: String,
    },
    Secret {
        project: String,
        name: String,
    },
    Account(String),
}

#[derive(Default)]
struct Needs {
    /// Roles by principal and resource, each with the steps that need it.
    bindings: BTreeMap<(Who, On), BTreeMap<&'static str, BTreeSet<String>>>,
    /// Bindings that cannot be made, and why.
    remarks: BTreeSet<String>,
}

/// Returns gcloud commands that grant the runner and its pods the minimum permissions, as a script
/// for a POSIX shell. `member` is the principal that runs sidestep: `serviceAccount:…`, `user:…`,
/// `principal://…`.
pub fn iam(plan: &Plan, member: Option<&str>) -> String {
    let mut needs = Needs::default();
    needs.of_runner(plan);
    needs.of_pods(plan);
    let mut text = String::from(
        "# The minimal roles that this plan needs in Google Cloud. Each command works when pasted, for a\n\
         # principal that may set these policies.\n",
    );
    for remark in &needs.remarks {
        text.push_str(&format!("# Not covered: {}\n", show::line(remark)));
    }
    text.push_str("\n# The account that sidestep runs as: serviceAccount:E-MAIL, user:E-MAIL or principal://…\n");
    text.push_str(&match member {
        Some(member) => format!("RUNNER={}\n", show::shell_word(member)),
        None => {
            ": \"${RUNNER:?set it to the account that sidestep runs as, or use --iam=MEMBER}\"\n"
                .to_owned()
        }
    });
    let mut pods: Vec<&Account> = Vec::new();
    for ((who, on), roles) in &needs.bindings {
        let variable = match who {
            Who::Runner => "RUNNER".to_owned(),
            Who::Pods(account) => {
                let index = pods.iter().position(|known| *known == account);
                let index = index.unwrap_or_else(|| {
                    pods.push(account);
                    text.push_str(&pod(account, pods.len()));
                    pods.len() - 1
                });
                format!("POD_{}", index + 1)
            }
        };
        for (role, steps) in roles {
            let steps: Vec<_> = steps.iter().map(show::line).collect();
            text.push_str(&format!("\n# for {}\n", steps.join(", ")));
            text.push_str(&command(on, role, &variable, &label(plan.name.exact())));
        }
    }
    text
}
