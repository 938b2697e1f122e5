use std::collections::{BTreeMap, BTreeSet};

use sidestep_pipeline::Plan;
use sidestep_policy::{Capability, Scope};

use super::{Account, accounts, label, may, pushed_by_pods, read_by_pods, scopes};

/// Who is given a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Runner,
    Pods(Account),
}

/// On what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum On {
    Project(String),
    /// A bucket, and the prefix that its objects have; empty for all.
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
    /// Roles by who has them on what, each with the steps that it is for.
    bindings: BTreeMap<(Who, On), BTreeMap<&'static str, BTreeSet<String>>>,
    /// What can't be bound, and why.
    remarks: BTreeSet<String>,
}

/// gcloud commands that give the runner and its pods the least, as a script for a POSIX shell.
/// `member` is who runs sidestep: `serviceAccount:…`, `user:…`, `principal://…`.
pub(crate) fn iam(plan: &Plan, member: Option<&str>) -> String {
    let mut needs = Needs::default();
    needs.of_runner(plan);
    needs.of_pods(plan);
    let mut text = String::from(
        "# The least that this plan needs of Google Cloud. Each command can be run as it stands, by\n\
         # somebody who may set these policies.\n",
    );
    for remark in &needs.remarks {
        text.push_str(&format!("# Not covered: {remark}\n"));
    }
    text.push_str("\n# Who runs sidestep: serviceAccount:E-MAIL, user:E-MAIL or principal://…\n");
    text.push_str(&match member {
        Some(member) => format!("RUNNER={}\n", quote(member)),
        None => ": \"${RUNNER:?set it to who runs sidestep, or use --iam=MEMBER}\"\n".to_owned(),
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
            let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
            text.push_str(&format!("\n# for {}\n", steps.join(", ")));
            text.push_str(&command(on, role, &variable, &label(&plan.name)));
        }
    }
    text
}

/// Who pods are to Google: their service account itself, which takes no Google service account.
fn pod(account: &Account, number: usize) -> String {
    let Account {
        cluster,
        namespace,
        name,
    } = account;
    let project = project_of(cluster).unwrap_or("PROJECT");
    [
        String::new(),
        format!("# The pods of {namespace}/{name} in {cluster}."),
        "# Where that service account acts as one of Google's (its annotation".to_owned(),
        "# iam.gke.io/gcp-service-account), the roles are for that one:".to_owned(),
        format!("# POD_{number}=serviceAccount:E-MAIL"),
        format!(
            "POD_{number}=\"${{POD_{number}:-principal://iam.googleapis.com/projects/$(gcloud \
             projects describe {} --format='value(projectNumber)')/locations/global/\
             workloadIdentityPools/{project}.svc.id.goog/subject/ns/{namespace}/sa/{name}}}\"\n",
            quote(project)
        ),
    ]
    .join("\n")
}

fn command(on: &On, role: &str, who: &str, title: &str) -> String {
    let (resource, condition) = match on {
        On::Project(project) => (
            format!("projects add-iam-policy-binding {}", quote(project)),
            None,
        ),
        On::Bucket(bucket, prefix) => {
            // Conditions hold on buckets with uniform access only.
            let name = format!("projects/_/buckets/{bucket}/objects/{prefix}");
            let condition =
                format!("expression=resource.name.startsWith(\"{name}\"),title={title}");
            let bucket = quote(&format!("gs://{bucket}"));
            (
                format!("storage buckets add-iam-policy-binding {bucket}"),
                (!prefix.is_empty()).then_some(condition),
            )
        }
        On::Repository {
            project,
            location,
            name,
        } => (
            format!(
                "artifacts repositories add-iam-policy-binding {} --project={} --location={}",
                quote(name),
                quote(project),
                quote(location)
            ),
            None,
        ),
        On::Secret { project, name } => (
            format!(
                "secrets add-iam-policy-binding {} --project={}",
                quote(name),
                quote(project)
            ),
            None,
        ),
        On::Account(email) => (
            format!(
                "iam service-accounts add-iam-policy-binding {}",
                quote(email)
            ),
            None,
        ),
    };
    // Said outright, or gcloud asks wherever a policy has conditions already.
    let condition = condition.map_or_else(|| "None".to_owned(), |text| quote(&text));
    format!("gcloud {resource} --member=\"${who}\" --role={role} --condition={condition}\n")
}

