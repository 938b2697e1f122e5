//! The plugin host of a run, and the services that its capabilities need.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use sidestep_capabilities::http_client::HttpClient;
use sidestep_capabilities::identity::Evaluates;
use sidestep_capabilities::workspace::{Options, Workspace};
use sidestep_capabilities::{
    CAPABILITIES, Masks, Scratch, Secret, Secrets, Services, access_secret,
};
use sidestep_catalog::{Catalog, Package, PluginError};
use sidestep_engine::{Cleaner, NoCleaner};
use sidestep_events::{Class, Failure, Header, Owner, codes};
use sidestep_files::{Folder, OpenError, own};
use sidestep_host::{Apart, Compiler, HostConfig, Notice, Plugin, PluginHost};
use sidestep_pipeline::SecretSource;

use crate::cleaner::OutsideCleaner;
use crate::cloud::{Clients, Cloud};
use crate::site::{Note, Site};

/// The maximum size of a file that holds a secret, in bytes.
const MAX_SECRET: u64 = 1 << 20;

/// The services of a run's capabilities, and the cleaner of its objects.
pub(crate) struct Equipment {
    pub(crate) services: Arc<Services>,
    pub(crate) masks: Arc<Masks>,
    pub(crate) cleaner: Arc<dyn Cleaner>,
    /// The clients of the run's cloud, if it has one.
    pub(crate) clients: Option<Clients>,
}

impl Equipment {
    /// Opens the workspace and resolves the secrets. Every process resolves them again, since they
    /// are never stored on disk. `run` has the cloud and the journal's header; a check has neither.
    pub(crate) async fn new(
        site: &Site,
        secrets: &IndexMap<String, SecretSource>,
        run: Option<(&Cloud, &Header)>,
        capped: bool,
    ) -> Result<Self, Failure> {
        let masks = Arc::clone(&site.masks);
        let clients = run.map(|(cloud, _)| cloud.clients()).transpose()?;
        let mut known = BTreeMap::new();
        for (name, source) in secrets {
            let secret = resolve(site, name, source, clients.as_ref()).await?;
            masks
                .add(secret.expose())
                .map_err(|why| why.failure(&format!("the secret {name}"), Owner::Operator))?;
            known.insert(name.clone(), secret);
        }
        let cannot = |error: std::io::Error| {
            let message = format!("{} can't be opened: {error}", site.workspace.display());
            Failure::new(
                Class::Failed,
                codes::workspace::UNREADABLE,
                Owner::Operator,
                message,
            )
        };
        let scratch = scratch(site.scratch.as_deref());
        let workspace = Workspace::open(Options {
            root: site.workspace.clone(),
            scratch: scratch.clone(),
            // The runner writes to both while a step may read the folder.
            hidden: site.state.iter().chain(&site.log).cloned().collect(),
            // The origin is known only from the environment, which a job can set freely. This
            // matters when a policy distinguishes verified runs from others.
            unverified: capped,
        })
        .map_err(cannot)?;
        let mut services = Services::default()
            .with(Arc::new(workspace))
            .with(Arc::new(Scratch(scratch)))
            .with(Arc::new(Secrets(known)))
            .with(Arc::new(HttpClient::default()));
        let mut cleaner: Arc<dyn Cleaner> = Arc::new(NoCleaner);
        if let (Some(clients), Some((_, header))) = (&clients, run) {
            services = services
                .with(Arc::clone(&clients.storage))
                .with(Arc::new(clients.google.clone()))
                .with(Arc::clone(&clients.registry))
                .with(Arc::clone(&clients.clusters))
                .with(Arc::clone(&clients.identity))
                .with(Arc::new(Evaluates(Arc::clone(&site.evaluator))));
            cleaner = Arc::new(OutsideCleaner::new(clients, header));
        }
        Ok(Self {
            services: Arc::new(services),
            masks,
            cleaner,
            clients,
        })
    }
}

/// Returns the folder for a run's temporary files: beside the cache, or the system's temporary
/// folder if the cache does not belong to the user or can't be written.
fn scratch(own: Option<&Path>) -> PathBuf {
    let usable = |folder: &Path| {
        let probe = folder.join(std::process::id().to_string());
        let made = fs::create_dir_all(&probe).and_then(|()| fs::remove_dir(&probe));
        let own = own::folder(folder);
        if let Err(error) = &made {
            tracing::warn!(folder = %folder.display(), %error, "the cache folder can't be written");
        } else if let Err(error) = &own {
            tracing::warn!(folder = %folder.display(), %error, "the cache folder is not owned by the user alone");
        }
        made.is_ok() && own.is_ok()
    };
    own.filter(|folder| usable(folder))
        .map_or_else(std::env::temp_dir, Path::to_owned)
}

