//! Hand-written runs.

use serde_json::json;
use sidestep_events::*;

pub(crate) struct Story {
    seq: u64,
    pub(crate) events: Vec<Envelope>,
}

impl Story {
    pub(crate) fn new() -> Self {
        Self {
            seq: 0,
            events: Vec::new(),
        }
    }

    pub(crate) fn run(&mut self, event: Event) -> &mut Self {
        self.seq += 1;
        self.events.push(Envelope {
            v: FORMAT_VERSION,
            run: "0k3f9x2q7a".into(),
            seq: self.seq,
            time: "2026-01-02T03:04:05Z".parse().expect("a time"),
            step: None,
            instance: None,
            attempt: None,
            incarnation: None,
            trace: TraceId::of_run("0k3f9x2q7a", None),
            span: SpanId::of_run("0k3f9x2q7a"),
            parent: None,
            event,
        });
        self
    }

    pub(crate) fn step(&mut self, instance: &str, event: Event) -> &mut Self {
        self.run(event);
        let envelope = self.events.last_mut().expect("just pushed");
        envelope.step = instance.split('[').next().map(Foreign::from);
        envelope.instance = Some(instance.into());
        envelope.attempt = Some(1);
        envelope.incarnation = Some(1);
        self
    }

    pub(crate) fn log(&mut self, instance: &str, source: LogSource, text: &str) -> &mut Self {
        self.step(
            instance,
            Event::Log(LogLine {
                source,
                level: LogLevel::Info,
                message: text.into(),
                end: sidestep_events::LineEnd::Feed,
                fields: std::collections::BTreeMap::new(),
                offset: None,
            }),
        )
    }

    pub(crate) fn begin(&mut self, instance: &str) -> &mut Self {
        self.step(
            instance,
            Event::AttemptStarted(AttemptStarted { resumed: false }),
        )
    }

    pub(crate) fn end(&mut self, instance: &str, ms: u64, outputs: serde_json::Value) -> &mut Self {
        self.step(
            instance,
            Event::StepFinished(StepFinished {
                status: Status::Succeeded,
                failure: None,
                outputs: Some(outputs.into()),
                duration_ms: ms,
            }),
        )
    }

    pub(crate) fn fail(&mut self, instance: &str, status: Status, failure: Failure) -> &mut Self {
        self.step(
            instance,
            Event::StepFinished(StepFinished {
                status,
                failure: Some(failure),
                outputs: None,
                duration_ms: 8_200,
            }),
        )
    }

    pub(crate) fn over(&mut self, status: Status, exit: u8, outputs: Option<serde_json::Value>) {
        self.run(Event::RunFinished(RunFinished {
            status,
            exit,
            outputs: outputs.map(ForeignValue::from),
            duration_ms: 12_340,
        }));
    }
}

fn grant(capability: &str, scopes: &[&str], source: GrantSource) -> PlannedGrant {
    PlannedGrant {
        capability: capability.into(),
        scopes: scopes.iter().copied().map(Foreign::from).collect(),
        source,
    }
}

fn planned(id: &str, uses: &str, needs: &[&str], grants: Vec<PlannedGrant>) -> PlannedStep {
    PlannedStep {
        id: id.into(),
        instance: id.into(),
        uses: PluginRef::parse(uses).expect(uses),
        plugin_digest: "sha256:11".into(),
        needs: needs.iter().copied().map(Foreign::from).collect(),
        grants,
    }
}

/// Returns the start of the quickstart's run.
pub(crate) fn image() -> Story {
    let mut story = Story::new();
    story.run(Event::RunStarted(RunStarted {
        pipeline: "image".into(),
        file: Some("pipelines/quickstart.yaml".into()),
        version: "0.1.0".into(),
        plan_digest: "sha256:22".into(),
        sandbox: Some("healthy".into()),
        resumed: false,
        steps: vec![
            planned(
                "identity",
                "sidestep/wi-verify",
                &[],
                vec![
                    grant(
                        "gke",
                        &["get projects/acme/locations/europe-west1/clusters/ci"],
                        GrantSource::BuiltIn,
                    ),
                    grant(
                        "iam",
                        &["get, getPolicy in project acme"],
                        GrantSource::BuiltIn,
                    ),
                ],
            ),
            planned(
                "context",
                "sidestep/context-upload",
                &[],
                vec![
                    grant("workspace", &["read app/**"], GrantSource::BuiltIn),
                    grant(
                        "storage",
                        &[
                            "get, create in gs://acme-contexts/contexts/",
                            "get in gs://acme-base",
                        ],
                        GrantSource::Pipeline,
                    ),
                ],
            ),
            planned(
                "build",
                "sidestep/kaniko-launch",
                &["identity", "context"],
                vec![
                    grant(
                        "kubernetes",
                        &["get, list, watch, create, delete pods in builds as kaniko"],
                        GrantSource::BuiltIn,
                    ),
                    grant("http", &[], GrantSource::BuiltIn),
                ],
            ),
            planned("note", "./plugins/note.wasm", &["build"], Vec::new()),
        ],
    }));
    story
}

