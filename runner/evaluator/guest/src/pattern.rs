//! Regular expressions, which match in linear time.

use std::cell::RefCell;

use regex::{Regex, RegexBuilder};

use crate::limits::MAX_PATTERN;
use crate::remembered::Remembered;

thread_local! {
    static PATTERNS: RefCell<Remembered<String, Regex>> = const { RefCell::new(Remembered::new(8)) };
}

/// Returns whether a text matches. An error says why the pattern is wrong.
pub(crate) fn matches(pattern: &str, text: &str) -> Result<bool, String> {
    let pattern = PATTERNS.with_borrow_mut(|patterns| patterns.get_or_make(pattern, compile))?;
    Ok(pattern.is_match(text))
}

fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(MAX_PATTERN)
        .build()
        // The last line has the reason; the lines before show the pattern.
        .map_err(|error| {
            let message = error.to_string();
            message
                .lines()
                .last()
                .unwrap_or("it can't be read")
                .to_owned()
        })
}
