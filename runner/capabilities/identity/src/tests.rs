//! Proofs against the sandbox's servers for Google and Kubernetes.

mod attacks;
mod caller;
mod links;
mod sandbox;
mod secrecy;
mod targets;
