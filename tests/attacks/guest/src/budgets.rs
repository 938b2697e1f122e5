//! Fills the host's memory and disk, call by call.

use sidestep::{
    Class, Diagnostic, Encoding, Error, Owner, Result, Secret, Step, compose, kubernetes, workspace,
};

use crate::Inputs;

const MIB: usize = 1 << 20;

pub(crate) fn run(step: &Step, inputs: &Inputs) -> Option<Result<String>> {
    let count = usize::try_from(inputs.count).unwrap_or(usize::MAX);
    Some(match inputs.act.as_str() {
        "budgets.double" => double(step),
        "budgets.many-handles" => many_handles(count),
        "budgets.keep-secrets" => keep_secrets(),
        "budgets.follows" => follows(inputs),
        "budgets.annotate" => forever(|| step.annotate(note(MIB))),
        "budgets.annotate-once" => {
            step.annotate(note(count));
            Ok("annotated".to_owned())
        }
        "budgets.checkpoint" => checkpoints(step),
        "budgets.lines" => {
            let line = "x".repeat(count);
            forever(|| sidestep::info!("{line}"))
        }
        "budgets.fields" => {
            let value = "\u{1}".repeat(64 << 10);
            let names: Vec<String> = (0..64).map(|n| format!("f{n}")).collect();
            let fields: Vec<(&str, String)> =
                names.iter().map(|name| (&**name, value.clone())).collect();
            sidestep::log::write(sidestep::log::Level::Info, "fields", &fields);
            Ok("said".to_owned())
        }
        "budgets.groups" => forever(|| std::mem::forget(step.group(&"g".repeat(MIB)))),
        "budgets.failure" => Err(Error::new(
            Class::Failed,
            "c".repeat(count),
            Owner::Author,
            "m".repeat(count),
        )
        .help("h".repeat(count))),
        "budgets.target" => {
            for _ in 0..16 {
                let _ = workspace::stat(&"p".repeat(count));
            }
            Ok("looked".to_owned())
        }
        _ => return None,
    })
}

/// Doubles a secret until the host refuses.
fn double(step: &Step) -> Result<String> {
    let random = step.random(512);
    let text: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut secret = compose(&[text.into()], Encoding::Plain)?;
    loop {
        secret = compose(&[(&secret).into(), (&secret).into()], Encoding::Plain)?;
    }
}

/// Uses one handle in many parts.
fn many_handles(count: usize) -> Result<String> {
    let secret = compose(&["x".repeat(MIB).into()], Encoding::Plain)?;
    let parts: Vec<_> = (0..count).map(|_| (&secret).into()).collect();
    compose(&parts, Encoding::JsonString)?;
    Ok("composed".to_owned())
}

/// Creates different secrets, all of which the masks must know.
fn keep_secrets() -> Result<String> {
    let secret: Secret = compose(&["secret".into()], Encoding::Plain)?;
    for n in 0.. {
        compose(
            &[(&secret).into(), format!("{n:01000}").into()],
            Encoding::Plain,
        )?;
    }
    Ok("kept".to_owned())
}

/// Follows pods with as many patterns as there may be, and drops no handle.
fn follows(inputs: &Inputs) -> Result<String> {
    let pod = kubernetes::PodRef {
        cluster: inputs.texts.first().cloned().unwrap_or_default(),
        namespace: "builds".to_owned(),
        name: "build".to_owned(),
        uid: None,
    };
    let pattern = |id: usize| kubernetes::Pattern {
        id: id.to_string(),
        regex: format!("^(a{{{}}})b", 500 + id),
    };
    let options = kubernetes::FollowOptions {
        containers: Vec::new(),
        patterns: (0..64).map(pattern).collect(),
    };
    let mut all = Vec::new();
    loop {
        all.push(kubernetes::follow_pod(&pod, &options)?);
    }
}

fn checkpoints(step: &Step) -> Result<String> {
    let state = "s".repeat(60 << 10);
    loop {
        step.checkpoint(&state)?;
    }
}

fn note(bytes: usize) -> Diagnostic {
    Diagnostic::warning("attacker.note", "n".repeat(bytes)).help("h".repeat(1024))
}

/// Repeats the act forever: only the host can end it.
fn forever(act: impl Fn()) -> Result<String> {
    loop {
        act();
    }
}
