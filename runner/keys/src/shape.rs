//! The shapes of the facts that a key tells: a text of another shape is left out, because it may be
//! a part of the secret.

/// Returns whether a text can be an account's address.
pub(crate) fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    is_word(text, 254, b"@-_.+:")
        && parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}

/// Returns whether a text can be a key's id: 40 hexadecimal digits, or fewer in what tests make.
pub(crate) fn is_key_id(text: &str) -> bool {
    is_word(text, 64, b"-_")
}

/// Returns whether a text can be a project's id.
pub(crate) fn is_project(text: &str) -> bool {
    is_word(text, 63, b"-.:")
}

/// Returns whether a text can be a registry as Docker's configuration names it.
pub(crate) fn is_registry(text: &str) -> bool {
    is_word(text, 255, b"-._:/")
}

fn is_word(text: &str, most: usize, more: &[u8]) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || more.contains(&byte);
    !text.is_empty() && text.len() <= most && text.bytes().all(is_part)
}
