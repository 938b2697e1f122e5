//! Limits the length of texts.

use serde_json::{Map, Value};

use crate::{Diagnostic, Failure, Help};

/// The maximum number of entries in a failure's help.
const MAX_HELP: usize = 64;
/// The maximum length of a code, in bytes.
const MAX_CODE: usize = 256;

/// Returns at most `most` bytes of a text, cut between characters; its end states how many bytes
/// were cut.
pub fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most);
    format!("{}… ({} bytes more)", &text[..end], text.len() - end)
}

impl Failure {
    /// Limits every text of the failure to `most` bytes, its details to `most` bytes in total, and
    /// each entry of its help to an eighth of that.
    #[must_use]
    pub fn cut(mut self, most: usize) -> Self {
        shorten(self.message.exact_mut(), most);
        shorten_help(&mut self.help, most / 8);
        shorten(self.code.exact_mut(), MAX_CODE);
        let details = Value::Object(std::mem::take(&mut self.details)).to_string();
        self.details = if details.len() > most {
            Map::from_iter([("text".to_owned(), Value::String(cut(&details, most)))])
        } else {
            serde_json::from_str(&details).unwrap_or_default()
        };
        self
    }
}

impl Diagnostic {
    /// Limits every text of the diagnostic to `most` bytes.
    #[must_use]
    pub fn cut(mut self, most: usize) -> Self {
        shorten(self.message.exact_mut(), most);
        shorten_help(&mut self.help, most);
        if let Some(file) = &mut self.file {
            shorten(file.exact_mut(), most);
        }
        shorten(self.code.exact_mut(), MAX_CODE);
        self
    }
}

/// Limits the number of entries, and each entry to `most` bytes. A command that is too long becomes
/// a text, because a cut command cannot be run.
fn shorten_help(help: &mut Vec<Help>, most: usize) {
    help.truncate(MAX_HELP);
    for help in help {
        let text = help.exact();
        if text.len() > most {
            *help = cut(&text, most).into();
        }
    }
}

fn shorten(text: &mut String, most: usize) {
    if text.len() > most {
        *text = cut(text, most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Class, Owner};

    const MOST: usize = 1000;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = "é".repeat(MOST);
        let cut = cut(&text, MOST);
        assert!(cut.len() < MOST + 64);
        assert!(cut.ends_with(&format!("é… ({MOST} bytes more)")), "{cut}");
        assert_eq!(super::cut("short", MOST), "short");
    }

    #[test]
    fn a_failure_is_bounded_in_every_text_and_a_short_one_stays() {
        let long = "x".repeat(1 << 20);
        let mut failure = Failure::new(Class::Failed, long.clone(), Owner::Plugin, long.clone());
        failure.help = vec![long.clone().into(); 1000];
        let bounded = failure.with_detail("k", long).cut(MOST);
        let size = serde_json::to_string(&bounded).expect("json").len();
        assert!(size < 40 * (MOST + 64), "{size}");
        let short = Failure::new(Class::Failed, "x.y", Owner::Plugin, "m")
            .with_help("h")
            .with_detail("k", 1);
        assert_eq!(short.clone().cut(MOST), short);
    }

    #[test]
    fn a_diagnostic_is_bounded_in_every_text() {
        let long = "x".repeat(1 << 20);
        let mut diagnostic = Diagnostic::error(long.clone(), long.clone()).with_help(long.clone());
        diagnostic.file = Some(long.into());
        let size = serde_json::to_string(&diagnostic.cut(MOST))
            .expect("json")
            .len();
        assert!(size < 5 * (MOST + 64), "{size}");
    }
}
