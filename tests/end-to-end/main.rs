//! The command as its users run it, against the sandbox: one process per call, as in a terminal.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
#![allow(
    clippy::disallowed_methods,
    reason = "the tests read variables of their own, not settings of the runner"
)]

#[path = "../attacks/attacks.rs"]
mod attacks;
mod authors;
mod away;
mod beside;
mod broken_on_a_node;
mod build_inputs;
mod builds;
mod bytes;
mod callers;
mod clients;
mod command;
mod conditions;
mod contexts;
mod dispositions;
mod disruptions;
mod emulators;
mod endpoints;
mod faults;
mod federated;
mod gc;
mod gcloud;
mod git;
mod given;
mod google_clients;
mod grants;
mod identity;
mod images;
mod interrupted;
mod jobs;
mod jobs_of_ci;
mod key_audit;
mod killed;
mod kubectl;
mod least_role;
mod life;
mod linked;
mod log;
mod names;
mod node_runs;
mod on_a_node;
mod options;
mod origin;
mod parsed;
mod plans;
mod pod_changes;
mod pod_context;
mod pods;
mod policies;
mod printed;
mod printing;
mod random_kills;
mod random_stops;
mod registries;
mod relayed;
mod rotated_logs;
mod schemas;
mod secrets;
mod served;
mod setup;
mod small;
mod soak;
mod stops;
mod sweeps;
mod unread;
mod unusable_clusters;
mod ways;
mod webhook;
mod wi_setup;
