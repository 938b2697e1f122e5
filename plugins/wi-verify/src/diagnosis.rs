//! The links in their order, up to the first that is broken.

use sidestep::gcp::iam::{Policy, PolicyResource, ServiceAccount};
use sidestep::gcp::{gke, project};
use sidestep::google::{Account, Resource};
use sidestep::serde_json::Value;
use sidestep::{Error, Result, Step};

use crate::account::{self, is_missing};
use crate::annotation::{self, There, annotation};
use crate::binding::{self, Binding};
use crate::caller::{self, Itself};
use crate::form::{Told, bound, told};
use crate::held::{Place, held};
use crate::identity::{Identity, Way, Workload};
use crate::inputs::{Form, Inputs};
use crate::outputs::Outputs;
use crate::overriding::Hierarchies;
use crate::proving::{self, Proving};
use crate::report::{Link, Report};
use crate::settling::Known;
use crate::targets::{self, Target};
use crate::verdict::{self, Verdict, unread};
use crate::{cluster, google_account, network, nodes, permissions, pods, reads, uniform};

/// Checks every link, up to the first that is broken.
pub(crate) fn run(step: &Step, inputs: &Inputs) -> Result<Outputs> {
    let workload = Workload::of(inputs)?;
    let targets = targets::targets(inputs)?;
    let (caller, by_key, itself) = reads::caller();
    sidestep::info!(
        "{} on {}, checked as {caller}",
        workload.name(),
        workload.cluster_name()
    );
    if by_key {
        sidestep::warn!(
            "this run itself uses a service account's key; use the CI's own token instead (workload identity federation)"
        );
    }
    let mut report = Report::default();
    if let Some(job) = &inputs.caller {
        caller::check(job, &caller, &mut report)?;
    }
    let by = (caller.as_str(), &itself);
    let mut found = cluster_side(&workload, inputs, &targets, by, &mut report)?;
    let google = found.google.take();
    let known = Known {
        account: matches!(&google, Some(Ok(_))),
        apis: found.apis_read,
    };
    let now = step.now();
    let binding = google_side(
        &found.identity,
        google,
        &targets,
        (&caller, now),
        &mut report,
    )?;
    workload_side(
        step,
        inputs,
        found,
        &targets,
        (binding.as_ref(), known),
        &caller,
        report,
    )
}

/// The results of the first links.
struct ClusterSide {
    identity: Identity,
    facts: gke::ClusterFacts,
    /// Whether the APIs were read, and are enabled.
    apis_read: bool,
    /// The Google service account, if the identity has one.
    google: Option<Result<ServiceAccount>>,
}

