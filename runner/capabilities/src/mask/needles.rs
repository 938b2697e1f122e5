use std::borrow::Cow;
use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::{MASK, MIN_SECRET};

/// Unreserved characters of RFC 3986, section 2.3, stay as they are.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The forms of all known secrets, and the automaton that finds them.
#[derive(Default)]
pub(super) struct Needles {
    texts: BTreeSet<String>,
    automaton: Option<AhoCorasick>,
    longest: usize,
}

impl Needles {
    /// These and the forms of one more secret; nothing if they were all there.
    pub(super) fn with(&self, secret: &str) -> Option<Self> {
        let mut texts = self.texts.clone();
        texts.extend(forms(secret));
        if texts.len() == self.texts.len() {
            return None;
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&texts)
            .expect("secrets are far below the automaton's 2^31 states");
        Some(Self {
            longest: texts.iter().map(String::len).max().unwrap_or(0),
            texts,
            automaton: Some(automaton),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.automaton.is_none()
    }

    pub(super) fn found_in(&self, bytes: &[u8]) -> bool {
        self.automaton.as_ref().is_some_and(|a| a.is_match(bytes))
    }

    /// The text, every run of bytes that some needle covers replaced by one mask.
    pub(super) fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !self.found_in(text.as_bytes()) {
            return Cow::Borrowed(text);
        }
        let mut covered = vec![false; text.len()];
        self.each(text.as_bytes(), |start, end| covered[start..end].fill(true));
        let mut masked = String::with_capacity(text.len());
        let mut in_mask = false;
        for (at, character) in text.char_indices() {
            // Needles are whole characters, so the first byte speaks for all.
            match (covered[at], in_mask) {
                (true, false) => masked.push_str(MASK),
                (true, true) => {}
                (false, _) => masked.push(character),
            }
            in_mask = covered[at];
        }
        Cow::Owned(masked)
    }

    /// Calls back with every match, overlapping ones too.
    pub(super) fn each(&self, bytes: &[u8], mut found: impl FnMut(usize, usize)) {
        if let Some(automaton) = &self.automaton {
            for hit in automaton.find_overlapping_iter(bytes) {
                found(hit.start(), hit.end());
            }
        }
    }

    /// How many of the last bytes may be the beginning of a needle.
    pub(super) fn pending(&self, bytes: &[u8]) -> usize {
        let most = self.longest.saturating_sub(1).min(bytes.len());
        (1..=most)
            .rev()
            .find(|&length| {
                let tail = &bytes[bytes.len() - length..];
                self.texts
                    .iter()
                    .any(|needle| needle.len() > length && needle.as_bytes().starts_with(tail))
            })
            .unwrap_or(0)
    }
}

/// The forms that a secret is looked for in; all of them at least [`MIN_SECRET`] long.
fn forms(secret: &str) -> BTreeSet<String> {
    let mut plain: BTreeSet<&str> = BTreeSet::from([secret, secret.trim()]);
    // Logs are read line by line.
    plain.extend(secret.lines().map(str::trim));
    let mut forms = BTreeSet::new();
    for text in plain {
        forms.insert(text.to_owned());
        let json = serde_json::Value::from(text).to_string();
        forms.insert(json[1..json.len() - 1].to_owned());
        for percent in [
            percent_encode(text.as_bytes(), COMPONENT).to_string(),
            percent_encode(text.as_bytes(), NON_ALPHANUMERIC).to_string(),
        ] {
            forms.insert(percent.replace("%20", "+"));
            forms.insert(lower_escapes(&percent));
            forms.insert(percent);
        }
        if text.len() >= MIN_SECRET {
            forms.extend((0..3).flat_map(|alignment| base64_at(text, alignment)));
        }
    }
    forms.retain(|form| form.len() >= MIN_SECRET);
    forms
}

/// Percent escapes with lower-case digits, as some clients write them.
fn lower_escapes(percent: &str) -> String {
    let mut escape = 0;
    percent
        .chars()
        .map(|c| {
            if c == '%' {
                escape = 2;
                return c;
            }
            if escape > 0 {
                escape -= 1;
                return c.to_ascii_lowercase();
            }
            c
        })
        .collect()
}

/// The characters of base64 that are the secret's alone when it begins `alignment` bytes after a
/// group of three: those that share bits with a neighbour are left out.
fn base64_at(text: &str, alignment: usize) -> [String; 2] {
    let mut bytes = vec![0; alignment];
    bytes.extend_from_slice(text.as_bytes());
    let (first, end) = ((alignment * 8).div_ceil(6), bytes.len() * 8 / 6);
    [STANDARD.encode(&bytes), URL_SAFE.encode(&bytes)].map(|encoded| encoded[first..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needles(secret: &str) -> Needles {
        Needles::default().with(secret).expect("new")
    }

    #[test]
    fn base64_is_found_at_every_alignment() {
        let secret = "s3cr3t-väl?ue~/";
        let needles = needles(secret);
        for before in 0..7 {
            for after in 0..4 {
                let text = format!("{}{secret}{}", "a".repeat(before), "z".repeat(after));
                for encoded in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                    assert!(needles.found_in(encoded.as_bytes()), "{encoded}");
                }
            }
        }
    }

    #[test]
    fn other_forms_are_found() {
        let needles = needles("p@ss \"word\"\n/é");
        for text in [
            "p%40ss%20%22word%22%0A%2F%C3%A9",
            "p%40ss%20%22word%22%0a%2f%c3%a9",
            "p%40ss+%22word%22%0A%2F%C3%A9",
            r#"{"x":"p@ss \"word\"\n/é"}"#,
            "log: p@ss \"word\"",
        ] {
            assert!(needles.found_in(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn runs_of_overlapping_needles_become_one_mask() {
        let needles = needles("abcd").with("cdef").expect("new");
        assert_eq!(needles.mask("x abcdef y abcd"), "x *** y ***");
        assert_eq!(needles.mask("abc def"), "abc def");
        let nested = needles.with("0abcdef9").expect("new");
        assert_eq!(nested.mask("1 0abcdef9 2"), "1 *** 2");
        let apart = Needles::default()
            .with("bbbb")
            .and_then(|n| n.with("dddd"))
            .and_then(|n| n.with("abbbbcdddde"))
            .expect("new");
        assert_eq!(apart.mask("xabbbbcddddey"), "x***y");
        assert_eq!(apart.mask("xabbbbcddddy"), "xa***c***y");
    }
}
