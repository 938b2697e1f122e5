//! The step's log.
//!
//! ```no_run
//! let (count, file) = (3, "big.bin");
//! sidestep::info!("packed {count} files");
//! sidestep::warn!(path = file, size = 1 << 30; "large file");
//! ```

use crate::bindings::sidestep::step::runtime;

pub use crate::bindings::sidestep::step::runtime::Level;

/// Writes a line with fields; the macros are shorter.
///
/// # Examples
///
/// ```no_run
/// use sidestep::log::{self, Level};
///
/// log::write(Level::Info, "packed", &[("files", 3.to_string())]);
/// ```
pub fn write(level: Level, message: &str, fields: &[(&str, String)]) {
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| runtime::Field {
            name: (*name).to_owned(),
            value: value.clone(),
        })
        .collect();
    runtime::log(level, message, &fields);
}

/// Writes a line at a level: fields, a semicolon, and the arguments of `format!`.
///
/// # Examples
///
/// ```no_run
/// sidestep::log!(sidestep::log::Level::Info, files = 3; "packed {}", "api");
/// ```
#[macro_export]
macro_rules! log {
    ($level:expr, $($name:ident = $value:expr),+ ; $($message:tt)+) => {
        $crate::log::write(
            $level,
            &::std::format!($($message)+),
            &[$((::std::stringify!($name), ::std::string::ToString::to_string(&$value))),+],
        )
    };
    ($level:expr, $($message:tt)+) => {
        $crate::log::write($level, &::std::format!($($message)+), &[])
    };
}

/// Writes a line for debugging the plugin.
///
/// # Examples
///
/// ```no_run
/// sidestep::debug!("read {} bytes", 512);
/// ```
#[macro_export]
macro_rules! debug {
    ($($line:tt)+) => { $crate::log!($crate::log::Level::Debug, $($line)+) };
}

/// Writes a line for readers of the log.
///
/// # Examples
///
/// ```no_run
/// sidestep::info!(files = 3; "packed");
/// ```
#[macro_export]
macro_rules! info {
    ($($line:tt)+) => { $crate::log!($crate::log::Level::Info, $($line)+) };
}

/// Writes a line about a problem that does not stop the step.
///
/// # Examples
///
/// ```no_run
/// sidestep::warn!(path = "big.bin"; "large file");
/// ```
#[macro_export]
macro_rules! warn {
    ($($line:tt)+) => { $crate::log!($crate::log::Level::Warn, $($line)+) };
}

/// Writes a line about an error.
///
/// # Examples
///
/// ```no_run
/// sidestep::error!("the upload failed");
/// ```
#[macro_export]
macro_rules! error {
    ($($line:tt)+) => { $crate::log!($crate::log::Level::Error, $($line)+) };
}
