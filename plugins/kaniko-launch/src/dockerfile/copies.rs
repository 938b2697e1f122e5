//! `COPY` and `ADD`: their sources, flags and destinations.

use sidestep::Diagnostic;
use sidestep::codes;
use sidestep_dockerfile::{
    Copying, Flag, Instruction, Kind, Mode, Origin, Source, Word, is_reference, nearest, variables,
};

use super::Reading;

/// The flags that kaniko parses and ignores, and the effect of that; `--link` changes nothing in
/// the image.
const IGNORED: [(&str, &str); 5] = [
    (
        "parents",
        "copies without the parent folders, to another path",
    ),
    ("exclude", "also copies what it is meant to exclude"),
    ("checksum", "does not verify what it downloads"),
    ("unpack", "unpacks only archives of the context"),
    ("keep-git-dir", "does not clone the repository"),
];

pub(super) fn look(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (stage, instruction) in reading.instructions() {
        let (copying, is_add) = match &instruction.kind {
            Kind::Copy(copying) => (copying, false),
            Kind::Add(copying) => (copying, true),
            _ => continue,
        };
        let from = instruction.flag("from");
        found.extend(from.and_then(|flag| origin(reading, stage, flag)));
        found.extend(flags(reading, instruction));
        found.extend(destination(reading, instruction, copying));
        for source in &copying.sources {
            if let Source::Path(path) = source
                && !variables(&path.text)
            {
                let one = if is_add {
                    added(reading, path)
                } else if from.is_none() {
                    copied(reading, path)
                } else {
                    None
                };
                found.extend(one);
            }
        }
    }
    found
}

fn origin(reading: &Reading<'_>, stage: usize, flag: &Flag) -> Option<Diagnostic> {
    let from = flag.value.as_deref().filter(|from| !from.is_empty())?;
    let error = |message: String| reading.error(codes::dockerfile::COPY_FROM, flag.at, message);
    let names: Vec<String> = reading
        .dockerfile
        .stages
        .iter()
        .filter_map(sidestep_dockerfile::Stage::name)
        .collect();
    match reading.plan.origin(stage, from) {
        Origin::Stage(_) => None,
        Origin::Later(other) if other == stage => Some(
            error(format!(
                "`{from}` is the stage of this instruction, and a stage can't copy from itself"
            ))
            .help("a COPY without `--from` copies from the context"),
        ),
        Origin::Later(other) => {
            let line = reading.line(reading.dockerfile.stages[other].instruction.keyword.at);
            Some(
                error(format!(
                    "the stage `{from}` is not built yet: it begins on line {line}"
                ))
                .help("move it above this one"),
            )
        }
        Origin::None(number) => {
            let last = reading.plan.target;
            let message =
                format!("no stage has the number {number}: stages are numbered 0 to {last}");
            Some(
                error(message)
                    .help("use the stage's name instead: `FROM … AS NAME`, `COPY --from=NAME`"),
            )
        }
        Origin::Image if from.contains('$') => Some(
            error(format!(
                "kaniko does not expand variables in `--from={from}`"
            ))
            .help("give the image a stage of its own, `FROM … AS NAME`, and copy from that"),
        ),
        Origin::Image if !is_reference(from) => Some(
            error(format!(
                "no stage is called `{from}`, and it is not a valid image name"
            ))
            .help(known(&names)),
        ),
        Origin::Image => nearest(from, names.iter().map(String::as_str)).map(|near| {
            let message = format!("no stage is called `{from}`: kaniko treats it as an image");
            reading
                .warning(codes::dockerfile::COPY_FROM, flag.at, message)
                .help(format!("did you mean `{near}`?"))
        }),
    }
}

fn known(names: &[String]) -> String {
    if names.is_empty() {
        "no stage has a name; `FROM … AS NAME` gives it one".to_owned()
    } else {
        format!("the stages are {}", names.join(", "))
    }
}

