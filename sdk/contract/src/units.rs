//! Times, sizes and quantities: one grammar each.
//!
//! [`bytes`] and [`milliseconds`] read what pipelines, settings and plugins' inputs hold. A
//! [`Quantity`] is what Kubernetes' objects hold: it takes every size of [`bytes`], and also
//! fractions, signs, exponents and suffixes below one.

mod misfit;
mod quantity;
mod size;
mod time;

pub use misfit::Misfit;
pub use quantity::Quantity;
pub use size::{SIZE_PATTERN, bytes, shown_bytes};
pub use time::{TIME_PATTERN, milliseconds, shown_milliseconds};
