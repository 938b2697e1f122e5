//! Container logs as files in the kubelet's own format (CRI): `TIME STREAM F|P TEXT`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::Stream;
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::nanoseconds;

/// Longest piece of a line that is written as one; longer lines are split as containerd does.
const PIECE: usize = 16 << 10;

/// One run of one container.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LogId {
    pub(crate) uid: String,
    pub(crate) container: String,
    pub(crate) restart: u64,
}

/// What of a log is wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    pub(crate) follow: bool,
    pub(crate) timestamps: bool,
    pub(crate) since: Option<Timestamp>,
    pub(crate) tail: Option<u64>,
    pub(crate) limit: Option<u64>,
}

/// All logs, in one folder.
#[derive(Debug)]
pub(crate) struct Logs {
    dir: PathBuf,
    open: Mutex<HashMap<LogId, watch::Sender<u64>>>,
}

impl Logs {
    pub(crate) fn new(dir: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            dir,
            open: Mutex::new(HashMap::new()),
        })
    }

    fn path(&self, id: &LogId) -> PathBuf {
        self.dir
            .join(&id.uid)
            .join(&id.container)
            .join(format!("{}.log", id.restart))
    }

    /// Opens a log for writing, after what it holds already.
    pub(crate) fn writer(self: &Arc<Self>, id: LogId) -> io::Result<LogWriter> {
        let path = self.path(&id);
        std::fs::create_dir_all(path.parent().unwrap_or_else(|| Path::new(".")))?;
        let file = File::options().create(true).append(true).open(path)?;
        let told = watch::Sender::new(0);
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.clone(), told.clone());
        Ok(LogWriter(Arc::new(Open {
            logs: self.clone(),
            id,
            state: Mutex::new(Pending {
                file,
                told,
                rest: [Vec::new(), Vec::new()],
            }),
        })))
    }

    /// Forgets a pod's logs.
    pub(crate) fn forget(&self, uid: &str) {
        if let Err(error) = std::fs::remove_dir_all(self.dir.join(uid))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, uid, "the logs of a deleted pod could not be removed");
        }
    }

    /// The end of a log, for a termination message: at most 80 lines and 2048 bytes.
    pub(crate) fn tail(&self, id: &LogId) -> String {
        let bytes = std::fs::read(self.path(id)).unwrap_or_default();
        let mut text = Vec::new();
        let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
        for line in &lines[lines.len().saturating_sub(80)..] {
            if let Some(line) = parse(line) {
                text.extend_from_slice(line.text);
                if line.whole {
                    text.push(b'\n');
                }
            }
        }
        let from = text.len().saturating_sub(2048);
        String::from_utf8_lossy(&text[from..]).into_owned()
    }

    /// Reads a log; a followed one ends when its container has ended.
    pub(crate) fn read(
        self: &Arc<Self>,
        id: LogId,
        selection: Selection,
        shutdown: CancellationToken,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (out, mut rx) = mpsc::channel(64);
        let logs = self.clone();
        tokio::spawn(async move {
            let closed = out.clone();
            tokio::select! {
                result = logs.send(&id, &selection, &out) => {
                    if let Err(error) = result {
                        // The receiver may have gone; then nobody is left to be told.
                        let _ = out.send(Err(error)).await;
                    }
                }
                () = closed.closed() => {}
                () = shutdown.cancelled() => {}
            }
        });
        futures::stream::poll_fn(move |cx| rx.poll_recv(cx))
    }

    async fn send(
        &self,
        id: &LogId,
        selection: &Selection,
        out: &mpsc::Sender<io::Result<Bytes>>,
    ) -> io::Result<()> {
        let path = self.path(id);
        let mut told = self.subscribe(id);
        let file = match tokio::fs::File::open(&path).await {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut skip = match selection.tail {
            Some(tail) => count(&path, selection.since).await?.saturating_sub(tail),
            None => 0,
        };
        let mut reader = BufReader::new(file);
        let mut left = selection.limit.unwrap_or(u64::MAX);
        let (mut raw, mut fresh) = (Vec::new(), true);
        loop {
            // Marked before reading: what is written from here on wakes the wait below.
            let ended = match &mut told {
                Some(told) => {
                    told.borrow_and_update();
                    told.has_changed().is_err()
                }
                None => true,
            };
            loop {
                reader.read_until(b'\n', &mut raw).await?;
                if raw.last() != Some(&b'\n') {
                    break;
                }
                if let Some(line) = parse(&raw)
                    && selection.since.is_none_or(|since| line.time >= since)
                {
                    let shown = skip == 0;
                    if shown {
                        let mut text = Vec::with_capacity(line.text.len() + 36);
                        if selection.timestamps && fresh {
                            text.extend_from_slice(nanoseconds(line.time).as_bytes());
                            text.push(b' ');
                        }
                        text.extend_from_slice(line.text);
                        if line.whole {
                            text.push(b'\n');
                        }
                        text.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                        left -= text.len() as u64;
                        if out.send(Ok(text.into())).await.is_err() || left == 0 {
                            return Ok(());
                        }
                    } else if line.whole {
                        skip -= 1;
                    }
                    fresh = line.whole;
                }
                raw.clear();
            }
            if ended || !selection.follow {
                return Ok(());
            }
            if let Some(told) = &mut told {
                // An error is the writer's end: one more read takes what it left.
                let _ = told.changed().await;
            }
        }
    }

    fn subscribe(&self, id: &LogId) -> Option<watch::Receiver<u64>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(id).map(watch::Sender::subscribe)
    }
}

