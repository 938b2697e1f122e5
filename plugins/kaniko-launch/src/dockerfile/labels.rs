//! `LABEL`: kaniko replaces variables and takes quotes away twice, first to find its cache keys and
//! then, in what that left, for the image.

use sidestep::Diagnostic;
use sidestep::codes;
use sidestep_dockerfile::{Kind, Pair, expand, variables};

use super::Reading;

pub(super) fn look(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let instructions = reading.instructions();
    instructions
        .filter_map(|(_, instruction)| match &instruction.kind {
            Kind::Label(pairs) => Some(pairs),
            _ => None,
        })
        .flatten()
        .filter_map(|pair| twice(reading, pair))
        .collect()
}

fn twice(reading: &Reading<'_>, pair: &Pair) -> Option<Diagnostic> {
    // Whatever a variable holds, it is not what is looked for here.
    let lookup = |_: &str| Some("x".to_owned());
    let once = expand(&pair.value.text, &lookup).ok()?.text;
    let (name, at) = (&pair.name.text, pair.value.at);
    let special = ['\'', '"', '\\', '$'];
    let is_known = !variables(&pair.value.text);
    let found = match expand(&once, &|_| Some(String::new())) {
        Ok(again) if again.text == once => return None,
        // Written for the second time already.
        Ok(again) if escaped(&again.text, &special) == once => return None,
        Ok(again) => {
            let (from, to) = if is_known {
                (&once, format!("`{}`", again.text))
            } else {
                (&pair.value.text, "something else".to_owned())
            };
            let message =
                format!("kaniko expands a label's value twice: in `{name}`, `{from}` becomes {to}");
            reading.warning(codes::dockerfile::LABEL_TWICE, at, message)
        }
        Err(why) => {
            let reason = why.rsplit_once("\": ").map_or(&*why, |(_, reason)| reason);
            let left = if is_known {
                format!("`{once}`")
            } else {
                format!("what `{}` becomes", pair.value.text)
            };
            let message = format!(
                "kaniko expands a label's value twice, and can't read {left} in `{name}` the second time: {reason}"
            );
            reading.error(codes::dockerfile::LABEL_TWICE, at, message)
        }
    };
    if !is_known {
        return Some(found.help("leave quotes and backslashes out of the value"));
    }
    let written = quoted(&escaped(&once, &special));
    Some(found.help(format!(
        "for kaniko, write `{name}={written}`; Docker keeps the additional backslashes in the value"
    )))
}

fn escaped(text: &str, special: &[char]) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if special.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text, &['"', '\\', '$']))
}
