//! Whole runs with scripted steps: no plugin, no network.

mod budgets;
mod cancel;
mod course;
mod crowd;
mod detach;
mod killed;
mod late;
mod leftovers;
mod resume;
mod room;
mod script;