/// Links 1 to 6: the project, the cluster and the Kubernetes service account.
fn cluster_side(
    workload: &Workload,
    inputs: &Inputs,
    targets: &[Target],
    (caller, itself): (&str, &Itself),
    report: &mut Report,
) -> Result<ClusterSide> {
    let project = project::get(&workload.project);
    if let Err(error) = &project
        && verdict::is_callers(error)
    {
        itself.was_refused(workload, error.clone(), report)?;
    }
    let number = project.as_ref().ok().map(|project| project.number);
    let (pool, facts) = cluster::pool(workload, gke::cluster(workload.cluster_name()), caller);
    itself.got_in(report)?;
    let pool = itself.cluster_refused(workload, pool, report)?;
    let read = if facts.is_some() {
        reads::kubernetes_account(workload)
    } else {
        Err(Error::bug("without a cluster there is no service account"))
    };
    if facts.is_some() {
        itself.in_namespace(workload, &read, report)?;
    }
    let mut identity = Identity {
        workload: workload.clone(),
        pool: facts
            .as_ref()
            .and_then(|facts| facts.workload_pool.clone())
            .unwrap_or_default(),
        number,
        uid: read
            .as_ref()
            .ok()
            .and_then(|account| account["metadata"]["uid"].as_str())
            .map(str::to_owned),
        way: Way::Direct,
    };
    let (way, mut bound) = way(&identity, inputs, &read);

    report.take(
        Link::PROJECT,
        crate::project::project(workload, project, caller)?,
    )?;
    let apis = crate::project::apis(workload, way.as_ref(), targets);
    let queries: Vec<_> = apis.iter().map(crate::project::Api::query).collect();
    let enabled = crate::project::enabled(&apis, project::enabled_all(&queries), caller)?;
    let apis_read = !matches!(enabled, Verdict::Unknown(_));
    report.take(Link::APIS, enabled)?;
    report.take(Link::POOL, pool)?;
    let facts = facts.ok_or_else(|| Error::bug("a cluster without facts is a broken link"))?;
    let nodes = if facts.autopilot {
        Verdict::Skipped("Autopilot: every node serves workload identities".to_owned())
    } else {
        nodes::nodes(
            workload,
            gke::node_pools(workload.cluster_name()),
            &inputs.node_selector,
            number,
            caller,
        )?
    };
    report.take(Link::NODES, nodes)?;
    let others = match &read {
        Err(error) if is_missing(error) => reads::kubernetes_accounts(workload).ok(),
        _ => None,
    };
    report.take(
        Link::ACCOUNT,
        account::exists(workload, &read, others.as_deref(), caller)?,
    )?;

    let Some(way) = way else {
        if let Err(error) = &read
            && !is_missing(error)
        {
            // Without the annotation, neither the form nor a broken link is known.
            return Err(error.clone().help("let the caller read the service account, or set `googleServiceAccount` or `form: direct`, so that the check does not depend on its annotation"));
        }
        return Err(report
            .take(
                Link::ANNOTATION,
                annotation::unnamed(
                    workload,
                    read.as_ref().ok().and_then(annotation),
                    bound.all_read,
                ),
            )
            .err()
            .unwrap_or_else(|| Error::bug("an unnamed account is a broken link")));
    };
    identity.way = way;
    let google = identity.way.account().map(reads::service_account);
    let there = match &google {
        Some(Err(error)) if error.is_not_found() => There::No,
        Some(Err(_)) => There::Unknown,
        Some(Ok(_)) | None => There::Yes,
    };
    if there == There::No && bound.accounts.is_empty() && inputs.google_service_account.is_none() {
        bound = bound_accounts(&identity);
    }
    let annotated = match &read {
        Ok(account) => {
            let found = annotation(account);
            annotation::annotated(&identity, found, inputs.form, there, &bound.accounts)
        }
        Err(_) => Verdict::Unknown("not checked: the service account could not be read".to_owned()),
    };
    report.take(Link::ANNOTATION, annotated)?;
    Ok(ClusterSide {
        identity,
        facts,
        apis_read,
        google,
    })
}

/// The accounts that let the workload act as them, as far as they were looked for.
#[derive(Debug, Default)]
struct Bound {
    accounts: Vec<String>,
    /// Whether the policies of all accounts were read.
    all_read: bool,
}

/// Returns the form, if it is known, and the accounts that let the workload act as them, if they
/// were searched.
fn way(identity: &Identity, inputs: &Inputs, read: &Result<Value>) -> (Option<Way>, Bound) {
    match told(inputs, read.as_ref().ok().and_then(annotation)) {
        Told::Way(way) => (Some(way), Bound::default()),
        Told::ByBindings if identity.pool.is_empty() => (None, Bound::default()),
        Told::ByBindings => {
            let bound = bound_accounts(identity);
            let way = match bound.accounts.first() {
                Some(email) => Some(Way::As(email.clone())),
                None if inputs.form == Form::Auto && read.is_ok() => Some(Way::Direct),
                None => None,
            };
            (way, bound)
        }
    }
}

fn bound_accounts(identity: &Identity) -> Bound {
    match reads::accounts_with_policies(&identity.workload.project) {
        Ok(found) => Bound {
            accounts: bound(identity, &found.read),
            all_read: found.all,
        },
        // The links that follow say that the caller may not list them.
        Err(_) => Bound::default(),
    }
}

