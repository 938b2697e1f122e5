//! The sandbox's pods: kaniko as a local process with its own metadata server, so that the address
//! of the server identifies the pod. The commands of other images run as processes only if the
//! operator names the image.

mod programs;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{OnceLock, Weak};

use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use serde_json::Value;
use sidestep_sandbox_google::Cloud;
use sidestep_sandbox_google::metadata::{self, PodIdentity};
use sidestep_sandbox_kubernetes::{
    ContainerExit, Kubernetes, LogWriter, Output, PullError, ResolvedContainer, Runtime, Stop,
};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::TcpListener;
use tokio::sync::SetOnce;

use rustix::process::Signal;

pub use self::programs::LocalImages;
use self::programs::{Group, Program};
use crate::clients::programs_only;

/// The reason why another image is not pulled.
const ONLY_KANIKO: &str = "the sandbox runs only kaniko, and as processes of this machine the commands of images that the setting sandboxImages listed when it started; a real cluster runs any image";
/// The exit code of a container that SIGKILL ended.
const KILLED: i32 = 128 + 9;
/// The exit code of a container that SIGTERM ended.
const TERMINATED: i32 = 128 + 15;

/// The inputs of the pods' processes.
pub(crate) struct Pods {
    /// The program, which runs kaniko with `sandbox kaniko`.
    pub(crate) program: PathBuf,
    /// The cluster, `projects/P/locations/L/clusters/C`.
    pub(crate) cluster: String,
    /// The variables with the addresses of the sandbox's servers, and with the names that they
    /// serve.
    pub(crate) endpoints: Vec<(String, String)>,
    /// The cluster, set once it is open, since it has this runtime.
    pub(crate) kubernetes: OnceLock<Weak<Kubernetes>>,
    /// Google's side, set once all servers exist, since it refers to the cluster, which has this
    /// runtime. No container starts before, because it would have no identity.
    pub(crate) cloud: SetOnce<Cloud>,
    /// The images whose commands run as processes of this machine.
    pub(crate) images: LocalImages,
    /// The number of running containers.
    pub(crate) running: AtomicUsize,
    /// The number of containers that got a metadata server.
    pub(crate) served: AtomicUsize,
}

#[async_trait]
impl Runtime for Pods {
    async fn check_image(&self, image: &str) -> Result<(), PullError> {
        match self.images.program_of(image) {
            Some(_) => Ok(()),
            None => Err(PullError::new(ONLY_KANIKO)),
        }
    }

    async fn run(
        &self,
        pod: &Value,
        container: &ResolvedContainer,
        log: LogWriter,
        stop: Stop,
    ) -> ContainerExit {
        self.running.fetch_add(1, Ordering::Relaxed);
        let ended = self.run_process(pod, container, &log, &stop).await;
        self.running.fetch_sub(1, Ordering::Relaxed);
        ended.unwrap_or_else(|error| ContainerExit {
            code: 128,
            reason: Some("ContainerCannotRun".to_owned()),
            message: Some(format!("the sandbox can't run it: {error}")),
        })
    }
}

impl Pods {
    async fn run_process(
        &self,
        pod: &Value,
        container: &ResolvedContainer,
        log: &LogWriter,
        stop: &Stop,
    ) -> std::io::Result<ContainerExit> {
        let metadata = tokio::select! {
            biased;
            () = stop.killed() => return Ok(ContainerExit::code(KILLED)),
            () = stop.terminated() => return Ok(ContainerExit::code(TERMINATED)),
            server = self.metadata_server(pod) => server?,
        };
        let (mut command, env) = match self.images.program_of(&container.image) {
            Some(Program::Command) => (
                programs::command(container)?,
                programs::environment(container),
            ),
            Some(Program::Helper) => (
                programs::helper(&self.program, container)?,
                programs::own_environment(container),
            ),
            Some(Program::Kaniko) | None => (
                programs::kaniko(&self.program, container),
                programs::own_environment(container),
            ),
        };
        command
            .env_clear()
            .envs(env)
            .envs(self.endpoints.iter().map(|(name, value)| (name, value)))
            .env("SIDESTEP_TERMINATION_LOG", &container.termination_message)
            .env("SIDESTEP_MOUNTS", mounts(container))
            .env("SIDESTEP_ROOT", &container.folder)
            .env("GCE_METADATA_HOST", &metadata.address)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // The end of a container ends all of its processes.
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let out = child.stdout.take();
        let err = child.stderr.take();
        let copy = async {
            tokio::join!(
                pour(out, log, Output::Stdout),
                pour(err, log, Output::Stderr)
            );
        };
        tokio::pin!(copy);
        let mut group = Group::of(&child);
        let mut copied = false;
        let mut asked = false;
        let mut ended = None;
        loop {
            tokio::select! {
                () = &mut copy, if !copied => copied = true,
                () = stop.killed(), if ended.is_none() => {
                    group.kill();
                    let status = child.wait().await?;
                    return Ok(ContainerExit::code(code_of(status)));
                }
                () = stop.terminated(), if !asked => {
                    asked = true;
                    terminate(&child);
                }
                status = child.wait(), if ended.is_none() => {
                    ended = Some(code_of(status?));
                    group.kill();
                }
            }
            if let (Some(code), true) = (ended, copied) {
                return Ok(ContainerExit::code(code));
            }
        }
    }

