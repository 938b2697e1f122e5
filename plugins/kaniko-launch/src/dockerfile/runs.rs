//! `RUN`: flags and mounts that kaniko ignores.

use sidestep::Diagnostic;
use sidestep::codes;
use sidestep_dockerfile::{Flag, Kind, Mount, variables};

use super::Reading;

/// Google's own, last kaniko, which supports no mounts.
const GOOGLES: &str = "gcr.io/kaniko-project/";

pub(super) fn look(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let runs = reading.instructions();
    runs.filter(|(_, instruction)| matches!(instruction.kind, Kind::Run(_)))
        .flat_map(|(_, instruction)| &instruction.flags)
        .filter_map(|flag| match flag.name.as_str() {
            "mount" => mount(reading, flag),
            name => {
                let message = format!("kaniko ignores `--{name}` of RUN");
                let found = reading.warning(codes::dockerfile::RUN_OPTION, flag.at, message);
                Some(
                    found.help(
                        "the instruction runs without it; if it needs it, build with BuildKit",
                    ),
                )
            }
        })
        .collect()
}

fn mount(reading: &Reading<'_>, flag: &Flag) -> Option<Diagnostic> {
    let value = flag.value.as_deref().unwrap_or_default();
    let ignored = |what: String| reading.warning(codes::dockerfile::RUN_OPTION, flag.at, what);
    let executor = reading.known.executor.as_deref();
    if executor.is_some_and(|image| image.starts_with(GOOGLES)) {
        let found = ignored("this version of kaniko ignores `--mount` of RUN".to_owned());
        return Some(found.help("the default `executor` supports cache, bind and secret mounts"));
    }
    let mount = match Mount::parse(value, &|_| None) {
        Ok(mount) => mount,
        Err(_) if variables(value) => return None,
        Err(why) => {
            let message = format!("kaniko can't read `--mount={value}`: {why}");
            return Some(reading.error(codes::dockerfile::MOUNT, flag.at, message));
        }
    };
    match mount.kind.as_str() {
        "cache" => None,
        "bind" => {
            let from = mount
                .from
                .filter(|from| !from.is_empty() && from != "context")?;
            let message =
                format!("kaniko mounts nothing from `{from}`: the instruction runs without it");
            Some(ignored(message).help(format!("copy what it needs first: `COPY --from={from} …`")))
        }
        "secret" => {
            let name = mount.secret().unwrap_or_default().to_owned();
            let secrets = reading.known.build_secrets.as_ref()?;
            if secrets.contains_key(&name) {
                return None;
            }
            let help = format!(
                "add it to `buildSecrets`: `{name}: NAME`, where NAME is one of the step's `secrets`"
            );
            if mount.required {
                let message = format!(
                    "the instruction requires the secret `{name}`, which the build does not have"
                );
                return Some(
                    reading
                        .error(codes::dockerfile::SECRET, flag.at, message)
                        .help(help),
                );
            }
            let message =
                format!("the build has no secret `{name}`: the instruction runs without it");
            Some(
                reading
                    .warning(codes::dockerfile::SECRET, flag.at, message)
                    .help(help),
            )
        }
        kind => {
            let message =
                format!("kaniko ignores `--mount=type={kind}`: the instruction runs without it");
            Some(ignored(message).help("if it needs it, build with BuildKit"))
        }
    }
}
