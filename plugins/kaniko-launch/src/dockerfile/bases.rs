//! `FROM`: arguments without a value, invalid image names, and `--platform`.

use sidestep::{Diagnostic, Severity, codes};
use sidestep_dockerfile::{Kind, is_reference};

use super::{Reading, build_arg};

/// The arguments that BuildKit sets in every `FROM`, and kaniko in stages alone.
const PLATFORM: [&str; 8] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
];

pub(super) fn look(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for stage in reading.needed() {
        for one in image(reading, stage) {
            // An argument is asked for once, however many need it; the gravest need counts.
            let place = (one.line, one.column, one.code.clone());
            let same =
                |known: &&mut Diagnostic| (known.line, known.column, known.code.clone()) == place;
            match found.iter_mut().find(same) {
                Some(known) if known.severity == Severity::Error => {}
                Some(known) if one.severity == Severity::Error => *known = one,
                Some(_) => {}
                None => found.push(one),
            }
        }
        found.extend(platform(reading, stage));
    }
    found
}

fn image(reading: &Reading<'_>, stage: usize) -> Vec<Diagnostic> {
    let base = &reading.plan.bases[stage];
    let written = &reading.dockerfile.stages[stage].from.image;
    if !base.asked.is_empty() && !reading.knows_build_args() {
        return Vec::new();
    }
    let is_good = base.stage.is_some() || base.text == "scratch" || is_reference(&base.text);
    let mut unset = base.unset.clone();
    unset.dedup();
    if !unset.is_empty() {
        let missing = unset.iter();
        return missing
            .map(|name| without_value(reading, stage, name, is_good))
            .collect();
    }
    if is_good {
        return Vec::new();
    }
    let (text, file) = (&base.text, &written.text);
    let message = if text == file {
        format!("`{text}` is not a valid image name")
    } else {
        format!("`{file}` becomes `{text}`, which is not a valid image name")
    };
    let mut found = reading.error(codes::dockerfile::IMAGE_NAME, written.at, message);
    found = if text.chars().any(char::is_uppercase) && is_reference(&text.to_lowercase()) {
        found.help("image names have no capital letters, and no earlier stage has this name")
    } else {
        found.help("write `[HOST/]NAME[:TAG][@sha256:DIGEST]`")
    };
    vec![found]
}

/// Reports an argument that a `FROM` needs. `is_good`: without it, a valid name remains.
fn without_value(reading: &Reading<'_>, stage: usize, name: &str, is_good: bool) -> Diagnostic {
    let written = &reading.dockerfile.stages[stage].from.image;
    let line = reading.line(written.at);
    let from = format!("`FROM {}` on line {line}", written.text);
    let becomes = match &*reading.plan.bases[stage].text {
        "" => "an empty name".to_owned(),
        text => format!("`{text}`"),
    };
    let nameless = reading.plan.bases[stage].stage;
    let nameless = nameless.map(|other| &reading.dockerfile.stages[other].instruction);
    let end = if let (true, Some(other)) = (becomes == "an empty name", nameless) {
        let line = reading.line(other.keyword.at);
        format!("kaniko builds on the stage on line {line}, which has no name either")
    } else if is_good {
        format!("kaniko uses {becomes}")
    } else {
        format!("{becomes} is not a valid image name")
    };
    let globals = &reading.dockerfile.globals;
    let declared = globals.iter().rfind(|global| global.name.text == name);
    let given = reading.known.build_args.as_ref();
    let is_empty = given.is_some_and(|given| given.contains_key(name));
    let at = declared.map_or_else(
        || uses_at(written.at, &written.text, name),
        |one| one.name.at,
    );
    let message = if declared.is_none() && PLATFORM.contains(&name) {
        format!(
            "kaniko sets `{name}` in stages but, unlike Docker, not in a FROM: in {from}, {end}"
        )
    } else if is_empty {
        format!("`buildArgs` gives `{name}` an empty value, but {from} needs one: {end}")
    } else if declared.is_some() {
        format!("`{name}` has no value, but {from} needs one: {end}")
    } else {
        format!("no ARG before the first FROM declares `{name}`, but {from} needs it: {end}")
    };
    let mut found = if is_good {
        reading.warning(codes::dockerfile::ARG_UNSET, at, message)
    } else {
        reading.error(codes::dockerfile::ARG_UNSET, at, message)
    };
    if declared.is_none()
        && let Some(line) = declared_in_stage(reading, name)
    {
        found = found.help(format!(
            "the ARG on line {line} belongs to its stage: a FROM sees only the ARGs above the first FROM"
        ));
    }
    found = found.help(build_arg(reading.known, name, example(name)));
    let is_platforms = PLATFORM.contains(&name);
    let is_good = is_good && becomes != "an empty name";
    found.help(match declared {
        Some(_) if is_good => {
            format!("or, if it is meant to be empty, declare it so: `ARG {name}=`")
        }
        Some(_) => format!("or give it a default where it is declared: `ARG {name}=…`"),
        None if is_good && !is_platforms => {
            format!(
                "or, if it is meant to be empty, declare it so above the first FROM: `ARG {name}=`"
            )
        }
        None => format!(
            "or declare it above the first FROM, with a default: `ARG {name}={}`",
            example(name)
        ),
    })
}

/// Returns an example of the argument's value.
fn example(name: &str) -> &'static str {
    match name {
        "TARGETPLATFORM" | "BUILDPLATFORM" => "linux/amd64",
        "TARGETOS" | "BUILDOS" => "linux",
        "TARGETARCH" | "BUILDARCH" => "amd64",
        _ => "…",
    }
}

/// Returns the offset at which a word uses a variable.
fn uses_at(at: usize, word: &str, name: &str) -> usize {
    let uses = [format!("${{{name}"), format!("${name}")];
    at + uses.iter().find_map(|used| word.find(used)).unwrap_or(0)
}

/// Returns the line of an ARG in a stage.
fn declared_in_stage(reading: &Reading<'_>, name: &str) -> Option<u32> {
    let stages = reading.dockerfile.stages.iter();
    stages
        .flat_map(|stage| &stage.instructions)
        .find_map(|instruction| match &instruction.kind {
            Kind::Arg(variables) => variables.iter().find(|one| one.name.text == name),
            _ => None,
        })
        .map(|variable| reading.line(variable.name.at))
}

/// kaniko builds every stage for one platform: the step's, or its node's.
fn platform(reading: &Reading<'_>, stage: usize) -> Option<Diagnostic> {
    let flag = reading.dockerfile.stages[stage]
        .instruction
        .flag("platform")?;
    let wanted = flag.value.as_deref()?;
    let ours = reading.known.platform.as_ref()?;
    let is_variable = |name: &str| wanted == format!("${name}") || wanted == format!("${{{name}}}");
    let (instead, help) = match ours {
        None if wanted.contains('$') => return None,
        None => (
            "its node's platform".to_owned(),
            format!("set it in the step's `with`: `platform: {wanted}`"),
        ),
        Some(ours) if ours == wanted || is_variable("TARGETPLATFORM") => return None,
        Some(ours) => (
            format!("{ours}, which `platform` sets"),
            "a stage's commands run only on a node of its platform".to_owned(),
        ),
    };
    let message =
        format!("kaniko ignores `--platform={wanted}`: it builds every stage for {instead}");
    Some(
        reading
            .warning(codes::dockerfile::PLATFORM, flag.at, message)
            .help(help),
    )
}
