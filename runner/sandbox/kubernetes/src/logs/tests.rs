use bytes::Bytes;
use futures::TryStreamExt as _;
use tokio_util::sync::CancellationToken;

use super::*;

fn id() -> LogId {
    LogId {
        uid: "u".into(),
        container: "c".into(),
        restart: 0,
    }
}

async fn read(logs: &Arc<Logs>, selection: Selection) -> Vec<u8> {
    let chunks: Vec<Bytes> = logs
        .read(id(), selection, CancellationToken::new())
        .try_collect()
        .await
        .expect("reads");
    chunks.concat()
}

#[tokio::test]
async fn any_bytes_come_back_as_they_were() {
    let dir = tempfile::tempdir().expect("folder");
    let logs = Logs::new(dir.path().to_owned());
    let writer = logs.writer(id()).expect("opens");
    let mut all = b"one\ntwo\r\n\xff\xfe\n".to_vec();
    all.extend(vec![b'x'; 100_000]);
    all.extend(b"\nno end");
    for piece in all.chunks(7) {
        writer.write(Output::Stdout, piece).expect("writes");
    }
    writer.close();
    assert_eq!(read(&logs, Selection::default()).await, all);
    let tail = Selection {
        tail: Some(1),
        ..Selection::default()
    };
    assert_eq!(read(&logs, tail).await.len(), 100_001 + 6);
    let limit = Selection {
        limit: Some(5),
        ..Selection::default()
    };
    assert_eq!(read(&logs, limit).await, b"one\nt");
    let stamped = Selection {
        timestamps: true,
        ..Selection::default()
    };
    let text = read(&logs, stamped).await;
    let first = text.split(|b| *b == b'\n').next().expect("a line");
    assert!(
        first.ends_with(b"Z one"),
        "{}",
        String::from_utf8_lossy(first)
    );
    assert!(logs.tail(&id()).ends_with("no end"));
}

#[tokio::test]
async fn following_ends_with_the_writer_and_misses_nothing() {
    let dir = tempfile::tempdir().expect("folder");
    let logs = Logs::new(dir.path().to_owned());
    let writer = logs.writer(id()).expect("opens");
    writer.write(Output::Stdout, b"a\n").expect("writes");
    let follow = Selection {
        follow: true,
        ..Selection::default()
    };
    let reader = tokio::spawn({
        let logs = logs.clone();
        async move { read(&logs, follow).await }
    });
    for n in 0..1000 {
        writer
            .write(Output::Stderr, format!("{n}\n").as_bytes())
            .expect("writes");
        tokio::task::yield_now().await;
    }
    writer.write(Output::Stdout, b"end").expect("writes");
    drop(writer);
    let text = String::from_utf8(reader.await.expect("joins")).expect("text");
    assert_eq!(text.lines().count(), 1002);
    assert!(text.starts_with("a\n0\n") && text.ends_with("999\nend"));
}
