//! kaniko's own last error, as opposed to everything that its builds printed.

use sidestep::kubernetes::Pattern;
use sidestep_kaniko_messages::{FinalLine, PATTERNS};

/// Returns the lines that the host is asked to look for.
pub(crate) fn patterns() -> Vec<Pattern> {
    let pattern = |(id, regex): &(&str, &str)| Pattern {
        id: (*id).to_owned(),
        regex: (*regex).to_owned(),
    };
    PATTERNS.iter().map(pattern).collect()
}

/// The last line that may be kaniko's final error.
#[derive(Debug, Default)]
pub(crate) struct Printed(Option<FinalLine>);

impl Printed {
    /// Takes a line that matched; it takes the place of an earlier one.
    pub(crate) fn add(&mut self, text: &str) {
        if let Some(line) = FinalLine::read(text) {
            self.0 = Some(line);
        }
    }

    /// Returns kaniko's final error; `None` if it ended without one. A resumed step may have missed
    /// the line, so the log's end is searched too.
    pub(crate) fn final_line(&self, tail: &str, exit: i64) -> Option<FinalLine> {
        let line = self.0.clone().or_else(|| FinalLine::last(tail))?;
        let is_final = line.fits(exit) && line.ends(tail);
        is_final.then(|| line.with_rest(tail))
    }
}

#[cfg(test)]
mod tests {
    use sidestep_kaniko_messages::Phase;

    use super::*;

    const OWN: &str = "error pushing image: failed to push";

    #[test]
    fn the_last_line_counts_and_only_with_its_exit_code() {
        let mut printed = Printed::default();
        printed.add("error building image: storage: object doesn't exist");
        printed.add(OWN);
        let line = printed.final_line("", 1).expect("kaniko's own");
        assert_eq!((line.phase, line.cause()), (Phase::Push, "failed to push"));
        assert_eq!(printed.final_line("", 137), None);
    }

    #[test]
    fn a_line_that_an_earlier_incarnation_saw_is_found_in_the_log_s_end() {
        let tail = format!("INFO[0001] Pushing\n{OWN}\n");
        let line = Printed::default().final_line(&tail, 1);
        assert_eq!(line.expect("kaniko's own").phase, Phase::Push);
    }
}
