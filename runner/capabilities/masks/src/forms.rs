//! The forms in which a secret is searched for.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::MIN_SECRET;
use super::view::visible;

/// The maximum size, in bytes, of texts that are searched for in base64 of another encoding.
const MOST_FOR_TWO_LAYERS: usize = 2 << 10;
/// The maximum size, in bytes, of texts that are searched for in base64.
const MOST_FOR_BASE64: usize = 64 << 10;

/// The characters that percent-encoders escape: all but the unreserved characters of RFC 3986,
/// section 2.3; all but those of JavaScript's `encodeURIComponent` (ECMA-262, section 19.2.6); all
/// but letters and digits.
const PERCENT_SETS: [&AsciiSet; 3] = [
    UNRESERVED,
    &UNRESERVED
        .remove(b'!')
        .remove(b'\'')
        .remove(b'(')
        .remove(b')')
        .remove(b'*'),
    NON_ALPHANUMERIC,
];
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Returns the forms in which a secret is searched for in the views. Forms with escapes are left to
/// the views, which decode them; base64 cannot be decoded without knowing where it begins.
///
/// All of them have at least [`MIN_SECRET`] bytes; there are none if the secret has fewer visible
/// bytes.
pub(super) fn forms(secret: &str) -> BTreeSet<String> {
    let mut plain: BTreeSet<&str> = BTreeSet::from([secret, secret.trim()]);
    // Logs are read line by line.
    plain.extend(secret.lines().map(str::trim));
    plain.retain(|text| visible(text).len() >= MIN_SECRET);
    let mut forms = BTreeSet::new();
    for text in plain {
        forms.insert(visible(text));
        if text.len() <= MOST_FOR_BASE64 {
            forms.extend(in_base64(text));
        }
        if text.len() <= MOST_FOR_TWO_LAYERS {
            let encoded = encoded(text).into_iter().chain(in_base64(text));
            forms.extend(encoded.flat_map(|text| in_base64(&text).collect::<Vec<_>>()));
        }
    }
    let in_forms: Vec<String> = forms
        .iter()
        .filter(|form| form.contains(' '))
        .map(|form| form.replace(' ', "+"))
        .collect();
    forms.extend(in_forms);
    forms
}

/// Returns the text with escapes: as in JSON, and percent-encoded in the usual ways.
fn encoded(text: &str) -> BTreeSet<String> {
    let json = serde_json::Value::from(text).to_string();
    let mut all = BTreeSet::from([json[1..json.len() - 1].to_owned()]);
    for set in PERCENT_SETS {
        let percent = percent_encode(text.as_bytes(), set).to_string();
        all.insert(percent.replace("%20", "+"));
        all.insert(percent);
    }
    all
}

/// Returns the text in both alphabets of base64 (RFC 4648), for each of its positions in a group of
/// three bytes.
fn in_base64(text: &str) -> impl Iterator<Item = String> {
    (0..3).flat_map(move |before| base64_at(text, before))
}

/// Returns the characters of base64 that depend only on the text when it begins `before` bytes
/// after a group of three: those that share bits with a neighbour are left out.
fn base64_at(text: &str, before: usize) -> [String; 2] {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(text.as_bytes());
    let (first, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
    [STANDARD.encode(&bytes), URL_SAFE.encode(&bytes)].map(|encoded| encoded[first..end].to_owned())
}
