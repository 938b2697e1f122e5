//! Reads the pipeline's inputs from the command line and from a file.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use sidestep_files::given;
use sidestep_launch::Error;
use sidestep_pipeline::{Source, read_values};
use sidestep_report::Problems;

/// The maximum size of a file of inputs or grants, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Reads `--inputs FILE`, then each `-i NAME=VALUE`, which overrides it. `NAME=@FILE.json` reads a
/// structure from a file.
pub(crate) fn read(
    workspace: &Path,
    file: Option<&PathBuf>,
    given: &[String],
) -> Result<Map<String, Value>, Error> {
    let mut inputs = match file {
        Some(file) => match structure(workspace, file)? {
            Value::Object(map) => map,
            Value::Null => Map::new(),
            _ => {
                return Err(Error::usage(
                    format!("{} is not a map of inputs", file.display()),
                    "write one `name: value` per line",
                ));
            }
        },
        None => Map::new(),
    };
    for one in given {
        let Some((name, value)) = one.split_once('=') else {
            return Err(Error::usage(
                format!("`-i {one}` has no value"),
                format!("write -i {one}=VALUE"),
            ));
        };
        let value = match value.strip_prefix('@') {
            Some(path) => structure(workspace, Path::new(path))?,
            None => value.into(),
        };
        inputs.insert(name.to_owned(), value);
    }
    Ok(inputs)
}

/// Reads a file of JSON or YAML.
pub(crate) fn structure(workspace: &Path, file: &Path) -> Result<Value, Error> {
    let wrong = |problem: String| {
        Error::usage(
            format!("{}: {problem}", file.display()),
            "name a file of JSON or YAML; paths are relative to the workspace",
        )
    };
    let text = given::read_text(&workspace.join(file), MAX_BYTES)
        .map_err(|error| wrong(format!("can't be read: {error}")))?;
    if file
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        return serde_json::from_str(&text).map_err(|error| wrong(error.to_string()));
    }
    let source = Source {
        name: file.display().to_string(),
        text,
    };
    read_values(&source).map_err(|found| {
        Problems::from(found)
            .with_source(&source.name, &source.text)
            .into()
    })
}