fn flags(reading: &Reading<'_>, instruction: &Instruction) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for flag in &instruction.flags {
        let value = flag.value.as_deref().unwrap_or_default();
        if let Some((name, what)) = IGNORED.iter().find(|(name, _)| *name == flag.name) {
            // A switch that is off, as it is without it.
            if (*name == "parents" || *name == "keep-git-dir") && !flag.is_on() {
                continue;
            }
            let message = format!("kaniko ignores `--{name}`, and so {what}");
            found.push(
                reading
                    .warning(codes::dockerfile::IGNORED_FLAG, flag.at, message)
                    .help("if that matters, do it in a RUN, or build with BuildKit"),
            );
        }
        if flag.name == "chmod"
            && !variables(value)
            && let Err(why) = Mode::parse(value)
        {
            found.push(
                reading
                    .error(
                        codes::dockerfile::CHMOD,
                        flag.at,
                        format!("`{value}` is not a valid mode: {why}"),
                    )
                    .help("write a mode as `0755` or `u=rwX,go=rX`"),
            );
        }
    }
    found
}

/// Reports several sources with a destination that is not a folder: a relative destination is not
/// looked up in the image.
fn destination(
    reading: &Reading<'_>,
    instruction: &Instruction,
    copying: &Copying,
) -> Option<Diagnostic> {
    let paths = copying.sources.iter().filter_map(|source| match source {
        Source::Path(path) => Some(path),
        Source::Heredoc(_) => None,
    });
    let paths: Vec<&Word> = paths.collect();
    let is_plain = |word: &&Word| !variables(&word.text) && !word.text.contains(['*', '?', '[']);
    let to = &copying.destination;
    let is_folder = to.text.starts_with('/') || to.text.ends_with('/') || to.text.ends_with('.');
    if paths.len() < 2 || !paths.iter().all(is_plain) || variables(&to.text) || is_folder {
        return None;
    }
    let keyword = instruction.keyword.text.to_uppercase();
    let message = format!(
        "{keyword} has {} sources, but `{}` is not written as a folder",
        paths.len(),
        to.text
    );
    Some(
        reading
            .error(codes::dockerfile::COPY_TO, to.at, message)
            .help(format!("end it with a slash: `{}/`", to.text)),
    )
}

fn copied(reading: &Reading<'_>, path: &Word) -> Option<Diagnostic> {
    if is_url(&path.text) {
        let message = format!("COPY does not download `{}`", path.text);
        return Some(
            reading
                .error(codes::dockerfile::COPY_SOURCE, path.at, message)
                .help("use ADD, which downloads it"),
        );
    }
    outside(reading, path)
}

fn added(reading: &Reading<'_>, path: &Word) -> Option<Diagnostic> {
    let text = &path.text;
    let (place, _) = text.split_once('#').unwrap_or((text, ""));
    let help = "clone it before the build, or in a RUN";
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    match scheme {
        Some("http" | "https") if place.ends_with(".git") => {
            let message =
                format!("kaniko does not clone repositories: it downloads the page `{text}`");
            let found = reading.warning(codes::dockerfile::ADD_GIT, path.at, message);
            Some(found.help(help))
        }
        Some("git" | "ssh") => {
            let message = format!("kaniko does not clone repositories, such as `{text}`");
            Some(
                reading
                    .error(codes::dockerfile::ADD_GIT, path.at, message)
                    .help(help),
            )
        }
        None if text.starts_with("git@") && place.contains(':') => {
            let message = format!(
                "kaniko treats `{text}` as a file of the context: it does not clone repositories"
            );
            Some(
                reading
                    .error(codes::dockerfile::ADD_GIT, path.at, message)
                    .help(help),
            )
        }
        None => outside(reading, path),
        Some(_) => None,
    }
}

/// Reports a path that leaves the context: Docker cuts it off, kaniko follows it.
fn outside(reading: &Reading<'_>, path: &Word) -> Option<Diagnostic> {
    let mut depth = 0_i32;
    for part in path.text.split('/') {
        match part {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            let message = format!("`{}` is outside of the context", path.text);
            return Some(
                reading
                    .error(codes::dockerfile::COPY_SOURCE, path.at, message)
                    .help("the context is the step's `path`: set it to the folder that contains both, and set `dockerfile` relative to that folder"),
            );
        }
    }
    None
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}
