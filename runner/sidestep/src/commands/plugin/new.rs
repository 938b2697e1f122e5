use sidestep_authoring::{Name, SDK_FOLDER, create};
use sidestep_events::{Diagnostic, Exit, codes};
use sidestep_launch::Error;

use super::error;
use crate::cli::{Language, NewPlugin};
use crate::output::line;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &NewPlugin) -> Result<Exit, Error> {
    let name = Name::parse(&args.name).map_err(error)?;
    match args.language {
        Language::Rust => {}
        Language::Javascript => return Err(vec![not_yet(&name)].into()),
    }
    let created = create(&session.site.workspace, &name).map_err(error)?;
    let width = created.files.iter().map(|file| file.len()).max();
    let width = width.unwrap_or_default() + name.as_str().len() + 1;
    for file in &created.files {
        let row = format!("{:width$}  {}", format!("{name}/{file}"), about(file));
        line(row.trim_end());
    }
    line(&format!(
        "{:width$}  the SDK",
        format!("{name}/{SDK_FOLDER}")
    ));
    line("");
    line("To test, build and run it:");
    line(&format!("    cd {name}"));
    line("    cargo test");
    line("    sidestep plugin build");
    line("    sidestep run");
    Ok(Exit::Success)
}

fn not_yet(name: &Name) -> Diagnostic {
    Diagnostic::error(
        codes::pipeline::UNSUPPORTED,
        "this version does not create plugins in JavaScript",
    )
    .with_help(format!(
        "write the step in Rust: `sidestep plugin new {name}`"
    ))
}

/// Describes a file of the project.
fn about(file: &str) -> &'static str {
    match file {
        "src/lib.rs" => "the step, with its test",
        "sidestep.yaml" => "a pipeline that runs it",
        "README.md" => "how to test, build and use it",
        ".github/workflows/step.yaml" => "the same commands for CI",
        _ => "",
    }
}
