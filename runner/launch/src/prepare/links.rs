//! Reads the workspace's symbolic links on disk.

use std::path::{Path, PathBuf};

use sidestep_files::{Folder, OpenError};
use sidestep_pipeline::{Led, Links};

/// Follows links inside the workspace. A workspace that can't be opened yields no links; the step
/// that reads it reports the error.
#[derive(Debug)]
pub(super) struct WorkspaceLinks(Option<Folder>);

impl WorkspaceLinks {
    pub(super) fn of(workspace: &Path) -> Self {
        Self(Folder::open(workspace).ok())
    }
}

impl Links for WorkspaceLinks {
    fn follow(&self, path: &str, within: &str) -> Led {
        let Some(workspace) = &self.0 else {
            return Led::Itself;
        };
        let all = || Ok((PathBuf::new(), workspace.clone()));
        let any = |_: &Path| Ok::<_, OpenError>(());
        let (inside, folder) = match Path::new(path).strip_prefix(within) {
            Ok(inside) if !within.is_empty() => (inside, workspace.folder(Path::new(within), any)),
            _ => (Path::new(path), all()),
        };
        let real = folder.and_then(|(above, folder)| Ok(above.join(folder.real(inside)?)));
        match real.as_deref().map(Path::to_str) {
            Ok(Some(real)) if real != path => Led::To(real.to_owned()),
            Err(OpenError::Outside) => Led::Outside,
            _ => Led::Itself,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_within_the_folder_that_they_must_stay_in() {
        let place = tempfile::tempdir().expect("a folder");
        let at = |path: &str| place.path().join(path);
        fs::create_dir_all(at("services/api/build")).expect("made");
        for file in ["shared", "services/api/build/app.Dockerfile"] {
            fs::write(at(file), "FROM scratch").expect("written");
        }
        for (target, link) in [
            ("build/app.Dockerfile", "services/api/Dockerfile"),
            ("../../shared", "services/api/up"),
            ("services/api", "app"),
            ("nothing", "dangling"),
            ("/etc/passwd", "absolute"),
        ] {
            symlink(target, at(link)).expect("made");
        }
        let real = at("services/api/build/app.Dockerfile");
        symlink(real.canonicalize().expect("there"), at("services/api/long")).expect("there");
        let links = WorkspaceLinks::of(place.path());
        let to = |path: &str| Led::To(path.to_owned());
        for (path, within, led) in [
            ("shared", "", Led::Itself),
            ("none", "", Led::Itself),
            ("dangling", "", Led::Itself),
            ("absolute", "", Led::Outside),
            ("app", "", to("services/api")),
            ("services/api/up", "", to("shared")),
            ("services/api/up", "services/api", Led::Outside),
            (
                "services/api/Dockerfile",
                "services/api",
                to("services/api/build/app.Dockerfile"),
            ),
            // An absolute target inside the folder counts as part of the folder.
            (
                "services/api/long",
                "services/api",
                to("services/api/build/app.Dockerfile"),
            ),
            // The folder itself is a link.
            (
                "app/Dockerfile",
                "app",
                to("services/api/build/app.Dockerfile"),
            ),
            ("app/up", "app", Led::Outside),
        ] {
            assert_eq!(links.follow(path, within), led, "{path} in {within}");
        }
    }
}
