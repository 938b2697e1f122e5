//! How kaniko builds: those of its flags that change speed, memory or what a layer holds.

use std::collections::BTreeMap;

use sidestep::ImageRef;

/// kaniko's own options.
#[sidestep::data]
#[derive(Debug, Default, Clone)]
pub(crate) struct Kaniko {
    /// How kaniko finds the files that a command changed: `full` compares contents, `redo` size,
    /// time and owner, `time` the time alone. `redo` takes less time and memory.
    #[serde(default)]
    pub snapshot_mode: Option<SnapshotMode>,
    /// Make one layer of all commands, which takes less memory.
    #[serde(default)]
    pub single_snapshot: bool,
    /// Remove times from the image, so that equal builds have equal digests.
    #[serde(default)]
    pub reproducible: bool,
    /// Compress layers before they are cached; `false` takes less memory. True if absent.
    #[serde(default)]
    pub compressed_caching: Option<bool>,
    /// Paths in the image that no layer takes up.
    #[serde(default)]
    pub ignore_paths: Vec<String>,
    /// Mirrors of Docker Hub, `HOST`, in the order in which they are tried.
    #[serde(default)]
    pub registry_mirrors: Vec<String>,
    /// The registries to pull from in place of others: `docker.io: [mirror.example.com/hub]`.
    #[serde(default)]
    pub registry_maps: BTreeMap<String, Vec<String>>,
    /// How often a failed push is tried again; 3 times if absent.
    #[serde(default)]
    #[schemars(range(max = 20))]
    pub push_retries: Option<u8>,
    /// How often a failed pull or unpacking of a base image is tried again; 3 times if absent.
    #[serde(default)]
    #[schemars(range(max = 20))]
    pub pull_retries: Option<u8>,
    /// kaniko's feature switches: `FF_KANIKO_…: true`.
    #[serde(default)]
    pub features: BTreeMap<String, bool>,
    /// More arguments, `--FLAG` or `--FLAG=VALUE`; none that the step sets itself.
    #[serde(default)]
    pub extra_args: Vec<String>,
    /// Environment variables of kaniko. A build can read them: pass no secrets.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// kaniko's `--snapshot-mode`.
#[sidestep::data]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SnapshotMode {
    /// Contents.
    Full,
    /// Size, time and owner.
    Redo,
    /// Time.
    Time,
}

impl SnapshotMode {
    fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Redo => "redo",
            Self::Time => "time",
        }
    }
}

/// The cache of layers.
#[derive(Debug)]
pub(crate) struct Layers<'a> {
    pub repository: &'a ImageRef,
    pub time_to_live: Option<std::time::Duration>,
    pub copy: bool,
    pub run: Option<bool>,
}

impl Layers<'_> {
    /// Returns the arguments that use the cache.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            "--cache=true".to_owned(),
            format!("--cache-repo={}", self.repository.as_str()),
        ];
        // Go's form of a duration.
        arguments.extend(
            self.time_to_live
                .map(|time| format!("--cache-ttl={}s", time.as_secs())),
        );
        if self.copy {
            arguments.push("--cache-copy-layers=true".to_owned());
        }
        arguments.extend(self.run.map(|run| format!("--cache-run-layers={run}")));
        arguments
    }
}

impl Kaniko {
    /// Returns kaniko's arguments for these options.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            format!("--push-retry={}", self.push_retries.unwrap_or(3)),
            format!("--image-download-retry={}", self.pull_retries.unwrap_or(3)),
        ];
        arguments.extend(
            self.pull_retries
                .map(|times| format!("--image-fs-extract-retry={times}")),
        );
        arguments.extend(
            self.snapshot_mode
                .map(|mode| format!("--snapshot-mode={}", mode.name())),
        );
        for (flag, is_on) in [
            ("single-snapshot", self.single_snapshot),
            ("reproducible", self.reproducible),
        ] {
            if is_on {
                arguments.push(format!("--{flag}=true"));
            }
        }
        arguments.extend(
            self.compressed_caching
                .map(|is_on| format!("--compressed-caching={is_on}")),
        );
        let paths = self.ignore_paths.iter();
        arguments.extend(paths.map(|path| format!("--ignore-path={path}")));
        let mirrors = self.registry_mirrors.iter();
        arguments.extend(mirrors.map(|mirror| format!("--registry-mirror={mirror}")));
        for (registry, others) in &self.registry_maps {
            // kaniko's name for Docker Hub.
            let registry = match registry.as_str() {
                "docker.io" => "index.docker.io",
                registry => registry,
            };
            let others = others.iter();
            arguments.extend(others.map(|other| format!("--registry-map={registry}={other}")));
        }
        arguments.extend(self.extra_args.iter().cloned());
        arguments
    }

    /// Returns the environment variables, with the feature switches.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (String, String)> {
        let features = self.features.iter();
        let features = features.map(|(name, is_on)| (name.clone(), is_on.to_string()));
        let env = self.env.iter();
        features.chain(env.map(|(name, value)| (name.clone(), value.clone())))
    }
}
