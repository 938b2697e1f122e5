//! The command line of the container.

use sidestep_pod::literal;

use crate::inputs::Inputs;

/// Returns the container's `command` and `args`. An empty one is the image's own.
pub(crate) fn command(inputs: &Inputs) -> (Vec<String>, Vec<String>) {
    let literals = |words: &[String]| words.iter().map(|word| literal(word)).collect();
    let Some(script) = &inputs.script else {
        return (literals(&inputs.command), literals(&inputs.args));
    };
    let mut words = vec![
        inputs.shell.clone(),
        // As in a CI job, the first command that fails ends the script.
        "-ec".to_owned(),
        script.as_str().to_owned(),
    ];
    if !inputs.args.is_empty() {
        // `sh -c SCRIPT NAME ARGS`: the word after the script is `$0` (POSIX, "sh").
        words.push("script".to_owned());
        words.extend(inputs.args.iter().cloned());
    }
    (literals(&words), Vec::new())
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::inputs::example;

    #[test]
    fn a_script_is_one_word_and_the_kubelet_expands_nothing_in_it() {
        let inputs = example(&json!({ "script": "echo $(HOME) \"$1\"", "args": ["a b"] }));
        let (command, args) = command(&inputs);
        assert_eq!(
            command,
            ["/bin/sh", "-ec", "echo $$(HOME) \"$$1\"", "script", "a b"]
        );
        assert!(args.is_empty());
    }

    #[test]
    fn without_a_script_the_words_stay_where_they_are() {
        let inputs = example(&json!({ "args": ["--version", "$HOME"] }));
        let (own, args) = command(&inputs);
        assert!(own.is_empty());
        assert_eq!(args, ["--version", "$$HOME"]);
    }
}
