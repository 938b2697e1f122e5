//! The pages about the sandbox's scenarios: all of them, and the messages by which people meet them.

use std::collections::BTreeMap;
use std::fmt::Write;

use sidestep_contract::codes;

use super::runner::Runner;
use super::table::{cell, columns};
use crate::Result;

/// Returns the page of all scenarios.
pub(super) fn page(runner: &Runner) -> Result<String> {
    let mut page = String::from(
        "# Sandbox scenarios\n\n`sidestep run --sandbox=NAME` runs against a sandbox that is \
         broken as described. Those with a link break exactly one link of \
         [the identity](../failures.md) of a CI job (C1 to C6) or a workload (1 to 16).\n\n\
         | Scenario | | Link | Failure code |\n|---|---|---|---|\n",
    );
    for line in runner.ask(&["sandbox", "scenarios"])?.lines() {
        let row = columns(line);
        let [name, link, code, says] = &row[..] else {
            return Err(format!("`sidestep sandbox scenarios` printed `{line}`"));
        };
        let link = if link == "-" { "" } else { link };
        let code = match code.as_str() {
            "-" => String::new(),
            code => format!("`{code}`"),
        };
        let _ = writeln!(page, "| `{name}` | {} | {link} | {code} |", cell(says));
    }
    Ok(page)
}

/// A broken link behind a message.
struct Symptom {
    scenario: String,
    link: String,
    code: String,
    source: String,
}

/// Returns the page of symptoms: each message with the links that can be behind it.
pub(super) fn symptoms(runner: &Runner) -> Result<String> {
    let mut by_message: BTreeMap<String, Vec<Symptom>> = BTreeMap::new();
    let printed = runner.ask(&["sandbox", "scenarios", "--symptoms"])?;
    for line in printed.lines() {
        let row = columns(line);
        let [scenario, link, code, source, message] = &row[..] else {
            return Err(format!(
                "`sidestep sandbox scenarios --symptoms` printed `{line}`"
            ));
        };
        let all = by_message.entry(message.clone()).or_default();
        all.push(Symptom {
            scenario: scenario.clone(),
            link: link.clone(),
            code: code.clone(),
            source: source.clone(),
        });
    }
    let mut page = String::from(
        "# Symptoms\n\nThe messages of Google and Kubernetes by which people meet a broken \
         identity, and the links that can be behind each. `wi-verify` finds the link; \
         `sidestep run --sandbox=SCENARIO` shows it without a cloud.\n",
    );
    for (message, symptoms) in &by_message {
        let _ = write!(page, "\n## {}\n\n    {message}\n\n", title(message));
        let _ = write!(page, "Source: {}\n\n", sources(symptoms));
        page.push_str("| Link | Meaning | Fix | Scenario |\n|---|---|---|---|\n");
        for symptom in symptoms {
            page.push_str(&row(symptom)?);
        }
    }
    Ok(page)
}

fn row(symptom: &Symptom) -> Result<String> {
    let Symptom {
        scenario,
        link,
        code,
        ..
    } = symptom;
    let known = codes::all().find(|known| known.name == code);
    let known = known.ok_or_else(|| format!("{scenario} names the unknown code {code}"))?;
    let (means, todo) = (cell(known.means), cell(known.todo));
    // The other pages of links are one folder up.
    let todo = todo.replace("](", "](../");
    Ok(format!(
        "| {link} | {means} (`{code}`) | {todo} | `{scenario}` |\n"
    ))
}

/// Returns the sources of a message, each once.
fn sources(symptoms: &[Symptom]) -> String {
    let mut sources: Vec<&str> = symptoms.iter().map(|one| one.source.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    let cited = sources.into_iter().map(|source| {
        if source.starts_with("https://") {
            format!("<{source}>")
        } else {
            source.to_owned()
        }
    });
    cited.collect::<Vec<_>>().join(", ")
}

/// Returns a message as a heading: its first words.
fn title(message: &str) -> String {
    const WORDS: usize = 8;
    let words: Vec<&str> = message.split_whitespace().collect();
    let shown = words[..words.len().min(WORDS)].join(" ").replace('`', "'");
    if words.len() > WORDS {
        format!("{shown} …")
    } else {
        shown
    }
}
