//! No text that people read has the phrases that STYLE.md rules out: string literals, first
//! sentences of doc comments, the documents, and the data files that hold messages.

use std::fs;
use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use regex::Regex;

use crate::sources::{Sources, root, without_tests};

/// Phrases that make readers stop, and a better way to write each.
const HABITS: [(&str, &str); 12] = [
    (
        r"(?i)\b(whoever|whomever)\b",
        "name the person or the thing",
    ),
    (r"(?i)\b(as|by|for|of|to|with) who\b", "name the person"),
    (r"(?i)\bmend(s|ed|ing)?\b", "fix"),
    (
        r"(?i)\b(go|goes|going|gone|went) on with\b",
        "resume, continue",
    ),
    (r"(?i)\b(taken up|takes? (it|them) up)\b", "resume, adopt"),
    (r"(?i)\b(are|is) none\b", "is not a …"),
    (r"(?i)\b(are|is) no \w", "is not a …"),
    (r"(?i)\bnobody\b", "no principal, no process, …"),
    (
        r"(?i)\b(are|be|been|is|was) told\b",
        "report, say who reports",
    ),
    (
        r"(?i)\b(lies?|stands?) (behind|beneath|beside|in|there)\b",
        "is in",
    ),
    (r"(?i)\bholds? (it|them|\w+body) up\b", "block"),
    (r"(?i)\blooks? at\b", "see, read, inspect"),
];

/// First words that leave a sentence without its subject.
const RELATIVES: &str = r"^(That|What|Where|Which|Who|Whoever|(How|When) (an?|it|the|they|this))\b";

/// Good English that the phrases would find as well.
const GOOD: [&str; 16] = [
    "there is no ",
    "there are no ",
    "there was no ",
    "is no longer ",
    "are no longer ",
    "is no more than ",
    "is no less than ",
    "is no such ",
    "are no exception",
    "stands in for",
    "there is none",
    "there are none",
    // The caller of the sandbox without any role.
    "`nobody`",
    "\"nobody\"",
    "developer, nobody,",
    "nobody@example.com",
];

/// Texts that stay: file, words of the text, reason.
const ALLOWED: [(&str, &str, &str); 6] = [
    (
        "STYLE.md",
        "| nobody may act as the account |",
        "an example of what not to write",
    ),
    (
        "STYLE.md",
        "| for who runs the cluster |",
        "an example of what not to write",
    ),
    (
        "STYLE.md",
        "| `x` is no size |",
        "an example of what not to write",
    ),
    (
        "STYLE.md",
        "| a run that is gone on with |",
        "an example of what not to write",
    ),
    (
        "docs/sandbox.md",
        "--as nobody)",
        "the caller's name in a command",
    ),
    (
        "docs/sandbox.md",
        "# refused: nobody has no role",
        "the caller's name",
    ),
];

/// A text that people read.
struct Text {
    file: String,
    line: usize,
    /// Whether the text is the first line of a doc comment.
    is_doc: bool,
    words: String,
}

