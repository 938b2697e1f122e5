//! github.com/moby/patternmatcher is the judge: it and this crate must say the
//! same of every pattern and path, errors included.

use crate::tools;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sidestep_context::ignore;
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// An ignore file and paths to ask about.
#[derive(Debug, Clone)]
struct Question {
    ignore: Vec<u8>,
    paths: Vec<Vec<u8>>,
}

/// One question's answer: the patterns as read, and what each path is; `None`
/// where a file or a pattern is refused.
type Answer = (Option<Vec<Vec<u8>>>, Option<Vec<&'static str>>);

fn ours(question: &Question) -> Answer {
    let Ok(lines) = ignore::read(&question.ignore) else {
        return (None, None);
    };
    let patterns = Some(lines.iter().map(|line| line.pattern.clone()).collect());
    let rules = ignore::Rules::new(lines.iter().map(|line| (line.number, &line.pattern[..])));
    let results = rules.ok().map(|rules| {
        let decide = |path: &Vec<u8>| match rules.decide(path) {
            Ok(decision) if decision.ignored => "out",
            Ok(_) => "in",
            Err(_) => "error",
        };
        question.paths.iter().map(decide).collect()
    });
    (patterns, results)
}

/// Builds the judge. `None`: there is no Go here, or its module can't be had.
fn judge() -> Option<PathBuf> {
    static JUDGE: OnceLock<Option<PathBuf>> = OnceLock::new();
    JUDGE.get_or_init(build).clone()
}

fn build() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/patternmatcher");
    let binary = Path::new(env!("CARGO_TARGET_TMPDIR")).join("judge-patternmatcher");
    let mut go = Command::new("go");
    go.current_dir(source)
        .env("GOFLAGS", "-mod=readonly")
        .args(["build", "-o"])
        .arg(&binary);
    let built = tools::run(&mut go)?;
    if !built.status.success() {
        tools::not_run(&format!(
            "go build: {}",
            String::from_utf8_lossy(&built.stderr)
        ));
        return None;
    }
    Some(binary)
}

fn theirs(judge: &Path, questions: &[Question]) -> Vec<Answer> {
    let mut child = Command::new(judge)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the judge starts");
    let mut input = child.stdin.take().unwrap();
    let mut lines = String::new();
    for question in questions {
        let encode = |bytes: &Vec<u8>| BASE64_STANDARD.encode(bytes);
        let paths: Vec<_> = question.paths.iter().map(encode).collect();
        lines += &json!({ "ignore": encode(&question.ignore), "paths": paths }).to_string();
        lines.push('\n');
    }
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<_> = text.lines().map(answer).collect();
    assert_eq!(
        answers.len(),
        questions.len(),
        "{}",
        text.lines().last().unwrap_or("")
    );
    answers
}

