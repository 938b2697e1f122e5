//! Failures of what a Dockerfile asks for.

use sidestep::Error;
use sidestep_kaniko_messages::Kind;

use super::answer;
use crate::inputs::Inputs;
use crate::repair::explain_context;

/// By what only the build could see.
pub(super) fn of_dockerfile(kind: Kind, text: &str, inputs: &Inputs) -> Error {
    match kind {
        Kind::SourceMissing => answer(
            kind,
            format!("a COPY or ADD takes `{text}`, and the context holds none"),
        )
        .help("see whether it is in the folder, or left out by an ignore file:")
        .helps(explain_context(text, inputs)),
        Kind::StageLacks => {
            let (stage, path) = text.split_once('/').unwrap_or(("?", text));
            answer(
                kind,
                format!("a COPY takes `/{path}` from stage {stage}, and that holds none"),
            )
            .help("stages are counted from 0; see what the stage's own instructions leave there")
        }
        _ => {
            let name = if text.is_empty() {
                "an empty text".to_owned()
            } else {
                format!("`{text}`")
            };
            answer(
                kind,
                format!("what a FROM or a `COPY --from` asks for came to {name}, which is not an image name"),
            )
            .help("an ARG that it is made of got no value, or another one, from `buildArgs`")
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
            "a COPY or ADD takes `go.mod`, and the context holds none"
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
            "a COPY takes `/app/dist` from stage 0, and that holds none"
        );
        let error = of_dockerfile(Kind::ImageName, "bash:", &inputs);
        assert_eq!(error.code, "kaniko.image-name");
        assert!(error.message.contains("came to `bash:`"), "{error:?}");
    }
}
