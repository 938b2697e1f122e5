//! The sandbox's kaniko: it takes kaniko's flags, sends kaniko's requests in kaniko's order, with
//! the identity of the metadata server, and fails with kaniko's messages and exit codes. It builds
//! real layers and pushes a valid image, but executes nothing: the effects of `RUN` are missing
//! from the image. A log line for each `RUN`, and a label, say so.
//!
//! It does not depend on the sandbox's servers: it reaches them like any client, at the addresses
//! in its environment (see [`Environment`]).

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod access_token;
mod build;
mod cause;
mod config;
mod context;
mod copy;
mod copying;
mod credentials;
mod disk;
mod docker_config;
mod environment;
mod failure;
mod files;
mod flags;
mod identity;
mod image;
mod instruction;
mod layer;
mod log;
mod name;
mod push;
mod registry;
mod running;
mod scope;
mod stages;

pub use environment::{Environment, VARIABLES};

use failure::Failure;
use flags::Flags;
use identity::Identity;
use log::Log;
use registry::Registry;
use std::io::Write;

/// Runs one build. `args` are the arguments after the program's name. The log goes to `out` in
/// kaniko's format, with the usage text and the final error.
///
/// Returns the exit code: 0, or 1 for every failure. No command is executed, so there is no other
/// exit code to pass on.
pub async fn run(
    args: impl Iterator<Item = String>,
    environment: &Environment,
    out: &mut (dyn Write + Send),
) -> i32 {
    let flags = match Flags::parse(args) {
        Ok(flags) => flags,
        Err(message) => {
            Log::new(out, log::Format::Color).usage_error(&message, &flags::usage());
            return 1;
        }
    };
    let log = Log::new(out, flags.log_format);
    match execute(&flags, environment, &log).await {
        Ok(()) => 0,
        Err(Failure::Usage(message)) => {
            log.usage_error(&message, &flags::usage());
            1
        }
        Err(Failure::Plain(message)) => {
            log.plain(&message);
            1
        }
    }
}

async fn execute(flags: &Flags, environment: &Environment, log: &Log<'_>) -> Result<(), Failure> {
    if !flags.no_push && flags.destinations.is_empty() {
        return Err(Failure::Usage(
            "you must provide --destination, or use --no-push".into(),
        ));
    }
    let identity = Identity::new(environment)?;
    let work = tempfile::tempdir().map_err(|error| {
        let help = "mount a volume at /tmp, or name a writable folder in TMPDIR";
        Failure::Plain(format!("cannot create a temporary folder: {error}; {help}"))
    })?;
    let context = context::resolve(flags, environment, &identity, work.path())
        .await
        .map_err(|message| Failure::Usage(format!("error resolving source context: {message}")))?;
    for (_, file) in &flags.secrets {
        if !environment.is_file(file) {
            let message = format!(
                "error resolving secrets: copying secret {file}: open {file}: no such file or directory"
            );
            return Err(Failure::Usage(message));
        }
    }
    let dockerfile = context::dockerfile(flags, &context)
        .map_err(|message| Failure::Usage(format!("error resolving dockerfile path: {message}")))?;
    if flags.destinations.is_empty() && flags.image_name_with_digest_file.is_some() {
        let message = "you must provide --destination if setting ImageNameDigestFile";
        return Err(Failure::Usage(message.into()));
    }
    let registry = Registry::new(environment, &identity, flags.pull)?;
    let destinations = push::check(flags, &registry, log).await?;
    let image = build::image(flags, &context, &dockerfile, &registry, work.path(), log)
        .await
        .map_err(|message| Failure::Plain(format!("error building image: {message}")))?;
    push::push(flags, environment, &destinations, &image, &registry, log)
        .await
        .map_err(|message| Failure::Plain(format!("error pushing image: {message}")))
}
