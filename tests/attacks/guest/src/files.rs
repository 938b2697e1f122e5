//! Attempts to read files of the workspace that the step was not granted.

use std::collections::BTreeSet;

use sidestep::workspace::{self, PackOptions};
use sidestep::{Error, Result, Step};

use crate::Inputs;

/// The maximum number of bytes to read of a file.
const MOST: u64 = 1 << 20;

pub(crate) fn run(_: &Step, inputs: &Inputs) -> Option<Result<String>> {
    let said: fn(&str, u64) -> BTreeSet<String> = match inputs.act.as_str() {
        // Packs each path, `count` times.
        "files.pack" => |path, count| (0..count.max(1)).map(|_| packed(path)).collect(),
        // Reads each path, `count` times.
        "files.read" => |path, count| (0..count.max(1)).map(|_| read(path)).collect(),
        _ => return None,
    };
    // The failure's message lists the findings, so that every reporter shows them.
    let found: Vec<String> = inputs
        .texts
        .iter()
        .flat_map(|path| said(path, inputs.count))
        .collect();
    Some(Err(Error::failed("attacker.found", found.join(" | "))))
}

fn packed(path: &str) -> String {
    match workspace::pack(&PackOptions::new(path)) {
        Ok(packed) => {
            let files: Vec<_> = packed.largest.iter().map(|file| &*file.path).collect();
            format!("packed {}", files.join(" "))
        }
        Err(error) => error.message.replace(path, "PATH"),
    }
}

fn read(path: &str) -> String {
    match workspace::read(path, MOST) {
        Ok(bytes) => format!("read {}", String::from_utf8_lossy(&bytes)),
        Err(error) => error.code,
    }
}
