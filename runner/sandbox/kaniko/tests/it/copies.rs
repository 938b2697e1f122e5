//! The layer content from COPY and ADD, entry by entry. The expected results come from kaniko
//! 1.28.3's own executor.

use crate::server::{Server, archive_as_it_is};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::{
    fs, io::Write as _, os::unix::fs::PermissionsExt as _, os::unix::fs::symlink, path::Path,
};

/// The outcome of a build: the entries of its last layer, or its error without the usual prefix.
type Result = std::result::Result<&'static str, &'static str>;

const TOO_MANY: Result = Err(
    "failed to get files used from context: when specifying multiple sources in a COPY command, destination must be a directory and end in '/'",
);
const ALL: &str = "x/ 755, x/a 644, x/b 755, x/d/ 755, x/d/f1 640, x/d/l1 -> f1, x/d/sub/ 711, x/d/sub/f2 644, x/f1 640, x/l1 -> f1, x/ld -> d, x/lf -> a, x/sub/ 711, x/sub/f2 644, x/z.gz 644";

const CASES: [(&str, Result); 34] = [
    // Destinations: a path is cleaned before the check whether it is a folder.
    ("COPY lf /x/.", Ok("x -> a")),
    ("COPY */f1 /y/z", Ok("y/ 755, y/z 640")),
    ("COPY d/sub/* /one", Ok("one 644")),
    (
        "COPY a /p\nADD b /p/",
        Err(
            "failed to execute command: executing copy command: resolving dest symlink: failed to lstat: lstat /p/b: not a directory",
        ),
    ),
    ("COPY [ab] /x", TOO_MANY),
    ("COPY l* /x", TOO_MANY),
    ("COPY lf l* /x", TOO_MANY),
    // A wildcard matches the context itself, `.`, and folders as well as their content.
    ("COPY ? /x/", Ok(ALL)),
    ("COPY * /x/", Ok(ALL)),
    // With a wildcard, a missing source is not an error, and no source is found through a link.
    ("COPY miss* none a /x/", Ok("x/ 755, x/a 644")),
    ("COPY ld/f1 a* /x/", Ok("x/ 755, x/a 644")),
    // Links.
    (
        "COPY --chmod=0700 ld /x/y/",
        Ok("x/ 755, x/y/ 755, x/y/ld -> d"),
    ),
    ("COPY d/l1 /x/", Ok("x/ 755, x/l1 -> f1")),
    ("COPY a /s\nCOPY lf /s", Ok("s -> a")),
    ("COPY lf /l\nCOPY b /l", Ok("a 755, l -> a")),
    ("COPY a /a\nCOPY lf /l", Ok("a 644, l -> a")),
    ("COPY a /a\nCOPY lf /l\nCOPY b /l", Ok("a 755, l -> a")),
    ("COPY ld /l\nCOPY d /d\nCOPY a /l", Ok("d/ 755, d/a 644")),
    (
        "COPY ld /l\nCOPY a /l/",
        Err(
            "failed to execute command: resolving dest symlink: failed to eval symlinks: lstat /d: no such file or directory",
        ),
    ),
    (
        "COPY ld /l\nCOPY d/sub /l",
        Err(
            "failed to execute command: resolving dest symlink: failed to eval symlinks: lstat /d: no such file or directory",
        ),
    ),
    (
        "COPY d /x\nCOPY a /x/l1",
        Ok("x/ 755, x/f1 644, x/l1 -> f1"),
    ),
    ("COPY d /x\nCOPY lf /x/l1", Ok("x/ 755, x/l1 -> a")),
    ("COPY lf /q/r\nCOPY a /q/r", Ok("q/ 755, q/a 644, q/r -> a")),
    // The layer contains the parent folders again, with their current modes.
    ("WORKDIR /w\nCOPY a x", Ok("w/ 755, w/x 644")),
    ("WORKDIR /w\nCOPY a /w/", Ok("w/ 755, w/a 644")),
    (
        "COPY d /x\nCOPY a /x/sub/n",
        Ok("x/ 755, x/sub/ 711, x/sub/n 644"),
    ),
    (
        "COPY d /x\nCOPY a /x/sub/f2",
        Ok("x/ 755, x/sub/ 711, x/sub/f2 644"),
    ),
    (
        "COPY d /x\nCOPY a /x/sub",
        Ok("x/ 755, x/sub/ 711, x/sub/a 644"),
    ),
    (
        "COPY d /x\nCOPY <<f /x/sub/f\nhi\nf",
        Ok("x/ 755, x/sub/ 711, x/sub/f 644"),
    ),
    // Modes of folders are copied, except that of the source itself.
    (
        "COPY d /x",
        Ok("x/ 755, x/f1 640, x/l1 -> f1, x/sub/ 711, x/sub/f2 644"),
    ),
    ("COPY d/sub /x", Ok("x/ 755, x/f2 644")),
    // For ADD, every compressed file is an archive, whatever its content.
    (
        "ADD z.gz /x/",
        Err("failed to execute command: unpacking local tar: unexpected EOF"),
    ),
    ("COPY z.gz /x", Ok("x 644")),
    ("ADD b/. /x", Ok("x 755")),
];

fn context(root: &Path) {
    fs::create_dir_all(root.join("d/sub")).unwrap();
    for (path, mode) in [
        ("a", 0o644),
        ("b", 0o755),
        ("d/f1", 0o640),
        ("d/sub/f2", 0o644),
    ] {
        fs::write(root.join(path), path).unwrap();
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    for (path, mode) in [("d", 0o755), ("d/sub", 0o711)] {
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    for (target, link) in [("f1", "d/l1"), ("a", "lf"), ("d", "ld")] {
        symlink(target, root.join(link)).unwrap();
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"plain").unwrap();
    fs::write(root.join("z.gz"), gzip.finish().unwrap()).unwrap();
    fs::write(root.join(".dockerignore"), "Dockerfile\n.dockerignore\n").unwrap();
}

/// Returns the entries of an image's last layer.
fn last_layer(server: &Server) -> String {
    let world = server.world.lock().unwrap();
    let manifest = &world.manifests["/v2/europe-docker.pkg.dev/p/r/app/manifests/1"];
    let manifest: Value = serde_json::from_slice(manifest).unwrap();
    let layer = manifest["layers"].as_array().unwrap().last().unwrap();
    let blob = &world.blobs[layer["digest"].as_str().unwrap()];
    let mut tar = tar::Archive::new(GzDecoder::new(&blob[..]));
    let entries = tar.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        match entry.link_name().unwrap() {
            Some(target) => format!("{path} -> {}", target.display()),
            None => format!("{path} {:o}", entry.header().mode().unwrap()),
        }
    });
    let mut entries: Vec<String> = entries.collect();
    entries.sort();
    entries.join(", ")
}

#[tokio::test]
async fn each_copy_comes_to_what_kaniko_makes_of_it() {
    let folder = tempfile::tempdir().unwrap();
    context(folder.path());
    for (instructions, want) in CASES {
        let dockerfile = format!("FROM scratch\n{instructions}\n");
        fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
        let server = Server::start().await;
        server.context_is(archive_as_it_is(folder.path()));
        let ran = server.run(&[]).await;
        let got = if ran.code == 0 {
            Ok(last_layer(&server))
        } else {
            let line = ran.log.lines().last().unwrap_or_default();
            let why = line.strip_prefix("error building image: error building stage: ");
            Err(why.unwrap_or(line).to_owned())
        };
        assert_eq!(
            got,
            want.map(str::to_owned).map_err(str::to_owned),
            "{instructions}"
        );
    }
}