fn answer(line: &str) -> Answer {
    let value: Value = serde_json::from_str(line).unwrap();
    let decode = |value: &Value| BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
    let patterns = value["patterns"]
        .as_array()
        .map(|all| all.iter().map(decode).collect());
    let word = |value: &Value| match value.as_str().unwrap() {
        "in" => "in",
        "out" => "out",
        _ => "error",
    };
    let results = value["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(word)
        .collect();
    (patterns, (value["valid"] == true).then_some(results))
}

fn compare(questions: &[Question]) {
    let Some(judge) = judge() else { return };
    for (question, theirs) in questions.iter().zip(theirs(&judge, questions)) {
        let ours = ours(question);
        let paths: Vec<_> = question
            .paths
            .iter()
            .map(|path| path.escape_ascii().to_string())
            .collect();
        assert_eq!(
            ours,
            theirs,
            "ours (left) and theirs differ on the ignore file\n{}\nand the paths {paths:?}",
            question.ignore.escape_ascii(),
        );
    }
}

#[test]
fn on_nasty_cases() {
    let paths = [
        "a",
        "b",
        "ab",
        "a/b",
        "a/b/c",
        "a/c",
        "b/a",
        "a.b",
        "a*b",
        "a[b",
        "a]b",
        "a\\b",
        "a|b",
        "a{2}",
        "aa",
        "7a",
        "-",
        "^",
        "a^b",
        "!a",
        "#a",
        " a",
        "a ",
        "é",
        "aé",
        "a/é",
        ".a",
        "..a",
        "a/.b",
        "a$",
        "a+b",
        "(a)",
        "a(b)c",
        "A",
        "\u{feff}a",
        "x[^/]*$",
        "$",
        "a\nb",
        "node_modules/x/y.md",
        "docs/README.md",
        ".dockerignore",
        "Dockerfile",
        "src/a.go",
        "src/a/b.go",
        "/a",
        "./a",
        "a/../b",
        "..",
        ".",
        "",
    ];
    let mut paths: Vec<Vec<u8>> = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
    paths.extend([
        b"a\xff".to_vec(),
        b"\xff".to_vec(),
        b"a/\xed\xa0\x80".to_vec(),
    ]);
    let files: Vec<&[u8]> = vec![
        b"",
        b"*",
        b"**",
        b"**/",
        b"/",
        b"/a",
        b"//a",
        b"./a",
        b"a/",
        b"a/.",
        b"a/..",
        b"a/../b",
        b"../a",
        b"..",
        b".",
        b"!",
        b"! ",
        b"!a",
        b"*\n!a",
        b"*\n! a",
        b"*\n!/a",
        b"*\n!!a",
        b"#a",
        b" #a",
        b"\\#a",
        b"!#a",
        b"\\!a",
        b"a\\",
        b"*\\",
        b"a*\\",
        b"[",
        b"]",
        b"[]",
        b"[]a]",
        b"[^]",
        b"[a",
        b"[a-",
        b"[a-]",
        b"[-a]",
        b"[b-a]",
        b"a*[b-a]",
        b"a*[",
        b"a?[",
        b".*[",
        b"[ab]",
        b"[^ab]",
        b"[!ab]",
        b"[a-c]*",
        b"[[:alpha:]]",
        b"[[:alpha:]]*",
        b"[[:^alpha:]]a",
        b"[[:nope:]]*",
        b"[[:alpha:",
        b"[*]",
        b"[?]",
        b"[a*]b",
        b"[**]x",
        b"[a-**]",
        b"[\\]]",
        b"a[\\[]b",
        b"[a&&b]",
        b"[a--b]",
        b"[a~~b]",
        b"a|b",
        b"a|b*",
        b"*|",
        b"|*",
        b"(*|b)",
        b"a{2}",
        b"a{2}*",
        b"?{2}",
        b"?{2}{3}",
        b"*{2}",
        b"?{,2}",
        b"?{2,}",
        b"?{2,1}",
        b"?{01}",
        b"?{1001}",
        b"?{0}",
        b"|{2}?",
        b"?{999999999999}",
        b"{2}?",
        b"^*",
        b"a^?b",
        b"*$",
        b"$*",
        b"a.b",
        b"a.?",
        b"a+?",
        b"\\a",
        b"\\d*",
        b"\\D*",
        b"\\w?",
        b"[\\d]a",
        b"[\\w-a]",
        b"[\\d-\\w]?",
        b"\\b*",
        b"\\B*",
        b"\\C?",
        b"\\z*",
        b"\\A*",
        b"\\Z*",
        b"\\Q*",
        b"\\Qa\\E*",
        b"\\E*",
        b"\\Q\\\\E*",
        b"\\1?",
        b"\\07?",
        b"\\101",
        b"\\777*",
        b"\\x41",
        b"\\x4",
        b"\\x{41}",
        b"\\x{}",
        b"\\x{110000}",
        b"\\xzz",
        b"\\p",
        b"\\pL*",
        b"\\PL*",
        b"\\p{L}*",
        b"\\p{Greek}?",
        b"\\p{^L}*",
        b"\\P{^L}*",
        b"\\p{nope}*",
        b"[\\pL]*",
        b"\\p{Lu}",
        b"\\n*",
        b"\\t",
        b"\\_",
        b"\\-a",
        "\\é".as_bytes(),
        "é".as_bytes(),
        "[é]".as_bytes(),
        "*é".as_bytes(),
        "\u{feff}a".as_bytes(),
        "a\n\u{feff}a".as_bytes(),
        "\u{feff}\u{feff}a*".as_bytes(),
        "\u{feff}#a".as_bytes(),
        "\u{a0}a\u{2003}".as_bytes(),
        b"\xff",
        b"a\xff",
        b"?\xff",
        b"[\xff]*",
        "\u{fffd}".as_bytes(),
        "a\u{fffd}*".as_bytes(),
        b"a\r\nb\r",
        b"\ra",
        b"a\tb",
        b"a\0b",
        b"a\x0b\n",
        b"**a",
        b"**/a",
        b"a**",
        b"a/**",
        b"**/**",
        b"**/a/**",
        b"a/**/b",
        b"***",
        b"**/*",
        b"**?",
        b"**/?b",
        b"**/.*",
        b"**a**",
        b"a**b**",
        b"**.md\n!docs/README.md",
        b"**\n!**/a",
        b"*/b\n!a",
        b"*\n!*/b\na/b",
        b"!a\na",
        b"a\n!a/b\na/b/c",
        b"a*[\n!a",
        b"!a*[\n*",
        b"*\n!a*[\nb",
        b"a/*\n!a/b\n",
        b"node_modules\n!node_modules/**/*.md",
        b"Dockerfile\n.dockerignore",
        b"docs/\n!docs/README.md",
    ];
    let mut questions: Vec<Question> = files
        .iter()
        .map(|file| Question {
            ignore: file.to_vec(),
            paths: paths.clone(),
        })
        .collect();
    for length in [65_534, 65_535, 65_536, 65_537] {
        for end in [&b""[..], b"\n", b"\r\n", b"\nb"] {
            let ignore = [&vec![b'x'; length][..], end].concat();
            questions.push(Question {
                ignore,
                paths: vec![b"b".to_vec()],
            });
        }
    }
    compare(&questions);
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same questions everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }

    pub(crate) fn text(&mut self, from: &[&[u8]], most: usize) -> Vec<u8> {
        (0..=self.below(most))
            .flat_map(|_| from[self.below(from.len())].to_vec())
            .collect()
    }

    fn questions(&mut self, count: usize, of: &[&[u8]], names: &[&[u8]]) -> Vec<Question> {
        let question = |_| {
            let lines: Vec<_> = (0..=self.below(5))
                .map(|_| {
                    let mark: &[u8] = if self.below(3) == 0 { b"!" } else { b"" };
                    [mark, &self.text(of, 7)].concat()
                })
                .collect();
            let paths = (0..8).map(|_| self.text(names, 8)).collect();
            Question {
                ignore: lines.join(&b'\n'),
                paths,
            }
        };
        (0..count).map(question).collect()
    }
}

