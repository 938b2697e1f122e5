//! Finds symbolic links in a context that a COPY or ADD names. Docker copies the target of such a
//! link. kaniko copies the link itself, which is dangling in the image unless something else
//! creates its target.

use std::path::Path;

use sidestep_dockerfile::{
    Copying, Dockerfile, Instruction, Kind, Plan, Source, Stage, Word, variables, wildcard,
};
use sidestep_files::{Folder, OpenError, Stat};

/// The extensions of archives. ADD unpacks them even through a link.
const ARCHIVES: [&str; 5] = [".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz"];

/// A link that is copied as a link.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CopiedLink {
    /// The byte offset in the Dockerfile at which the source begins.
    pub(super) at: usize,
    /// The source as written.
    pub(super) named: String,
    /// The path of the link in the context.
    link: String,
    /// The link's absolute path in the image, and its absolute target there.
    place: String,
    leads: String,
    /// The link's target in the context.
    real: Option<String>,
}

impl CopiedLink {
    pub(super) fn message(&self) -> String {
        let Self {
            link, place, leads, ..
        } = self;
        format!(
            "kaniko copies the link `{link}` as a link: `{place}` will lead to `{leads}`, and no COPY of this stage creates that path"
        )
    }

    pub(super) fn help(&self) -> Option<String> {
        let real = self.real.as_ref()?;
        Some(format!(
            "Docker copies the link's target; kaniko does so too if you name the target: `{real}`"
        ))
    }
}

/// Finds copied links in the stages that are built.
pub(super) fn copied_links(
    context: &Folder,
    dockerfile: &Dockerfile,
    plan: &Plan,
) -> Vec<CopiedLink> {
    let stages = dockerfile.stages.iter().zip(&plan.needed);
    let needed = stages.filter(|(_, needed)| **needed);
    needed
        .flat_map(|(stage, _)| of_stage(context, stage))
        .collect()
}

fn of_stage(context: &Folder, stage: &Stage) -> Vec<CopiedLink> {
    let mut links = Vec::new();
    // Each copied file: its path in the context, and in the image.
    let mut copies: Vec<(String, String)> = Vec::new();
    let mut workdir = (stage.from.image.text == "scratch").then(String::new);
    for instruction in &stage.instructions {
        let (copying, is_add) = match &instruction.kind {
            Kind::Workdir(path) => {
                workdir = absolute(path, workdir.as_deref());
                continue;
            }
            Kind::Copy(copying) => (copying, false),
            Kind::Add(copying) => (copying, true),
            _ => continue,
        };
        if comes_from_elsewhere(instruction) {
            continue;
        }
        let Some(to) = absolute(&copying.destination, workdir.as_deref()) else {
            continue;
        };
        let is_folder = is_folder(copying);
        for (word, path) in sources(context, copying) {
            let Some((stat, target)) = look(context, &path) else {
                continue;
            };
            let name = path.rsplit('/').next().unwrap_or_default();
            let place = if is_folder {
                join(&to, name)
            } else {
                to.clone()
            };
            let real = context.real(Path::new(&path)).ok();
            let real = real.and_then(|real| Some(real.to_str()?.to_owned()));
            let unpacks = |real: &String| ARCHIVES.iter().any(|end| real.ends_with(end));
            match target {
                Some(_) if is_add && real.as_ref().is_some_and(unpacks) => {}
                Some(target) => links.push(CopiedLink {
                    at: word.at,
                    named: word.text.clone(),
                    link: path,
                    leads: lead(&place, &target),
                    place,
                    real,
                }),
                None if stat.is_folder() => copies.push((path, to.clone())),
                None => copies.push((path, place)),
            }
        }
    }
    let is_copied = |leads: &str| {
        copies.iter().any(|(from, to)| {
            let below = if leads == to {
                Some("")
            } else {
                strip(leads, to)
            };
            below.is_some_and(|below| look(context, &join(from, below)).is_some())
        })
    };
    links.retain(|link| !is_copied(&link.leads[1..]));
    for link in &mut links {
        link.place.insert(0, '/');
    }
    links
}

fn comes_from_elsewhere(instruction: &Instruction) -> bool {
    let from = instruction
        .flag("from")
        .and_then(|flag| flag.value.as_deref());
    from.is_some_and(|from| !from.is_empty())
}

/// Returns whether the destination is a folder according to the Dockerfile's text.
fn is_folder(copying: &Copying) -> bool {
    let to = copying.destination.text.as_str();
    let is_pattern =
        |source: &Source| matches!(source, Source::Path(path) if wildcard::is_pattern(&path.text));
    to.ends_with('/')
        || to.ends_with("/.")
        || to == "."
        || copying.sources.len() > 1
        || copying.sources.iter().any(is_pattern)
}

/// Returns the paths in the context that the sources name. Sources with variables are skipped.
fn sources<'c>(context: &Folder, copying: &'c Copying) -> Vec<(&'c Word, String)> {
    let paths = copying.sources.iter().filter_map(|source| match source {
        Source::Path(word) if !variables(&word.text) => Some(word),
        _ => None,
    });
    let mut found = Vec::new();
    for word in paths {
        let Some(path) = clean("", &word.text) else {
            continue;
        };
        let mut matched = vec![String::new()];
        for part in path.split('/') {
            matched = matched
                .iter()
                .flat_map(|above| below(context, above, part))
                .collect();
        }
        found.extend(matched.into_iter().map(|path| (word, path)));
    }
    found
}

