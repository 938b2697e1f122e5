//! Texts in a pod that the kubelet leaves as they are.

/// Escapes a text of a container's `command`, `args` or `env`, in which the kubelet replaces
/// `$(NAME)` and takes `$$` for `$` (Kubernetes, "Define Environment Variables for a Container").
pub fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_dollar_signs_stay() {
        assert_eq!(literal("$(HOME) $$ $1"), "$$(HOME) $$$$ $$1");
    }
}
