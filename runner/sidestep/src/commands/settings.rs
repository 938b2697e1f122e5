use serde_json::{Value, json};
use sidestep_events::{Exit, show};

use crate::cli::{self, Format};
use crate::output::{json, prose, table};
use crate::session::Session;
use crate::settings::{KnownFile, known};
use crate::{environment, settings::Row};

/// Prints each setting with its source, or explains all settings.
pub(crate) fn run(session: &Session, args: &cli::Settings) -> Exit {
    match (args.explain, args.output.output) {
        (false, Format::Json) => json(&rows_as_json(session)),
        (false, Format::Human) => table(session.settings.rows().iter().map(shown).collect()),
        (true, Format::Json) => json(&explained_as_json(session)),
        (true, Format::Human) => explain(session),
    }
    Exit::Success
}

fn shown(row: &Row) -> [String; 3] {
    let locked = if row.locked { ", locked" } else { "" };
    [
        show::line(&row.name),
        show::line(&row.value),
        format!("{}{locked}", show::line(&row.source)),
    ]
}

fn rows_as_json(session: &Session) -> Value {
    let row = |row: Row| {
        let said = json!({ "value": row.value, "source": row.source, "locked": row.locked });
        (row.name, said)
    };
    session.settings.rows().into_iter().map(row).collect()
}

/// Explains all settings to people: each name, followed by its purpose.
fn explain(session: &Session) {
    prose(
        "Settings: a flag overrides a variable, which overrides the project's file, the user's and the machine's.",
    );
    for known in known::ALL {
        let also = [known.flag, known.variable];
        let also: Vec<_> = also.into_iter().flatten().collect();
        let also = match also.as_slice() {
            [] => String::new(),
            also => format!("; also {}", also.join(", ")),
        };
        prose(&format!("\n  {}: {}{also}", known.name, known.written));
        prose(&format!("      {}", known.about));
        if let Some(why) = known.operators {
            prose(&format!("      A project's file can't set it: {why}."));
        }
    }
    prose("\nOther environment variables:");
    for variables in environment::all() {
        prose(&format!("\n  {}", variables.names.join(", ")));
        prose(&format!("      {}", variables.about));
    }
    prose("\nFiles:");
    for file in session.places.files() {
        prose(&format!("\n  {}", show::line(&path(&file))));
        prose(&format!("      {}", file.about));
    }
}

fn path(file: &KnownFile) -> String {
    let path = file.path.as_ref();
    path.map_or_else(
        || "none (no home folder)".to_owned(),
        |path| path.display().to_string(),
    )
}

fn explained_as_json(session: &Session) -> Value {
    let settings = known::ALL.iter().map(|known| {
        json!({
            "name": known.name,
            "written": known.written,
            "about": known.about,
            "variable": known.variable,
            "flag": known.flag,
            "notInProject": known.operators,
        })
    });
    let variables = environment::all()
        .into_iter()
        .map(|variables| json!({ "names": variables.names, "about": variables.about }));
    let files = session.places.files().into_iter().map(
        |file| json!({ "path": file.path.as_ref().map(|_| path(&file)), "about": file.about }),
    );
    json!({
        "settings": settings.collect::<Vec<_>>(),
        "variables": variables.collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
    })
}
