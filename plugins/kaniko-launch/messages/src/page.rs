//! The page of the reference that shows the tables.

use std::fmt::Write;

use crate::causes::{CAUSES, EXAMPLES};
use crate::kind::Kind;
use crate::site::Role;
use crate::sites::sites;

/// Renders `docs/reference/kaniko-messages.md`.
pub fn page() -> String {
    let mut page = format!(
        "# kaniko's messages\n\n\
         The error messages of kaniko 1.28.3, and the failure that `kaniko-launch` reports for \
         each: *Causes* and *Examples* lead from a message to a code, and *Answers* from a code to \
         what to do. `cargo xtask generate` makes this page from the plugin's table.\n\n\
         The step reads a message only from kaniko's own final error line: the last line that has \
         one of kaniko's outer prefixes, if kaniko ends with the exit code that belongs to it. The \
         output of a RUN does not count. If no row matches, the step fails with `kaniko.failed` \
         and shows the message.\n\n\
         kaniko's source creates errors in {} places. {}\n\n## Answers\n\n\
         | code | class | owner | what happened | what to do |\n|---|---|---|---|---|\n",
        sites()
            .flat_map(|source| source.sites)
            .map(|site| site.places)
            .sum::<usize>(),
        counts(),
    );
    for kind in Kind::ALL {
        let facts = kind.facts();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            facts.code,
            facts.class.as_str(),
            facts.owner.as_str(),
            facts.what,
            facts.help.trim_end_matches(':')
        );
    }
    page.push_str(
        "\n## Causes\n\nThe first row that matches decides. `*` matches any text, `{}` text \
         that the answer uses, and `$` the end.\n\n| phase | cause | code |\n|---|---|---|\n",
    );
    for cause in CAUSES {
        let phases: Vec<&str> = cause.within.iter().map(|phase| phase.name()).collect();
        let words = if cause.words.is_empty() {
            "*"
        } else {
            cause.words
        };
        let phases = if phases.len() > 5 {
            "any".to_owned()
        } else {
            phases.join(", ")
        };
        let _ = writeln!(
            page,
            "| {phases} | {} | `{}` |",
            code(words),
            cause.kind.facts().code
        );
    }
    page.push_str("\n## Examples\n\n| final line | code |\n|---|---|\n");
    for (line, _, kind) in EXAMPLES.iter().copied().flatten() {
        let line = line.replace('\n', "⏎");
        let _ = writeln!(page, "| {} | `{}` |", code(&line), kind.facts().code);
    }
    page.push_str(
        "\n## Sites\n\nEvery place in kaniko's source that creates an error. An *outer* prefix \
         names the phase. A *link* wraps a cause, and the cause decides the answer. An *internal* \
         error has no answer other than `kaniko.failed`.\n",
    );
    for source in sites() {
        let _ = writeln!(
            page,
            "\n### {}\n\n| message | places | answer |\n|---|---|---|",
            source.file
        );
        for site in source.sites {
            let _ = writeln!(
                page,
                "| {} | {} | {} |",
                code(site.words),
                site.places,
                answer(site.role)
            );
        }
    }
    page
}

fn answer(role: Role) -> String {
    match role {
        Role::Outer => "outer".to_owned(),
        Role::Link => "link".to_owned(),
        Role::Says(kind) => format!("`{}`", kind.facts().code),
        Role::Internal => "internal".to_owned(),
        Role::Never(why) => format!("not reached: {why}"),
    }
}

fn counts() -> String {
    let count = |fits: fn(Role) -> bool| -> usize {
        let sites = sites().flat_map(|source| source.sites);
        sites
            .filter(|site| fits(site.role))
            .map(|site| site.places)
            .sum()
    };
    format!(
        "{} are outer prefixes, {} are links, {} have an answer of their own, {} are internal, and \
         {} are not reached. Most answers come from the libraries that links wrap.",
        count(|role| role == Role::Outer),
        count(|role| role == Role::Link),
        count(|role| matches!(role, Role::Says(_))),
        count(|role| role == Role::Internal),
        count(|role| matches!(role, Role::Never(_))),
    )
}

/// Text as code within a cell of a table.
fn code(text: &str) -> String {
    let text = text.replace('|', "\\|");
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}
