//! The pages, each from one call of the runner, and one from the table of kaniko's messages.

use std::fmt::Write;

use super::help::{Argument, Help};
use super::runner::Runner;
use super::settings;
use crate::{Result, guests};

/// Returns the path and text of every page.
pub(crate) fn all(runner: &Runner) -> Result<Vec<(String, String)>> {
    let mut pages = vec![
        ("commands.md".to_owned(), commands(runner)?),
        ("plugins.md".to_owned(), plugins(runner)?),
        ("settings.md".to_owned(), settings::page(runner)?),
        ("scenarios.md".to_owned(), scenarios(runner)?),
        ("security.md".to_owned(), security(runner)?),
        (
            "kaniko-messages.md".to_owned(),
            sidestep_kaniko_messages::page(),
        ),
    ];
    let mut list = String::new();
    for (name, says) in schema_names(runner)? {
        let file = format!("schemas/{name}.json");
        let _ = writeln!(list, "- [{file}]({file}): {says}");
        pages.push((file, runner.ask(&["schema", &name])?));
    }
    pages.push(("README.md".to_owned(), index(&list)));
    Ok(pages)
}

fn index(schemas: &str) -> String {
    format!(
        "# Reference\n\nMade by `cargo xtask generate` from what the runner says of itself; \
         `cargo xtask test` fails where the two differ.\n\n\
         - [Commands](commands.md): every command and flag.\n\
         - [Built-in steps](plugins.md): inputs, outputs and what each asks for.\n\
         - [Settings](settings.md): every setting, variable and file.\n\
         - [Sandbox scenarios](scenarios.md): the ways to break the sandbox.\n\
         - [Grants and limits](security.md): what each grant allows, and what holds a step.\n\
         - [kaniko's messages](kaniko-messages.md): what each means, from the table of \
         kaniko-launch.\n\n\
         JSON Schemas, as `sidestep schema NAME` prints them:\n\n{schemas}"
    )
}

fn commands(runner: &Runner) -> Result<String> {
    let root = help(runner, &[])?;
    let mut page = format!(
        "# Commands\n\n{}\n\n    {}\n\nEvery command takes:\n\n{}",
        about(&root),
        root.usage,
        arguments(&root.arguments)
    );
    let mut waiting: Vec<Vec<String>> = below(&[], &root);
    while let Some(path) = waiting.pop() {
        let command = help(runner, &path)?;
        let own: Vec<Argument> = command
            .arguments
            .iter()
            .filter(|argument| !root.arguments.contains(argument) && !is_help(argument))
            .cloned()
            .collect();
        let _ = write!(
            page,
            "\n## sidestep {}\n\n{}\n\n    {}\n",
            path.join(" "),
            about(&command),
            command.usage
        );
        if !own.is_empty() {
            let _ = write!(page, "\n{}", arguments(&own));
        }
        waiting.extend(below(&path, &command));
    }
    Ok(page)
}

fn help(runner: &Runner, path: &[String]) -> Result<Help> {
    let words: Vec<&str> = ["help"]
        .into_iter()
        .chain(path.iter().map(String::as_str))
        .collect();
    Ok(Help::read(&runner.ask(&words)?))
}

/// Returns a command's description, with a full stop after each paragraph.
fn about(command: &Help) -> String {
    let sentences = command.about.iter().map(|paragraph| {
        let end = if paragraph.ends_with('.') { "" } else { "." };
        format!("{paragraph}{end}")
    });
    sentences.collect::<Vec<_>>().join("\n\n")
}

/// Returns the paths of a command's subcommands in reverse order, because the next one is popped
/// from the end.
fn below(path: &[String], command: &Help) -> Vec<Vec<String>> {
    let names = command.commands.iter().rev();
    names
        .map(|name| path.iter().chain([name]).cloned().collect())
        .collect()
}

/// Its wording differs between commands with and without a short form.
fn is_help(argument: &Argument) -> bool {
    argument.spelling.ends_with("--help")
}

fn arguments(arguments: &[Argument]) -> String {
    let mut table = String::from("| | |\n|---|---|\n");
    for argument in arguments {
        let meaning = argument.meaning.join("<br>");
        let _ = writeln!(
            table,
            "| `{}` | {} |",
            cell(&argument.spelling),
            cell(&meaning)
        );
    }
    table
}

