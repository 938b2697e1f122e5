//! The table of all settings, from which files, variables, flags and the reference are derived.

/// A setting, as users see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The setting's name in a file.
    pub name: &'static str,
    /// The format of its value.
    pub written: &'static str,
    /// The setting's purpose.
    pub about: &'static str,
    /// The environment variable that sets it.
    pub variable: Option<&'static str>,
    /// The flag that sets it.
    pub flag: Option<&'static str>,
    /// The reason why a project's file can't set it, if it can't.
    pub operators: Option<&'static str>,
}

/// Returns a setting that any source may set.
const fn anyone(
    name: &'static str,
    variable: &'static str,
    written: &'static str,
    about: &'static str,
) -> Known {
    Known {
        name,
        written,
        about,
        variable: Some(variable),
        flag: None,
        operators: None,
    }
}

impl Known {
    const fn flag(self, flag: &'static str) -> Self {
        Self {
            flag: Some(flag),
            ..self
        }
    }

    const fn operators(self, why: &'static str) -> Self {
        Self {
            operators: Some(why),
            ..self
        }
    }

    const fn without_variable(self) -> Self {
        Self {
            variable: None,
            ..self
        }
    }
}

const USES: &str = "compileTime, compileMemory and memory limit the resources of a project";
const WRITES: &str = "journalLimit and logLimit limit what a project may write";
const SIGNS_IN: &str = "`identity` determines who receives the job's id token";
const REACHES: &str = "endpoints and clusters receive credentials";

pub(crate) const STATE: Known = anyone(
    "state",
    "SIDESTEP_STATE",
    "dir:PATH",
    "The folder of runs. A relative path is relative to the workspace.",
)
.operators("`state` determines where the runner writes and which runs it resumes");

pub(crate) const COLOR: Known = anyone(
    "color",
    "SIDESTEP_COLOR",
    "auto, always or never",
    "When to use colours. `auto`: on a terminal, unless NO_COLOR is set.",
)
.flag("--color");

pub(crate) const MAX_PARALLEL: Known = anyone(
    "maxParallel",
    "SIDESTEP_MAX_PARALLEL",
    "a whole number from 1",
    "The maximum number of steps that run in parallel.",
)
.flag("--max-parallel");

pub(crate) const ON_TERMINATE: Known = anyone(
    "onTerminate",
    "SIDESTEP_ON_TERMINATE",
    "cancel or detach",
    "The effect of SIGTERM and SIGHUP. `cancel`: stop the steps and clean up. `detach`: leave pods \
     running, so that the run can be resumed. SIGINT always cancels.",
)
.flag("--on-terminate");

pub(crate) const JOURNAL_LIMIT: Known = anyone(
    "journalLimit",
    "SIDESTEP_JOURNAL_LIMIT",
    "a size from 1Mi",
    "The maximum size of a run's journal.",
)
.operators(WRITES);

pub(crate) const LOG_LIMIT: Known = anyone(
    "logLimit",
    "SIDESTEP_LOG_LIMIT",
    "a size from 1Mi",
    "The maximum size of all log files of a run together.",
)
.operators(WRITES);

pub(crate) const COMPILE_TIME: Known = anyone(
    "compileTime",
    "SIDESTEP_COMPILE_TIME",
    "a time from 1s",
    "The maximum CPU time for compiling one plugin.",
)
.operators(USES);

pub(crate) const COMPILE_MEMORY: Known = anyone(
    "compileMemory",
    "SIDESTEP_COMPILE_MEMORY",
    "a size from 64Mi",
    "The maximum memory for compiling one plugin.",
)
.operators(USES);

pub(crate) const MEMORY: Known = anyone(
    "memory",
    "SIDESTEP_MEMORY",
    "a size from 64Mi",
    "The maximum memory of all steps that run in parallel. A step waits until enough is free.",
)
.operators(USES);

pub(crate) const SECRET_FILES: Known = anyone(
    "secretFiles",
    "SIDESTEP_SECRET_FILES",
    "a list of absolute patterns; in the variable, separated by colons",
    "Files outside of the workspace that a pipeline may use as secrets.",
)
.operators("`secretFiles` determines which files outside of the workspace a pipeline may read");

pub(crate) const HELPER_IMAGE: Known = anyone(
    "helperImage",
    "SIDESTEP_HELPER_IMAGE",
    "an image; pin it by digest",
    "The image of Sidestep itself, which pods of steps use before their own program starts: to wait \
     for the metadata server. `sidestep sandbox image` writes it. The steps' grants and the policies \
     must cover it as an image.",
)
.operators("`helperImage` determines which image runs in the pods of steps");

pub(crate) const SANDBOX_IMAGES: Known = anyone(
    "sandboxImages",
    "SIDESTEP_SANDBOX_IMAGES",
    "a list of image names without tags; in the variable, separated by commas",
    "Images whose commands the sandbox runs, as processes of this machine without isolation. For any \
     other image than kaniko's, a pod of the sandbox waits: a real cluster can run it.",
)
.operators("`sandboxImages` determines which commands of pipelines run as processes of this machine");

