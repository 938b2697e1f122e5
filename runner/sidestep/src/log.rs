//! The runner's own log, which is off by default.

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

use sidestep_capabilities::Masks;
use sidestep_events::{Diagnostic, Exit, codes};
use sidestep_launch::Error;
use sidestep_tracing::{Filter, Format, Log, Options, Redactor, To, install};

use crate::environment::{self, LOG, LOG_FILE, LOG_FORMAT};
use crate::output::note_above;

/// The number of `--verbose` flags that turns on this log.
const VERBOSE: u8 = 3;

/// The log of this process, if it is on, and the tokens that are masked in it.
static STARTED: OnceLock<(Log, Arc<Masks>)> = OnceLock::new();

/// Starts the log if the flags or the environment ask for it, and returns its file, if it has one.
/// If not, log calls cost almost nothing.
pub(crate) fn start(
    verbose: u8,
    workspace: &Path,
    masks: &Arc<Masks>,
) -> Result<Option<PathBuf>, Error> {
    let set = |name| environment::get(name).filter(|value| !value.is_empty());
    let filter = match (verbose >= VERBOSE, set(LOG)) {
        (false, None) => return Ok(None),
        (false, Some(text)) => text.parse(),
        (true, None) => Ok(Filter::ours()),
        (true, Some(text)) => Filter::ours().and(&text),
    };
    let file = set(LOG_FILE)
        .map(|file| without_links(workspace, Path::new(&file)))
        .transpose()?;
    let (secrets, tokens) = (Arc::clone(masks), Arc::new(Masks::new()));
    let known = Arc::clone(&tokens);
    let options = Options {
        filter: filter.map_err(|wrong| unusable(LOG, &wrong.to_string()))?,
        format: format(set(LOG_FORMAT).as_deref())?,
        to: match &file {
            Some(file) => To::File(file.clone()),
            None => To::Each(Box::new(note_above)),
        },
        redactor: Redactor::new(move |text| known.text(&secrets.text(text)).into_owned()),
    };
    let log = install(options).map_err(|wrong| unusable(LOG_FILE, &wrong.to_string()))?;
    let _ = STARTED.set((log, tokens));
    Ok(file)
}

/// Returns the masks to which each token must be added, if the log is on.
pub(crate) fn tokens() -> Option<Arc<Masks>> {
    let (_, tokens) = STARTED.get()?;
    Some(Arc::clone(tokens))
}

/// Waits a short time until all log lines are written.
pub(crate) fn finish() {
    if let Some((log, _)) = STARTED.get() {
        log.finish();
    }
}

/// Returns the path of the log's file, from the workspace.
///
/// The workspace may be a stranger's checkout, and the log's lines quote servers and plugins. A
/// link in it would append them to any file of the user's, such as a shell's start-up file.
fn without_links(workspace: &Path, file: &Path) -> Result<PathBuf, Error> {
    let mut at = workspace.to_owned();
    for part in file.strip_prefix(workspace).unwrap_or(file).components() {
        match part {
            // No folder of `at` is a link here, so this is the parent on disk as well.
            Component::ParentDir => drop(at.pop()),
            part => at.push(part),
        }
        if at.starts_with(workspace) && at.is_symlink() {
            let link = at.strip_prefix(workspace).unwrap_or(&at).display();
            let why =
                format!("`{link}` is a link in the workspace, and the log follows no such link");
            return Err(unusable(LOG_FILE, &why));
        }
        // Links outside are the user's own.
        if at.is_dir() {
            at = at.canonicalize().unwrap_or(at);
        }
    }
    Ok(at)
}

fn format(text: Option<&str>) -> Result<Format, Error> {
    match text {
        None | Some("text") => Ok(Format::Text),
        Some("json") => Ok(Format::Json),
        Some(other) => Err(unusable(
            LOG_FORMAT,
            &format!("`{other}` is neither `text` nor `json`"),
        )),
    }
}

fn unusable(variable: &str, why: &str) -> Error {
    let wrong = Diagnostic::error(codes::settings::WRONG, format!("${variable}: {why}"))
        .with_help("`sidestep settings --explain` explains the values of each variable")
        .with_exit(Exit::Configuration);
    vec![wrong].into()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_in_the_workspace_is_refused_and_one_outside_is_the_user_s() {
        let folder = tempfile::tempdir().expect("a folder");
        let outside = folder.path().canonicalize().expect("there");
        let workspace = outside.join("checkout");
        fs::create_dir_all(workspace.join("logs")).expect("made");
        fs::create_dir(outside.join("var")).expect("made");
        symlink("../bashrc", workspace.join("sidestep.log")).expect("made");
        symlink("../var", workspace.join("linked")).expect("made");
        symlink("var", outside.join("own")).expect("made");
        symlink("checkout", outside.join("mine")).expect("made");
        let place = |file: &str| without_links(&workspace, Path::new(file));
        for (file, path) in [
            ("log", "checkout/log"),
            ("logs/log", "checkout/logs/log"),
            ("../log", "log"),
            ("../own/log", "var/log"),
            ("logs/../../own/../log", "log"),
        ] {
            assert_eq!(place(file).expect(file), outside.join(path), "{file}");
        }
        assert_eq!(
            place("/dev/stderr").expect("outside"),
            Path::new("/dev/stderr")
        );
        let absolute = workspace.join("sidestep.log");
        for file in [
            "sidestep.log",
            "./logs/../sidestep.log",
            "linked/log",
            "linked/../log",
            "../checkout/sidestep.log",
            "../mine/sidestep.log",
            absolute.to_str().expect("text"),
        ] {
            let why = place(file).expect_err(file);
            assert!(
                format!("{why:?}").contains("is a link in the workspace"),
                "{file}"
            );
        }
    }
}
