//! Private keys in PEM form (RFC 7468, and the older labels of OpenSSL and OpenSSH).

const BEGIN: &str = "-----BEGIN ";
const LABEL_END: &str = "PRIVATE KEY-----";
/// The longest label before `PRIVATE KEY`: `ENCRYPTED`, `OPENSSH`, …
const LONGEST_LABEL: usize = 32;
/// A body that is shorter is an example.
const SHORTEST_BODY: usize = 32;

/// Returns the private keys in a text, each with its offset.
pub(crate) fn blocks(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices(BEGIN).filter_map(move |(at, _)| {
        let label = at + BEGIN.len();
        let line_end = text[label..].find(LABEL_END)?;
        if line_end > LONGEST_LABEL {
            return None;
        }
        let body = label + line_end + LABEL_END.len();
        let end = text[body..]
            .find("-----END ")
            .map_or(text.len(), |end| body + end);
        is_body(&text[body..end]).then(|| (at, &text[at..end]))
    })
}

/// Returns whether a text holds a private key.
pub(crate) fn is_private_key(text: &str) -> bool {
    blocks(text).next().is_some()
}

/// Returns whether a text can be the body of a key, rather than an example's `...`.
fn is_body(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    text.bytes().filter(|byte| is_base64(*byte)).count() >= SHORTEST_BODY && !text.contains("...")
}
