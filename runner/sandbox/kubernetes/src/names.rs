//! Names, random suffixes and uids, and Kubernetes' rules for them (RFC 1123).

use serde_json::Value;
use sidestep_sandbox_base::random_bytes;

use crate::kinds::Kind;
use crate::status::Cause;

/// The characters of generated names: no vowels and no look-alikes, as in the API server.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
    characters, '-' or '.', and must start and end with an alphanumeric character (e.g. \
    'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric \
    characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  \
    or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or \
    '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric \
    characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. \
    'MyValue',  or 'my_value',  or '12345', regex used for validation is \
    '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// The positions of a UUID's hyphens (RFC 9562, section 4).
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Returns five random letters, as appended for `generateName`.
pub(crate) fn suffix() -> String {
    random_bytes::<5>()
        .iter()
        .map(|b| LETTERS[usize::from(*b) % LETTERS.len()] as char)
        .collect()
}

/// Returns a random (version 4) UUID.
pub(crate) fn unique_id() -> String {
    let mut bytes = random_bytes::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = hex::encode(bytes);
    for at in HYPHENS {
        text.insert(at, '-');
    }
    text
}

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let fine = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    bytes.first().is_some_and(fine)
        && bytes.last().is_some_and(fine)
        && bytes.iter().all(|b| fine(b) || *b == b'-')
}

fn is_qualified_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

/// Returns the reason why a name of this kind is invalid, if it is.
pub(crate) fn check_name(kind: &Kind, name: &str) -> Option<Cause> {
    let value = Value::from(name);
    let field = "metadata.name";
    if kind.plural == "namespaces" {
        return check_label(field, name);
    }
    if name.len() > 253 {
        return Some(Cause::invalid(
            field,
            &value,
            "must be no more than 253 characters",
        ));
    }
    (!name.split('.').all(is_label)).then(|| Cause::invalid(field, &value, SUBDOMAIN))
}

/// Returns the reason why a text is not a valid RFC 1123 label (namespaces, containers, volumes),
/// if it is not.
pub(crate) fn check_label(field: &str, text: &str) -> Option<Cause> {
    let value = Value::from(text);
    if text.len() > 63 {
        return Some(Cause::invalid(
            field,
            &value,
            "must be no more than 63 characters",
        ));
    }
    (!is_label(text)).then(|| Cause::invalid(field, &value, LABEL))
}

/// Returns the reason why a label's or annotation's key is invalid, if it is.
pub(crate) fn check_key(field: &str, key: &str) -> Option<Cause> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let value = Value::from(key);
    if let Some(prefix) = prefix
        && (prefix.len() > 253 || !prefix.split('.').all(is_label))
    {
        return Some(Cause::invalid(
            field,
            &value,
            &format!("prefix part {SUBDOMAIN}"),
        ));
    }
    if name.len() > 63 {
        return Some(Cause::invalid(
            field,
            &value,
            "name part must be no more than 63 characters",
        ));
    }
    (!is_qualified_part(name)).then(|| Cause::invalid(field, &value, QUALIFIED))
}

/// Returns the reason why a label's value is invalid, if it is.
pub(crate) fn check_label_value(field: &str, text: &str) -> Option<Cause> {
    let value = Value::from(text);
    if text.len() > 63 {
        return Some(Cause::invalid(
            field,
            &value,
            "must be no more than 63 characters",
        ));
    }
    (!text.is_empty() && !is_qualified_part(text))
        .then(|| Cause::invalid(field, &value, LABEL_VALUE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::core_kind;

    #[test]
    fn names_of_any_length_are_judged_without_panic() {
        let pods = core_kind("pods");
        for n in 0..300 {
            let name = "a".repeat(n);
            assert_eq!(
                check_name(pods, &name).is_none(),
                (1..=253).contains(&n),
                "{n}"
            );
        }
        assert!(check_name(pods, "a.b-c").is_none());
        for bad in ["A", "-a", "a-", "a..b", "é", "a_b", "a/b"] {
            assert!(check_name(pods, bad).is_some(), "{bad}");
        }
        assert!(check_name(core_kind("namespaces"), "a.b").is_some());
    }

    #[test]
    fn ids_are_random_and_well_formed() {
        let id = unique_id();
        assert_eq!(id.len(), 36);
        assert_eq!(&id[14..15], "4");
        assert_ne!(id, unique_id());
        assert_eq!(suffix().len(), 5);
    }

    #[test]
    fn label_keys_and_values() {
        assert!(check_key("f", "iam.gke.io/gcp-service-account").is_none());
        assert!(check_key("f", "Bad Key").is_some());
        assert!(check_label_value("f", "").is_none());
        assert!(check_label_value("f", "a b").is_some());
    }
}
