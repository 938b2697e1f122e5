//! kaniko's command line.

mod read;
mod table;
#[cfg(test)]
mod tests;

use crate::log::Format;
use read::read;

pub(crate) use read::usage;

/// The flags that change what this kaniko does. The others are accepted without effect: there is no
/// snapshot, no cache and no file system.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are kaniko's switches")]
pub(crate) struct Flags {
    pub(crate) context: String,
    pub(crate) bucket: Option<String>,
    pub(crate) context_sub_path: Option<String>,
    pub(crate) dockerfile: String,
    pub(crate) destinations: Vec<String>,
    pub(crate) build_args: Vec<(String, Option<String>)>,
    pub(crate) labels: Vec<(String, String)>,
    /// The ids of the secrets, with their files.
    pub(crate) secrets: Vec<(String, String)>,
    pub(crate) target: Option<String>,
    pub(crate) platform: Option<String>,
    pub(crate) cache_repo: Option<String>,
    pub(crate) no_push: bool,
    pub(crate) skip_push_permission_check: bool,
    pub(crate) digest_file: Option<String>,
    pub(crate) tar_path: Option<String>,
    pub(crate) oci_layout_path: Option<String>,
    pub(crate) image_name_with_digest_file: Option<String>,
    pub(crate) image_name_tag_with_digest_file: Option<String>,
    pub(crate) reproducible: bool,
    pub(crate) pull: bool,
    pub(crate) log_format: Format,
}

impl Flags {
    /// Returns the value of a build argument. The last of repeated names applies; one without a
    /// value has none.
    pub(crate) fn build_arg(&self, name: &str) -> Option<String> {
        let mut given = self.build_args.iter().rev();
        given.find(|(key, _)| key == name)?.1.clone()
    }

    /// Reads flags as kaniko's own parser does; the error is its message.
    pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut values = read(args)?;
        let mut list = |name: &str| values.remove(name).unwrap_or_default();
        let destinations = list("destination");
        let build_args = list("build-arg")
            .into_iter()
            .map(|arg| match arg.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (arg, None),
            });
        let build_args = build_args.collect();
        let labels = list("label")
            .into_iter()
            .map(|label| match label.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => (label, String::new()),
            });
        let labels = labels.collect();
        let secrets = list("secret").into_iter().map(|secret| {
            let part = |name: &str| {
                let mut parts = secret.split(',').filter_map(|part| part.split_once('='));
                let found = parts.find_map(|(key, value)| (key == name).then_some(value));
                found.unwrap_or_default().to_owned()
            };
            (part("id"), part("src"))
        });
        let secrets = secrets.collect();
        let value = |name: &str| values.get(name).and_then(|all| all.last()).cloned();
        let given = |name: &str| value(name).filter(|value| !value.is_empty());
        let is = |name: &str| value(name).as_deref() == Some("true");
        let log_format = match given("log-format").as_deref() {
            None | Some("color") => Format::Color,
            Some("text") => Format::Text,
            Some("json") => Format::Json,
            Some(other) => {
                return Err(format!(
                    "not a valid log format: \"{other}\". Please specify one of (text, color, json)"
                ));
            }
        };
        let level = given("verbosity").unwrap_or_else(|| "info".into());
        let levels = [
            "trace", "debug", "info", "warn", "warning", "error", "fatal", "panic",
        ];
        if !levels.contains(&level.to_lowercase().as_str()) {
            return Err(format!(
                "parsing log level: not a valid logrus Level: \"{level}\""
            ));
        }
        let cache = is("cache") && !is("no-push-cache");
        let cache_repo = given("cache-repo").or_else(|| {
            let destination: &String = destinations.first().filter(|_| cache)?;
            Some(format!("{}/cache", repository(destination)))
        });
        Ok(Self {
            context: given("context").unwrap_or_else(|| "/workspace/".into()),
            bucket: given("bucket"),
            context_sub_path: given("context-sub-path"),
            dockerfile: given("dockerfile").unwrap_or_else(|| "Dockerfile".into()),
            build_args,
            labels,
            secrets,
            target: given("target"),
            platform: given("custom-platform"),
            cache_repo,
            no_push: is("no-push"),
            skip_push_permission_check: is("skip-push-permission-check"),
            digest_file: given("digest-file"),
            tar_path: given("tar-path"),
            oci_layout_path: given("oci-layout-path"),
            image_name_with_digest_file: given("image-name-with-digest-file"),
            image_name_tag_with_digest_file: given("image-name-tag-with-digest-file"),
            reproducible: is("reproducible"),
            pull: is("pull"),
            log_format,
            destinations,
        })
    }
}

/// Returns a destination without its tag and digest.
fn repository(destination: &str) -> &str {
    let name = destination
        .split_once('@')
        .map_or(destination, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    }
}