async fn count(path: &Path, since: Option<Timestamp>) -> io::Result<u64> {
    let mut reader = BufReader::new(tokio::fs::File::open(path).await?);
    let (mut raw, mut lines) = (Vec::new(), 0);
    while reader.read_until(b'\n', &mut raw).await? > 0 {
        if let Some(line) = parse(&raw)
            && line.whole
            && since.is_none_or(|since| line.time >= since)
        {
            lines += 1;
        }
        raw.clear();
    }
    Ok(lines)
}

struct Line<'a> {
    time: Timestamp,
    /// Whether the line ends here.
    whole: bool,
    text: &'a [u8],
}

fn parse(raw: &[u8]) -> Option<Line<'_>> {
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    let mut parts = raw.splitn(4, |b| *b == b' ');
    let time = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    let _stream = parts.next()?;
    let whole = parts.next()? == b"F";
    Some(Line {
        time,
        whole,
        text: parts.next()?,
    })
}

/// Which of a container's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Takes what a container writes. Clones write to the same log.
#[derive(Debug, Clone)]
pub struct LogWriter(Arc<Open>);

#[derive(Debug)]
struct Open {
    logs: Arc<Logs>,
    id: LogId,
    state: Mutex<Pending>,
}

#[derive(Debug)]
struct Pending {
    file: File,
    told: watch::Sender<u64>,
    /// Text that no line end has followed yet, of each stream.
    rest: [Vec<u8>; 2],
}

impl LogWriter {
    /// Appends bytes of any kind; lines are stamped with the time at which they end.
    pub fn write(&self, output: Output, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        let rest = &mut state.rest[output as usize];
        rest.extend_from_slice(bytes);
        let mut text = Vec::new();
        let mut at = 0;
        while at < rest.len() {
            let window = &rest[at..rest.len().min(at + PIECE)];
            match window.iter().position(|b| *b == b'\n') {
                Some(end) => {
                    line(&mut text, output, true, &window[..end]);
                    at += end + 1;
                }
                None if window.len() == PIECE => {
                    line(&mut text, output, false, window);
                    at += PIECE;
                }
                None => break,
            }
        }
        rest.drain(..at);
        if !text.is_empty() {
            state.file.write_all(&text)?;
            state.told.send_modify(|n| *n += 1);
        }
        Ok(())
    }

    /// Ends the log: a last line without its end is kept as it is, and followers are let go.
    pub(crate) fn close(&self) {
        self.0.close();
    }

    pub(crate) fn id(&self) -> &LogId {
        &self.0.id
    }
}

impl Open {
    fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = Vec::new();
        for (output, n) in [(Output::Stdout, 0), (Output::Stderr, 1)] {
            let rest = std::mem::take(&mut state.rest[n]);
            if !rest.is_empty() {
                line(&mut text, output, false, &rest);
            }
        }
        if let Err(error) = state.file.write_all(&text) {
            tracing::warn!(%error, "the end of a container's log could not be written");
        }
        self.logs
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
        // The last sender: followers read what is left and end.
        state.told = watch::Sender::new(0);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close();
    }
}

fn line(into: &mut Vec<u8>, output: Output, whole: bool, text: &[u8]) {
    let stream = if output == Output::Stdout {
        "stdout"
    } else {
        "stderr"
    };
    into.extend_from_slice(nanoseconds(Timestamp::now()).as_bytes());
    into.extend_from_slice(format!(" {stream} {} ", if whole { 'F' } else { 'P' }).as_bytes());
    into.extend_from_slice(text);
    into.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::TryStreamExt as _;

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
}
