use std::io::{Read as _, Write as _};

use futures::StreamExt as _;

use super::*;

fn space(limit: u64) -> Space {
    crate::Disk::new(limit).space()
}

fn all(blob: &Blob) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    blob.reader()?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[test]
fn a_made_blob_is_made_once_when_it_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let blob = Blob::made(folder.path().to_owned(), space(4), |out| {
        out.write_all(b"made")
    });
    assert_eq!(blob.size(), None);
    assert_eq!(all(&blob).expect("made"), b"made");
    assert_eq!(all(&blob.clone()).expect("still there"), b"made");
    assert_eq!(blob.size(), Some(4));
}

#[test]
fn a_blob_that_can_t_be_made_says_why_each_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let blob = Blob::made(folder.path().to_owned(), space(4), |_| {
        Err(io::Error::other("no room"))
    });
    for _ in 0..2 {
        assert_eq!(all(&blob).expect_err("it failed").to_string(), "no room");
    }
}

#[test]
fn the_size_of_a_blob_does_not_wait_for_its_making() {
    let folder = tempfile::tempdir().expect("a folder");
    let (begun, begins) = std::sync::mpsc::channel();
    let (finish, finished) = std::sync::mpsc::channel::<()>();
    let blob = Blob::made(folder.path().to_owned(), space(4), move |out| {
        begun.send(()).expect("the test waits");
        finished.recv().map_err(io::Error::other)?;
        out.write_all(b"made")
    });
    std::thread::scope(|scope| {
        scope.spawn(|| blob.prepare().expect("made"));
        begins.recv().expect("it is being made");
        assert_eq!(blob.size(), None);
        finish.send(()).expect("it waits");
    });
    assert_eq!(blob.size(), Some(4));
}

#[tokio::test]
async fn a_file_is_streamed_whole() {
    let mut file = tempfile::tempfile().expect("a file");
    let content: Vec<u8> = (0..PIECE * 2 + 7)
        .map(|i| u8::try_from(i % 251).expect("small"))
        .collect();
    file.write_all(&content).expect("written");
    let blob = Blob::from_file(file).expect("open");
    let mut got = Vec::new();
    let mut stream = std::pin::pin!(blob.stream());
    while let Some(piece) = stream.next().await {
        got.extend_from_slice(&piece.expect("read"));
    }
    assert_eq!(got, content);
}

#[test]
fn a_file_that_shrinks_is_an_error_not_a_short_blob() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), b"12345").expect("written");
    let blob = Blob::from_file(File::open(file.path()).expect("open")).expect("open");
    std::fs::write(file.path(), b"1").expect("written");
    assert_eq!(
        all(&blob).expect_err("it is short").kind(),
        io::ErrorKind::UnexpectedEof
    );
}

#[test]
fn a_blob_that_would_take_too_much_of_the_disk_is_not_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let make = |out: &mut dyn io::Write| out.write_all(&vec![0; PIECE * 2]);
    let blob = Blob::made(folder.path().to_owned(), space(PIECE as u64), make);
    for _ in 0..2 {
        let error = all(&blob).expect_err("too much");
        let full = error
            .get_ref()
            .and_then(|why| why.downcast_ref::<crate::DiskFull>());
        assert!(full.is_some(), "{error:?}");
    }
}
