//! Stages: the one that `target` names, duplicate names, and errors before any stage is planned.

use sidestep::Diagnostic;
use sidestep::codes;
use sidestep_dockerfile::{Dockerfile, Fault, nearest, place};

use super::{Reading, build_arg};
use crate::inputs::Known;

/// Returns why there is no plan, unless that depends on values that are not known yet.
pub(super) fn fault(
    path: &str,
    text: &str,
    dockerfile: &Dockerfile,
    known: &Known,
    fault: &Fault,
) -> Option<Diagnostic> {
    let at = |found: Diagnostic, byte| {
        let (line, column) = place(text, byte);
        found.in_file(path).at(line, column)
    };
    let is_known = known.build_args.is_some();
    match fault {
        Fault::Target(target) => Some(no_stage(path, dockerfile, target)),
        Fault::Quotes { variable } => {
            let global = &dockerfile.globals[*variable];
            let default = global.default.as_ref().unwrap_or(&global.name);
            let message = format!(
                "the default of `{}` begins with a quote but does not end with it",
                global.name.text
            );
            Some(at(
                Diagnostic::error(codes::dockerfile::QUOTES, message),
                default.at,
            ))
        }
        Fault::Default { variable, why } => is_known.then(|| {
            let global = &dockerfile.globals[*variable];
            let default = global.default.as_ref().unwrap_or(&global.name);
            let message = format!("the default of `{}` can't be read: {why}", global.name.text);
            at(
                Diagnostic::error(codes::dockerfile::SUBSTITUTION, message),
                default.at,
            )
        }),
        Fault::Base { stage, base, why } => is_known.then(|| {
            let written = &dockerfile.stages[*stage].from.image;
            let (asked, reason) = asked_for(base, why);
            let message = format!("kaniko can't read `{base}`: {reason}");
            let found = at(
                Diagnostic::error(codes::dockerfile::SUBSTITUTION, message),
                written.at,
            );
            match asked {
                Some(name) => found.help(build_arg(known, name, "…")),
                None => found.help(
                    "Dockerfiles support `${NAME}`, and in it `:-`, `:+`, `:?`, `#`, `%` and `/`",
                ),
            }
        }),
    }
}

/// Returns the variable that `${NAME:?why}` needs, and the reason without the parser's preface.
fn asked_for<'w>(base: &str, why: &'w str) -> (Option<&'w str>, &'w str) {
    let preface = format!("failed to process {base:?}: ");
    let reason = why.strip_prefix(&preface).unwrap_or(why);
    let name = reason.split_once(": ").map(|(name, _)| name);
    let name = name.filter(|name| base.contains(&format!("${{{name}")));
    (name, reason)
}

fn no_stage(path: &str, dockerfile: &Dockerfile, target: &str) -> Diagnostic {
    let found = Diagnostic::error(
        codes::dockerfile::NO_STAGE,
        format!("`target` names the stage `{target}`, but {path} has no such stage"),
    );
    let names: Vec<String> = dockerfile
        .stages
        .iter()
        .filter_map(sidestep_dockerfile::Stage::name)
        .collect();
    let is_number = target.parse::<usize>().is_ok();
    let number = "kaniko accepts a stage's name, not its number";
    let names = names.iter().map(String::as_str);
    match nearest(target, names.clone()) {
        Some(near) => found.help(format!("did you mean `{near}`?")),
        None if names.clone().next().is_some() => {
            let known = format!("its stages are {}", names.collect::<Vec<_>>().join(", "));
            if is_number {
                found.help(number).help(known)
            } else {
                found.help(known)
            }
        }
        None if is_number => {
            found.help(format!("{number}: give the stage a name, `FROM … AS NAME`"))
        }
        None => found.help("no stage has a name; `FROM … AS NAME` gives it one"),
    }
}

/// Reports two stages with one name: Docker refuses them, kaniko uses one or the other.
pub(super) fn look(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let stages = &reading.dockerfile.stages;
    let mut found = Vec::new();
    for (index, stage) in stages.iter().enumerate() {
        let Some(name) = &stage.from.name else {
            continue;
        };
        let first = stages[..index]
            .iter()
            .find(|other| other.name() == stage.name());
        let Some(first) = first.and_then(|first| first.from.name.as_ref()) else {
            continue;
        };
        let message = format!(
            "the stage on line {} is also called `{}`",
            reading.line(first.at),
            name.text
        );
        found.push(
            reading
                .warning(codes::dockerfile::STAGE_TWICE, name.at, message)
                .help(
                    "rename one of them: kaniko uses the first for `FROM` and `target`, and the last for `COPY --from`",
                ),
        );
    }
    found
}
