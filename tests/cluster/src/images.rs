//! Images of the runner and of kaniko on the node of a cluster of our own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::own::Own;

/// The variable that names the archive of a builder's image.
pub(crate) const KANIKO: &str = "SIDESTEP_TEST_KANIKO";

/// The names of the images on the node.
#[derive(Debug, Clone)]
pub struct Images {
    /// The runner's.
    pub runner: String,
    /// That of the sandbox's kaniko.
    pub kaniko: String,
    /// The builder's: `SIDESTEP_TEST_KANIKO` if it is set, and otherwise the sandbox's kaniko.
    pub builder: String,
}

impl Images {
    /// Imports the images, once in each cluster.
    pub(crate) fn import<'o>(own: &'o Own, runner: &Path) -> &'o Self {
        own.images().get_or_init(|| {
            let mut write = Command::new(runner);
            write.args(["sandbox", "image", "-o", "-"]);
            let ours = import(own, Source::Of(write));
            let named = |part: &str| {
                let mut names = ours.iter();
                let name = names.find(|name| name.contains(part));
                name.unwrap_or_else(|| panic!("{part}: {ours:?}")).clone()
            };
            let (runner, kaniko) = (named("/sidestep:"), named("/sidestep-kaniko:"));
            let given = std::env::var_os(KANIKO).map(PathBuf::from);
            let builder = given.map(|file| {
                let names = import(own, Source::File(file));
                let name = names.first().cloned();
                name.unwrap_or_else(|| panic!("{KANIKO} has no image with a name"))
            });
            Self {
                runner,
                builder: builder.unwrap_or_else(|| kaniko.clone()),
                kaniko,
            }
        })
    }
}

/// Imports the image of Google's clients, and returns its name.
pub(crate) fn clients(own: &Own) -> Result<String, String> {
    let file = own.archive_of_clients()?;
    let names = import(own, Source::File(file));
    names
        .into_iter()
        .next()
        .ok_or_else(|| "it has no name".to_owned())
}

enum Source {
    File(PathBuf),
    /// A command that prints the archive.
    Of(Command),
}

/// Imports an archive into the node's containerd, and returns the names of its images.
fn import(own: &Own, source: Source) -> Vec<String> {
    let mut ctr = own.exec("ctr");
    ctr.args(["--namespace=k8s.io", "images", "import", "-"]);
    let writer = match source {
        Source::File(file) => {
            let open = File::open(&file);
            let open = open.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            ctr.stdin(open);
            None
        }
        Source::Of(mut command) => {
            let mut writer = command.stdout(Stdio::piped()).spawn().expect("starts");
            ctr.stdin(writer.stdout.take().expect("piped"));
            Some(writer)
        }
    };
    let output = ctr.output().expect("ctr starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    if let Some(mut writer) = writer {
        assert!(writer.wait().expect("ended").success());
    }
    names(&text(&output.stdout))
}

/// Reads the names in the output of ctr: `unpacking NAME (sha256:…)...done`.
fn names(output: &str) -> Vec<String> {
    let names = output.lines().filter_map(|line| {
        let rest = line.strip_prefix("unpacking ")?;
        Some(rest.split_once(" (")?.0.to_owned())
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_name_is_read() {
        let output = "unpacking localhost/a:1 (sha256:00)...done\nunpacking b (sha256:11)...done\n";
        assert_eq!(super::names(output), ["localhost/a:1", "b"]);
    }
}
