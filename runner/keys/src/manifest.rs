//! Rendered Kubernetes manifests (the output of Kustomize, Helm, or any YAML and JSON), without the
//! data of their Secrets and without any key.

use serde_json::Value;

use crate::found::{Entry, Found, Key};
use crate::search::{self, find};

/// The fields of a Secret that are shown.
const SECRET_FIELDS: [&str; 4] = ["apiVersion", "kind", "type", "immutable"];
/// The fields of a Secret's metadata that are shown: annotations may hold all of its data
/// (`kubectl.kubernetes.io/last-applied-configuration`).
const SECRET_METADATA: [&str; 4] = ["name", "namespace", "labels", "generateName"];
/// The text in the place of a key.
const HIDDEN: &str = "(a key)";
/// The shortest text that can hold a key.
const SHORTEST: usize = 64;
/// The most objects of one file.
const MOST_OBJECTS: usize = 10_000;

/// The objects of a file.
#[derive(Debug, Default)]
pub struct Manifests {
    /// The objects.
    pub objects: Vec<Manifest>,
    /// The documents that are not YAML.
    pub unreadable: Vec<Unreadable>,
    /// The secret texts of the keys, to be masked. They must not leave the host.
    pub secrets: Vec<String>,
    /// Whether there are more objects.
    pub truncated: bool,
}

/// An object of a manifest.
#[derive(Debug)]
pub struct Manifest {
    /// The line of its document's first field, from 1.
    pub line: u32,
    /// The object, without the data of a Secret and without any key.
    pub object: Value,
    /// The keys in it.
    pub keys: Vec<Entry>,
}

/// A document that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The line of the error, or of the document's beginning.
    pub line: u32,
    /// The reason, which shows nothing of the document.
    pub reason: String,
}

/// Reads all documents of a file. Lists are taken apart. Nothing is executed: a template that was not
/// rendered is unreadable.
pub fn manifests(text: &str) -> Manifests {
    let mut all = Manifests::default();
    for (line, document) in documents(text) {
        if document.lines().all(is_blank) {
            continue;
        }
        match serde_saphyr::from_str::<Value>(document) {
            Ok(value) => take(&mut all, value, line, document, 0),
            Err(error) => {
                let within = error.location().map_or(1, |at| at.line());
                let within = u32::try_from(within).unwrap_or(1).max(1);
                all.unreadable.push(Unreadable {
                    line: line.saturating_add(within - 1),
                    reason: "it is not valid YAML".to_owned(),
                });
            }
        }
    }
    all
}

/// Splits a file into its documents, each with its first line. A marker is a line of its own: inside
/// a scalar, YAML does not allow one at the beginning of a line (YAML 1.2.2, section 9.1.2).
fn documents(text: &str) -> Vec<(u32, &str)> {
    let text = text.trim_start_matches('\u{feff}');
    let mut found = Vec::new();
    let (mut begin, mut first, mut at) = (0, 1, 0);
    for (number, line) in (1_u32..).zip(text.split_inclusive('\n')) {
        let next = at + line.len();
        let bare = line.trim_end();
        let begins = bare == "---" || line.starts_with("--- ") || line.starts_with("---\t");
        if begins || bare == "..." {
            found.push((first, &text[begin..at]));
            // Content may follow the marker on its line.
            begin = at + 3;
            first = number;
        }
        at = next;
    }
    found.push((first, &text[begin..]));
    found
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// Takes an object, or the objects of a list.
fn take(all: &mut Manifests, mut value: Value, line: u32, document: &str, depth: usize) {
    if let Value::Array(items) = value {
        // A JSON array of objects, as some tools write.
        if depth < 2 {
            for item in items {
                take(all, item, line, document, depth + 1);
            }
        }
        return;
    }
    let kind = value["kind"].as_str().unwrap_or_default();
    if kind.ends_with("List") && value["items"].is_array() && depth < 2 {
        let of_items = kind.strip_suffix("List").unwrap_or_default().to_owned();
        let items = value["items"].take();
        for mut item in items.as_array().cloned().unwrap_or_default() {
            // A `SecretList` need not say the kind of its items.
            if item.is_object() && item["kind"].is_null() && !of_items.is_empty() {
                item["kind"] = of_items.clone().into();
            }
            take(all, item, line, document, depth + 1);
        }
        return;
    }
    if !value.is_object() || kind.is_empty() {
        return;
    }
    if all.objects.len() >= MOST_OBJECTS {
        all.truncated = true;
        return;
    }
    let mut keys = Vec::new();
    let place = Place { line, document };
    if kind == "Secret" {
        of_secret(all, &mut value, &mut keys, &place);
    } else {
        hide(all, &mut value, String::new(), &mut keys, &place, 0);
    }
    let before = document.lines().take_while(|line| is_blank(line)).count();
    all.objects.push(Manifest {
        line: line.saturating_add(u32::try_from(before).unwrap_or(u32::MAX)),
        object: value,
        keys,
    });
}

/// The document of an object.
struct Place<'d> {
    line: u32,
    document: &'d str,
}

