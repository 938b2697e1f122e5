use super::{
    clean::{clean, trim},
    pattern::{InvalidPattern, Pattern},
};

/// Ordered patterns, which decide like Docker's walk of a context.
#[derive(Debug, Default)]
pub struct Rules {
    patterns: Vec<Pattern>,
    rules: Vec<Rule>,
    /// Whether an exception has a wildcard before its end, so that Docker reads every excluded
    /// folder.
    wild_exceptions: bool,
    /// Whether every pattern compiles.
    whole: bool,
}

/// A pattern and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The line in the ignore file, counted from 1.
    pub line: usize,
    /// The pattern, cleaned, with its `!`.
    pub text: String,
}

/// The rules' decision about a path.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether the path is excluded.
    pub ignored: bool,
    /// The index in [`Rules::rules`] of the deciding pattern; `None` if none matched.
    pub rule: Option<usize>,
}

/// The error for an invalid pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {}: `{}`: {problem}", rule.line, rule.text)]
pub struct BadRule {
    /// The pattern.
    pub rule: Rule,
    /// The reason why it is invalid.
    pub problem: InvalidPattern,
}

/// The patterns that matched a folder or one above it, which its content inherits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inherited(Vec<bool>);

impl Rules {
    /// Checks patterns, each with its line. They are trimmed and cleaned again, as in the
    /// reference, and empty ones are skipped.
    pub fn new<'p>(patterns: impl IntoIterator<Item = (usize, &'p [u8])>) -> Result<Self, BadRule> {
        let mut rules = Self {
            whole: true,
            ..Self::default()
        };
        for (line, pattern) in patterns {
            let trimmed = trim(pattern);
            if trimmed.is_empty() {
                continue;
            }
            let text = clean(trimmed);
            let rule = Rule {
                line,
                text: String::from_utf8_lossy(&text).into_owned(),
            };
            match Pattern::new(&text) {
                Ok(pattern) => {
                    rules.wild_exceptions |= pattern.exclusion && pattern.is_wild();
                    rules.whole &= pattern.compiles();
                    rules.patterns.push(pattern);
                }
                Err(problem) => return Err(BadRule { rule, problem }),
            }
            rules.rules.push(rule);
        }
        Ok(rules)
    }

    /// Returns the patterns in order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Decides about a path as Docker's walk does when it reaches it, folder by folder (the path is
    /// cleaned first; `.` is never excluded). An error is a pattern that does not compile, which
    /// the reference too finds only when it first uses it.
    pub fn decide(&self, path: &[u8]) -> Result<Decision, BadRule> {
        let path = clean(path);
        if path == b"." {
            return Ok(Decision::default());
        }
        let mut above = Inherited::default();
        for (at, _) in path.iter().enumerate().filter(|&(_, &b)| b == b'/') {
            let folder = &path[..at];
            let (decision, inherited) = self.decide_in(folder, &above)?;
            if decision.ignored && self.closes(folder) {
                return Ok(decision);
            }
            above = inherited;
        }
        Ok(self.decide_in(&path, &above)?.0)
    }

    /// Decides about an entry of a folder, and returns the state that its own content inherits:
    /// `MatchesUsingParentResults` of moby/patternmatcher. `above` is the state that the folder's
    /// content inherits; that of the root is [`Inherited::default`].
    pub fn decide_in(
        &self,
        path: &[u8],
        above: &Inherited,
    ) -> Result<(Decision, Inherited), BadRule> {
        let mut decision = Decision::default();
        let mut matches = vec![false; self.patterns.len()];
        for (index, pattern) in self.patterns.iter().enumerate() {
            let changes = pattern.exclusion == decision.ignored;
            let matched = if above.0.get(index) == Some(&true) {
                true
            } else if changes {
                pattern.matches(path).map_err(|problem| BadRule {
                    rule: self.rules[index].clone(),
                    problem,
                })?
            } else {
                // Not matched, and so not inherited either: an exception that changes nothing for a
                // folder has no effect on its content.
                false
            };
            matches[index] = matched;
            if matched && changes {
                decision = Decision {
                    ignored: !pattern.exclusion,
                    rule: Some(index),
                };
            }
        }
        Ok((decision, Inherited(matches)))
    }

    /// Returns whether Docker's walk skips an excluded folder: no exception begins with its path,
    /// and none has a wildcard other than `/*` or `/**` at its end (`filterFS.Walk` of
    /// tonistiigi/fsutil).
    pub fn closes(&self, folder: &[u8]) -> bool {
        let mut exceptions = self.patterns.iter().filter(|pattern| pattern.exclusion);
        let below = [folder, b"/"].concat();
        !self.wild_exceptions
            && !exceptions.any(|pattern| {
                [pattern.without_trailing_wildcards(), b"/"]
                    .concat()
                    .starts_with(&below)
            })
    }

    /// Returns whether kaniko excludes a path of its unpacked context from a `COPY`: `Matches` of
    /// moby/patternmatcher, which is deprecated because it matches each pattern against a single
    /// folder above the path. A pattern that does not compile excludes nothing.
    pub fn kaniko_excludes(&self, path: &[u8]) -> bool {
        let path = clean(path);
        if path == b"." {
            return false;
        }
        let folders: Vec<usize> = (0..path.len()).filter(|&at| path[at] == b'/').collect();
        let mut excluded = false;
        for pattern in &self.patterns {
            if pattern.exclusion != excluded {
                continue;
            }
            let Ok(matched) = pattern.matches(&path) else {
                return false;
            };
            // An absolute path has an empty first part.
            let above = folders.get(pattern.parts() - 1);
            if matched || above.is_some_and(|&at| pattern.matches(&path[..at]).unwrap_or(false)) {
                excluded = !pattern.exclusion;
            }
        }
        excluded
    }

    /// Returns whether anything below an excluded folder may be re-included, so that the folder has
    /// to be read. It may return true too often.
    pub fn may_reinclude_below(&self, folder: &[u8], decision: Decision) -> bool {
        if self.closes(folder) {
            return false;
        }
        // A pattern that does not compile stops Docker wherever it is first used.
        if !self.whole {
            return true;
        }
        let from = decision.rule.map_or(0, |rule| rule + 1);
        let mut later = self
            .patterns
            .iter()
            .skip(from)
            .filter(|pattern| pattern.exclusion);
        later.any(|pattern| pattern.may_match_below(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(patterns: &[&str]) -> Rules {
        Rules::new(
            patterns
                .iter()
                .enumerate()
                .map(|(n, p)| (n + 1, p.as_bytes())),
        )
        .unwrap()
    }

    #[test]
    fn the_last_that_matches_decides_and_is_named() {
        let rules = rules(&["*", "!src", "src/*.tmp", "!src/keep.tmp"]);
        let decide = |path: &str| rules.decide(path.as_bytes()).unwrap();
        assert_eq!(
            decide("a"),
            Decision {
                ignored: true,
                rule: Some(0)
            }
        );
        assert_eq!(
            decide("src/a"),
            Decision {
                ignored: false,
                rule: Some(1)
            }
        );
        assert_eq!(
            decide("src/a.tmp"),
            Decision {
                ignored: true,
                rule: Some(2)
            }
        );
        assert_eq!(
            decide("src/keep.tmp"),
            Decision {
                ignored: false,
                rule: Some(3)
            }
        );
        assert_eq!(
            decide("."),
            Decision {
                ignored: false,
                rule: None
            }
        );
    }

    #[test]
    fn an_exception_that_changes_nothing_for_a_folder_is_not_inherited() {
        let rules = rules(&["**/secrets", "**/dist", "!config", "!packages"]);
        let line = |path: &[u8]| rules.decide(path).map(|found| (found.ignored, found.rule));
        assert_eq!(line(b"config"), Ok((false, None)));
        assert_eq!(line(b"config/app.yaml"), Ok((false, None)));
        assert_eq!(line(b"config/secrets/key.pem"), Ok((true, Some(0))));
        assert_eq!(line(b"packages/a/dist/x.js"), Ok((true, Some(1))));
        // kaniko matches `!config` against the folder above.
        assert!(!rules.kaniko_excludes(b"config/secrets/key.pem"));
    }

    #[test]
    fn an_exception_that_took_a_folder_back_takes_its_content_back() {
        let rules = rules(&["*", "!src", "**/b"]);
        assert!(!rules.decide(b"src/a").unwrap().ignored);
        assert_eq!(rules.decide(b"src/b/c").unwrap().rule, Some(2));
    }

    #[test]
    fn below_a_folder_where_docker_turns_back_nothing_is_taken_back() {
        let rules = rules(&["**/d", "!x/*/**"]);
        assert!(!rules.closes(b"x") && rules.closes(b"x/d"));
        let decision = rules.decide(b"x/d/f").unwrap();
        assert!(decision.ignored && decision.rule == Some(0));
    }

    #[test]
    fn kaniko_asks_a_pattern_about_one_folder_only() {
        let rules = rules(&["*", "!**/.cargo/"]);
        assert!(!rules.decide(b".cargo/config.toml").unwrap().ignored);
        assert!(rules.kaniko_excludes(b".cargo/config.toml"));
    }

    #[test]
    fn only_a_later_exception_keeps_a_folder_open() {
        let rules = rules(&["!**/*.md", "node_modules", "docs", "!docs/a.md"]);
        let open = |path: &[u8]| rules.may_reinclude_below(path, rules.decide(path).unwrap());
        assert!(!open(b"node_modules"));
        assert!(open(b"docs"));
    }

    #[test]
    fn a_bad_pattern_is_named_with_its_line() {
        let error = Rules::new([(3, &b"a"[..]), (7, b"[")]).unwrap_err();
        assert_eq!((error.rule.line, &error.rule.text[..]), (7, "["));
        let error = rules(&["a", "b*["]).decide(b"x").unwrap_err();
        assert_eq!(error.rule.line, 2);
    }
}
