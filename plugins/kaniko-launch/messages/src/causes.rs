//! The causes that have an answer: the more specific before the less specific.

mod context;
mod dockerfile;
mod google;
mod network;
mod registry;

use crate::cause::Cause;
use crate::kind::Kind;
use crate::phase::Phase::{
    self, Build, Context, Crash, Dockerfile, Fatal, Flags, Push, PushCheck, Start,
};

/// The phases that use an identity: those that call Google.
const REMOTE: &[Phase] = &[Context, PushCheck, Build, Push];
const IN_CONTEXT: &[Phase] = &[Context];
const IN_BUILD: &[Phase] = &[Build];
const PUSHING: &[Phase] = &[PushCheck, Push];
const REGISTRY: &[Phase] = &[PushCheck, Build, Push];
const ANY: &[Phase] = &[
    Context, Dockerfile, Flags, PushCheck, Build, Push, Start, Fatal, Crash,
];

const fn cause(within: &'static [Phase], kind: Kind, words: &'static str) -> Cause {
    Cause {
        within,
        words,
        kind,
    }
}

const PARTS: [&[Cause]; 5] = [
    google::CAUSES,
    registry::CAUSES,
    dockerfile::CAUSES,
    context::CAUSES,
    network::CAUSES,
];
const COUNT: usize = {
    let mut count = 0;
    let mut part = 0;
    while part < PARTS.len() {
        count += PARTS[part].len();
        part += 1;
    }
    count
};

/// Every cause that has an answer, in the order in which they are tried.
pub static CAUSES: [&Cause; COUNT] = {
    let mut all = [&PARTS[0][0]; COUNT];
    let (mut part, mut next) = (0, 0);
    while part < PARTS.len() {
        let mut row = 0;
        while row < PARTS[part].len() {
            all[next] = &PARTS[part][row];
            next += 1;
            row += 1;
        }
        part += 1;
    }
    all
};

/// Final lines as kaniko prints them, each with the container's exit code and what it means: at
/// least one for every cause.
pub static EXAMPLES: &[&[(&str, i64, Kind)]] = &[
    google::EXAMPLES,
    registry::EXAMPLES,
    dockerfile::EXAMPLES,
    context::EXAMPLES,
    network::EXAMPLES,
];