/// Returns a successful quickstart.
pub(crate) fn healthy() -> Story {
    let mut story = image();
    story
        .begin("identity")
        .begin("context")
        .log("identity", LogSource::Plugin, "16 of 16 links hold")
        .end("identity", 640, json!({}))
        .step(
            "context",
            Event::Progress(Progress { label: "uploading".into(), done: 10, total: Some(34_250), unit: "bytes".into() }),
        )
        .step(
            "context",
            Event::Progress(Progress { label: "uploading".into(), done: 20, total: Some(34_250), unit: "bytes".into() }),
        )
        .step(
            "context",
            Event::Progress(Progress { label: "uploading".into(), done: 34_250, total: Some(34_250), unit: "bytes".into() }),
        )
        .end("context", 1_204, json!({"uri": "gs://acme-contexts/contexts/1.tar.gz"}))
        .begin("build")
        .step(
            "build",
            Event::Progress(Progress { label: "pod Running".into(), done: 0, total: None, unit: Foreign::default() }),
        )
        .log("build", LogSource::Pod, "\u{1b}[36mINFO\u{1b}[0m[0000] Retrieving image manifest alpine:3")
        .log("build", LogSource::Pod, "::set-output name=x::y")
        .step("build", Event::Warning(WarningRaised {
            code: "kaniko.unpinned".into(),
            message: "the image is named by a tag that can move".into(),
            help: vec!["Pin it: FROM alpine:3@sha256:…".into()],
        }))
        .step("build", Event::CleanedUp(CleanedUp { kind: "pod".into(), name: "builds/kaniko-0k3f9x2q7a".into(), removed: true, going: None, failure: None }))
        .end("build", 9_870, json!({"digest": "sha256:abc"}))
        .step("note", Event::StepSkipped(StepSkipped {
            condition: "inputs.notify".into(),
            values: [("inputs.notify".into(), json!(false).into())].into(),
            because_of_failure: false,
        }))
        .over(
            Status::Succeeded,
            0,
            Some(json!({"image": "europe-docker.pkg.dev/acme/apps/api@sha256:abc", "tags": ["1", "latest"]})),
        );
    story
}

/// Returns a run with a broken link of Workload Identity.
pub(crate) fn unbound() -> Story {
    let mut story = image();
    // In the plugin's own words.
    let unbound = Failure {
        by: Speaker::Plugin,
        ..Failure::new(
            Class::Denied,
            "identity.binding-missing",
            Owner::Cloud,
            "builds/kaniko may not impersonate kaniko@acme.iam.gserviceaccount.com:\nit is not granted roles/iam.workloadIdentityUser.",
        )
    };
    let unbound = unbound.with_help("Grant it:").with_help(Command::fixed(&[
        "gcloud",
        "iam",
        "service-accounts",
        "add-iam-policy-binding",
        "kaniko@acme.iam.gserviceaccount.com",
        "--role",
        "roles/iam.workloadIdentityUser",
        "--member",
        "serviceAccount:acme.svc.id.goog[builds/kaniko]",
    ]));
    story
        .begin("identity")
        .fail("identity", Status::Failed, unbound)
        .step(
            "build",
            Event::StepSkipped(StepSkipped {
                condition: "success()".into(),
                values: std::collections::BTreeMap::new(),
                because_of_failure: true,
            }),
        )
        .over(Status::Failed, 4, None);
    story
}

/// Returns a run whose build is retried, and then interrupted by the user.
pub(crate) fn interrupted() -> Story {
    let mut story = image();
    let evicted = Failure::new(
        Class::Failed,
        "pod.evicted",
        Owner::Cluster,
        "the pod was evicted: low on memory",
    );
    story
        .begin("build")
        .step(
            "build",
            Event::AttemptFinished(AttemptFinished {
                status: Status::Failed,
                failure: Some(evicted),
            }),
        )
        .step(
            "build",
            Event::RetryScheduled(RetryScheduled {
                after_ms: 2_100,
                because: "pod.evicted".into(),
            }),
        )
        .step(
            "build",
            Event::AttemptStarted(AttemptStarted { resumed: true }),
        )
        .step(
            "build",
            Event::CleanedUp(CleanedUp {
                kind: "pod".into(),
                name: "builds/kaniko-2".into(),
                removed: true,
                going: None,
                failure: None,
            }),
        )
        .step(
            "build",
            Event::CleanedUp(CleanedUp {
                kind: "secret".into(),
                name: "builds/auth".into(),
                removed: false,
                going: None,
                failure: Some(
                    Failure::new(
                        Class::Denied,
                        "kubernetes.denied",
                        Owner::Cluster,
                        "may not delete secrets in builds",
                    )
                    .with_help(Command::fixed(&[
                        "kubectl", "delete", "secret", "auth", "-n", "builds",
                    ])),
                ),
            }),
        )
        .fail("build", Status::Cancelled, Failure::cancelled("stopped"))
        .over(Status::Cancelled, 130, None);
    story.events[3].attempt = Some(1);
    story.events[4].attempt = Some(2);
    story
}
