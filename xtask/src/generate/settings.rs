//! The page of settings, variables and files, from `sidestep settings` and its `--explain`.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::runner::Runner;
use super::table::cell;
use crate::Result;

pub(super) fn page(runner: &Runner) -> Result<String> {
    let shown = runner.ask(&["settings"])?;
    let defaults: BTreeMap<&str, &str> = shown
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(name, rest)| Some((name, rest.trim_start().split("  ").next()?)))
        .collect();
    let mut page = String::from(
        "# Settings\n\nAs `sidestep settings --explain` prints them, with the defaults of a user \
         whose home is `/home/you`. [Settings](../settings.md) explains which one applies.\n",
    );
    for section in sections(&runner.ask(&["settings", "--explain"])?) {
        match section.title.split(':').next() {
            Some("Settings") => settings(&mut page, &section, &defaults),
            Some("Other environment variables") => {
                page.push_str(
                    "\n## Other environment variables\n\nIn addition to the variables of settings, and \
                     those that a pipeline lists in `env` and `secrets`.\n\n| Variables | Purpose \
                     |\n|---|---|\n",
                );
                for (names, says) in &section.entries {
                    let names = names.replace(", ", "`, `");
                    let _ = writeln!(page, "| `{names}` | {} |", cell(&says.join(" ")));
                }
            }
            Some("Files") => {
                page.push_str("\n## Files\n\n| Path | Contents |\n|---|---|\n");
                for (path, says) in &section.entries {
                    let _ = writeln!(page, "| `{path}` | {} |", cell(&says.join(" ")));
                }
            }
            _ => return Err(format!("`sidestep settings --explain`: {}", section.title)),
        }
    }
    Ok(page)
}

fn settings(page: &mut String, section: &Section<'_>, defaults: &BTreeMap<&str, &str>) {
    for (head, says) in &section.entries {
        let (name, rest) = head.split_once(": ").unwrap_or((head, ""));
        let (written, also) = rest.split_once("; also ").unwrap_or((rest, ""));
        let _ = write!(page, "\n## {name}\n\n{}\n\n", says.join("\n\n"));
        let _ = writeln!(page, "- Format: {written}.");
        if !also.is_empty() {
            let _ = writeln!(page, "- Also set by `{}`.", also.replace(", ", "`, `"));
        }
        if let Some(default) = defaults.get(name) {
            let _ = writeln!(page, "- Default: `{default}`.");
        }
    }
}

/// A title at the start of a line. Below it, names are indented by two spaces and descriptions by
/// six.
struct Section<'a> {
    title: &'a str,
    entries: Vec<(&'a str, Vec<&'a str>)>,
}

fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match (line.strip_prefix("      "), line.strip_prefix("  ")) {
            (Some(says), _) => {
                let entry = sections.last_mut().and_then(|last| last.entries.last_mut());
                if let Some((_, said)) = entry {
                    said.push(says);
                }
            }
            (None, Some(name)) => {
                if let Some(section) = sections.last_mut() {
                    section.entries.push((name, Vec::new()));
                }
            }
            (None, None) => sections.push(Section {
                title: line,
                entries: Vec::new(),
            }),
        }
    }
    sections
}
