//! `sandbox image`.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use sidestep_events::{Class, Command, Exit, Failure, Owner, codes, show};
use sidestep_launch::Error;
use sidestep_report::bytes;
use sidestep_sandbox::image::{ImageError, Written, write, write_file};

use crate::cloud::program;
use crate::output::{Stdout, line, note};
use crate::session::Session;

/// The tag of the images.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Commands that load an archive, up to its path.
const LOADERS: [&[&str]; 4] = [
    &["kind", "load", "image-archive"],
    &["minikube", "image", "load"],
    &["k3s", "ctr", "images", "import"],
    &["docker", "load", "--input"],
];

/// Writes the images. Their names and digests go to standard output, unless the archive does.
pub(crate) fn run(session: &Session, file: &Path) -> Result<Exit, Error> {
    let program = program()?;
    if file == Path::new("-") {
        if io::stdout().is_terminal() {
            return Err(Error::usage(
                "an image is not written to a terminal",
                "pass a file with -o, or send the output to another program",
            ));
        }
        return match write(&program, VERSION, io::BufWriter::new(Stdout)) {
            // Standard output keeps its own error, which is reported at the end.
            Ok(_) | Err(ImageError::Unwritable(_)) => Ok(Exit::Success),
            Err(error) => Err(failure(&error).into()),
        };
    }
    let path = session.site.workspace.join(file);
    let written = write_file(&program, VERSION, &path).map_err(|error| match error {
        ImageError::Unwritable(error) => Error::usage(
            format!("can't write {}: {error}", path.display()),
            "pass a file in an existing, writable folder with -o",
        ),
        error => failure(&error).into(),
    })?;
    report(&written, file);
    Ok(Exit::Success)
}

fn report(written: &Written, file: &Path) {
    for image in &written.images {
        line(&format!("{} {}", image.name, image.digest));
    }
    let size = bytes(written.layer);
    note(&format!("{size} written to {}", show::path(file)));
    let path = file.to_string_lossy();
    let commands = LOADERS.map(|words| Command::new(words).value(&*path).build());
    note("to load the images, with one of:");
    for command in commands.into_iter().flatten() {
        note(&format!("  {}", command.to_line()));
    }
}

fn failure(error: &ImageError) -> Failure {
    let failure = Failure::new(
        Class::Failed,
        codes::sandbox::UNUSABLE,
        Owner::Operator,
        error.to_string(),
    );
    match error {
        ImageError::Scratch(_) => failure.with_help(
            "free some space in the folder of temporary files, or set TMPDIR to a folder with space",
        ),
        _ => failure,
    }
}
