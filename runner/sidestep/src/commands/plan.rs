use sidestep_events::{Exit, Failure, show};
use sidestep_launch::{Error, Given, prepare};
use sidestep_pipeline::Plan;
use sidestep_report::render_plan;
use sidestep_rights::{iam, rbac, suggest};

use crate::cli::{self, PlanFormat};
use crate::commands::run::{given, read_source};
use crate::mermaid::mermaid;
use crate::output::{Look, note, print, prose};
use crate::session::Session;

pub(crate) async fn run(session: &Session, args: &cli::Plan) -> Result<Exit, Error> {
    let source = read_source(session, args.pipeline.file.as_deref())?;
    let given = Given {
        as_requested: args.suggest_grants,
        ..given(
            session,
            &args.pipeline.inputs,
            args.pipeline.policy.as_deref(),
            None,
        )?
    };
    let prepared = prepare(&session.site, &source, &given).await?;
    if !prepared.remarks.is_empty() {
        let color = Look::stderr(session.settings.color.value).color;
        note(prepared.remarks.render(color).trim_end());
    }
    let plan = &prepared.plan;
    let text = if args.suggest_grants {
        suggest(plan)
    } else if let Some(who) = &args.rbac {
        rbac(plan, who.as_deref())
    } else if let Some(member) = &args.iam {
        iam(plan, member.as_deref())
    } else {
        match args.output {
            PlanFormat::Json => show::json_pretty(plan).map_err(|error| {
                Failure::bug(format!("the plan can't be written as JSON: {error}"))
            })?,
            PlanFormat::Mermaid => mermaid(plan),
            PlanFormat::Human if args.out.is_none() => {
                prose(human(plan, session.look().color).trim_end());
                return Ok(Exit::Success);
            }
            PlanFormat::Human => human(plan, false),
        }
    };
    let text = format!("{}\n", text.trim_end());
    match &args.out {
        None => print(&text),
        Some(file) => {
            std::fs::write(session.site.workspace.join(file), show::sealed(&text)).map_err(
                |error| {
                    Error::usage(
                        format!("can't write {}: {error}", file.display()),
                        "pass a file in an existing, writable folder with -o",
                    )
                },
            )?;
        }
    }
    Ok(Exit::Success)
}

fn human(plan: &Plan, color: bool) -> String {
    let mut lines = vec![
        format!(
            "{} · {} steps · {}",
            show::line(&plan.name),
            plan.instances.len(),
            plan.digest()
        ),
        String::new(),
        "What each step may touch".to_owned(),
    ];
    lines.extend(render_plan(&plan.planned(), color));
    let later: Vec<_> = plan
        .instances
        .iter()
        .filter(|instance| !instance.later_requests.is_empty())
        .map(|instance| {
            let keys: Vec<_> = instance.later_requests.keys().map(show::line).collect();
            format!("  {}  {}", show::line(&instance.id), keys.join(", "))
        })
        .collect();
    if !later.is_empty() {
        lines.push(String::new());
        lines.push(
            "Requests that depend on the outputs of earlier steps, limited to the grants above"
                .to_owned(),
        );
        lines.extend(later);
    }
    lines.push(String::new());
    lines.push(if plan.policies.is_empty() {
        "No policy was found: only the pipeline's grants limit the steps.".to_owned()
    } else {
        let policies: Vec<_> = plan.policies.iter().map(show::line).collect();
        format!("Limited by {}", policies.join(", "))
    });
    lines.push(String::new());
    lines.join("\n")
}
