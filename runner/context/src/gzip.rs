use flate2::{Compression, GzBuilder, write::GzEncoder};
use std::{
    io::{self, Write},
    num::NonZero,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

/// The number of bytes in each gzip member (RFC 1952, 2.2: a file is a series of members). Members
/// depend on the length alone, so that the number of threads does not affect the result. Part of
/// the format that [`crate::PACKER`] names.
const BLOCK: usize = 1024 * 1024;
/// The compression level: close to the default's size at twice its speed.
const LEVEL: Compression = Compression::new(4);
/// RFC 1952's "unknown", used on every machine.
const OPERATING_SYSTEM: u8 = 255;
/// The maximum number of blocks that wait for one thread.
const QUEUE: usize = 2;

/// A writer that compresses on several threads, block by block, and writes the members in order. At
/// most a few blocks per thread are in memory.
pub(crate) struct ParallelGzip<W> {
    out: W,
    workers: Vec<Worker>,
    block: Vec<u8>,
    /// The number of blocks sent to threads, and of those written.
    sent: usize,
    done: usize,
    bytes: u64,
}

struct Worker {
    blocks: Option<SyncSender<Vec<u8>>>,
    members: Receiver<io::Result<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl<W: Write> ParallelGzip<W> {
    pub(crate) fn new(out: W, threads: NonZero<usize>) -> io::Result<Self> {
        let workers = (0..threads.get())
            .map(|_| Worker::start())
            .collect::<io::Result<_>>()?;
        Ok(Self {
            out,
            workers,
            block: Vec::with_capacity(BLOCK),
            sent: 0,
            done: 0,
            bytes: 0,
        })
    }

    /// Writes the remaining blocks. Returns the number of compressed bytes.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        if !self.block.is_empty() || self.sent == 0 {
            self.send()?;
        }
        while self.done < self.sent {
            self.receive()?;
        }
        self.out.flush()?;
        Ok(self.bytes)
    }

    fn send(&mut self) -> io::Result<()> {
        if self.sent - self.done == self.workers.len() * QUEUE {
            self.receive()?;
        }
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        let worker = &self.workers[self.sent % self.workers.len()];
        let blocks = worker.blocks.as_ref().expect("open until dropped");
        blocks.send(block).map_err(|_| ended())?;
        self.sent += 1;
        Ok(())
    }

    fn receive(&mut self) -> io::Result<()> {
        let worker = &self.workers[self.done % self.workers.len()];
        let member = worker.members.recv().map_err(|_| ended())??;
        self.out.write_all(&member)?;
        self.bytes += member.len() as u64;
        self.done += 1;
        Ok(())
    }
}

impl<W: Write> Write for ParallelGzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..count]);
        if self.block.len() == BLOCK {
            self.send()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Worker {
    fn start() -> io::Result<Self> {
        let (blocks, todo) = sync_channel::<Vec<u8>>(QUEUE);
        let (done, members) = sync_channel(QUEUE);
        let thread = thread::Builder::new().name("gzip".into()).spawn(move || {
            for block in todo {
                if done.send(member(&block)).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self {
            blocks: Some(blocks),
            members,
            thread: Some(thread),
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.blocks = None;
        // The worker's next send fails, since there is no receiver, and the worker ends.
        let (_, nobody) = sync_channel(0);
        self.members = nobody;
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

fn member(block: &[u8]) -> io::Result<Vec<u8>> {
    let header = GzBuilder::new().mtime(0).operating_system(OPERATING_SYSTEM);
    let mut encoder: GzEncoder<Vec<u8>> = header.write(Vec::with_capacity(BLOCK / 4), LEVEL);
    encoder.write_all(block)?;
    encoder.finish()
}

fn ended() -> io::Error {
    io::Error::other("a compressing thread ended early")
}
