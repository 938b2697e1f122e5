//! Failures that a Dockerfile causes during the build.

use sidestep::Error;
use sidestep_kaniko_messages::Kind;

use super::answer;
use crate::inputs::Inputs;
use crate::repair::explain_context;

/// Returns the error of a Dockerfile failure that only the build can detect.
pub(super) fn of_dockerfile(kind: Kind, text: &str, inputs: &Inputs) -> Error {
    match kind {
        Kind::SourceMissing => answer(
            kind,
            format!("a COPY or ADD copies `{text}`, but the context does not contain it"),
        )
        .help("check whether the folder contains it, and whether an ignore file excludes it:")
        .helps(explain_context(text, inputs)),
        Kind::StageLacks => {
            let (stage, path) = text.split_once('/').unwrap_or(("?", text));
            answer(
                kind,
                format!(
                    "a COPY copies `/{path}` from stage {stage}, but that stage does not contain it"
                ),
            )
            .help("stages are numbered from 0; check what the stage's instructions write there")
        }
        _ => {
            let name = if text.is_empty() {
                "an empty text".to_owned()
            } else {
                format!("`{text}`")
            };
            answer(
                kind,
                format!("a FROM or a `COPY --from` resolves to {name}, which is not an image name"),
            )
            .help("one of its ARGs has no value, or `buildArgs` gives it the wrong one")
        }
    }
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::inputs::example;

    #[test]
    fn what_is_not_there_is_named_with_where_to_look() {
        let inputs = example(&json!({ "path": "services/api" }));
        let error = of_dockerfile(Kind::SourceMissing, "go.mod", &inputs);
        assert_eq!(
            error.message,
            "a COPY or ADD copies `go.mod`, but the context does not contain it"
        );
        assert_eq!(
            error.help[1],
            "sidestep context explain go.mod services/api"
        );
        // The Dockerfile decides which ignore file counts.
        let own = json!({ "path": ".", "dockerfile": "docker/app.Dockerfile" });
        let error = of_dockerfile(Kind::SourceMissing, "conf/a", &example(&own));
        assert_eq!(
            error.help[1],
            "sidestep context explain --dockerfile docker/app.Dockerfile conf/a ."
        );
        let error = of_dockerfile(Kind::StageLacks, "0/app/dist", &inputs);
        assert_eq!(
            error.message,
            "a COPY copies `/app/dist` from stage 0, but that stage does not contain it"
        );
        let error = of_dockerfile(Kind::ImageName, "bash:", &inputs);
        assert_eq!(error.code, "kaniko.image-name");
        assert!(error.message.contains("resolves to `bash:`"), "{error:?}");
    }
}
