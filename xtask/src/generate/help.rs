//! Parses the output of `sidestep help …`.

/// One command's help.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Help {
    /// The description, one entry per paragraph.
    pub(crate) about: Vec<String>,
    /// The usage, one form per line, all but the first indented.
    pub(crate) usage: String,
    /// The subcommands.
    pub(crate) commands: Vec<String>,
    /// Its arguments and options.
    pub(crate) arguments: Vec<Argument>,
}

/// An argument or option.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Argument {
    /// The spelling: `-o <FILE>`.
    pub(crate) spelling: String,
    /// The description, one entry per paragraph or list item.
    pub(crate) meaning: Vec<String>,
}

impl Help {
    /// Parses the long form, in which an argument's description is on separate lines.
    pub(crate) fn read(text: &str) -> Self {
        let mut help = Self::default();
        let mut section = "";
        let mut after_blank = false;
        for line in text.lines() {
            // Values are aligned with spaces.
            let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
            let words = words.as_str();
            let begins =
                std::mem::replace(&mut after_blank, words.is_empty()) || words.starts_with("- ");
            if words.is_empty() {
                continue;
            }
            if let Some(usage) = line.strip_prefix("Usage: ") {
                usage.clone_into(&mut help.usage);
                section = "usage";
            } else if !line.starts_with(' ') && line.ends_with(':') && !section.is_empty() {
                section = line;
            } else if section == "usage" {
                help.usage.push_str("\n    ");
                help.usage.push_str(words);
            } else if section.is_empty() {
                paragraph(&mut help.about, begins, words);
            } else if section == "Commands:" {
                // A name is indented by two spaces, and wrapped text by more.
                if line.starts_with("  ") && !line.starts_with("   ") {
                    let name = words.split(' ').next().unwrap_or_default();
                    help.commands.push(name.to_owned());
                }
            } else if line.starts_with("          ") {
                let Some(argument) = help.arguments.last_mut() else {
                    continue;
                };
                paragraph(&mut argument.meaning, begins, words);
            } else if line.starts_with("  ") {
                help.arguments.push(Argument {
                    spelling: words.to_owned(),
                    meaning: Vec::new(),
                });
            }
        }
        help.commands.retain(|name| name != "help");
        help
    }
}

/// Adds words to the last paragraph, or starts a new one with them.
fn paragraph(paragraphs: &mut Vec<String>, begins: bool, words: &str) {
    match paragraphs.last_mut() {
        Some(last) if !begins => {
            last.push(' ');
            last.push_str(words);
        }
        _ => paragraphs.push(words.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_keep_their_paragraphs_and_commands_their_names() {
        let help = Help::read(
            "Do it\n\nAnd then\nmore.\n\nUsage: sidestep do [OPTIONS] [FILE]\n\nCommands:\n  now   At once\n  \
             help  Print this\n\nArguments:\n  [FILE]\n          The file\n\nOptions:\n  \
             -o, --output <FORMAT>\n          The format,\n          wrapped\n\n          Possible values:\n          \
             - human: For people\n",
        );
        assert_eq!(help.about, ["Do it", "And then more."]);
        assert_eq!(help.usage, "sidestep do [OPTIONS] [FILE]");
        assert_eq!(help.commands, ["now"]);
        let spellings: Vec<_> = help.arguments.iter().map(|a| a.spelling.as_str()).collect();
        assert_eq!(spellings, ["[FILE]", "-o, --output <FORMAT>"]);
        assert_eq!(
            help.arguments[1].meaning,
            [
                "The format, wrapped",
                "Possible values:",
                "- human: For people"
            ]
        );
    }
}
