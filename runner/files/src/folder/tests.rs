use std::fs;
use std::os::unix::fs::symlink;
use std::sync::mpsc::{TryRecvError, channel};
use std::thread;

use rustix::fs::{CWD, mkfifoat};

use super::*;

/// A workspace with a granted and an ungranted folder, and a file beside the workspace.
struct TestFolder(tempfile::TempDir);

impl TestFolder {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        fs::create_dir_all(place.at("granted/deep")).expect("made");
        fs::create_dir_all(place.at("other")).expect("made");
        fs::write(place.at("granted/file"), "granted").expect("written");
        fs::write(place.at("other/key"), "s3cret").expect("written");
        fs::write(place.0.path().join("outside"), "outside").expect("written");
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join("root").join(name)
    }

    fn link(&self, target: impl AsRef<Path>, name: &str) {
        symlink(target, self.at(name)).expect("made");
    }

    fn folder(&self) -> Folder {
        Folder::open(&self.at("")).expect("it opens")
    }
}

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("not granted: {0}")]
    NotGranted(String),
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Admits paths in the granted folder.
fn granted(path: &Path) -> Result<(), Refused> {
    if path.starts_with("granted") {
        Ok(())
    } else {
        Err(Refused::NotGranted(path.display().to_string()))
    }
}

fn read_granted(folder: &Folder, path: &str) -> Result<String, Refused> {
    let file = folder.file(Path::new(path), granted)?;
    Ok(text(read(file, 100)?)?)
}

#[test]
fn files_beneath_the_folder_are_read_through_links_beneath_it() {
    let place = TestFolder::new();
    place.link("../granted/file", "other/link");
    place.link("../other/link", "granted/there-and-back");
    place.link(place.at("granted/file"), "granted/absolute");
    place.link("deep/../file", "granted/up");
    let folder = place.folder();
    for path in [
        "granted/file",
        "./granted//file",
        "other/link",
        "granted/there-and-back",
        "granted/absolute",
        "granted/up",
    ] {
        assert_eq!(read_granted(&folder, path).expect(path), "granted");
    }
    assert_eq!(
        folder.read_text(Path::new("other/key"), 6).expect("any"),
        "s3cret"
    );
}

#[test]
fn what_leads_out_is_refused_whether_it_is_there_or_not() {
    let place = TestFolder::new();
    for (target, name) in [
        ("../../outside", "granted/out"),
        ("../../nothing", "granted/out-to-nothing"),
        ("/etc/passwd", "granted/absolute"),
        ("..", "granted/deep/up"),
    ] {
        place.link(target, name);
    }
    let folder = place.folder();
    for path in [
        "../outside",
        "granted/../../outside",
        "granted/out",
        "granted/out-to-nothing",
        "granted/absolute",
        "granted/deep/up/../../outside",
        "/etc/passwd",
    ] {
        let refused = read_granted(&folder, path);
        let outside = matches!(refused, Err(Refused::Open(OpenError::Outside)));
        assert!(outside, "{path}: {refused:?}");
    }
}

#[test]
fn nothing_tells_whether_an_ungranted_path_exists() {
    let place = TestFolder::new();
    place.link("../other/key", "granted/to-a-file");
    place.link("../other/none", "granted/to-nothing");
    place.link("../none/at/all", "granted/to-nowhere");
    let folder = place.folder();
    for (path, real) in [
        ("other/key", "other/key"),
        ("other/none", "other/none"),
        ("other/key/below", "other/key/below"),
        ("none/at/all", "none/at/all"),
        ("granted/to-a-file", "other/key"),
        ("granted/to-nothing", "other/none"),
        ("granted/to-nowhere", "none/at/all"),
    ] {
        match read_granted(&folder, path) {
            Err(Refused::NotGranted(judged)) => assert_eq!(judged, real),
            other => panic!("{path}: {other:?}"),
        }
        let entry = folder.folder(Path::new(path), granted);
        assert!(matches!(entry, Err(Refused::NotGranted(_))), "{path}");
    }
    let missing = read_granted(&folder, "granted/none");
    assert!(matches!(missing, Err(Refused::Open(OpenError::NotFound))));
}

