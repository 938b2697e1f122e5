//! The form of image references.

/// Returns whether a text is `[HOST[:PORT]/]PATH[:TAG][@DIGEST]` by the grammar of the distribution
/// project (<https://pkg.go.dev/github.com/distribution/reference>), which is what registries take.
pub(crate) fn is_reference(text: &str) -> bool {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let last = name.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match name[last..].find(':') {
        Some(colon) => (&name[..last + colon], Some(&name[last + colon + 1..])),
        None => (name, None),
    };
    let path = match name.split_once('/') {
        Some((host, path)) if is_host(host) => path,
        _ => name,
    };
    digest.is_none_or(is_digest) && tag.is_none_or(is_tag) && path.split('/').all(is_component)
}

/// A first part with a dot, a port or a capital is a host, and so is `localhost`.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let character = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let capital = name.contains(|c: char| c.is_ascii_uppercase());
    (port.is_some() || name.contains('.') || capital || name == "localhost")
        && !name.is_empty()
        && name.chars().all(character)
        && port.is_none_or(|port| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit()))
}

fn is_component(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = text.split(word).filter(|between| !between.is_empty());
    text.starts_with(word)
        && text.ends_with(word)
        && separators
            .into_iter()
            .all(|between| matches!(between, "." | "_" | "__") || between.chars().all(|c| c == '-'))
}

fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=128).contains(&text.len())
        && text.starts_with(word)
        && text.chars().all(|c| word(c) || matches!(c, '.' | '-'))
}

fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        !algorithm.is_empty()
            && algorithm
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+._-".contains(c))
            && !hex.is_empty()
            && hex.chars().all(|c| c.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_the_form_that_registries_take() {
        for text in [
            "python",
            "python:3.13",
            "library/python@sha256:00ff",
            "localhost:5000/x",
            "europe-docker.pkg.dev/demo/images/hello:t",
            "gcr.io/demo-1/a__b/c--d.e_f:V1.2-3_x",
            "Registry.example/x",
        ] {
            assert!(is_reference(text), "{text}");
        }
        for text in [
            "",
            "hello world",
            "europe-docker.pkg.dev/demo/Images/hello",
            "a:",
            "a@",
            "a@sha256:",
            "a//b",
            "a/b/",
            "https://gcr.io/a",
            "a:-x",
            "gcr.io/demo/${TAG}",
            "gcr.io/a_-b",
        ] {
            assert!(!is_reference(text), "{text}");
        }
    }
}