impl Needs {
    fn add(&mut self, who: &Who, on: On, role: &'static str, step: &str) {
        let roles = self.bindings.entry((who.clone(), on)).or_default();
        roles.entry(role).or_default().insert(step.to_owned());
    }

    fn remark(&mut self, step: &str, what: &str) {
        self.remarks.insert(format!("{step}: {what}"));
    }

    /// A scope that names nothing outright.
    fn vague(&mut self, step: &str, scope: &Scope) {
        self.remark(
            step,
            &format!(
                "no one resource is named where it wants to {}",
                scope.explain()
            ),
        );
    }

    fn of_runner(&mut self, plan: &Plan) {
        let runner = Who::Runner;
        for (instance, scope) in scopes(plan, Capability::Storage) {
            for (action, role) in [
                ("get", "roles/storage.objectViewer"),
                ("list", "roles/storage.objectViewer"),
                ("create", "roles/storage.objectCreator"),
                ("compose", "roles/storage.objectUser"),
                ("update", "roles/storage.objectUser"),
                ("delete", "roles/storage.objectUser"),
                ("getBucket", "roles/storage.bucketViewer"),
            ] {
                if may(scope, action) {
                    // Facts of the bucket and lists of it are no single object's.
                    let whole = matches!(action, "getBucket" | "list");
                    self.bucket(&runner, &instance.step, scope, role, whole);
                }
            }
        }
        // A cluster is found by its name in GKE's API; what may be done in it is RBAC's matter.
        for capability in [
            Capability::Kubernetes,
            Capability::Identity,
            Capability::Gke,
        ] {
            for (instance, scope) in scopes(plan, capability) {
                self.cluster(&instance.step, scope);
            }
        }
        for (instance, scope) in scopes(plan, Capability::Project) {
            for project in scope.exactly("project") {
                for (action, role) in [
                    ("get", "roles/browser"),
                    ("services", "roles/serviceusage.serviceUsageViewer"),
                ] {
                    if may(scope, action) {
                        self.add(
                            &runner,
                            On::Project(project.to_owned()),
                            role,
                            &instance.step,
                        );
                    }
                }
            }
        }
        for (instance, scope) in scopes(plan, Capability::Iam) {
            self.identities(&instance.step, scope);
        }
        for (instance, scope) in scopes(plan, Capability::ArtifactRegistry) {
            self.repositories(
                &runner,
                &instance.step,
                scope,
                "roles/artifactregistry.reader",
            );
        }
        for (instance, scope) in scopes(plan, Capability::Registry) {
            let role = if may(scope, "putIndex") {
                "roles/artifactregistry.writer"
            } else {
                "roles/artifactregistry.reader"
            };
            self.repositories(&runner, &instance.step, scope, role);
        }
        for (instance, scope) in scopes(plan, Capability::SecretManager) {
            for secret in scope.exactly("secret") {
                match secret.split('/').collect::<Vec<_>>()[..] {
                    ["projects", project, "secrets", name] => {
                        let on = On::Secret {
                            project: project.to_owned(),
                            name: name.to_owned(),
                        };
                        let role = "roles/secretmanager.secretAccessor";
                        self.add(&runner, on, role, &instance.step);
                    }
                    _ => self.vague(&instance.step, scope),
                }
            }
        }
        for (instance, scope) in scopes(plan, Capability::IamWrite) {
            self.policies(&instance.step, scope);
        }
    }

    /// Reading accounts, pools, roles and policies.
    fn identities(&mut self, step: &str, scope: &Scope) {
        let mut projects: BTreeSet<&str> = scope.exactly("project").into_iter().collect();
        for resource in scope.exactly("resource") {
            if let Some(project) = project_of(resource) {
                projects.insert(project);
            } else if let Some(bucket) = resource.strip_prefix("buckets/") {
                // A bucket's name does not say whose it is.
                self.remark(
                    step,
                    &format!(
                        "the policy of gs://{bucket}, if that is in another project: \
                         roles/iam.securityReviewer there"
                    ),
                );
            } else {
                self.vague(step, scope);
            }
        }
        if projects.is_empty() && scope.exactly("resource").is_empty() {
            self.vague(step, scope);
        }
        let reads = ["get", "list", "listKeys"];
        let roles = [
            (
                reads.iter().any(|action| may(scope, action)),
                "roles/iam.serviceAccountViewer",
            ),
            (may(scope, "get"), "roles/iam.roleViewer"),
            (may(scope, "getPolicy"), "roles/iam.securityReviewer"),
        ];
        for project in projects {
            for (_, role) in roles.iter().filter(|(needed, _)| *needed) {
                self.add(&Who::Runner, On::Project(project.to_owned()), role, step);
            }
        }
    }

