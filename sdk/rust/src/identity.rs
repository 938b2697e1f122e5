//! The runner's identity, and proofs of what a workload's identity may do. Grant
//! key: `identity`. No token is ever returned.

use crate::bindings::sidestep::identity::prove;
use crate::error::{each, only};
use crate::{Error, Result};

pub use crate::bindings::sidestep::gcp::types::Mapping;
pub use crate::bindings::sidestep::gcp::types::PolicyResource;
pub use prove::{
    Attribute, Attributes, Caller, Claim, ConditionPart, Decision, Federation, Link, LinkResult,
    Proof, Subject, Target, TargetResult, Truth,
};

/// Returns the runner's own identity.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::identity;
///
/// # fn main() -> sidestep::Result<()> {
/// let caller = identity::who_am_i()?;
/// sidestep::info!("credentials from {}", caller.source);
/// # Ok(())
/// # }
/// ```
pub fn who_am_i() -> Result<Caller> {
    prove::who_am_i().map_err(Error::from)
}

/// Evaluates the mapping and the condition of a workload identity provider for the claims of a
/// token, a JSON object.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::identity;
///
/// # fn main() -> sidestep::Result<()> {
/// let condition = "assertion.ref == 'refs/heads/main'";
/// let found = identity::federate(r#"{"ref":"refs/heads/x"}"#, &[], Some(condition))?;
/// sidestep::info!("{} parts", found.condition.len());
/// # Ok(())
/// # }
/// ```
pub fn federate(claims: &str, mappings: &[Mapping], condition: Option<&str>) -> Result<Federation> {
    prove::federate(claims, mappings, condition).map_err(Error::from)
}

/// Decides conditions of IAM policies for a request, in their order. A condition that reads
/// something that is not known, such as a tag or an access level, is unknown.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::identity::{self, Attributes, Truth};
///
/// # fn main() -> sidestep::Result<()> {
/// let attributes = Attributes {
///     time: 1_767_225_600_000,
///     name: Some("projects/_/buckets/ci-contexts".to_owned()),
///     service: Some("storage.googleapis.com".to_owned()),
///     kind: Some("storage.googleapis.com/Bucket".to_owned()),
/// };
/// let condition = "request.time < timestamp('2027-01-01T00:00:00Z')".to_owned();
/// let decisions = identity::decide(&[condition], &attributes)?;
/// let holds = decisions[0].truth == Truth::Yes;
/// # Ok(())
/// # }
/// ```
pub fn decide(conditions: &[String], attributes: &Attributes) -> Result<Vec<Decision>> {
    prove::decide(conditions, attributes).map_err(Error::from)
}

/// Proves one identity.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::identity::{self, Subject};
///
/// # fn main() -> sidestep::Result<()> {
/// let cluster = "projects/demo/locations/europe-west1/clusters/ci";
/// let proof = identity::prove(Subject {
///     cluster: cluster.to_owned(),
///     namespace: "builds".to_owned(),
///     service_account: "kaniko".to_owned(),
///     pool: "demo.svc.id.goog".to_owned(),
///     provider: format!("https://container.googleapis.com/v1/{cluster}"),
///     impersonate: Some("builder@demo.iam.gserviceaccount.com".to_owned()),
///     targets: Vec::new(),
/// })?;
/// let broken = proof.links.iter().any(|link| link.failure.is_some());
/// # Ok(())
/// # }
/// ```
pub fn prove(subject: Subject) -> Result<Proof> {
    only(prove::prove(&[subject]))
}

/// Proves identities, in the order of the subjects.
///
/// # Examples
///
/// ```no_run
/// use sidestep::identity::{self, Subject};
///
/// # fn main() -> sidestep::Result<()> {
/// fn count_broken(subjects: &[Subject]) -> usize {
///     identity::prove_all(subjects).into_iter().filter(Result::is_err).count()
/// }
/// # Ok(())
/// # }
/// ```
pub fn prove_all(subjects: &[Subject]) -> Vec<Result<Proof>> {
    each(prove::prove(subjects))
}