    /// Returns a metadata server for this pod, at an address that only the pod knows. Waits until
    /// Google's side is set.
    async fn metadata_server(&self, pod: &Value) -> std::io::Result<MetadataServer> {
        let cloud = self.cloud.wait().await;
        let identity = self.identity(pod);
        let mut router = metadata::router(cloud, identity);
        let kubernetes = self.kubernetes.get().and_then(Weak::upgrade);
        if let Some(kubernetes) = kubernetes {
            let faults = kubernetes.faults();
            let served = self.served.fetch_add(1, Ordering::Relaxed);
            let fails = faults
                .metadata_fail_times
                .is_none_or(|times| served < times);
            if let Some(status) = faults.metadata_status.filter(|_| fails) {
                router = without_tokens(router, status);
            }
        }
        MetadataServer::start(programs_only(router)).await
    }

    /// Returns a pod's identity.
    fn identity(&self, pod: &Value) -> PodIdentity {
        let text = |pointer: &str| {
            pod.pointer(pointer)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let namespace = text("/metadata/namespace").unwrap_or_default();
        let account = text("/spec/serviceAccountName").unwrap_or("default");
        PodIdentity {
            cluster: self.cluster.clone(),
            node_pool: "default-pool".to_owned(),
            namespace: namespace.to_owned(),
            service_account: account.to_owned(),
            host_network: pod.pointer("/spec/hostNetwork") == Some(&Value::Bool(true)),
        }
    }
}

/// Returns the container's volumes by their path in the container, for a process without its own
/// file system.
fn mounts(container: &ResolvedContainer) -> String {
    let mounts: serde_json::Map<String, Value> = container
        .mounts
        .iter()
        .map(|mount| (mount.path.clone(), mount.host.display().to_string().into()))
        .collect();
    Value::from(mounts).to_string()
}

/// Wraps a metadata server to return this status in place of tokens.
fn without_tokens(router: Router, status: u16) -> Router {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    router.layer(from_fn(move |request: Request, next: Next| async move {
        if request.uri().path().ends_with("/token") {
            let text = "Unable to generate access token; internal error\n";
            return (status, text).into_response();
        }
        next.run(request).await
    }))
}

/// A pod's metadata server; it ends with the pod.
struct MetadataServer {
    address: String,
    task: tokio::task::JoinHandle<()>,
}

impl MetadataServer {
    async fn start(router: Router) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::warn!(%error, "a pod's metadata server ended");
            }
        });
        Ok(Self { address, task })
    }
}

impl Drop for MetadataServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pour(from: Option<impl AsyncRead + Unpin>, log: &LogWriter, output: Output) {
    let Some(mut from) = from else { return };
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if let Err(error) = log.write(output, &buffer[..length]) {
            tracing::warn!(%error, "a container's output could not be kept");
            return;
        }
    }
}

fn terminate(child: &tokio::process::Child) {
    let pid = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself in the meantime.
        let _ = rustix::process::kill_process(pid, Signal::TERM);
    }
}

/// Returns the exit code as container runtimes do: 128 plus the signal's number for a process that
/// a signal ended.
fn code_of(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status
        .code()
        .or(status.signal().map(|signal| 128 + signal))
        .unwrap_or(1)
}

#[cfg(test)]
mod tests;