/// Link 7, and what the policies of link 8 say: whether they are right, the proof tells.
fn google_side(
    identity: &Identity,
    google: Option<Result<ServiceAccount>>,
    targets: &[Target],
    (caller, now): (&str, u64),
    report: &mut Report,
) -> Result<Option<Binding>> {
    let (Some(email), Some(read)) = (identity.way.account(), google) else {
        let why = "none: the workload has its own roles";
        report.take(Link::GOOGLE_ACCOUNT, Verdict::Skipped(why.to_owned()))?;
        return Ok(None);
    };
    let policies: Vec<Policy> = match &read {
        Err(error) if error.is_not_found() => {
            let resources = targets
                .iter()
                .map(|target| targets::resource(&target.resource));
            reads::policies(resources).into_iter().flatten().collect()
        }
        _ => Vec::new(),
    };
    report.take(
        Link::GOOGLE_ACCOUNT,
        google_account::account(email, read, &policies, caller)?,
    )?;
    let own = reads::policy(PolicyResource::ServiceAccount(email.to_owned()));
    let account = Account::read(email);
    let project = account.as_ref().and_then(Account::project_id);
    let project =
        project.and_then(|project| reads::policy(PolicyResource::Project(project.to_owned())).ok());
    Ok(Some(match own {
        Ok(own) => binding::read(identity, &own, project.as_ref(), |conditions| {
            held(now, conditions, &Place::account())
        }),
        Err(error) => match unread(caller, &format!("the policy of {email}"), error)? {
            Verdict::Unknown(why) => Binding::Unknown(why),
            _ => Binding::Unknown("not checked".to_owned()),
        },
    }))
}

/// Links 8 to 16: what the workload itself can do, and what its pods meet.
fn workload_side(
    step: &Step,
    inputs: &Inputs,
    ClusterSide {
        identity, facts, ..
    }: ClusterSide,
    targets: &[Target],
    (binding, known): (Option<&Binding>, Known),
    caller: &str,
    mut report: Report,
) -> Result<Outputs> {
    let uniform = uniform::uniform(&identity, buckets(&identity, targets), caller)?;
    let proving = Proving {
        step,
        identity: &identity,
        targets,
        binding,
        known,
        caller,
        wait: inputs.wait.get(),
        settled: uniform.is_broken(),
        hierarchies: Hierarchies::default(),
    };
    let proven = proving.run()?;
    proving::report(&proving, &proven, uniform, &mut report)?;

    let workload = &identity.workload;
    report.take(
        Link::PODS,
        pods::pods(workload, reads::pods(workload), caller)?,
    )?;
    let network = if facts.network_policy || facts.dataplane_v2 {
        network::network(workload, &facts, reads::network_policies(workload), caller)?
    } else {
        network::network(workload, &facts, Ok(Vec::new()), caller)?
    };
    report.take(Link::NETWORK, network)?;
    report.take(
        Link::START_UP,
        Verdict::Skipped(
            "only a pod can show it: on a new pod, the metadata server can be some seconds late"
                .to_owned(),
        ),
    )?;
    report.take(Link::PROPAGATION, proven.waited())?;
    report.take(
        Link::FORM,
        Verdict::Holds("no API requires another".to_owned()),
    )?;
    let holder = identity.holder().unwrap_or_else(|| identity.member());
    let holder = holder.text().unwrap_or_default().to_owned();
    Ok(Outputs {
        principal: proven.principal.unwrap_or(holder),
        form: permissions::form(&identity.way).to_owned(),
        pool: identity.pool,
        links: report.findings(),
    })
}

fn buckets(
    identity: &Identity,
    targets: &[Target],
) -> Vec<(String, Result<sidestep::storage::BucketFacts>)> {
    if identity.way != Way::Direct {
        return Vec::new();
    }
    let names: Vec<String> = targets
        .iter()
        .filter_map(|target| match &target.resource {
            Resource::Objects { bucket, .. } => Some(bucket.clone()),
            _ => None,
        })
        .collect();
    let facts = sidestep::storage::buckets(&names);
    names.into_iter().zip(facts).collect()
}
