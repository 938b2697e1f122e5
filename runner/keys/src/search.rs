//! Looks for keys in any bytes: as they are, in JSON, in other text, and under base64.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use crate::found::{Found, Key, Kind};
use crate::{json, pem, pkcs12};

/// The most keys that one search returns.
pub(crate) const MOST_KEYS: usize = 64;
/// The most layers of base64, of JSON in a string and of text around them.
const MOST_LAYERS: usize = 4;
/// The most places in a text that are tried as the beginning of JSON.
const MOST_BEGINNINGS: usize = 32;
/// The shortest piece of base64 in other text that is decoded: every key is longer.
const SHORTEST_PIECE: usize = 256;
/// The shortest text that can hold anything.
const SHORTEST: usize = 40;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Returns the keys in some bytes. Its time is bounded by a small multiple of their length.
pub fn find(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let mut search = Search {
        found: &mut found,
        registry: None,
        line: 1,
    };
    search.bytes(bytes, 0);
    found
}

/// A search in progress.
pub(crate) struct Search<'f> {
    found: &'f mut Found,
    /// The registry whose password is looked at.
    pub(crate) registry: Option<String>,
    /// The line of the outermost text.
    pub(crate) line: u32,
}

impl Search<'_> {
    /// Adds a key and its secret.
    pub(crate) fn add(&mut self, key: Key, secret: Option<&str>) {
        if self.found.keys.len() >= MOST_KEYS {
            self.found.truncated = true;
            return;
        }
        self.found.keys.push(key);
        self.found.secrets.extend(secret.map(str::to_owned));
    }

    /// Looks into bytes that were in another text.
    pub(crate) fn nested(&mut self, bytes: &[u8], layer: usize) {
        if layer < MOST_LAYERS {
            self.bytes(bytes, layer + 1);
        } else if bytes.len() >= SHORTEST {
            self.found.truncated = true;
        }
    }

    /// Notes that something was too deep to be looked at.
    pub(crate) fn cut(&mut self) {
        self.found.truncated = true;
    }

    fn bytes(&mut self, bytes: &[u8], layer: usize) {
        if pkcs12::is_archive(bytes) {
            return self.unnamed(Kind::Pkcs12, None);
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) if text.len() >= SHORTEST => text,
            _ => return,
        };
        let begin = text.trim_start_matches('\u{feff}').trim();
        if begin.starts_with(['{', '['])
            && let Ok(value) = serde_json::from_str::<Value>(begin)
        {
            if layer == 0 {
                self.line = line(text, text.len() - text.trim_start().len());
            }
            return json::walk(self, &value, 0, layer);
        }
        let before = self.found.keys.len();
        if let Some(bytes) = decoded(begin) {
            self.nested(&bytes, layer);
        }
        // The alphabet for URLs also has the hyphens of PEM.
        if self.found.keys.len() > before {
            return;
        }
        self.mixed(text, layer);
    }

    /// Looks into text that is neither JSON nor base64 as a whole.
    fn mixed(&mut self, text: &str, layer: usize) {
        let first = self.found.secrets.len();
        if text.contains("private_key") || text.contains("refresh_token") {
            self.objects(text, layer);
        }
        if self.found.secrets.len() == first {
            for (at, key) in pem::blocks(text) {
                self.at(text, at, layer);
                self.unnamed(Kind::PrivateKey, Some(key));
            }
        }
        let is_base64 =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=');
        // A shell's `NAME=value` has one too.
        for piece in text.split(|c| !is_base64(c)) {
            let piece = piece.split_once('=').map_or(piece, |(name, value)| {
                if value.len() > name.len() {
                    value
                } else {
                    piece
                }
            });
            if piece.len() < SHORTEST_PIECE {
                continue;
            }
            if let Some(bytes) = decoded(piece) {
                self.at(
                    text,
                    piece.as_ptr() as usize - text.as_ptr() as usize,
                    layer,
                );
                self.nested(&bytes, layer);
            }
        }
    }

    /// Looks into the JSON objects, and the JSON strings with an object, in a text.
    fn objects(&mut self, text: &str, layer: usize) {
        let mut from = 0;
        for _ in 0..MOST_BEGINNINGS {
            let Some(begin) = text[from..].find('{').map(|at| from + at) else {
                return;
            };
            let quoted = begin > 0 && text.as_bytes()[begin - 1] == b'"';
            let starts = [Some(begin), quoted.then(|| begin - 1)];
            from = begin + 1;
            for start in starts.into_iter().flatten() {
                let mut values =
                    serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
                if let Some(Ok(value)) = values.next() {
                    self.at(text, start, layer);
                    json::walk(self, &value, 0, layer);
                    from = (start + values.byte_offset()).max(from);
                    break;
                }
            }
        }
    }

    fn at(&mut self, text: &str, offset: usize, layer: usize) {
        if layer == 0 {
            self.line = line(text, offset);
        }
    }

    fn unnamed(&mut self, kind: Kind, secret: Option<&str>) {
        let key = Key {
            kind,
            email: None,
            key_id: None,
            project: None,
            registry: self.registry.clone(),
            line: self.line,
        };
        self.add(key, secret);
    }
}

/// Returns the bytes of a text that is base64 as a whole, with line ends or without.
pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    let text: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    if text.is_empty() {
        return None;
    }
    STANDARD
        .decode(&text)
        .or_else(|_| URL_SAFE.decode(&text))
        .ok()
}

/// Returns the line of an offset, from 1.
fn line(text: &str, offset: usize) -> u32 {
    let ends = text[..offset.min(text.len())].matches('\n').count();
    u32::try_from(ends).unwrap_or(u32::MAX).saturating_add(1)
}