pub(crate) const GKE_ENDPOINT: Known = anyone(
    "gkeEndpoint",
    "SIDESTEP_GKE_ENDPOINT",
    "auto, public, private or dns",
    "The endpoint of GKE clusters that the runner connects to. `auto`: the first that answers of the \
     public endpoint, the DNS endpoint (if it accepts requests from outside of Google Cloud's \
     services) and the private endpoint. The DNS endpoint needs the permission \
     container.clusters.connect.",
)
.operators(REACHES);

pub(crate) const IDENTITY_PROVIDER: Known = anyone(
    "identity.provider",
    "SIDESTEP_IDENTITY_PROVIDER",
    "projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER",
    "The workload identity provider at which the runner exchanges the CI job's id token for Google's. \
     Without it, the runner uses Application Default Credentials.",
)
.operators(SIGNS_IN);

pub(crate) const IDENTITY_SERVICE_ACCOUNT: Known = anyone(
    "identity.serviceAccount",
    "SIDESTEP_IDENTITY_SERVICE_ACCOUNT",
    "NAME@PROJECT.iam.gserviceaccount.com",
    "The service account that a CI job acts as, with `identity.provider`. Without it, the job has its \
     own roles.",
)
.operators(SIGNS_IN);

pub(crate) const ENDPOINTS: Known = Known {
    variable: Some("SIDESTEP_ENDPOINT_NAME"),
    ..anyone(
        "endpoints",
        "",
        "a map of NAME to URL",
        "Addresses that replace those of Google's services, such as an emulator's. In the variable, \
         the service's name replaces NAME: `SIDESTEP_ENDPOINT_STORAGE`.",
    )
    .operators(REACHES)
};

pub(crate) const CLUSTERS: Known = anyone(
    "clusters",
    "",
    "a map of NAME to `{ context: CONTEXT }` or `{ inCluster: {} }`",
    "How to connect to the clusters that pipelines call NAME: through a kubeconfig context, or with \
     the service account of the runner's own pod.",
)
.operators(REACHES)
.without_variable();

/// The list of locked settings. Only the machine's file may set it.
pub(crate) const LOCK: Known = anyone(
    "lock",
    "",
    "a list of settings, including `endpoints.NAME`",
    "Settings that flags, variables and other files can't change. Only the machine's file can lock \
     settings.",
)
.operators("only the machine's file can lock settings")
.without_variable();

/// Passes to a macro each setting with one value: the attributes and the name of its field, the type
/// of its value and its default, and its constant. In the order in which they are shown.
macro_rules! each_setting {
    ($with:ident) => {
        $with! {
            color: Color = Color::Auto, COLOR;
            max_parallel: usize = MAX_PARALLEL, MAX_PARALLEL;
            on_terminate: OnTerminate = OnTerminate::Cancel, ON_TERMINATE;
            journal_limit: Limit = SizeFrom(Ceilings::default().journal), JOURNAL_LIMIT;
            log_limit: Limit = SizeFrom(Ceilings::default().logs), LOG_LIMIT;
            compile_time: Time = Time(CompileLimits::default().time), COMPILE_TIME;
            compile_memory: Size = SizeFrom(CompileLimits::default().memory), COMPILE_MEMORY;
            memory: Option<Size> = None, MEMORY;
            secret_files: Patterns = Patterns::default(), SECRET_FILES;
            helper_image: Option<HelperImage> = None, HELPER_IMAGE;
            sandbox_images: ImageNames = ImageNames::default(), SANDBOX_IMAGES;
            gke_endpoint: GkeEndpoint = GkeEndpoint::Auto, GKE_ENDPOINT;
            #[serde(rename = "identity.provider")]
            identity_provider: Option<Provider> = None, IDENTITY_PROVIDER;
            #[serde(rename = "identity.serviceAccount")]
            identity_service_account: Option<ServiceAccount> = None, IDENTITY_SERVICE_ACCOUNT;
        }
    };
}
pub(crate) use each_setting;

/// Lists all settings.
macro_rules! all {
    ($($(#[$_:meta])* $field:ident: $type:ty = $default:expr, $known:ident;)*) => {
        /// All settings, in the order in which they are shown.
        pub(crate) const ALL: &[Known] = &[STATE, $($known,)* ENDPOINTS, CLUSTERS, LOCK];
    };
}
each_setting!(all);

/// Returns why a setting can't be locked, if that is so.
pub(super) fn unlockable(name: &str) -> Option<String> {
    let known = ALL.iter().find(|known| known.name == name);
    let endpoint = name
        .strip_prefix("endpoints.")
        .is_some_and(|name| super::ENDPOINTS.contains(&name));
    match known {
        Some(known) if *known != LOCK => None,
        None if endpoint => None,
        _ => Some(format!(
            "lock: there is no setting `{name}`; the settings are {}",
            ALL.iter()
                .filter(|known| **known != LOCK)
                .map(|known| known.name)
                .collect::<Vec<_>>()
                .join(", ")
        )),
    }
}
