//! `FROM`: arguments that have no value there, names of images that are none, and `--platform`.

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
        format!("`{text}` is no image's name")
    } else {
        format!("`{file}` becomes `{text}`, which is no image's name")
    };
    let mut found = reading.error(codes::dockerfile::IMAGE_NAME, written.at, message);
    found = if text.chars().any(char::is_uppercase) && is_reference(&text.to_lowercase()) {
        found.help("an image's name has no capital letters, and no earlier stage has this one")
    } else {
        found.help("kaniko takes `[HOST/]NAME[:TAG][@sha256:DIGEST]`")
    };
    vec![found]
}

/// An argument that a `FROM` needs. `is_good`: what is left without it is a name all the same.
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
        format!("kaniko builds on the stage of line {line}, which has no name either")
    } else if is_good {
        format!("kaniko takes {becomes} for it")
    } else {
        format!("{becomes} is no image's name")
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
            "kaniko sets `{name}` in stages, and not for a FROM as Docker does: in {from}, {end}"
        )
    } else if is_empty {
        format!("`buildArgs` gives `{name}` an empty value, and {from} needs one: {end}")
    } else if declared.is_some() {
        format!("`{name}` has no value, and {from} needs one: {end}")
    } else {
        format!("no ARG before the first FROM declares `{name}`, and {from} needs it: {end}")
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
            "the ARG on line {line} is its stage's own: a FROM sees those above the first FROM"
        ));
    }
    found = found.help(build_arg(reading.known, name, example(name)));
    let is_platforms = PLATFORM.contains(&name);
    let is_good = is_good && becomes != "an empty name";
    found.help(match declared {
        Some(_) if is_good => format!("or, where it is to be nothing, say so: `ARG {name}=`"),
        Some(_) => format!("or a default where it is declared: `ARG {name}=…`"),
        None if is_good && !is_platforms => {
            format!("or, where it is to be nothing, say so above the first FROM: `ARG {name}=`")
        }
        None => format!(
            "or declare it above the first FROM, with a default: `ARG {name}={}`",
            example(name)
        ),
    })
}

/// A value that says what is wanted.
fn example(name: &str) -> &'static str {
    match name {
        "TARGETPLATFORM" | "BUILDPLATFORM" => "linux/amd64",
        "TARGETOS" | "BUILDOS" => "linux",
        "TARGETARCH" | "BUILDARCH" => "amd64",
        _ => "…",
    }
}

/// Where a word uses a variable.
fn uses_at(at: usize, word: &str, name: &str) -> usize {
    let uses = [format!("${{{name}"), format!("${name}")];
    at + uses.iter().find_map(|used| word.find(used)).unwrap_or(0)
}

/// The line of an ARG in a stage.
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
            format!("say it in the step's `with`: `platform: {wanted}`"),
        ),
        Some(ours) if ours == wanted || is_variable("TARGETPLATFORM") => return None,
        Some(ours) => (
            format!("{ours}, as `platform` says"),
            "commands of a stage run only on a node of its platform".to_owned(),
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
