//! Links C0 to C6: how the runner itself gets in, if it is a job of a CI system.
//!
//! The links of a job are checked in two ways. As the job: Google's answer to its sign-in names the
//! link, since a job that is refused can read nothing. For a job, by someone who may read the
//! provider: the job's claims are compared with the provider's mapping and condition, and with the
//! policy of its account.

mod commands;
mod condition;
mod job;
mod near_miss;
mod provider;
mod refused;

use sidestep::google::{Member, Resource, grant};
use sidestep::identity::Caller;
use sidestep::serde_json::{Map, Value};
use sidestep::{Class, Error, Help, Owner, Result, codes};

pub(crate) use job::check;

use crate::identity::Workload;
use crate::inputs::Job;
use crate::report::{Link, Report};
use crate::verdict::{Verdict, cluster, is_callers};

/// The claims of an id token.
type Claims = Map<String, Value>;

/// The runner's own identity, as far as it is a job of a CI system.
#[derive(Debug, Clone, Default)]
pub(crate) struct Itself {
    /// The job that the runner's credentials stand for; `None` if they are others.
    job: Option<Job>,
    /// Whether the claims were told. A job can be refused before it has any.
    has_claims: bool,
}

impl Itself {
    /// Returns what the runner's credentials are known to be.
    pub(crate) fn of(caller: &Caller) -> Self {
        let claims = caller.claims.as_deref();
        let claims: Option<Claims> =
            claims.and_then(|claims| sidestep::serde_json::from_str(claims).ok());
        let job = caller.provider.as_ref().map(|provider| Job {
            provider: provider.clone(),
            service_account: caller.principal.clone(),
            claims: claims.clone().unwrap_or_default(),
        });
        Self {
            has_claims: claims.is_some(),
            job,
        }
    }

    /// Reports that Google let the job in.
    pub(crate) fn got_in(&self, report: &mut Report) -> Result<()> {
        let Some(job) = &self.job else { return Ok(()) };
        self.credential(job, report)?;
        if self.has_claims {
            report.take(Link::ID_TOKEN, Verdict::Holds(told(&job.claims)))?;
        }
        let known = "Google exchanges the job's id token";
        report.take(Link::PROVIDER, Verdict::Holds(known.to_owned()))?;
        let accepted = "the provider's mapping and condition accept it";
        report.take(Link::CONDITION, Verdict::Holds(accepted.to_owned()))?;
        let acts = match &job.service_account {
            Some(account) => Verdict::Holds(format!("the job acts as {account}")),
            None => Verdict::Skipped("none: the job has its own roles".to_owned()),
        };
        report.take(Link::JOB_BINDING, acts)
    }

    /// Reports the refusal of the runner's own credentials at the link that it is about.
    pub(crate) fn was_refused(
        &self,
        workload: &Workload,
        error: Error,
        report: &mut Report,
    ) -> Result<()> {
        let Some(job) = &self.job else {
            return report.take(Link::CREDENTIAL, Verdict::Broken(error));
        };
        self.credential(job, report)?;
        if self.has_claims {
            sidestep::info!("claims of the id token: {}", text(&job.claims));
        }
        let (link, error) = refused::judge(job, error);
        let error = if self.has_claims && link != Link::ID_TOKEN {
            let help: [Help; 1] = [
                "a person who may read the provider and the account's policy can find the cause:"
                    .into(),
            ];
            error
                .helps(help)
                .helps(commands::check_job(workload, job))
                .detail("claims", Value::Object(job.claims.clone()))
        } else {
            error
        };
        report.take(link, Verdict::Broken(error))
    }