async fn resolve(
    site: &Site,
    name: &str,
    source: &SecretSource,
    clients: Option<&Clients>,
) -> Result<Secret, Failure> {
    let missing = |message: String, help: String| {
        Failure::new(
            Class::NotFound,
            codes::secret::MISSING,
            Owner::Operator,
            message,
        )
        .with_help(help)
    };
    match source {
        SecretSource::Env(variable) => site
            .environment
            .of_pipeline(variable)
            .map(Secret::new)
            .ok_or_else(|| {
                missing(
                    format!("the secret {name} comes from ${variable}, which is not set"),
                    format!("Set {variable} in the environment of sidestep."),
                )
            }),
        SecretSource::File(file) => secret_file(site, file)
            // A trailing line break from an editor is not part of the secret.
            .map(|text| Secret::new(text.trim_end_matches(['\r', '\n'])))
            .map_err(|(error, help)| {
                missing(
                    format!("the secret {name} comes from {file}, which can't be read: {error}"),
                    help,
                )
            }),
        SecretSource::SecretManager(version) => {
            let clients = clients.ok_or_else(|| {
                Failure::bug(format!(
                    "the secret {name} is in Secret Manager, but the run has no cloud client"
                ))
            })?;
            access_secret(&clients.google, version)
                .await
                .map_err(|mut failure| {
                    let within = |message: &str| format!("the secret {name}: {message}");
                    failure.message = failure.message.rewrite(within);
                    failure
                })
        }
    }
}

/// Reads a file that a pipeline uses as a secret: one in the workspace, or one that matches the
/// operator's patterns. The error comes with help.
fn secret_file(site: &Site, file: &str) -> Result<String, (OpenError, String)> {
    let patterns = &site.secret_files;
    let path = Path::new(file);
    if path.is_absolute() {
        let help = if patterns.list(path) {
            "Links must stay within the folder that the pattern in `secretFiles` names."
        } else {
            "Use a file of the workspace. The operator can allow other files with a pattern in the \
             setting `secretFiles`."
        };
        return patterns
            .read_text(path, MAX_SECRET)
            .map_err(|error| (error, help.to_owned()));
    }
    let help = "Use a regular file in the workspace, by its relative path without `..`.";
    let read = || {
        let mut parts = path.components();
        if parts.any(|part| part == Component::ParentDir) {
            return Err(OpenError::Outside);
        }
        Folder::open(&site.workspace)?.read_text(path, MAX_SECRET)
    };
    read().map_err(|error| (error, help.to_owned()))
}

/// Creates the catalog of the plugins in the binary and in the workspace.
pub fn catalog(site: &Site) -> Catalog {
    Catalog::new(site.built_in.to_vec(), &site.workspace)
}

/// Compiles the plugins, or loads them from the cache of compiled code. Returns them by digest.
pub(crate) fn load<'a>(
    site: &Site,
    packages: impl Iterator<Item = &'a Package>,
) -> Result<HashMap<String, Plugin>, PluginError> {
    let mut packages = packages.peekable();
    if packages.peek().is_none() {
        // Without plugins, no engine is needed.
        return Ok(HashMap::new());
    }
    let host = PluginHost::new(HostConfig {
        cache_dir: site.compiled.clone(),
        compiler: Compiler::Apart(compiler(site)),
        room: Some(Arc::clone(&site.room)),
        ..HostConfig::new(Arc::clone(&site.evaluator), CAPABILITIES)
    })?;
    let mut plugins = HashMap::new();
    for package in packages {
        let plugin = host.load_package(package)?;
        plugins.insert(plugin.digest().to_owned(), plugin);
    }
    Ok(plugins)
}

/// Returns how to run this program again as a process that compiles one plugin.
fn compiler(site: &Site) -> Apart {
    let notes = site.notes.clone();
    Apart {
        // The running program, even if an update has replaced its file.
        program: "/proc/self/exe".into(),
        limits: site.compile,
        notice: Notice::new(move |compiling| notes.tell(Note::Compiling(compiling))),
        silent: Apart::SILENT,
    }
}
