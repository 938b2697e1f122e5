//! The list of scenarios, and of the messages by which people meet them.

use serde_json::{Value, json};
use sidestep_sandbox::{Scenario, scenarios};

use crate::cli::Format;
use crate::output;

/// Prints the scenarios, or the messages of those that break a link.
pub(super) fn list(format: Format, symptoms: bool) {
    let all = scenarios();
    match (format, symptoms) {
        (Format::Json, false) => output::json(&all.iter().map(shown).collect::<Vec<_>>()),
        (Format::Json, true) => {
            let symptoms = all.iter().filter_map(Symptom::of);
            output::json(&symptoms.map(|one| one.json()).collect::<Vec<_>>());
        }
        (Format::Human, false) => columns(all.iter().map(row).collect()),
        (Format::Human, true) => {
            let mut symptoms: Vec<Symptom<'_>> = all.iter().filter_map(Symptom::of).collect();
            symptoms.sort_by(|a, b| a.says.cmp(b.says));
            columns(symptoms.iter().map(Symptom::row).collect());
        }
    }
}

fn shown(scenario: &Scenario) -> Value {
    let mut shown = json!({ "name": scenario.name, "description": scenario.description });
    if let Some(job) = &scenario.job {
        shown["job"] = json!(job);
    }
    if let Some(workload) = &scenario.workload {
        shown["workload"] = json!(workload);
    }
    shown
}

/// Returns the link that a scenario breaks, and the code of the failure; `-` without one.
fn link(scenario: &Scenario) -> (String, &str) {
    let (link, code) = match (&scenario.job, &scenario.workload) {
        (Some(job), _) => (job.link.clone(), job.code.as_str()),
        (None, Some(workload)) => (workload.link.to_string(), workload.code.as_str()),
        (None, None) => ("-".to_owned(), ""),
    };
    (link, if code.is_empty() { "-" } else { code })
}

fn row(scenario: &Scenario) -> Vec<String> {
    let (link, code) = link(scenario);
    vec![
        scenario.name.clone(),
        link,
        code.to_owned(),
        scenario.description.clone(),
    ]
}

/// A message, and the broken link behind it.
struct Symptom<'s> {
    says: &'s str,
    source: &'s str,
    scenario: &'s Scenario,
}

impl<'s> Symptom<'s> {
    /// Returns a scenario's message; `None` if its link shows in what is read.
    fn of(scenario: &'s Scenario) -> Option<Self> {
        let (says, source) = match (&scenario.job, &scenario.workload) {
            (Some(job), _) => (&job.says, &job.source),
            (None, Some(workload)) => (&workload.says, &workload.source),
            (None, None) => return None,
        };
        (!says.is_empty()).then_some(Self {
            says,
            source,
            scenario,
        })
    }

    fn json(&self) -> Value {
        let (link, code) = link(self.scenario);
        json!({
            "message": self.says, "link": link, "code": code, "scenario": self.scenario.name,
            "source": self.source,
        })
    }

    fn row(&self) -> Vec<String> {
        let (link, code) = link(self.scenario);
        let texts = [&self.scenario.name, &link, code, self.source, self.says];
        texts.map(str::to_owned).into()
    }
}

/// Prints rows in columns; the last one is not padded.
fn columns(rows: Vec<Vec<String>>) {
    let last = rows.first().map_or(0, |row| row.len().saturating_sub(1));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..last).map(width).collect();
    for row in &rows {
        let padded = row
            .iter()
            .zip(&widths)
            .map(|(text, width)| format!("{text:<width$}  "));
        let line: String = padded.collect();
        output::line(&format!("{line}{}", row[last]));
    }
}
