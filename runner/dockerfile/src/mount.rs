//! `RUN --mount=…`.

use crate::{Lookup, expand, suggest::suggestion};

/// The known types.
const TYPES: [&str; 5] = ["bind", "cache", "secret", "ssh", "tmpfs"];
/// The known keys.
const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "target",
    "readonly",
    "id",
    "sharing",
    "required",
    "size",
    "mode",
    "uid",
    "gid",
    "src",
    "dst",
    "destination",
    "ro",
    "rw",
    "readwrite",
    "env",
];

/// A mount of a `RUN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// `bind`, `cache`, `secret`, `ssh` or `tmpfs`.
    pub kind: String,
    /// The stage or image of a `bind`; `None` means the context.
    pub from: Option<String>,
    /// The name of a `secret`.
    pub id: Option<String>,
    /// The mount's path.
    pub target: Option<String>,
    /// Whether a `secret` must exist.
    pub required: bool,
}

impl Mount {
    /// Parses a mount. The error is the parser's, which it only reports when the line is run.
    pub fn parse(value: &str, lookup: Lookup<'_>) -> Result<Self, String> {
        let mut mount = Self {
            kind: "bind".to_owned(),
            from: None,
            id: None,
            target: None,
            required: false,
        };
        for field in fields(value) {
            let (key, value) = match field.split_once('=') {
                Some((key, value)) => (key.to_lowercase(), Some(expand(value, lookup)?.text)),
                None => (field.to_lowercase(), None),
            };
            mount.set(&key, value, &field)?;
        }
        if mount.kind == "secret" && mount.from.is_some() {
            return Err("secret mount should not have a from".to_owned());
        }
        Ok(mount)
    }

    fn set(&mut self, key: &str, value: Option<String>, field: &str) -> Result<(), String> {
        let Some(value) = value else {
            return match key {
                "readonly" | "ro" | "readwrite" | "rw" => Ok(()),
                "required" => self.require(true),
                _ => Err(format!("invalid field '{key}' must be a key=value pair")),
            };
        };
        match key {
            "type" => {
                let kind = value.to_lowercase();
                if !TYPES.contains(&kind.as_str()) {
                    let near = suggestion(&value, TYPES, true);
                    return Err(format!("unsupported mount type {value:?}{near}"));
                }
                self.kind = kind;
            }
            "from" => self.from = Some(value),
            "id" => self.id = Some(value),
            "target" | "dst" | "destination" => self.target = Some(value),
            "required" => match value.as_str() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => self.require(true)?,
                "0" | "f" | "F" | "false" | "FALSE" | "False" => self.require(false)?,
                _ => return Err(format!("invalid value for {key}: {value}")),
            },
            _ if KEYS.contains(&key) => {}
            _ => {
                let near = suggestion(key, KEYS, true);
                return Err(format!("unexpected key '{key}' in '{field}'{near}"));
            }
        }
        Ok(())
    }

    fn require(&mut self, required: bool) -> Result<(), String> {
        if self.kind != "secret" && self.kind != "ssh" {
            let kind = &self.kind;
            return Err(format!("unexpected key 'required' for mount type '{kind}'"));
        }
        self.required = required;
        Ok(())
    }

    /// Returns the name under which a `secret` is looked up.
    pub fn secret(&self) -> Option<&str> {
        let last = |target: &'_ str| target.rsplit('/').next().map(str::len);
        match (&self.id, &self.target) {
            (Some(id), _) => Some(id),
            (None, Some(target)) => last(target).map(|length| &target[target.len() - length..]),
            (None, None) => None,
        }
    }
}

/// Splits a line of CSV into fields; a quoted field may contain commas.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.last_mut().expect("there is always one").push(c),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_buildkits() {
        let parse = |text: &str| Mount::parse(text, &|_| None);
        let secret = parse("type=secret,target=/run/secrets/npm,required").expect("read");
        assert_eq!((secret.secret(), secret.required), (Some("npm"), true));
        assert_eq!(
            parse("target=/x,\"source=a,b\"").expect("read").kind,
            "bind"
        );
        let why = |text: &str| parse(text).expect_err(text);
        assert_eq!(
            why("type=cach,target=/x"),
            "unsupported mount type \"cach\" (did you mean cache?)"
        );
        assert_eq!(
            why("typ=cache"),
            "unexpected key 'typ' in 'typ=cache' (did you mean type?)"
        );
        assert_eq!(
            why("type=cache,required=true"),
            "unexpected key 'required' for mount type 'cache'"
        );
        assert_eq!(
            why("cache"),
            "invalid field 'cache' must be a key=value pair"
        );
    }
}
