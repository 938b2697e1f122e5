//! Maps scopes to roles: the least predefined role with the permissions for a scope's actions.

use std::collections::BTreeSet;

use sidestep_contract::google::{Repository, of_resource};
use sidestep_pipeline::Plan;
use sidestep_policy::{Capability, Pattern, Scope};

use super::{Needs, On, Who};
use crate::least::{accounts, may, not_covered, pod_scopes, pushed_by_pods, read_by_pods, scopes};

impl Needs {
    fn add(&mut self, who: &Who, on: On, role: &'static str, step: &str) {
        let roles = self.bindings.entry((who.clone(), on)).or_default();
        roles.entry(role).or_default().insert(step.to_owned());
    }

    fn remark(&mut self, step: &str, what: &str) {
        self.remarks.insert(format!("{step}: {what}"));
    }

    /// Records the values of keys that a scope does not name exactly.
    fn vague(&mut self, step: &str, scope: &Scope, keys: &[&str]) {
        if let Some(what) = not_covered(scope, keys) {
            self.remark(step, &what);
        }
    }

    pub(super) fn of_runner(&mut self, plan: &Plan) {
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
                    // Facts of the bucket and lists of it do not belong to a single object.
                    let whole = matches!(action, "getBucket" | "list");
                    self.bucket(&runner, &instance.step, scope, role, whole);
                }
            }
            if may(scope, "create") && !may(scope, "delete") {
                // Few steps create such objects, and the role also allows deleting others.
                self.remark(
                    &instance.step,
                    "the removal of an object that the step creates for its own time only; if it \
                     does, grant roles/storage.objectUser instead of roles/storage.objectCreator",
                );
            }
        }
        // GKE's API finds a cluster by its name; RBAC decides about the access inside of it.
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
            self.vague(&instance.step, scope, &["project"]);
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
            // The test of the permission to push starts an upload.
            let pushes = may(scope, "putIndex") || may(scope, "testPush");
            let role = if pushes {
                "roles/artifactregistry.writer"
            } else {
                "roles/artifactregistry.reader"
            };
            self.repositories(&runner, &instance.step, scope, role);
        }
        for (instance, scope) in scopes(plan, Capability::SecretManager) {
            self.vague(&instance.step, scope, &["secret"]);
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
                    _ => self.remark(
                        &instance.step,
                        &format!("{secret} is not the resource name of a secret"),
                    ),
                }
            }
        }
        for (instance, scope) in scopes(plan, Capability::IamWrite) {
            self.policies(&instance.step, scope);
        }
    }

    /// Adds the roles to read accounts, pools, roles and policies.
    fn identities(&mut self, step: &str, scope: &Scope) {
        let mut projects: BTreeSet<&str> = scope.exactly("project").into_iter().collect();
        for resource in scope.exactly("resource") {
            if let Some(project) = of_resource(resource) {
                projects.insert(project);
            } else if let Some(bucket) = resource.strip_prefix("buckets/") {
                // A bucket's name does not show its project.
                self.remark(
                    step,
                    &format!(
                        "the policy of gs://{bucket}, if the bucket is in another project: \
                         grant roles/iam.securityReviewer there"
                    ),
                );
            } else {
                self.remark(step, &format!("the project of {resource} is not known"));
            }
        }
        // The roles are those of a project, so either key is enough.
        if !scope.is_exact("project") && !scope.is_exact("resource") {
            self.vague(step, scope, &["project", "resource"]);
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

    /// Adds the roles to set policies: the administrator's role on each resource.
    fn policies(&mut self, step: &str, scope: &Scope) {
        self.vague(step, scope, &["resource"]);
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
                        &format!("only its administrator can set the policy of {resource}"),
                    );
                    continue;
                }
            };
            self.add(&Who::Runner, on, role, step);
        }
    }

    pub(super) fn of_pods(&mut self, plan: &Plan) {
        for instance in &plan.instances {
            let step = format!("the pod of {}", instance.step);
            let (read, pushed) = (read_by_pods(plan, instance), pushed_by_pods(instance));
            if read.is_empty() && pushed.is_empty() {
                continue;
            }
            for scope in pod_scopes(instance) {
                self.vague(&step, scope, &["cluster", "namespace", "serviceAccounts"]);
            }
            for account in accounts(instance) {
                let who = Who::Pods(account);
                for (_, scope) in &read {
                    self.bucket(&who, &step, scope, "roles/storage.objectViewer", false);
                }
                for repository in &pushed {
                    self.repository(&who, &step, repository, "roles/artifactregistry.writer");
                }
            }
        }
    }

    fn bucket(&mut self, who: &Who, step: &str, scope: &Scope, role: &'static str, whole: bool) {
        self.vague(step, scope, &["bucket"]);
        let prefixes: Vec<&str> = scope
            .patterns("prefix")
            .map_or_else(Vec::new, |all| all.iter().map(Pattern::as_str).collect());
        for bucket in scope.exactly("bucket") {
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
                let on = On::Bucket(bucket.to_owned(), (*prefix).to_owned());
                self.add(who, on, role, step);
            }
        }
    }

    fn cluster(&mut self, step: &str, scope: &Scope) {
        self.vague(step, scope, &["cluster"]);
        for cluster in scope.exactly("cluster") {
            match of_resource(cluster) {
                Some(project) => self.add(
                    &Who::Runner,
                    On::Project(project.to_owned()),
                    "roles/container.clusterViewer",
                    step,
                ),
                None => self.remark(
                    step,
                    &format!("the settings define the cluster `{cluster}`"),
                ),
            }
        }
    }

    fn repositories(&mut self, who: &Who, step: &str, scope: &Scope, role: &'static str) {
        self.vague(step, scope, &["repository"]);
        for repository in scope.exactly("repository") {
            self.repository(who, step, repository, role);
        }
    }

    fn repository(&mut self, who: &Who, step: &str, image: &str, role: &'static str) {
        match Repository::from_resource(image).or_else(|| Repository::of_image(image)) {
            Some(Repository {
                project,
                location,
                name,
            }) => {
                let on = On::Repository {
                    project,
                    location,
                    name,
                };
                self.add(who, on, role, step);
            }
            None => self.remark(step, &format!("{image} is not in Artifact Registry")),
        }
    }
}