#[test]
fn on_random_files_as_people_write_them() {
    let of: &[&[u8]] = &[
        b"a", b"b", b"c", b"ab", b"*", b"**", b"/", b"/", b"**/", b"?", b".", b"*.b", b"[ab]",
        b"[^a]",
    ];
    let names: &[&[u8]] = &[
        b"a", b"b", b"c", b"ab", b"/", b"/", b"/", b".", b"a.b", b"x",
    ];
    compare(&Random(1).questions(8_000, of, names));
}

#[test]
fn on_random_files_that_nobody_writes() {
    let of: &[&[u8]] = &[
        b"a",
        b"b",
        b"1",
        b"*",
        b"**",
        b"/",
        b"?",
        b".",
        b"..",
        b"[",
        b"]",
        b"[a",
        b"b]",
        b"^",
        b"-",
        b"\\",
        b"\\\\",
        b"!",
        b"#",
        b" ",
        b"\t",
        b"{",
        b"}",
        b"{2}",
        b"{1,}",
        b"{0,1}",
        b"|",
        b"(",
        b")",
        b"+",
        b"$",
        b"\\d",
        b"\\W",
        b"\\Q",
        b"\\E",
        b"\\b",
        b"\\x41",
        b"\\07",
        b"\\pL",
        b"[[:alpha:]]",
        b"[:",
        b":]",
        b"\xc3\xa9",
        b"\xff",
        b"\xef\xbb\xbf",
        b"&&",
        b"~~",
        b"--",
        b"\r",
        b",",
    ];
    let names: &[&[u8]] = &[
        b"a",
        b"b",
        b"1",
        b"/",
        b"/",
        b"/",
        b".",
        b"*",
        b"[",
        b"]",
        b"|",
        b"{2}",
        b"^",
        b"-",
        b"\\",
        b"A",
        b" ",
        b"\xc3\xa9",
        b"\xff",
        b"$",
        b"!",
        b"\n",
        b"(",
        b")",
    ];
    compare(&Random(2).questions(15_000, of, names));
}
