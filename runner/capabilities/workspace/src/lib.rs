//! `workspace`: the files of the pipeline, read only.

mod entries;
mod keys;
mod pack;
mod paths;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sidestep_bindings::sidestep::workspace::files as wit;
use sidestep_events::Failure;
use sidestep_files::Folder;
use sidestep_gate::functions::workspace as functions;
use sidestep_gate::{Blob, CallError, Capability, Gate, GateCall, Priced, StepState};
use sidestep_policy::Capability as Key;
use sidestep_policy::workspace::{KeyFactsCall, WorkspaceCall};
use wasmtime::component::{Linker, Resource};

sidestep_gate::calls!();

/// Grant key and functions.
pub const CAPABILITY: Capability = Capability {
    key: Key::Workspace,
    link,
};

/// The maximum number of bytes of a file that a plugin reads itself; a larger file is passed as a
/// blob.
const MAX_READ: u64 = 4 << 20;
/// The maximum number of entries that one `list` returns.
const MAX_ENTRIES: u32 = 10_000;

/// The folder that a pipeline runs on. No path leaves it, by `..` or by a symbolic link.
#[derive(Debug, Clone)]
pub struct Workspace(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: Folder,
    scratch: PathBuf,
    hidden: Vec<PathBuf>,
    unverified: bool,
}

/// The options of a [`Workspace`].
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder.
    pub root: PathBuf,
    /// The folder for archives while they are needed; it needs space for the largest.
    pub scratch: PathBuf,
    /// Files and folders that no plugin sees, such as the run's own state, absolute or relative to
    /// the root.
    pub hidden: Vec<PathBuf>,
    /// Whether the run is not verified, so that its archives get separate names.
    pub unverified: bool,
}

impl Workspace {
    /// Opens the folder.
    pub fn open(options: Options) -> io::Result<Self> {
        let folder = Folder::open(&options.root)?;
        let root = folder.path();
        let hidden = options
            .hidden
            .iter()
            .filter_map(|path| {
                let path = root.join(path);
                let path = path.canonicalize().unwrap_or(path);
                path.strip_prefix(root).map(Path::to_owned).ok()
            })
            .filter(|path| !path.as_os_str().is_empty())
            .collect();
        Ok(Self(Arc::new(Inner {
            folder,
            scratch: options.scratch,
            hidden,
            unverified: options.unverified,
        })))
    }
}

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasCalls>(linker, |state| Calls(state))
}

impl Calls<'_> {
    fn workspace(&self) -> Result<Arc<Workspace>, Failure> {
        let workspace = self.services.find::<Workspace>();
        workspace.ok_or_else(|| Failure::bug("a step with a workspace was started without one"))
    }

    /// Works on one path, on a thread where blocking is allowed, once the gate has allowed it.
    async fn on_path<T: Send + 'static>(
        &mut self,
        function: Priced,
        path: &str,
        work: impl FnOnce(&Workspace, &Gate, &str) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (path, outside) = match paths::clean(path) {
            Ok(path) => (path, None),
            Err(failure) => (path.to_owned(), Some(failure)),
        };
        let call = self.gate.call(function, &WorkspaceCall { path: &path });
        let gate = Arc::clone(&self.gate);
        let workspace = self.workspace()?;
        on_thread(call.unless(outside), move || work(&workspace, &gate, &path)).await
    }
}

impl Calls<'_> {
    /// Searches files for keys, on a thread where blocking is allowed.
    async fn search<T: Send + 'static>(
        &mut self,
        verb: &str,
        function: Priced,
        patterns: Vec<String>,
        work: impl FnOnce(&Workspace, &Gate, &[String]) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let target = format!("{verb}: {}", patterns.join(", "));
        let call = self.gate.call_within(function, Key::Workspace, target);
        let refused = self.beyond(&patterns);
        let gate = Arc::clone(&self.gate);
        let workspace = self.workspace()?;
        on_thread(call.and_unless(refused), move || {
            work(&workspace, &gate, &patterns)
        })
        .await
    }

    /// Returns the refusal of a search beyond the grant: an answer for a part of it would look like
    /// there were no keys in the rest.
    fn beyond(&self, patterns: &[String]) -> Option<Failure> {
        patterns.iter().find_map(|pattern| {
            let path = paths::clean(pattern).ok()?;
            self.gate.permits(&KeyFactsCall { path: &path }).err()
        })
    }
}

