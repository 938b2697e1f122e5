/// Returns whether a text names an image, by the rules of go-containerregistry's
/// `name.ParseReference` without strictness. For any other text kaniko reports
/// `could not parse reference: TEXT`.
pub fn is_reference(text: &str) -> bool {
    is_tagged(text) || is_digested(text)
}

fn is_tagged(text: &str) -> bool {
    match text.rsplit_once(':') {
        // There is a slash after it: the colon belongs to a port.
        Some((base, tag)) if !tag.contains('/') => {
            let chars = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            (1..=128).contains(&tag.chars().count())
                && tag.chars().all(chars)
                && is_repository(base)
        }
        _ => is_repository(text),
    }
}

fn is_digested(text: &str) -> bool {
    let Some((base, digest)) = text.split_once('@') else {
        return false;
    };
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let base = match base.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') && is_tagged(base) => name,
        _ => base,
    };
    hex.len() == 64 && hex.chars().all(is_hex) && is_repository(base)
}

fn is_repository(text: &str) -> bool {
    let is_host = |part: &str| part == "localhost" || part.contains(['.', ':']);
    let (host, path) = match text.split_once('/') {
        Some((host, path)) if is_host(host) => (host, path),
        _ => ("", text),
    };
    let chars = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-./".contains(c);
    (2..=255).contains(&path.chars().count()) && path.chars().all(chars) && is_authority(host)
}

/// Returns whether a text is valid as the authority of a URL, without a user.
fn is_authority(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => (name, Some(port)),
        _ => (host, None),
    };
    let address = host.starts_with('[');
    let chars = |c: char| c.is_alphanumeric() || "-._~!$&'()*+,;=\"<>".contains(c);
    address
        || (name.chars().all(chars)
            && port.is_none_or(|port| port.chars().all(|c| c.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kanikos() {
        let digest = "a".repeat(64);
        for name in [
            "bash",
            "bash:5.2",
            "localhost:5000/a/b:c",
            "gcr.io/p/i",
            "a/b/c",
            "docker.io/library/x",
            "alpine-",
            &format!("gcr.io/p/i@sha256:{digest}"),
            &format!("gcr.io/p/i:1@sha256:{digest}"),
        ] {
            assert!(is_reference(name), "{name}");
        }
        for name in [
            "",
            "a",
            "bash:",
            ":1",
            "Bash",
            "bash:$BASH",
            "a b",
            "bash:1:2",
            "bash@",
            "gcr.io/",
            "bash@sha256:12",
            "bash:a+b",
            &format!("bash@sha256:{}", digest.to_uppercase()),
        ] {
            assert!(!is_reference(name), "{name}");
        }
    }
}
