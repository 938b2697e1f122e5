use std::collections::BTreeMap;

use serde_json::json;
use sidestep_engine::name_of;
use sidestep_events::{
    Event, Exit, Failure, Foreign, HostCall, Intent, OnExit, PlannedStep, Record, show,
};
use sidestep_launch::Error;
use sidestep_report::{duration, render_failure, render_plan};
use sidestep_state::{Entry, History, RunSummary};

use crate::cli::{Format, Runs, RunsCommand};
use crate::output::{json, line, note, prose};
use crate::session::Session;

pub(crate) fn run(session: &Session, args: Runs) -> Result<Exit, Error> {
    match args.command {
        None => list(session, args.output.output),
        Some(RunsCommand::Show { run, output }) => show(session, &run, output.output),
    }
}

fn list(session: &Session, format: Format) -> Result<Exit, Error> {
    let all = session.site.runs()?;
    let (runs, unreadable) = all.list()?;
    for error in unreadable {
        note(&format!("{error}"));
    }
    match format {
        Format::Json => json(&runs.iter().map(as_json).collect::<Vec<_>>()),
        Format::Human if runs.is_empty() => {
            note(&format!("There are no runs in {}.", all.root().display()));
        }
        Format::Human => {
            let rows: Vec<_> = runs.iter().map(row).collect();
            for row in aligned(&rows) {
                line(&row);
            }
        }
    }
    Ok(Exit::Success)
}

/// Returns a run's state in one word: `running` while a process writes it, `unfinished` if that
/// process is gone.
fn state(run: &RunSummary) -> String {
    match (&run.finished, run.writer) {
        (_, Some(pid)) => format!("running (pid {pid})"),
        (Some(end), None) if run.damaged.is_some() => format!("{}, damaged", end.status),
        (Some(end), None) => end.status.to_string(),
        (None, None) => unfinished(run).to_owned(),
    }
}

/// Returns the state of a run without an end: it can be resumed, unless its journal is damaged.
fn unfinished(run: &RunSummary) -> &'static str {
    match run.damaged {
        Some(_) => "damaged",
        None => "unfinished",
    }
}

fn row(run: &RunSummary) -> Vec<String> {
    let sandbox = run
        .sandbox
        .as_ref()
        .map(|name| format!("sandbox {}", show::line(name)));
    vec![
        run.id.to_string(),
        run.pipeline
            .as_ref()
            .map_or_else(|| "-".to_owned(), show::line),
        state(run),
        run.began.map_or_else(String::new, |began| {
            format!("{}", began.strftime("%Y-%m-%d %H:%M:%SZ"))
        }),
        run.finished
            .as_ref()
            .map_or_else(String::new, |end| duration(end.duration_ms)),
        sandbox.unwrap_or_default(),
    ]
}

fn as_json(run: &RunSummary) -> serde_json::Value {
    let damage = run.damaged.iter().flat_map(|journal| &journal.damage);
    let damage =
        damage.map(|place| json!({ "record": place.record, "from": place.from, "to": place.to }));
    json!({
        "run": run.id.as_str(),
        "pipeline": run.pipeline,
        "began": run.began,
        "state": run.finished.as_ref().map_or_else(|| unfinished(run), |end| end.status.as_str()),
        "exit": run.finished.as_ref().map(|end| end.exit),
        "durationMs": run.finished.as_ref().map(|end| end.duration_ms),
        "pid": run.writer,
        "sandbox": run.sandbox,
        "damage": damage.collect::<Vec<_>>(),
    })
}

fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths);
            let cells: Vec<_> = cells
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect()
}

/// A plugin's calls to one target, with their number.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Touch {
    capability: Foreign,
    function: Foreign,
    target: Foreign,
    allowed: bool,
    code: Option<Foreign>,
}

type Touched = BTreeMap<Foreign, BTreeMap<Touch, u64>>;

fn show(session: &Session, run: &str, format: Format) -> Result<Exit, Error> {
    let folder = session.site.open_run(run)?;
    let summary = folder.summary()?;
    let history = folder.account()?.history;
    let mut touched = Touched::new();
    let mut records = folder.records()?;
    while let Some(entry) = records.next_entry()? {
        if let Entry::Record(Record::Event(envelope)) = entry
            && let (Event::HostCall(call), Some(instance)) = (&envelope.event, &envelope.instance)
        {
            let calls = touched.entry(instance.clone()).or_default();
            *calls.entry(touch(call)).or_default() += 1;
        }
    }
    let steps = history
        .started
        .as_ref()
        .map_or(&[][..], |started| &started.steps);
    match format {
        Format::Json => json(&show_json(&summary, &history, &touched)),
        Format::Human => show_human(session, &summary, &history, &touched, steps),
    }
    Ok(Exit::Success)
}