impl Place<'_> {
    /// Returns the line of a field; that of the document if it is not found.
    fn line_of(&self, field: &str) -> u32 {
        let is_it = |line: &str| {
            let line = line.trim_start().trim_start_matches("- ").trim_start();
            let line = line.trim_start_matches(['"', '\'']);
            line.strip_prefix(field)
                .is_some_and(|rest| rest.trim_start_matches(['"', '\'']).starts_with(':'))
        };
        let mut lines = (0_u32..).zip(self.document.lines());
        let found = lines.find(|(_, line)| is_it(line));
        self.line
            .saturating_add(found.map_or(0, |(number, _)| number))
    }
}

/// Finds the keys of a Secret, and removes its data.
fn of_secret(all: &mut Manifests, secret: &mut Value, keys: &mut Vec<Entry>, place: &Place<'_>) {
    for (field, encoded) in [("data", true), ("stringData", false)] {
        let Some(entries) = secret[field].as_object() else {
            continue;
        };
        for (name, value) in entries {
            let Some(text) = value.as_str() else { continue };
            let bytes = if encoded { search::decoded(text) } else { None };
            let found = find(bytes.as_deref().unwrap_or(text.as_bytes()));
            add(all, keys, name, found, place.line_of(name));
        }
    }
    if let Some(fields) = secret.as_object_mut() {
        fields.retain(|name, _| SECRET_FIELDS.contains(&name.as_str()) || name == "metadata");
    }
    if let Some(metadata) = secret["metadata"].as_object_mut() {
        metadata.retain(|name, _| SECRET_METADATA.contains(&name.as_str()));
    }
}

/// Finds the keys in an object's texts, and hides them.
fn hide(
    all: &mut Manifests,
    value: &mut Value,
    path: String,
    keys: &mut Vec<Entry>,
    place: &Place<'_>,
    depth: usize,
) {
    if depth > 64 {
        // Nothing of an object that deep is a manifest's, and it must not pass unseen.
        *value = Value::Null;
        return;
    }
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                name.len() < SHORTEST || find(name.as_bytes()).secrets.is_empty()
            });
            for (name, value) in fields.iter_mut() {
                let below = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                hide(all, value, below, keys, place, depth + 1);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter_mut().enumerate() {
                hide(
                    all,
                    value,
                    format!("{path}[{index}]"),
                    keys,
                    place,
                    depth + 1,
                );
            }
        }
        Value::String(text) if text.len() >= SHORTEST => {
            let found = find(text.as_bytes());
            if !found.secrets.is_empty() || found.truncated {
                HIDDEN.clone_into(text);
            }
            let field = path.rsplit(['.', '[']).next().unwrap_or_default();
            // The name of an entry may have dots: `data.key.json`.
            let field = path.strip_prefix("data.").unwrap_or(field);
            add(all, keys, &path, found, place.line_of(field));
        }
        _ => {}
    }
}

/// Adds the keys of one text that begins on a line.
fn add(all: &mut Manifests, keys: &mut Vec<Entry>, entry: &str, found: Found, line: u32) {
    all.secrets.extend(found.secrets);
    all.truncated |= found.truncated;
    keys.extend(found.keys.into_iter().map(|key| Entry {
        entry: entry.to_owned(),
        key: Key { line, ..key },
    }));
}
