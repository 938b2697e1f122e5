//! The variables that are visible to an instruction.

use crate::{flags::Flags, image::Image};
use sidestep_dockerfile::{Word, expand};
use std::collections::BTreeMap;

/// Variables that exist without an `ARG` (Dockerfile reference, "Predefined ARGs").
const PREDEFINED: &[&str] = &[
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// The values of variables.
#[derive(Debug, Default)]
pub(crate) struct Scope(BTreeMap<String, String>);

impl Scope {
    /// Creates the scope from an image's environment and the stage's arguments, which take
    /// precedence.
    pub(crate) fn new(flags: &Flags, image: &Image, args: &BTreeMap<String, String>) -> Self {
        let mut values = BTreeMap::new();
        let env = image.config.get("config").map(|config| &config["Env"]);
        for pair in env.and_then(|env| env.as_array()).into_iter().flatten() {
            if let Some((name, value)) = pair.as_str().and_then(|pair| pair.split_once('=')) {
                values.insert(name.to_owned(), value.to_owned());
            }
        }
        for name in PREDEFINED {
            if let Some(value) = flags.build_arg(name) {
                values.insert((*name).to_owned(), value);
            }
        }
        values.extend(args.clone());
        Self(values)
    }

    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    pub(crate) fn expand(&self, text: &str) -> Result<String, String> {
        expand(text, &|name| self.value(name)).map(|expanded| expanded.text)
    }

    pub(crate) fn words(&self, words: &[Word]) -> Result<Vec<String>, String> {
        words.iter().map(|word| self.expand(&word.text)).collect()
    }
}
