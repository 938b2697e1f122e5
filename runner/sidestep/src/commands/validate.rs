use std::path::PathBuf;

use sidestep_events::{Exit, show};
use sidestep_launch::{Error, prepare};
use sidestep_report::{github, sarif};

use crate::cli::{ProblemsFormat as Format, Validate};
use crate::commands::run::{DEFAULT_FILE, given, read_source};
use crate::output::{Look, json, line, note, print_own};
use crate::session::Session;

pub(crate) async fn run(session: &Session, args: &Validate) -> Result<Exit, Error> {
    let given = given(session, &args.inputs, args.policy.as_deref(), None)?;
    let default = [PathBuf::from(DEFAULT_FILE)];
    let files = if args.files.is_empty() {
        &default[..]
    } else {
        &args.files
    };
    let color = Look::stderr(session.settings.color.value).color;
    let (mut exits, mut all) = (Vec::new(), Vec::new());
    for file in files {
        let named = (!args.files.is_empty()).then_some(file.as_path());
        let problems = match read_source(session, named) {
            Ok(source) => match prepare(&session.site, &source, &given).await {
                Ok(prepared) => {
                    if args.output == Format::Human && !session.global.quiet {
                        let steps = prepared.plan.instances.len();
                        let file = show::path(file);
                        line(&format!("{file}: valid ({steps} steps)"));
                    }
                    prepared.remarks
                }
                Err(Error::Problems(problems)) => problems,
                Err(failed) => return Err(failed),
            },
            // A file that can't be read does not prevent checks of the others.
            Err(Error::Problems(problems)) => problems,
            Err(failed) => return Err(failed),
        };
        exits.push(problems.exit());
        match args.output {
            Format::Human if problems.is_empty() => {}
            Format::Human => note(problems.render(color).trim_end()),
            Format::Json | Format::Sarif | Format::Github => {
                all.extend(problems.into_diagnostics());
            }
        }
    }
    match args.output {
        Format::Human => {}
        Format::Json => json(&all),
        Format::Sarif => json(&sarif(&all, env!("CARGO_PKG_VERSION"))),
        Format::Github => {
            for annotation in github(&all) {
                print_own(&format!("{annotation}\n"));
            }
        }
    }
    Ok(Exit::first(exits))
}
