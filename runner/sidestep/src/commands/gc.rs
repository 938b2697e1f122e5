use serde_json::json;
use sidestep_events::{Exit, show};
use sidestep_launch::{Error, Fate, Finding, Spot, Sweep, exit};
use sidestep_report::{going, render_failure};

use crate::cli::{Format, Gc};
use crate::cloud::connect;
use crate::output::{json, line};
use crate::session::Session;

pub(crate) async fn run(session: &Session, args: &Gc) -> Result<Exit, Error> {
    let spot = args.cluster.clone().zip(args.namespace.clone());
    let spot = spot.map(|(cluster, namespace)| Spot { cluster, namespace });
    let cloud = connect(session, args.sandbox.as_deref(), None).await?;
    let sweep = Sweep {
        site: &session.site,
        cloud: &cloud,
        dry_run: args.dry_run,
        spots: spot.into_iter().collect(),
    };
    let found = sweep.run().await?;
    match args.output.output {
        Format::Json => json(&found.iter().map(as_json).collect::<Vec<_>>()),
        Format::Human => human(session, args.sandbox.as_deref(), &found),
    }
    Ok(exit(&found))
}

fn as_json(finding: &Finding) -> serde_json::Value {
    json!({
        "kind": finding.kind, "name": finding.name, "run": finding.run, "why": finding.why,
        "fate": fate(&finding.fate),
        "going": match &finding.fate { Fate::Going(object) => Some(object), _ => None },
        "failure": match &finding.fate { Fate::Failed(failure) => Some(failure), _ => None },
    })
}

/// Returns a short description of what happened to a finding.
fn fate(fate: &Fate) -> &'static str {
    match fate {
        Fate::Removed => "removed",
        Fate::Going(_) => "being-removed",
        Fate::WouldRemove => "would-remove",
        Fate::SetAside => "set-aside",
        Fate::WouldSetAside => "would-set-aside",
        Fate::Kept => "kept",
        Fate::Failed(_) => "failed",
    }
}

fn human(session: &Session, scenario: Option<&str>, found: &[Finding]) {
    let color = session.look().color;
    for finding in found {
        if session.global.quiet && matches!(finding.fate, Fate::Kept) {
            continue;
        }
        let word = fate(&finding.fate).replace('-', " ");
        line(&format!(
            "{word}: {} {} ({})",
            show::line(&finding.kind),
            show::line(&finding.name),
            show::line(&finding.why)
        ));
        if let Fate::Going(object) = &finding.fate {
            line(&format!("  {}", going(object)));
        }
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
    let (removed, would) = (count("removed"), count("would-remove"));
    let going = count("being-removed");
    let (failed, kept) = (count("failed"), count("kept"));
    let (aside, would_aside) = (count("set-aside"), count("would-set-aside"));
    let flag = scenario.map_or_else(String::new, |name| {
        format!(" --sandbox={}", show::shell_word(name))
    });
    let parts = [
        (removed, "removed".to_owned()),
        (going, "being removed".to_owned()),
        (would, format!("would be removed by: sidestep gc{flag}")),
        (aside, "set aside".to_owned()),
        (
            would_aside,
            format!("would be set aside by: sidestep gc{flag}"),
        ),
        (failed, "failed".to_owned()),
        (kept, "kept".to_owned()),
    ];
    let told = parts.iter().filter(|(count, _)| *count > 0);
    let told: Vec<_> = told
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let done = removed + going + would + aside + would_aside + failed;
    line(&match (done, kept) {
        (0, 0) => "Nothing to remove.".to_owned(),
        (0, kept) => format!("Nothing to remove; {kept} kept."),
        _ => told.join("; "),
    });
}
