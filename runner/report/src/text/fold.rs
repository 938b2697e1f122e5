use console::Term;
use textwrap::{Options, WordSeparator, WordSplitter};

/// The narrowest terminal for which lines are folded, in columns.
const NARROWEST: usize = 40;

/// Returns the columns of a terminal; `None` if the output is not a terminal.
pub fn columns(terminal: &Term) -> Option<usize> {
    let (_, columns) = terminal.size_checked()?;
    Some(columns.into())
}

/// Folds a line for people to the columns of their terminal. Continuation lines are indented to the
/// start of the text, not of its label. Commands and foreign text (a line of a pod's log) stay
/// whole, and no word is cut.
pub fn fold(line: &str, columns: usize) -> Vec<String> {
    let plain = console::strip_ansi_codes(line);
    let fits = console::measure_text_width(&plain) <= columns;
    if fits || columns < NARROWEST || plain.contains("│ ") || is_command(&plain) {
        return vec![line.to_owned()];
    }
    wrap(line, columns, hanging(&plain, columns / 2))
}

/// Folds a text after a label to a number of columns. Continuation lines are indented to the start
/// of the text. A command stays whole.
pub fn fold_after(label: &str, text: &str, columns: usize) -> Vec<String> {
    let line = format!("{label}{text}");
    if is_command(text) {
        return vec![line];
    }
    wrap(&line, columns, console::measure_text_width(label))
}

fn wrap(line: &str, columns: usize, hanging: usize) -> Vec<String> {
    let hanging = " ".repeat(hanging);
    // The first line's indentation is part of its text.
    let options = Options::new(columns)
        .break_words(false)
        // Names contain slashes and hyphens, and must stay whole to be pasted.
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .subsequent_indent(&hanging);
    textwrap::wrap(line, options)
        .into_iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// Returns whether the text starts with a prompt, possibly after a label.
fn is_command(plain: &str) -> bool {
    plain
        .split_once("$ ")
        .is_some_and(|(before, _)| before.trim().split(' ').count() <= 1)
}

/// Returns the column at which a line's text begins: after the last gap of two or more spaces that
/// is not past `furthest`.
fn hanging(plain: &str, furthest: usize) -> usize {
    let (mut column, mut gap, mut hanging) = (0, 0, 0);
    for character in plain.chars() {
        if column > furthest {
            break;
        }
        if character == ' ' {
            gap += 1;
        } else {
            if gap >= 2 {
                hanging = column;
            }
            gap = 0;
        }
        column += 1;
    }
    hanging
}

#[cfg(test)]
mod tests {
    use super::{fold, fold_after};

    #[test]
    fn what_goes_on_stands_under_its_text() {
        let why = "  why   link 10, permissions: builder@demo.iam.gserviceaccount.com lacks storage.objects.get on gs://demo-contexts.";
        insta::assert_snapshot!(fold(why, 60).join("\n"), @r"
          why   link 10, permissions:
                builder@demo.iam.gserviceaccount.com lacks
                storage.objects.get on gs://demo-contexts.
        ");
        let grant = "            kubernetes  get, list, watch, create and delete pods in namespace builds of projects/demo/locations/europe-west1/clusters/ci";
        insta::assert_snapshot!(fold(grant, 80).join("\n"), @r"
                    kubernetes  get, list, watch, create and delete pods in namespace
                                builds of
                                projects/demo/locations/europe-west1/clusters/ci
        ");
    }

    #[test]
    fn what_is_pasted_or_somebody_else_s_stays() {
        for line in [
            "        $ gcloud storage buckets add-iam-policy-binding gs://demo-contexts --member serviceAccount:builder",
            "  help  $ gcloud services enable iamcredentials.googleapis.com --project 123456789012",
            "  build     │ INFO[0000] COPY server.py greeting.txt ./ and much more that kaniko says here",
            "  image  europe-docker.pkg.dev/demo/images/hello@sha256:f46b12805dc022ef910de450a8e65155c4774c228cf95046af5d5ef4f36bdce0",
        ] {
            assert_eq!(
                fold(line, 60).concat().replace(' ', ""),
                line.replace(' ', "")
            );
            assert!(fold(line, 60).iter().all(|part| !part.trim().is_empty()));
        }
        assert_eq!(
            fold(
                "  help  $ kubectl get pods --namespace builds --output yaml",
                50
            )
            .len(),
            1
        );
        assert_eq!(fold("short", 60), ["short"]);
    }

    #[test]
    fn a_text_after_a_label_stands_beside_it_and_a_command_stays_whole() {
        let text = "give the role to builder@demo.iam.gserviceaccount.com, who reads it";
        insta::assert_snapshot!(fold_after("  help: ", text, 60).join("\n"), @r"
          help: give the role to
                builder@demo.iam.gserviceaccount.com, who reads it
        ");
        let command =
            "$ gcloud services enable iamcredentials.googleapis.com --project 123456789012";
        assert_eq!(
            fold_after("        · ", command, 60),
            [format!("        · {command}")]
        );
    }

    #[test]
    fn colours_take_no_room() {
        let line = format!("  \u{1b}[1mwhy\u{1b}[0m   {}", "word ".repeat(20).trim());
        let folded = fold(&line, 60);
        assert_eq!(folded.len(), 2);
        assert!(folded[1].starts_with("        word"), "{folded:?}");
    }
}
