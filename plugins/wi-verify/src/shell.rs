//! Command lines that are run as they are printed.

/// Words as one line that a POSIX shell reads back as these words, whatever they hold.
pub(crate) fn line(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

/// The command `text`, whose words are divided by blanks, followed by more words as they are.
pub(crate) fn command(text: &str, more: &[&str]) -> String {
    let words: Vec<&str> = text.split(' ').chain(more.iter().copied()).collect();
    line(&words)
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        assert_eq!(
            command(
                "gcloud x --member",
                &["serviceAccount:demo.svc.id.goog[a/b]"]
            ),
            "gcloud x --member 'serviceAccount:demo.svc.id.goog[a/b]'"
        );
        assert_eq!(line(&["a", "", "it's", "$(x)"]), r"a '' 'it'\''s' '$(x)'");
        assert_eq!(line(&["--a=b", "x@y.z"]), "--a=b x@y.z");
    }
}
