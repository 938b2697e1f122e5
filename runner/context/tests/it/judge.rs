//! Docker is the reference: this crate must give the same answer for every ignore file, errors
//! included.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sidestep_context::ignore;
use sidestep_test_harness::programs;
use std::{
    collections::BTreeSet,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

mod patterns;
mod trees;

/// An ignore file, and the paths to ask about.
#[derive(Debug, Clone, Default)]
struct Question {
    ignore: Vec<u8>,
    /// A context's entries.
    tree: Vec<trees::Node>,
    /// Paths that kaniko is asked about one by one.
    paths: Vec<Vec<u8>>,
}

/// The answer to one question. A field is `None` if the file, or one of its patterns, is refused.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    /// The patterns as parsed.
    patterns: Option<Vec<String>>,
    /// The entries of the tree that are in the context.
    walked: Option<BTreeSet<String>>,
    /// Whether kaniko excludes each path.
    excluded: Option<Vec<bool>>,
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// Returns this crate's answer, entry by entry. A folder is also listed if any of its content is
/// included.
fn ours(question: &Question) -> Answer {
    let lines = ignore::read(&question.ignore).ok();
    let patterns = lines.as_ref().map(|lines| {
        let texts = lines.iter().map(|line| shown(&line.pattern));
        texts.collect()
    });
    let rules = lines.and_then(|lines| {
        let numbered = lines.iter().map(|line| (line.number, &line.pattern[..]));
        ignore::Rules::new(numbered).ok()
    });
    let walked = rules.as_ref().and_then(|rules| {
        let mut listed = BTreeSet::new();
        for node in &question.tree {
            if !rules.decide(&node.path).ok()?.ignored {
                listed.extend(node.folders().map(shown));
                listed.insert(shown(&node.path));
            }
        }
        Some(listed)
    });
    let excluded = rules.map(|rules| {
        let paths = question.paths.iter();
        paths.map(|path| rules.kaniko_excludes(path)).collect()
    });
    Answer {
        patterns,
        walked,
        excluded,
    }
}

/// Builds the reference program. Returns `None` without Go, or if its module cannot be downloaded.
fn judge() -> Option<PathBuf> {
    static JUDGE: OnceLock<Option<PathBuf>> = OnceLock::new();
    JUDGE.get_or_init(build).clone()
}

fn build() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/fsutil");
    let binary = Path::new(env!("CARGO_TARGET_TMPDIR")).join("judge-fsutil");
    let mut go = Command::new("go");
    go.current_dir(source)
        .env("GOFLAGS", "-mod=readonly")
        .args(["build", "-o"])
        .arg(&binary);
    let built = programs::run(&mut go)?;
    if !built.status.success() {
        programs::not_run(&format!(
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
        let encode = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
        let paths: Vec<_> = question.paths.iter().map(|path| encode(path)).collect();
        let tree: Vec<_> = question
            .tree
            .iter()
            .map(|node| encode(&node.marked()))
            .collect();
        let ignore = encode(&question.ignore);
        lines += &json!({ "ignore": ignore, "tree": tree, "paths": paths }).to_string();
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
    let all = |name: &str| -> Option<Vec<Vec<u8>>> {
        let values = value[name].as_array()?;
        Some(values.iter().map(decode).collect())
    };
    let patterns = all("patterns").map(|all| all.iter().map(|one| shown(one)).collect());
    let walked = all("walked").map(|all| all.iter().map(|one| shown(one)).collect());
    let results = value["results"].as_array().unwrap();
    let excluded = results.iter().map(|result| result == "out").collect();
    Answer {
        patterns,
        walked,
        excluded: (value["valid"] == true).then_some(excluded),
    }
}

/// Compares the answers of both.
fn compare(questions: &[Question]) {
    let Some(judge) = judge() else { return };
    for (question, theirs) in questions.iter().zip(theirs(&judge, questions)) {
        assert_eq!(
            ours(question),
            theirs,
            "ours (left) and theirs differ on the ignore file\n{}\nthe tree {:?}\nand the paths {:?}",
            shown(&question.ignore),
            question.tree,
            question
                .paths
                .iter()
                .map(|path| shown(path))
                .collect::<Vec<_>>(),
        );
    }
}