    /// Setting a policy takes the administrator of what it is set on.
    fn policies(&mut self, step: &str, scope: &Scope) {
        for resource in scope.exactly("resource") {
            let (on, role) = match resource.split('/').collect::<Vec<_>>()[..] {
                ["projects", project] => (
                    On::Project(project.to_owned()),
                    "roles/resourcemanager.projectIamAdmin",
                ),
                ["projects", _, "serviceAccounts", email] => (
                    On::Account(email.to_owned()),
                    "roles/iam.serviceAccountAdmin",
                ),
                _ => {
                    self.remark(
                        step,
                        &format!("setting the policy of {resource} takes its administrator"),
                    );
                    continue;
                }
            };
            self.add(&Who::Runner, on, role, step);
        }
    }

    fn of_pods(&mut self, plan: &Plan) {
        for instance in &plan.instances {
            for account in accounts(instance) {
                let step = format!("the pod of {}", instance.step);
                let who = Who::Pods(account);
                for (_, scope) in read_by_pods(plan, instance) {
                    self.bucket(&who, &step, scope, "roles/storage.objectViewer", false);
                }
                for repository in pushed_by_pods(instance) {
                    self.repository(&who, &step, &repository, "roles/artifactregistry.writer");
                }
            }
        }
    }

    fn bucket(&mut self, who: &Who, step: &str, scope: &Scope, role: &'static str, whole: bool) {
        let buckets = scope.exactly("bucket");
        if buckets.is_empty() {
            self.vague(step, scope);
        }
        let prefixes: Vec<&str> = scope.patterns("prefix").map_or_else(Vec::new, |all| {
            all.iter().map(sidestep_policy::Pattern::as_str).collect()
        });
        for bucket in buckets {
            if whole || prefixes.is_empty() {
                self.add(
                    who,
                    On::Bucket(bucket.to_owned(), String::new()),
                    role,
                    step,
                );
                continue;
            }
            for prefix in &prefixes {
                // A scope's prefix ends with a whole part; a condition only says how names begin.
                let prefix = match prefix.trim_end_matches('/') {
                    "" => String::new(),
                    prefix => format!("{prefix}/"),
                };
                let on = On::Bucket(bucket.to_owned(), prefix);
                self.add(who, on, role, step);
            }
        }
    }

    fn cluster(&mut self, step: &str, scope: &Scope) {
        for cluster in scope.exactly("cluster") {
            match project_of(cluster) {
                Some(project) => self.add(
                    &Who::Runner,
                    On::Project(project.to_owned()),
                    "roles/container.clusterViewer",
                    step,
                ),
                None => self.remark(step, &format!("the settings map the cluster `{cluster}`")),
            }
        }
    }

    fn repositories(&mut self, who: &Who, step: &str, scope: &Scope, role: &'static str) {
        let repositories = scope.exactly("repository");
        if repositories.is_empty() {
            self.vague(step, scope);
        }
        for repository in repositories {
            self.repository(who, step, repository, role);
        }
    }

    fn repository(&mut self, who: &Who, step: &str, image: &str, role: &'static str) {
        let parts: Vec<&str> = image.split('/').collect();
        // LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE, and the resource name of the same.
        let found = match parts[..] {
            [host, project, name, ..] => host
                .strip_suffix("-docker.pkg.dev")
                .map(|location| (project, location, name)),
            _ => None,
        };
        let found = found.or(match parts[..] {
            [
                "projects",
                project,
                "locations",
                location,
                "repositories",
                name,
            ] => Some((project, location, name)),
            _ => None,
        });
        match found {
            Some((project, location, name)) => {
                let on = On::Repository {
                    project: project.to_owned(),
                    location: location.to_owned(),
                    name: name.to_owned(),
                };
                self.add(who, on, role, step);
            }
            None => self.remark(step, &format!("{image} is not in Artifact Registry")),
        }
    }
}

/// The project of `projects/P/…`.
fn project_of(resource: &str) -> Option<&str> {
    let mut parts = resource.split('/');
    (parts.next() == Some("projects")).then(|| parts.next())?
}

/// A word of a shell's, in quotes where it needs them.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