/// Makes a call whose work blocks.
async fn on_thread<T: Send + 'static>(
    call: GateCall<'_>,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    call.run(async {
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|error| {
                Err(Failure::bug(format!(
                    "the task that reads the workspace failed: {error}"
                )))
            })
    })
    .await
}

impl wit::Host for Calls<'_> {
    async fn list(&mut self, patterns: Vec<String>, max: u32) -> Result<wit::Listing, CallError> {
        let target = format!("list {}", patterns.join(", "));
        let call = self
            .gate
            .call_within(functions::LIST, Key::Workspace, target);
        let gate = Arc::clone(&self.gate);
        let workspace = self.workspace()?;
        Ok(on_thread(call, move || {
            workspace.list(&gate, &patterns, max.min(MAX_ENTRIES) as usize)
        })
        .await?)
    }

    async fn stat(&mut self, path: String) -> Result<wit::Entry, CallError> {
        Ok(self
            .on_path(functions::STAT, &path, Workspace::stat)
            .await?)
    }

    async fn read(&mut self, path: String, max: u64) -> Result<Vec<u8>, CallError> {
        let max = max.min(MAX_READ);
        Ok(self
            .on_path(
                functions::READ.of(max),
                &path,
                move |workspace, gate, path| workspace.read(gate, path, max),
            )
            .await?)
    }

    async fn key_facts(&mut self, patterns: Vec<String>) -> Result<wit::FileKeys, CallError> {
        let (keys, secrets) = self
            .search(
                "search for keys",
                functions::KEY_FACTS,
                patterns,
                Workspace::key_facts,
            )
            .await?;
        self.gate.mask_keys(functions::KEYS, &secrets).await?;
        Ok(keys)
    }

    async fn manifests(
        &mut self,
        patterns: Vec<String>,
    ) -> Result<wit::ManifestObjects, CallError> {
        let (objects, secrets) = self
            .search(
                "read manifests",
                functions::MANIFESTS,
                patterns,
                Workspace::manifests,
            )
            .await?;
        self.gate.mask_keys(functions::KEYS, &secrets).await?;
        Ok(objects)
    }

    async fn open(&mut self, path: String) -> Result<Resource<Blob>, CallError> {
        let blob = self
            .on_path(functions::OPEN, &path, |workspace, gate, path| {
                let file = workspace.open_file(gate, path)?;
                Blob::from_file(file).map_err(|error| paths::failure("read", path, &error.into()))
            })
            .await?;
        Ok(self.table.push(blob)?)
    }

    async fn pack(&mut self, options: wit::PackOptions) -> Result<wit::Packed, CallError> {
        let mut overlays = Vec::with_capacity(options.overlays.len());
        for overlay in &options.overlays {
            overlays.push((self.table.get(&overlay.source)?.clone(), overlay.at.clone()));
        }
        let wanted = pack::Wanted {
            path: options.path,
            dockerfile: options.dockerfile,
            ignore: options.ignore,
            overlays,
            keep_modes: options.keep_modes,
            largest: options.largest as usize,
        };
        let target = format!("pack {}", wanted.path);
        let call = self
            .gate
            .call_within(functions::PACK, Key::Workspace, target);
        let gate = Arc::clone(&self.gate);
        let workspace = self.workspace()?;
        let packed = on_thread(call, move || workspace.pack(&gate, wanted)).await?;
        Ok(wit::Packed {
            blob: self.table.push(packed.blob)?,
            digest: packed.digest,
            name: packed.name,
            packer: packed.packer,
            entries: packed.entries,
            size: packed.size,
            ignored: packed.ignored,
            skipped: packed.skipped,
            modes: packed.modes,
            largest: packed.largest,
        })
    }
}
