//! The filter of the log.

use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

/// The prefix of the names of our crates.
const OURS: &str = "sidestep";

/// The filter of the log: levels for our crates, and for others by name.
///
/// `debug` is a level for our crates only. `hyper=trace` names another crate, and `*=trace` all of
/// them: libraries that carry credentials print headers and bodies at `trace`, so a level without a
/// name raises none of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Targets);

/// A text that is not a valid filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither a level (off, error, warn, info, debug, trace) nor NAME=LEVEL with the name \
     of a crate or module, or `*`"
)]
pub struct WrongFilter(String);

impl Filter {
    /// Logs all messages of our crates, and warnings of others.
    pub fn ours() -> Self {
        Self::of_others().with(OURS, LevelFilter::TRACE)
    }

    /// Adds the levels in a text: levels and `NAME=LEVEL`, separated by commas.
    ///
    /// # Errors
    /// When a part of it is neither.
    pub fn and(mut self, text: &str) -> Result<Self, WrongFilter> {
        for part in text.split(',').map(str::trim) {
            let wrong = || WrongFilter(part.to_owned());
            let level = |text: &str| match text.trim() {
                // The library reads an empty text as `error`.
                "" => Err(wrong()),
                text => LevelFilter::from_str(text).map_err(|_| wrong()),
            };
            self = match part.split_once('=') {
                _ if part.is_empty() => self,
                None => self.with(OURS, level(part)?),
                Some(("*", level_of)) => Self(self.0.with_default(level(level_of)?)),
                Some((name, level_of)) if is_name(name.trim()) => {
                    self.with(name.trim(), level(level_of)?)
                }
                Some(_) => return Err(wrong()),
            };
        }
        Ok(self)
    }

    pub(crate) fn targets(self) -> Targets {
        self.0
    }

    fn of_others() -> Self {
        Self(Targets::new().with_default(LevelFilter::WARN))
    }

    fn with(self, name: &str, level: LevelFilter) -> Self {
        Self(self.0.with_target(name.replace('-', "_"), level))
    }
}

/// Returns whether a text can name a crate or a module of one, by its path or its package.
fn is_name(text: &str) -> bool {
    let part = |part: &str| {
        let mut characters = part.chars();
        characters
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    text.split("::").all(part)
}

impl FromStr for Filter {
    type Err = WrongFilter;

    fn from_str(text: &str) -> Result<Self, WrongFilter> {
        Self::of_others().and(text)
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    fn logs(filter: &Filter, target: &str, level: Level) -> bool {
        filter.0.would_enable(target, &level)
    }

    #[test]
    fn a_bare_level_raises_our_crates_alone() {
        for filter in [Filter::ours(), "trace".parse().expect("a filter")] {
            assert!(logs(&filter, "sidestep_capabilities::google", Level::TRACE));
            assert!(logs(&filter, "sidestep", Level::TRACE));
            for library in [
                "hyper",
                "h2",
                "rustls",
                "reqwest",
                "kube_client",
                "google_cloud_gax",
            ] {
                assert!(logs(&filter, library, Level::WARN), "{library}");
                assert!(!logs(&filter, library, Level::INFO), "{library}");
            }
        }
    }

    #[test]
    fn others_are_raised_by_name() {
        let filter: Filter = "info, google-cloud-auth=debug,h2::codec=trace"
            .parse()
            .expect("a filter");
        assert!(!logs(&filter, "sidestep_host", Level::DEBUG));
        assert!(logs(&filter, "google_cloud_auth::sts", Level::DEBUG));
        assert!(logs(&filter, "h2::codec::framed_read", Level::TRACE));
        assert!(!logs(&filter, "h2::proto", Level::INFO));
        let all: Filter = "*=trace".parse().expect("a filter");
        assert!(logs(&all, "rustls::conn", Level::TRACE));
    }

    #[test]
    fn what_is_no_filter_is_named() {
        for text in [
            "loud",
            "hyper=",
            "=trace",
            "a b=trace",
            "info,h2=much",
            "::x=info",
        ] {
            let wrong = text.parse::<Filter>().expect_err(text).to_string();
            let part = text.trim_start_matches("info,");
            assert!(
                wrong.starts_with(&format!("`{part}` is neither")),
                "{wrong}"
            );
        }
        assert!("".parse::<Filter>().is_ok());
    }
}
