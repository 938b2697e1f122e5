//! The runner's own log, which is off by default.

use std::path::{Path, PathBuf};
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
    let file = set(LOG_FILE).map(|file| workspace.join(file));
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