#[test]
fn only_regular_files_are_opened_and_no_writer_is_waited_for() {
    let place = TestFolder::new();
    mkfifoat(CWD, place.at("granted/pipe"), 0o600.into()).expect("made");
    place.link("pipe", "granted/to-a-pipe");
    let folder = place.folder();
    for (path, what) in [
        ("granted/pipe", What::Pipe),
        ("granted/to-a-pipe", What::Pipe),
        ("granted/deep", What::Folder),
    ] {
        match read_granted(&folder, path) {
            Err(Refused::Open(OpenError::NotAFile(found))) => assert_eq!(found, what),
            other => panic!("{path}: {other:?}"),
        }
    }
    let socket = std::os::unix::net::UnixListener::bind(place.at("granted/socket"));
    let read = read_granted(&folder, "granted/socket");
    let socket =
        socket.map(|_| matches!(read, Err(Refused::Open(OpenError::NotAFile(What::Socket)))));
    assert!(socket.expect("bound"));
    let file = folder.folder(Path::new("granted/file"), granted);
    assert!(matches!(file, Err(Refused::Open(OpenError::NotAFolder))));
    let loops = |name: &str| {
        place.link(name, &format!("granted/{name}"));
        read_granted(&folder, &format!("granted/{name}"))
    };
    assert!(matches!(
        loops("itself"),
        Err(Refused::Open(OpenError::LinkLoop))
    ));
}

#[test]
fn at_most_the_limit_is_read() {
    let place = TestFolder::new();
    let folder = place.folder();
    let read = |limit| folder.read(Path::new("granted/file"), limit);
    assert_eq!(read(7).expect("all of it"), b"granted");
    assert!(matches!(read(6), Err(OpenError::TooLarge(6))));
    let huge = fs::File::create(place.at("granted/huge")).expect("made");
    huge.set_len(1 << 40).expect("sparse");
    let read = folder.read(Path::new("granted/huge"), 1 << 20);
    assert!(matches!(read, Err(OpenError::TooLarge(_))));
}

#[test]
fn an_entry_is_looked_at_as_it_is() {
    let place = TestFolder::new();
    place.link("../other/key", "granted/link");
    place.link("granted", "linked");
    let folder = place.folder();
    let (real, stat, target) = folder
        .entry(Path::new("linked/link"), granted)
        .expect("there");
    assert_eq!(real, Path::new("granted/link"));
    assert!(stat.is_link());
    assert_eq!(target.as_deref(), Some(OsStr::new("../other/key")));
    let hidden = folder.entry(Path::new("other/key"), granted);
    assert!(matches!(hidden, Err(Refused::NotGranted(_))));
    let mut names = folder.folder_itself(Path::new("granted")).expect("there");
    assert_eq!(names.stat_itself(Path::new("file")).expect("there").size, 7);
    names = folder;
    let mut names = names.names().expect("listed");
    names.sort();
    assert_eq!(names, ["granted", "linked", "other"]);
}

/// Swaps a path for a link and back in a tight loop while `work` runs.
fn while_swapped(path: &Path, target: &str, work: impl FnOnce()) {
    let link = path.with_extension("link");
    symlink(target, &link).expect("made");
    let exchange = || {
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        rustix::fs::renameat_with(CWD, path, CWD, &link, flags).expect("exchanged");
    };
    thread::scope(|scope| {
        // Its end, also by a panic, ends the other thread.
        let (working, ended) = channel::<()>();
        scope.spawn(move || {
            while ended.try_recv() == Err(TryRecvError::Empty) {
                exchange();
                thread::yield_now();
            }
        });
        work();
        drop(working);
    });
}

#[test]
fn a_link_that_takes_a_file_s_place_is_never_read() {
    let place = TestFolder::new();
    let folder = place.folder();
    while_swapped(&place.at("granted/file"), "../other/key", || {
        let mut read = 0;
        for _ in 0..20_000 {
            match read_granted(&folder, "granted/file") {
                Ok(text) => {
                    assert_eq!(text, "granted");
                    read += 1;
                }
                Err(Refused::NotGranted(path)) => assert_eq!(path, "other/key"),
                Err(Refused::Open(OpenError::Changing)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert!(read > 0, "the file was never there");
    });
}

#[test]
fn a_link_that_takes_a_folder_s_place_is_never_entered() {
    let place = TestFolder::new();
    fs::write(place.at("granted/deep/key"), "granted").expect("written");
    let folder = place.folder();
    while_swapped(&place.at("granted/deep"), "../other", || {
        for _ in 0..20_000 {
            if let Ok(text) = read_granted(&folder, "granted/deep/key") {
                assert_eq!(text, "granted");
            }
        }
    });
}
