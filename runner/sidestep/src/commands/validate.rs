use std::path::PathBuf;

use sidestep_events::Exit;

use crate::cli::{Format, Validate};
use crate::commands::Session;
use crate::commands::run::{DEFAULT_FILE, read_source};
use crate::error::CommandError;
use crate::inputs;
use crate::output::{Look, json, line, note};
use crate::prepare::{Given, prepare};

pub(crate) async fn run(session: &Session, args: &Validate) -> Result<Exit, CommandError> {
    let given = Given {
        inputs: inputs::read(&session.workspace, args.inputs.as_ref(), &args.input)?,
        policy: args.policy.clone(),
        run_id: None,
    };
    let default = [PathBuf::from(DEFAULT_FILE)];
    let files = if args.files.is_empty() {
        &default[..]
    } else {
        &args.files
    };
    let color = Look::stderr(session.settings.color.value).color;
    let (mut exits, mut all) = (Vec::new(), Vec::new());
    for file in files {
        let source = read_source(session, Some(file))?;
        let problems = match prepare(session, &source, &given).await {
            Ok(prepared) => {
                if args.output.output == Format::Human && !session.global.quiet {
                    let steps = prepared.plan.instances.len();
                    line(&format!("{}: right ({steps} steps)", file.display()));
                }
                prepared.remarks
            }
            Err(problems) => problems,
        };
        exits.push(problems.exit());
        match args.output.output {
            Format::Human if problems.found.is_empty() => {}
            Format::Human => note(problems.render(color).trim_end()),
            Format::Json => all.extend(problems.found),
        }
    }
    if args.output.output == Format::Json {
        json(&all);
    }
    Ok(Exit::first(exits))
}
