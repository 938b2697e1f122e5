//! `sidestep sandbox image`.

use std::fs;

use crate::setup::Setup;

const NAMES: [&str; 2] = ["localhost/sidestep:", "localhost/sidestep-kaniko:"];

#[test]
fn the_runner_writes_the_same_images_to_a_file_and_to_a_pipe() {
    let mut setup = Setup::new();
    setup.write("an image.tar", "before");
    let output = setup.run(&["sandbox", "image", "-o", "an image.tar"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let said = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), NAMES.len(), "{said}");
    for (line, start) in lines.iter().zip(NAMES) {
        let (name, digest) = line.split_once(' ').expect(line);
        assert!(name.starts_with(start), "{line}");
        assert_eq!(digest.len(), "sha256:".len() + 64, "{line}");
    }
    assert!(
        errors.contains("kind load image-archive 'an image.tar'\n"),
        "{errors}"
    );

    let piped = setup.run(&["sandbox", "image", "-o", "-"]);
    assert!(piped.status.success());
    assert_eq!(String::from_utf8_lossy(&piped.stderr), "");
    let file = fs::read(setup.workspace().join("an image.tar")).unwrap();
    assert!(
        piped.stdout == file,
        "{} {}",
        piped.stdout.len(),
        file.len()
    );
}

#[test]
fn an_image_that_cannot_be_written_leaves_what_was_there() {
    let mut setup = Setup::new();
    let refused = setup.run(&["sandbox", "image", "-o", "none/image.tar"]);
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{errors}");
    assert!(errors.contains("can't write "), "{errors}");
    assert!(errors.contains("writable folder with -o"), "{errors}");

    // A device without room.
    let full = fs::File::create("/dev/full").unwrap();
    let failed = setup
        .command(&["sandbox", "image", "-o", "-"])
        .stdout(full)
        .output()
        .unwrap();
    assert!(!failed.status.success());
    let errors = String::from_utf8_lossy(&failed.stderr);
    assert!(errors.contains("No space left on device"), "{errors}");
}

#[test]
fn a_temporary_folder_that_cannot_be_used_is_an_error() {
    let mut setup = Setup::new();
    let missing = setup.folder().join("missing");
    let mut command = setup.command(&["sandbox", "image", "-o", "-"]);
    let output = command.env("TMPDIR", &missing).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("cannot write the image's layer to a temporary file"),
        "{told}"
    );
    assert!(told.contains("TMPDIR"), "{told}");
}
