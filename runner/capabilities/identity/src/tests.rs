//! Proofs against the sandbox's servers for Google and Kubernetes.

mod attacks;
mod caller;
mod links;
mod place;
mod secrecy;
mod targets;
