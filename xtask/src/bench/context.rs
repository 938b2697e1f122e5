//! Packing a build context, compared with tar and gzip, and tar and pigz.

use std::fs;
use std::path::Path;

use super::sample::in_turn;
use super::table::Row;
use super::workbench::{Workbench, to_end};
use super::{Result, Round};

const FOLDERS: u32 = 40;
const FILES: u32 = 50;
/// One file in this many is not text.
const BINARY: u32 = 10;

/// Measures the archive of a generated tree.
pub(crate) fn measure(bench: &Workbench, rounds: usize) -> Result<Vec<Row>> {
    let tree = bench.folder.join("tree");
    let bytes = grow(&tree).map_err(|error| format!("cannot make {}: {error}", tree.display()))?;
    let shell = |line: &'static str| {
        move || {
            let mut command = bench.command("/bin/sh");
            // A pipeline returns the exit code of its last command, which would hide a missing
            // pigz.
            command.args(["-c", &format!("command -v pigz >&2 && {line}")]);
            to_end(command)
        }
    };
    let pack = || to_end(bench.sidestep(&["context", "pack", "tree", "-o", "ours.tar.gz"]));
    let things: Vec<Round<'_>> = vec![
        Box::new(pack),
        Box::new(|| {
            let mut command = bench.command("tar");
            command.args(["czf", "gzip.tar.gz", "tree"]);
            to_end(command)
        }),
        Box::new(shell("tar cf - tree | pigz >pigz.tar.gz")),
    ];
    let samples = in_turn(rounds, things);
    let size = |file: &str| fs::metadata(bench.folder.join(file)).map_or(0, |data| data.len());
    let row = Row::new(
        &format!(
            "`sidestep context pack`, {} files, {}",
            FOLDERS * FILES,
            mib(bytes)
        ),
        samples,
        &["tar czf", "tar | pigz"],
    )?;
    Ok(vec![row.with_note(format!(
        "the archives: sidestep {}, gzip {}, pigz {}; sidestep's also digests \
         every file",
        mib(size("ours.tar.gz")),
        mib(size("gzip.tar.gz")),
        mib(size("pigz.tar.gz"))
    ))])
}

fn mib(bytes: u64) -> String {
    let tenths = bytes * 10 / (1024 * 1024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// Creates a tree like a repository's: mostly text, from a small set of words. The tree is the same
/// every time.
fn grow(tree: &Path) -> std::io::Result<u64> {
    const WORDS: [&str; 16] = [
        "let", "return", "if", "request", "response", "builder", "context", "self", "None",
        "error", "value", "\n", "\n    ", "=", "{", "}",
    ];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        // Marsaglia's xorshift64.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut total = 0;
    for folder in 0..FOLDERS {
        let folder = tree.join(format!("module-{folder}"));
        fs::create_dir_all(&folder)?;
        for file in 0..FILES {
            let length = 4 * 1024 + usize::try_from(next() % (40 * 1024)).unwrap_or(0);
            let mut bytes = Vec::with_capacity(length + 16);
            while bytes.len() < length {
                let number = next();
                if file % BINARY == 0 {
                    bytes.extend(number.to_le_bytes());
                } else {
                    bytes.extend(WORDS[(number % 16) as usize].as_bytes());
                    bytes.push(b' ');
                    if number >> 60 == 0 {
                        bytes.extend(format!("{number:x}").bytes());
                    }
                }
            }
            total += bytes.len() as u64;
            fs::write(folder.join(format!("file-{file}.txt")), bytes)?;
        }
    }
    Ok(total)
}
