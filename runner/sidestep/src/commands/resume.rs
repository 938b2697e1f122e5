use sidestep_events::Exit;
use sidestep_launch::{Asked, Error, Launch, resume};

use crate::cli::Resume;
use crate::cloud::{connect, known};
use crate::env_file;
use crate::launch::{Shown, launch, limits};
use crate::output::{Look, note};
use crate::session::Session;

/// Resumes a run with the plan that it was started with.
pub(crate) async fn run(session: &Session, args: &Resume) -> Result<Exit, Error> {
    let sandbox = args.flags.sandbox.as_deref();
    if let Some(scenario) = sandbox {
        known(scenario)?;
    }
    env_file::take(session, &args.variables)?;
    let folder = session.site.open_run(&args.run)?;
    let asked = Asked {
        policy: args.policy.as_deref(),
        sandbox,
        names_workspace: session.global.workspace.is_some(),
    };
    let resumed = resume(&session.site, &folder, asked)?;
    if !resumed.remarks.is_empty() && !session.global.quiet {
        let color = Look::stderr(session.settings.color.value).color;
        note(resumed.remarks.render(color).trim_end());
    }
    let plugins = resumed.plugins(&session.site)?;
    let header = &resumed.run.header;
    let caller = args.flags.caller.as_ref().or(header.caller.as_ref());
    let cloud = connect(
        session,
        header.sandbox.as_deref(),
        caller.map(String::as_str),
    )
    .await?;
    let to_run = Launch {
        plan: resumed.plan,
        plugins,
        cloud,
        limits: limits(session, &args.flags),
    };
    let shown = Shown {
        format: args.flags.output,
        hints: Vec::new(),
    };
    launch(session, to_run, resumed.run, &args.flags, shown).await
}
