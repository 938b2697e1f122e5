//! Checks the inputs before anything starts.

use sidestep::{Diagnostic, codes};

use crate::inputs::Inputs;

/// Reads the inputs alone.
pub(crate) fn check(inputs: &Inputs) -> Vec<Diagnostic> {
    let wrong =
        |message: &str, help: &str| vec![Diagnostic::error(codes::key::INPUT, message).help(help)];
    if inputs.cluster.is_none() && !inputs.namespaces.is_empty() {
        return wrong(
            "`namespaces` needs `cluster`",
            "set `cluster` to projects/P/locations/L/clusters/C",
        );
    }
    if inputs.manifests.is_empty() && inputs.files.is_empty() && inputs.namespaces.is_empty() {
        return wrong(
            "there is nothing to search",
            "set `manifests`, `files`, or `cluster` and `namespaces`",
        );
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_that_search_nothing_are_refused() {
        let cluster = "projects/demo/locations/europe-west1/clusters/ci";
        let cluster = Some(cluster.parse().expect("a cluster"));
        let codes = |inputs: &Inputs| check(inputs).len();
        assert_eq!(codes(&Inputs::default()), 1);
        let namespaces = vec!["shop".to_owned()];
        let only = |cluster, namespaces| Inputs {
            cluster,
            namespaces,
            ..Inputs::default()
        };
        assert_eq!(codes(&only(None, namespaces.clone())), 1);
        assert_eq!(codes(&only(cluster.clone(), Vec::new())), 1);
        assert_eq!(codes(&only(cluster, namespaces)), 0);
        let files = Inputs {
            files: vec!["**".to_owned()],
            ..Inputs::default()
        };
        assert_eq!(codes(&files), 0);
    }
}