#[test]
fn no_text_has_a_phrase_that_the_style_rules_out() {
    let mut texts = documents();
    for (file, path) in Sources::all().shipped() {
        let source = fs::read_to_string(path).unwrap();
        texts.extend(of_source(&file, without_tests(&source)));
    }
    assert!(texts.len() > 15_000, "{}", texts.len());

    let habits = Habits::new();
    let mut used = [false; ALLOWED.len()];
    let mut wrong = Vec::new();
    for text in &texts {
        let Some(better) = habits.better(text) else {
            continue;
        };
        let allowed = ALLOWED
            .iter()
            .position(|(file, words, _)| text.file == *file && text.words.contains(words));
        match allowed {
            Some(row) => used[row] = true,
            None => wrong.push(format!(
                "{}:{}: {}\n    write: {better}",
                text.file, text.line, text.words
            )),
        }
    }
    for (row, used) in used.iter().enumerate() {
        assert!(used, "no text needs this exception: {:?}", ALLOWED[row]);
    }
    assert!(
        wrong.is_empty(),
        "{} texts to rewrite by STYLE.md:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The phrases, compiled.
struct Habits {
    phrases: Vec<(Regex, &'static str)>,
    relatives: Regex,
}

impl Habits {
    fn new() -> Self {
        Self {
            phrases: HABITS
                .iter()
                .map(|(phrase, better)| (Regex::new(phrase).unwrap(), *better))
                .collect(),
            relatives: Regex::new(RELATIVES).unwrap(),
        }
    }

    /// Returns how to write the text better, if it has one of the phrases.
    fn better(&self, text: &Text) -> Option<&'static str> {
        if text.is_doc && self.relatives.is_match(text.words.trim_start()) {
            return Some("begin with a verb in the third person, or with a noun");
        }
        let words = GOOD.iter().fold(text.words.to_lowercase(), |words, good| {
            words.replace(good, "")
        });
        self.phrases
            .iter()
            .find(|(phrase, _)| phrase.is_match(&words))
            .map(|(_, better)| *better)
    }
}

/// Returns the string literals of a source, and the first lines of its doc comments.
fn of_source(file: &str, source: &str) -> Vec<Text> {
    let mut texts = Vec::new();
    let tokens = TokenStream::from_str(source).unwrap_or_else(|error| panic!("{file}: {error}"));
    read(tokens, &mut texts);
    // Literals come in the order of the source, so that each is found behind the one before it.
    let mut from = 0;
    texts
        .into_iter()
        .map(|(written, is_doc)| {
            let words = if is_doc {
                plain(&written)
            } else {
                written.clone()
            };
            let needle = if is_doc { words.trim() } else { &written };
            from = source[from..].find(needle).map_or(from, |at| from + at);
            Text {
                file: file.to_owned(),
                line: source[..from].matches('\n').count() + 1,
                is_doc,
                words,
            }
        })
        .collect()
}

/// Collects the literals of tokens as they are written, each with whether it is the first line of a
/// doc comment. The compiler's own reader makes attributes of these.
fn read(tokens: TokenStream, texts: &mut Vec<(String, bool)>) {
    let mut after_doc = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => match doc(&group) {
                Some(line) => {
                    if !after_doc {
                        texts.push((line, true));
                    }
                    after_doc = true;
                }
                None => {
                    after_doc = false;
                    read(group.stream(), texts);
                }
            },
            TokenTree::Literal(literal) => {
                let written = literal.to_string();
                if written.contains('"') {
                    texts.push((written, false));
                }
            }
            // The `#` and `!` of an attribute.
            TokenTree::Punct(punct) if matches!(punct.as_char(), '#' | '!') => {}
            _ => after_doc = false,
        }
    }
}

/// Returns the literal of `[doc = "…"]`.
fn doc(group: &Group) -> Option<String> {
    if group.delimiter() != Delimiter::Bracket {
        return None;
    }
    let mut tokens = group.stream().into_iter();
    match (tokens.next(), tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(name)), Some(_), Some(TokenTree::Literal(line)))
            if name == "doc" =>
        {
            Some(line.to_string())
        }
        _ => None,
    }
}

/// Returns the text of a doc comment's literal.
fn plain(written: &str) -> String {
    written
        .trim_start_matches(['r', '#'])
        .trim_end_matches('#')
        .trim_matches('"')
        .to_owned()
}

/// Returns the lines of documents, data files with messages, and interfaces.
fn documents() -> Vec<Text> {
    let mut texts = Vec::new();
    for path in Sources::others(&["json", "md", "wit", "yaml"]) {
        let file = path.strip_prefix(root()).unwrap().to_string_lossy();
        let content = fs::read_to_string(&path).unwrap();
        for (line, words) in content.lines().enumerate() {
            texts.push(Text {
                file: file.clone().into_owned(),
                line: line + 1,
                is_doc: false,
                words: words.to_owned(),
            });
        }
    }
    texts
}

#[test]
fn each_phrase_is_found_and_good_english_is_not() {
    let habits = Habits::new();
    let found = |words: &str, is_doc| {
        let words = words.to_owned();
        let (file, line) = (String::new(), 0);
        habits
            .better(&Text {
                file,
                line,
                is_doc,
                words,
            })
            .is_some()
    };
    for wrong in [
        "grant it, as who administers the bucket",
        "`memory`: `x` is no size",
        "Nobody may act as the account",
        "a run that is gone on with",
        "Whoever runs it",
        "the reason is told",
        "the file lies in another folder",
    ] {
        assert!(found(wrong, false), "{wrong}");
    }
    assert!(found("What a step may touch.", true));
    for good in [
        "there is no such account, and it is no longer listed",
        "What a step may touch",
        "Returns what a step may touch.",
        "`x` is not a valid size",
    ] {
        assert!(!found(good, false), "{good}");
    }
}

#[test]
fn literals_and_first_lines_of_doc_comments_are_read() {
    let source = "/// What it is.\n/// How it works.\n#[serde(rename = \"a\")]\npub struct A;\n\nfn f() -> &'static str {\n    // What it does.\n    concat!(r#\"b\"#, \"c\")\n}\n";
    let texts: Vec<_> = of_source("f.rs", source)
        .into_iter()
        .map(|text| (text.line, text.is_doc, text.words.trim().to_owned()))
        .collect();
    let expected = [
        (1, true, "What it is."),
        (3, false, "\"a\""),
        (8, false, "r#\"b\"#"),
        (8, false, "\"c\""),
    ];
    let expected = expected.map(|(line, is_doc, words)| (line, is_doc, words.to_owned()));
    assert_eq!(texts, expected);
}