/// Returns the entries of a folder that match one segment of a pattern.
fn below(context: &Folder, above: &str, part: &str) -> Vec<String> {
    if !wildcard::is_pattern(part) {
        return vec![join(above, part)];
    }
    let any = |_: &Path| Ok::<_, OpenError>(());
    let opened = context.folder(Path::new(above), any);
    let names = opened.ok().and_then(|(_, folder)| folder.names().ok());
    let mut names: Vec<String> = names
        .unwrap_or_default()
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .filter(|name| wildcard::matches(part, name))
        .collect();
    names.sort();
    names.iter().map(|name| join(above, name)).collect()
}

/// Returns the metadata of a context entry, and its target if it is a link.
fn look(context: &Folder, path: &str) -> Option<(Stat, Option<String>)> {
    let any = |_: &Path| Ok::<_, OpenError>(());
    let (_, stat, target) = context.entry(Path::new(path), any).ok()?;
    Some((
        stat,
        target.map(|target| target.to_string_lossy().into_owned()),
    ))
}

/// Returns an absolute path in the image without the leading slash; `None` if it is not known.
fn absolute(path: &Word, workdir: Option<&str>) -> Option<String> {
    if variables(&path.text) {
        return None;
    }
    if path.text.starts_with('/') {
        clean("", &path.text)
    } else {
        clean(workdir?, &path.text)
    }
}

/// Returns the absolute target of a link at `place` in the image. The root is its own parent.
fn lead(place: &str, target: &str) -> String {
    let folder = place.rsplit_once('/').map_or("", |(folder, _)| folder);
    let from = if target.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Resolves a path relative to another: removes `.`, `..` and extra slashes. Returns `None` if it
/// leaves the root.
fn clean(above: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in above.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn join(above: &str, below: &str) -> String {
    match (above.is_empty(), below.is_empty()) {
        (true, _) => below.to_owned(),
        (_, true) => above.to_owned(),
        _ => format!("{above}/{below}"),
    }
}

/// Returns the path relative to a folder, if it is inside.
fn strip<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder.is_empty() {
        return Some(path);
    }
    path.strip_prefix(folder)?.strip_prefix('/')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::symlink;

    use sidestep_dockerfile::{parse, plan};

    use super::*;

    /// Returns the dangling links of a Dockerfile, each as `LINK: PLACE -> LEADS (REAL)`.
    fn dangling(dockerfile: &str) -> Vec<String> {
        let place = tempfile::tempdir().expect("a folder");
        let at = |path: &str| place.path().join(path);
        for file in ["real/f", "releases/1/app", "a.tar"] {
            fs::create_dir_all(at(file).parent().expect("one")).expect("made");
            fs::write(at(file), "x").expect("written");
        }
        for (target, link) in [
            ("real/f", "lf"),
            ("real", "linkdir"),
            ("releases/1", "current"),
            ("/etc/hosts", "absolute"),
            ("a.tar", "archive"),
        ] {
            symlink(target, at(link)).expect("made");
        }
        let dockerfile = parse(dockerfile).expect("a Dockerfile");
        let plan = plan(&dockerfile, &BTreeMap::new(), None).expect("a plan");
        let context = Folder::open(place.path()).expect("there");
        let found = copied_links(&context, &dockerfile, &plan).into_iter();
        found
            .map(|link| {
                let real = link.real.as_deref().unwrap_or("-");
                format!("{}: {} -> {} ({real})", link.link, link.place, link.leads)
            })
            .collect()
    }

    #[test]
    fn a_link_that_a_copy_names_dangles_in_the_image() {
        assert_eq!(
            dangling("FROM scratch\nCOPY lf /lf\nCOPY linkdir /x\nCOPY l* /all/\n"),
            [
                "lf: /lf -> /real/f (real/f)",
                "linkdir: /x -> /real (real)",
                "lf: /all/lf -> /all/real/f (real/f)",
                "linkdir: /all/linkdir -> /all/real (real)",
            ]
        );
        assert_eq!(
            dangling("FROM scratch\nWORKDIR /app\nCOPY absolute lf ./\nADD archive lf /b/\n"),
            [
                "absolute: /app/absolute -> /etc/hosts (-)",
                "lf: /app/lf -> /app/real/f (real/f)",
                "lf: /b/lf -> /b/real/f (real/f)",
            ]
        );
    }

    #[test]
    fn a_link_whose_target_is_copied_too_is_right() {
        for good in [
            "FROM scratch\nCOPY current /app/current\nCOPY releases /app/releases\n",
            "FROM scratch\nCOPY current real/f /\nCOPY releases/1/app /releases/1/\nCOPY . /\n",
            "FROM scratch\nCOPY . /\n",
            "FROM scratch\nCOPY real /x\nCOPY real/f /y\n",
            // Unknown: variables, the working folder of a base image, another stage's files.
            "FROM scratch\nARG A=lf\nCOPY $A /\n",
            "FROM busybox\nCOPY lf here\n",
            "FROM scratch AS a\nFROM scratch\nCOPY --from=a lf /\n",
            // A stage that is not built.
            "FROM scratch AS unused\nCOPY lf /\nFROM scratch\nCOPY real/f /\n",
        ] {
            assert_eq!(dangling(good), [""; 0], "{good}");
        }
        assert_eq!(
            dangling("FROM scratch\nCOPY current /app/current\nCOPY releases /other/\n").len(),
            1
        );
    }
}
