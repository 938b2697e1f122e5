//! Times, sizes and quantities, with one grammar each.
//!
//! [`bytes`] and [`milliseconds`] parse the values in pipelines, settings and plugin inputs. A
//! [`Quantity`] is a value in a Kubernetes object: it accepts every size that [`bytes`] accepts,
//! and also fractions, signs, exponents and suffixes below one.

mod misfit;
mod quantity;
mod size;
mod time;

pub use misfit::Misfit;
pub use quantity::Quantity;
pub use size::{SIZE_PATTERN, bytes, shown_bytes};
pub use time::{TIME_PATTERN, milliseconds, shown_milliseconds};