fn plugins(runner: &Runner) -> Result<String> {
    let mut page = String::from("# Built-in steps\n");
    for name in guests::packages()? {
        let shown = runner.ask(&["plugin", "inspect", &format!("sidestep/{name}")])?;
        let rows: Vec<(&str, &str)> = shown
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(key, value)| (key, value.trim_start()))
            .collect();
        let of = |key: &'static str| {
            let rows = rows.iter();
            rows.filter(move |row| row.0 == key).map(|row| row.1)
        };
        let _ = writeln!(page, "\n## sidestep/{name}\n");
        for description in of("description") {
            let _ = writeln!(page, "{description}\n");
        }
        for (key, title) in [("input", "Input"), ("output", "Output")] {
            let _ = writeln!(page, "| {title} | Type | |\n|---|---|---|");
            for property in of(key) {
                let mut parts = property.splitn(3, "  ").map(str::trim);
                let mut part = || cell(parts.next().unwrap_or_default());
                let (name, kind, says) = (part(), part(), part());
                let _ = writeln!(page, "| `{name}` | {kind} | {says} |");
            }
            page.push('\n');
        }
        page.push_str("It requests, for its inputs:\n\n");
        for request in of("requests") {
            let (key, scopes) = request.split_once("  ").unwrap_or((request, ""));
            let _ = writeln!(page, "- `{key}`: `{scopes}`");
        }
    }
    Ok(page)
}

fn security(runner: &Runner) -> Result<String> {
    let columns = |line: &str| -> Vec<String> {
        let parts = line.split("  ").map(str::trim);
        parts.filter(|part| !part.is_empty()).map(cell).collect()
    };
    let mut page = String::from(
        "# Grants and limits\n\n## What each grant allows\n\nA step may do what its plugin \
         requests, its pipeline grants and every policy allows: the meeting of the three. Without a \
         grant the capability is not there at all. `sidestep limits --grants` prints this.\n",
    );
    for line in runner.ask(&["limits", "--grants"])?.lines() {
        match line.split_once(": ").filter(|_| !line.starts_with(' ')) {
            Some((grant, about)) => {
                let _ = writeln!(
                    page,
                    "\n### {grant}\n\n{about}\n\n| Key | Left out | Holds |\n|---|---|---|"
                );
            }
            None => {
                let row = columns(line);
                let [name, absent, holds] = &row[..] else {
                    return Err(format!("`sidestep limits --grants` printed `{line}`"));
                };
                let _ = writeln!(page, "| `{name}` | {absent} | {holds} |");
            }
        }
    }
    page.push_str(
        "\n## Limits\n\nAs `sidestep limits` prints them. Past one, the failure has the code, which \
         [failures](../failures.md) explains.\n\n\
         | What | Default | Setting | Code |\n|---|---|---|---|\n",
    );
    for line in runner.ask(&["limits"])?.lines() {
        let row = columns(line);
        let [what, default, setting, code] = &row[..] else {
            return Err(format!("`sidestep limits` printed `{line}`"));
        };
        let setting = match setting.as_str() {
            "-" => String::new(),
            setting => format!("`{setting}`"),
        };
        let _ = writeln!(page, "| {what} | {default} | {setting} | `{code}` |");
    }
    Ok(page)
}

fn scenarios(runner: &Runner) -> Result<String> {
    let mut page = String::from(
        "# Sandbox scenarios\n\n`sidestep run --sandbox=NAME` runs against the sandbox that is \
         broken like this.\n\n| Scenario | |\n|---|---|\n",
    );
    for line in runner.ask(&["sandbox", "scenarios"])?.lines() {
        let (name, says) = line.split_once(' ').unwrap_or((line, ""));
        let _ = writeln!(page, "| `{name}` | {} |", cell(says.trim()));
    }
    Ok(page)
}

/// Returns the values that `sidestep schema` accepts, each with its description.
fn schema_names(runner: &Runner) -> Result<Vec<(String, String)>> {
    let help = help(runner, &["schema".to_owned()])?;
    let of = help
        .arguments
        .first()
        .ok_or("`sidestep schema` takes no argument")?;
    let values = of.meaning.iter().filter_map(|line| {
        let (name, says) = line.strip_prefix("- ")?.split_once(':')?;
        Some((name.to_owned(), says.trim().to_owned()))
    });
    let names: Vec<_> = values.collect();
    if names.is_empty() {
        return Err("`sidestep help schema` lists no values".into());
    }
    Ok(names)
}

/// Escapes text so that it does not end a table cell.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
