//! The archive of this test's own program, read back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::{Value, json};
use tar::{Archive, EntryType};

use crate::digest::Blob;
use crate::object::Object;
use crate::root::PROGRAM;
use crate::{Written, write, write_file};

/// An archive of this program, which the tests share.
static ARCHIVE: LazyLock<(Vec<u8>, Written)> = LazyLock::new(archive);

fn program() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn archive() -> (Vec<u8>, Written) {
    let mut bytes = Vec::new();
    let written = write(&program(), "1.2.3", &mut bytes).unwrap();
    (bytes, written)
}

/// Returns the files of an archive.
fn files(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = Archive::new(bytes);
    let entries = archive.entries().unwrap();
    let read = entries.map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().display().to_string(), content)
    });
    read.collect()
}

fn json_of(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Value {
    serde_json::from_slice(&files[path]).unwrap()
}

/// Returns the path of the blob that a descriptor names, after checking its size and digest.
fn checked(files: &BTreeMap<String, Vec<u8>>, descriptor: &Value) -> String {
    let digest = descriptor["digest"].as_str().unwrap();
    let path = format!("blobs/sha256/{}", digest.strip_prefix("sha256:").unwrap());
    let blob = Blob::of(&files[&path]);
    assert_eq!(blob.digest(), digest);
    assert_eq!(descriptor["size"], blob.size);
    path
}

#[test]
fn both_forms_of_the_archive_describe_the_same_images() {
    let (bytes, written) = &*ARCHIVE;
    let files = files(bytes);
    assert_eq!(
        json_of(&files, "oci-layout"),
        json!({ "imageLayoutVersion": "1.0.0" })
    );
    let index = json_of(&files, "index.json");
    let docker = json_of(&files, "manifest.json");
    let mut named =
        BTreeSet::from(["oci-layout", "index.json", "manifest.json"].map(str::to_owned));
    let entry_points = [
        ("localhost/sidestep:1.2.3", json!([PROGRAM])),
        (
            "localhost/sidestep-kaniko:1.2.3",
            json!([PROGRAM, "sandbox", "kaniko"]),
        ),
    ];
    for (place, (name, entry_point)) in entry_points.into_iter().enumerate() {
        let descriptor = &index["manifests"][place];
        assert_eq!(descriptor["annotations"]["io.containerd.image.name"], name);
        assert_eq!(written.images[place].name, name);
        assert_eq!(descriptor["digest"], written.images[place].digest);
        let path = checked(&files, descriptor);
        let manifest = json_of(&files, &path);
        let config = checked(&files, &manifest["config"]);
        let layer = checked(&files, &manifest["layers"][0]);
        let expected = json!({ "Config": config, "RepoTags": [name], "Layers": [layer] });
        assert_eq!(docker[place], expected);
        let content = json_of(&files, &config);
        assert_eq!(content["config"]["Entrypoint"], entry_point);
        assert_eq!(
            content["rootfs"]["diff_ids"][0],
            manifest["layers"][0]["digest"]
        );
        let variables = content["config"]["Env"].as_array().unwrap();
        assert!(variables.contains(&json!("USER=root")));
        assert!(variables.contains(&json!("HOME=/root")));
        named.extend([path, config, layer]);
    }
    assert_eq!(files.into_keys().collect::<BTreeSet<_>>(), named);
}

/// Returns the archive's only layer.
fn layer() -> Vec<u8> {
    let mut files = files(&ARCHIVE.0);
    let docker = json_of(&files, "manifest.json");
    files
        .remove(docker[0]["Layers"][0].as_str().unwrap())
        .unwrap()
}

#[test]
fn each_file_comes_after_its_folder_and_belongs_to_root() {
    let layer = layer();
    let mut archive = Archive::new(&*layer);
    let mut seen: BTreeMap<PathBuf, (EntryType, u32)> = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        assert_eq!(header.mtime().unwrap(), 0);
        let path = entry.path().unwrap().into_owned();
        assert!(path.is_relative(), "{}", path.display());
        let parent = path.parent().unwrap();
        let kind = header.entry_type();
        assert!(parent == Path::new("") || seen[parent].0 == EntryType::Directory);
        seen.insert(path, (kind, header.mode().unwrap()));
    }
    for (path, mode) in [
        ("tmp", 0o1777),
        ("kaniko", 0o1777),
        ("workspace", 0o1777),
        ("root", 0o755),
        ("etc/passwd", 0o644),
        ("etc/ssl/certs/ca-certificates.crt", 0o644),
        ("usr/local/bin/sidestep", 0o755),
    ] {
        assert_eq!(seen[Path::new(path)].1, mode, "{path}");
    }
}

#[test]
fn the_program_in_the_image_runs_and_is_read_again() {
    let layer = layer();
    let folder = tempfile::tempdir().unwrap();
    let mut files = files(&layer);
    let path = folder.path().join("program");
    fs::write(
        &path,
        files.remove(PROGRAM.trim_start_matches('/')).unwrap(),
    )
    .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let before = Object::read(&program()).unwrap();
    let after = Object::read(&path).unwrap();
    assert_eq!(after.needed, before.needed);
    assert_eq!(after.loaded, fs::metadata(&path).unwrap().len());
    let listed = Command::new(&path)
        .args(["--list", "nothing-of-this-name"])
        .output()
        .unwrap();
    assert!(listed.status.success(), "{listed:?}");
    assert!(String::from_utf8_lossy(&listed.stdout).contains("0 tests"));
    // Its own image is that of the whole program.
    let mut bytes = Vec::new();
    assert_eq!(write(&path, "1.2.3", &mut bytes).unwrap(), ARCHIVE.1);
    assert!(bytes == ARCHIVE.0);
}

#[test]
fn the_same_program_gives_the_same_bytes() {
    let (bytes, written) = archive();
    assert_eq!(written, ARCHIVE.1);
    assert!(bytes == ARCHIVE.0);
}

#[test]
fn a_file_is_replaced_when_the_new_one_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.tar");
    fs::write(&path, "before").unwrap();
    let none = folder.path().join("none");
    let refused = write_file(&none, "1", &path).unwrap_err().to_string();
    assert!(refused.starts_with("cannot read "), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), b"before");
    let count = || fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(count(), 1);

    assert_eq!(write_file(&program(), "1.2.3", &path).unwrap(), ARCHIVE.1);
    assert!(fs::read(&path).unwrap() == ARCHIVE.0);
    assert_eq!(count(), 1);
    // Other programs, such as a container engine, may read it.
    let other = folder.path().join("other");
    fs::write(&other, "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&other));
}

#[test]
fn a_device_is_written_to_and_a_link_stays() {
    let folder = tempfile::tempdir().unwrap();
    let device = folder.path().join("device");
    symlink("/dev/null", &device).unwrap();
    assert_eq!(write_file(&program(), "1.2.3", &device).unwrap(), ARCHIVE.1);
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    assert_eq!(fs::read_link(&device).unwrap(), Path::new("/dev/null"));

    let file = folder.path().join("image.tar");
    fs::write(&file, "before").unwrap();
    let link = folder.path().join("link");
    symlink(&file, &link).unwrap();
    write_file(&program(), "1.2.3", &link).unwrap();
    assert_eq!(fs::read_link(&link).unwrap(), file);
    assert!(fs::read(&file).unwrap() == ARCHIVE.0);
    assert!(write_file(&program(), "1.2.3", folder.path()).is_err());
}