    /// Reports that the cluster does not let the job in.
    pub(crate) fn cluster_refused(
        &self,
        workload: &Workload,
        verdict: Verdict,
        report: &mut Report,
    ) -> Result<Verdict> {
        let (Some(job), Verdict::Broken(error)) = (&self.job, &verdict) else {
            return Ok(verdict);
        };
        if error.code != codes::identity::CLUSTER_DENIED {
            return Ok(verdict);
        }
        let who = job.service_account.as_deref().unwrap_or("the job");
        let mut broken = Error::new(
            Class::Denied,
            codes::identity::CALLER_CLUSTER,
            Owner::Cloud,
            format!(
                "Google lets the job in, but {who} may not read the cluster {}.\n{}",
                workload.cluster, error.message
            ),
        );
        let resource = Resource::Project(workload.project.clone());
        let member = job.service_account.as_deref().and_then(Member::of_caller);
        let role = "roles/container.developer";
        broken = match member.and_then(|member| grant(&resource, &member, role)) {
            Some(command) => broken
                .help("an administrator of the project can let it build there:")
                .help(command),
            None => broken.help(format!("it needs {role} on project {}", workload.project)),
        };
        report.take(Link::JOB_CLUSTER, Verdict::Broken(broken))?;
        Ok(verdict)
    }

    /// Reports that the cluster lets the job in, and whether it may read in the namespace, which a
    /// build does before it creates its pod.
    pub(crate) fn in_namespace<T>(
        &self,
        workload: &Workload,
        read: &Result<T>,
        report: &mut Report,
    ) -> Result<()> {
        let Some(job) = &self.job else { return Ok(()) };
        let Workload {
            namespace, project, ..
        } = workload;
        let in_cluster = format!("the API server of {} answers", workload.cluster);
        report.take(Link::JOB_CLUSTER, Verdict::Holds(in_cluster))?;
        let error = match read {
            Err(error) if error.class == Class::Denied && !is_callers(error) => error,
            _ => {
                let reads = format!("the job may read the service accounts of {namespace}");
                return report.take(Link::JOB_NAMESPACE, Verdict::Holds(reads));
            }
        };
        let who = job.service_account.as_deref().unwrap_or("the job");
        let mut broken = cluster(
            Class::Denied,
            codes::identity::CALLER_NAMESPACE,
            format!(
                "{who} may read the cluster {}, but not the service accounts of the namespace {namespace}, so it can't build there either.\n{}",
                workload.cluster, error.message
            ),
        );
        let resource = Resource::Project(project.clone());
        let member = job.service_account.as_deref().and_then(Member::of_caller);
        let role = "roles/container.developer";
        broken = match member.and_then(|member| grant(&resource, &member, role)) {
            Some(command) => broken
                .help("an administrator of the project can let it build in all namespaces; to allow only this one, an administrator of the cluster creates a role binding (`sidestep plan --rbac` prints one):")
                .help(command),
            None => broken.help(format!("it needs {role} on project {project}, or a role binding in {namespace}")),
        };
        report.take(Link::JOB_NAMESPACE, Verdict::Broken(broken))
    }

    fn credential(&self, job: &Job, report: &mut Report) -> Result<()> {
        let told = format!("the job's id token, exchanged by {}", job.provider);
        report.take(Link::CREDENTIAL, Verdict::Holds(told))
    }
}

/// The claims that tell jobs apart, in the order of their display.
const TELLING: [&str; 9] = [
    "repository",
    "repository_id",
    "environment",
    "event_name",
    "project_path",
    "project_id",
    "ref",
    "ref_protected",
    "pipeline_slug",
];

/// Returns the issuer, the subject and the claims that tell jobs apart.
fn told(claims: &Claims) -> String {
    let claim = |name: &str| claims.get(name).map(shown);
    let mut told = format!(
        "{} of {}",
        claim("sub").unwrap_or_else(|| "no subject".to_owned()),
        claim("iss").unwrap_or_else(|| "no issuer".to_owned())
    );
    for name in TELLING {
        if let Some(value) = claim(name) {
            told.push_str(&format!(", {name}={value}"));
        }
    }
    told
}

/// Returns a claim's value for people: a text as it is, everything else as JSON.
fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn text(claims: &Claims) -> String {
    Value::Object(claims.clone()).to_string()
}

/// Returns the failure of one of the job's links, which an administrator of the pool or of the
/// account can repair.
fn broken(code: &str, message: impl Into<String>) -> Error {
    Error::new(Class::Denied, code, Owner::Cloud, message)
}

/// Returns the failure of what the job's settings, or the step's inputs, say.
fn written_wrong(code: &str, message: impl Into<String>) -> Error {
    Error::new(Class::Denied, code, Owner::Author, message)
}
