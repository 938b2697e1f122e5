use sidestep_events::{Exit, show};

use crate::cli::{self, Format};
use crate::commands::Session;
use crate::output::{json, line};
use crate::settings::Row;

pub(crate) fn run(session: &Session, args: &cli::Settings) -> Exit {
    let rows = session.settings.rows();
    match args.output.output {
        Format::Json => json(
            &rows
                .into_iter()
                .map(|row| {
                    let row_value = serde_json::json!({
                        "value": row.value, "source": row.source, "locked": row.locked,
                    });
                    (row.name, row_value)
                })
                .collect::<serde_json::Map<_, _>>(),
        ),
        Format::Human => {
            let rows: Vec<_> = rows
                .into_iter()
                .map(|row| Row {
                    name: show::line(&row.name),
                    value: show::line(&row.value),
                    source: show::line(&row.source),
                    ..row
                })
                .collect();
            let width = |of: fn(&Row) -> &str| {
                rows.iter()
                    .map(|row| of(row).chars().count())
                    .max()
                    .unwrap_or(0)
            };
            let (names, values) = (width(|row| &row.name), width(|row| &row.value));
            for row in &rows {
                let locked = if row.locked { ", locked" } else { "" };
                line(&format!(
                    "{:<names$}  {:<values$}  {}{locked}",
                    row.name, row.value, row.source
                ));
            }
        }
    }
    Exit::Success
}
