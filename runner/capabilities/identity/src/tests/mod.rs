//! Proofs against the sandbox: Google's side and Kubernetes, as servers.

mod attacks;
mod caller;
mod links;
mod place;
mod secrecy;
mod targets;