fn touch(call: &HostCall) -> Touch {
    Touch {
        capability: call.capability.clone(),
        function: call.function.clone(),
        target: call.target.clone(),
        allowed: call.allowed,
        code: call.code.clone(),
    }
}

fn show_human(
    session: &Session,
    summary: &RunSummary,
    history: &History,
    touched: &Touched,
    steps: &[PlannedStep],
) {
    let color = session.look().color;
    line(row(summary).join("  ").trim_end());
    for step in steps {
        line("");
        prose(&render_plan(std::slice::from_ref(step), color).join("\n"));
        let known = history.instances.get(step.instance.exact());
        let status = known.and_then(|known| known.status);
        line(&match (status, known) {
            (Some(status), Some(known)) if known.duration_ms > 0 => {
                format!("    {status} after {}", duration(known.duration_ms))
            }
            (Some(status), _) => format!("    {status}"),
            (None, Some(_)) => "    unfinished".to_owned(),
            (None, None) => "    not started".to_owned(),
        });
        if let Some(failure) = known.and_then(|known| known.failure.as_ref()) {
            for text in render_failure(failure, color) {
                prose(&format!("  {text}"));
            }
        }
        let calls = touched.get(&step.instance).into_iter().flatten();
        let rows: Vec<_> = calls
            .map(|(touch, count)| {
                let answer = match (&touch.code, touch.allowed) {
                    (Some(code), true) => show::line(code),
                    (code, false) => {
                        let code = code.as_ref().map(show::line);
                        format!("refused: {}", code.unwrap_or_default())
                    }
                    (None, true) => String::new(),
                };
                vec![
                    format!("    {count}×"),
                    format!(
                        "{}.{}",
                        show::line(&touch.capability),
                        show::line(&touch.function)
                    ),
                    show::line(&touch.target),
                    answer,
                ]
            })
            .collect();
        for text in aligned(&rows) {
            line(&text);
        }
    }
    let (kept, left): (Vec<_>, Vec<_>) = history
        .open_intents
        .values()
        .partition(|intent| intent.on_exit == OnExit::Keep);
    if !kept.is_empty() || !left.is_empty() {
        line("");
    }
    let named = |intent: &Intent| {
        format!(
            "{} {}",
            show::line(&intent.kind),
            show::line(&name_of(intent))
        )
    };
    for intent in kept {
        line(&format!("created and kept: {}", named(intent)));
    }
    for intent in &left {
        line(&format!("not removed: {}", named(intent)));
    }
    if !left.is_empty() && summary.writer.is_none() {
        let scenario = summary.sandbox.as_ref();
        let flag = scenario.map_or_else(String::new, |name| {
            format!(" --sandbox={}", show::shell_word(name))
        });
        line(&format!("  to remove it: sidestep gc{flag}"));
    }
    if let Some(journal) = &summary.damaged {
        line("");
        for text in render_failure(&Failure::from(journal), color) {
            line(&text);
        }
    }
}

fn show_json(summary: &RunSummary, history: &History, touched: &Touched) -> serde_json::Value {
    let instances = history.instances.iter().map(|(instance, known)| {
        let calls = touched.get(&Foreign::from(instance)).into_iter().flatten();
        let calls = calls.map(|(touch, count)| {
            json!({
                "capability": touch.capability, "function": touch.function,
                "target": touch.target, "allowed": touch.allowed, "code": touch.code,
                "count": count,
            })
        });
        let shown = json!({
            "status": known.status, "failure": known.failure, "outputs": known.outputs,
            "durationMs": known.duration_ms, "attempts": known.attempts.len(),
            "touched": calls.collect::<Vec<_>>(),
        });
        (instance.clone(), shown)
    });
    let mut shown = as_json(summary);
    shown["plan"] = json!(history.started.as_ref().map(|started| &started.steps));
    shown["steps"] = instances.collect::<serde_json::Map<_, _>>().into();
    shown["leftOutside"] = json!(history.open_intents.values().collect::<Vec<_>>());
    shown
}
