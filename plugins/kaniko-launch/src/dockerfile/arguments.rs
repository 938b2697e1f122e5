//! Entries of `buildArgs` that no ARG of the Dockerfile declares.

use sidestep::Diagnostic;
use sidestep::codes;
use sidestep_dockerfile::{Kind, nearest};

use super::Reading;

/// The arguments that need no ARG (Dockerfile reference, "Predefined ARGs").
const PREDEFINED: [&str; 5] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "no_proxy",
    "all_proxy",
];

pub(super) fn look(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let Some(given) = &reading.known.build_args else {
        return Vec::new();
    };
    let mut declared: Vec<&str> = Vec::new();
    declared.extend(
        reading
            .dockerfile
            .globals
            .iter()
            .map(|one| one.name.text.as_str()),
    );
    for stage in &reading.dockerfile.stages {
        for instruction in &stage.instructions {
            if let Kind::Arg(variables) = &instruction.kind {
                declared.extend(variables.iter().map(|one| one.name.text.as_str()));
            }
        }
    }
    let asked = reading.plan.bases.iter().flat_map(|base| &base.asked);
    declared.extend(asked.map(String::as_str));
    let is_predefined = |name: &str| {
        let lower = name.to_lowercase();
        PREDEFINED.contains(&lower.as_str()) && (name == lower || name == name.to_uppercase())
    };
    given
        .keys()
        .filter(|name| !declared.contains(&name.as_str()) && !is_predefined(name))
        .map(|name| {
            let message = format!(
                "`buildArgs` sets `{name}`, but no ARG of {} declares it",
                reading.path
            );
            let found = Diagnostic::warning(codes::dockerfile::ARG_UNKNOWN, message);
            match nearest(name, declared.iter().copied()) {
                Some(near) => found.help(format!("did you mean `{near}`?")),
                None => found.help(format!("declare it where it is used: `ARG {name}`")),
            }
        })
        .collect()
}
