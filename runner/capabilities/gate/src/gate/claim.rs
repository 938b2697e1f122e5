//! Caps a plugin's claim about its own failure by the evidence of its calls.

use serde_json::json;
use sidestep_events::{Class, Failure, Foreign, Mark, Owner, Rule, codes, show};

use super::shown::Shown;

/// The code of a failure whose own code cannot be used.
const UNUSABLE: &str = codes::plugin::FAILED;
/// The code of a diagnostic whose own code cannot be used.
const UNUSABLE_NOTE: &str = codes::plugin::DIAGNOSTIC;

/// The maximum length of a code, in bytes.
const LONGEST_CODE: usize = 100;

/// Returns the plugin's failure, capped by the evidence.
///
/// A failure that the host itself returned and the plugin passes on is unchanged. Otherwise, a
/// claim without evidence in a call becomes class `failed`, with the plugin or the pipeline's
/// author as the owner; message, help and details are kept.
pub(super) fn capped(failure: Failure, shown: &Shown) -> Failure {
    if shown.is_handed_on(&failure) {
        return failure;
    }
    let unproven: Vec<&Rule> = Rule::of(&failure)
        .filter(|rule| !shown.bears_out(rule))
        .collect();
    let usable = is_code(failure.code.exact())
        && !unproven
            .iter()
            .any(|rule| matches!(rule.mark, Mark::Code(_)));
    if usable && unproven.is_empty() {
        return failure;
    }
    demoted(failure, usable)
}

/// Returns the code that a plugin gives to a diagnostic, or a replacement if it is reserved for the
/// host.
pub(crate) fn diagnostic_code(code: Foreign) -> Foreign {
    let note = Failure::new(Class::Failed, code, Owner::Plugin, "");
    if is_code(note.code.exact()) && Rule::of(&note).all(|rule| !rule.evidence.is_empty()) {
        note.code
    } else {
        UNUSABLE_NOTE.into()
    }
}

fn demoted(failure: Failure, usable: bool) -> Failure {
    let Failure {
        class, code, owner, ..
    } = &failure;
    let what = if is_code(code.exact()) {
        format!("`{}` ({class}, owner: {owner})", show::line(code))
    } else {
        format!("{class} (owner: {owner}) with an invalid code")
    };
    let claimed = json!({ "class": class.as_str(), "code": code.exact(), "owner": owner.as_str() });
    let owner = match owner {
        Owner::Author => Owner::Author,
        _ => Owner::Plugin,
    };
    Failure {
        class: Class::Failed,
        code: if usable {
            failure.code.clone()
        } else {
            UNUSABLE.into()
        },
        owner,
        ..failure
    }
    .with_help(format!(
        "the plugin reported {what}, but none of its host calls confirmed that, so it counts as \
         `failed`"
    ))
    .with_detail("claimed", claimed)
}

/// Returns whether a text is a code: words of lower-case letters, digits and hyphens, separated by
/// dots.
fn is_code(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.len() <= LONGEST_CODE && text.split('.').all(is_word)
}

#[cfg(test)]
mod tests;
