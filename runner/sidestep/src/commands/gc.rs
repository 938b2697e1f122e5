use serde_json::json;
use sidestep_events::Exit;
use sidestep_report::{plain_text, render_failure};

use crate::cli::{Format, Gc};
use crate::cloud::Cloud;
use crate::commands::Session;
use crate::error::CommandError;
use crate::gc::{Fate, Finding, Spot, Sweep, exit};
use crate::output::{json, line};

pub(crate) async fn run(session: &Session, args: &Gc) -> Result<Exit, CommandError> {
    let spot = args.cluster.clone().zip(args.namespace.clone());
    let spot = spot.map(|(cluster, namespace)| Spot { cluster, namespace });
    let cloud = Cloud::of(session, args.sandbox.as_deref()).await?;
    let sweep = Sweep {
        session,
        cloud: &cloud,
        dry_run: args.dry_run,
        spots: spot.into_iter().collect(),
    };
    let found = sweep.run().await?;
    match args.output.output {
        Format::Json => json(&found.iter().map(as_json).collect::<Vec<_>>()),
        Format::Human => human(session, &found),
    }
    Ok(exit(&found))
}

fn as_json(finding: &Finding) -> serde_json::Value {
    json!({
        "kind": finding.kind, "name": finding.name, "run": finding.run, "why": finding.why,
        "fate": fate(&finding.fate),
        "failure": match &finding.fate { Fate::Failed(failure) => Some(failure), _ => None },
    })
}

/// What became of it, in a word.
fn fate(fate: &Fate) -> &'static str {
    match fate {
        Fate::Removed => "removed",
        Fate::WouldRemove => "would-remove",
        Fate::Kept => "kept",
        Fate::Failed(_) => "failed",
    }
}

fn human(session: &Session, found: &[Finding]) {
    let color = session.look().color;
    for finding in found {
        if session.global.quiet && matches!(finding.fate, Fate::Kept) {
            continue;
        }
        let word = fate(&finding.fate).replace('-', " ");
        line(&format!(
            "{word}: {} {} ({})",
            finding.kind,
            plain_text(&finding.name),
            plain_text(&finding.why)
        ));
        if let Fate::Failed(failure) = &finding.fate {
            for text in render_failure(failure, color) {
                line(&text);
            }
        }
    }
    let count = |wanted: &str| {
        let found = found.iter();
        found
            .filter(|finding| fate(&finding.fate) == wanted)
            .count()
    };
    let (removed, would, kept) = (count("removed"), count("would-remove"), count("kept"));
    let mut parts = Vec::new();
    for (count, what) in [
        (removed, "removed"),
        (would, "would be removed: sidestep gc"),
        (count("failed"), "failed"),
        (kept, "left alone"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if removed + would + count("failed") == 0 {
        let beside = if kept > 0 {
            format!("; {kept} left alone")
        } else {
            String::new()
        };
        line(&format!("Nothing was left behind{beside}."));
    } else {
        line(&parts.join(", "));
    }
}
