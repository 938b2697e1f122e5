use super::{
    clean::{clean, trim},
    pattern::{InvalidPattern, Pattern},
};

/// Patterns in their order: a path is left out when the last of them that
/// matches it, or a folder above it, has no `!`.
#[derive(Debug, Default)]
pub struct Rules {
    patterns: Vec<Pattern>,
    rules: Vec<Rule>,
}

/// A pattern and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its line in the ignore file, counted from 1.
    pub line: usize,
    /// The pattern, cleaned, with its `!`.
    pub text: String,
}

/// What the rules say of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether the path is left out.
    pub ignored: bool,
    /// The place, in [`Rules::rules`], of the pattern that decided; `None` where
    /// none matched.
    pub rule: Option<usize>,
}

/// A pattern of the rules is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {}: `{}`: {problem}", rule.line, rule.text)]
pub struct BadRule {
    /// The pattern.
    pub rule: Rule,
    /// What is wrong with it.
    pub problem: InvalidPattern,
}

/// Which patterns match a folder or one above it: what its content inherits.
#[derive(Debug, Clone, Default)]
pub struct Inherited(Vec<bool>);

impl Rules {
    /// Checks patterns, each with its line. Trims and cleans them again, as the
    /// reference does, and leaves out empty ones.
    pub fn new<'p>(patterns: impl IntoIterator<Item = (usize, &'p [u8])>) -> Result<Self, BadRule> {
        let mut rules = Self::default();
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
                Ok(pattern) => rules.patterns.push(pattern),
                Err(problem) => return Err(BadRule { rule, problem }),
            }
            rules.rules.push(rule);
        }
        Ok(rules)
    }

    /// The patterns in order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Decides about a path (cleaned first; `.` is never left out). An error is
    /// a pattern that turns out not to compile, which the reference too only
    /// finds when it gets to it.
    pub fn decide(&self, path: &[u8]) -> Result<Decision, BadRule> {
        let path = clean(path);
        if path == b"." {
            return Ok(Decision {
                ignored: false,
                rule: None,
            });
        }
        let slashes = path
            .iter()
            .enumerate()
            .filter(|&(_, &b)| b == b'/')
            .map(|(at, _)| at);
        let mut above: Vec<&[u8]> = slashes.map(|at| &path[..at]).collect();
        if above.last() == Some(&&b""[..]) {
            above.push(b"/");
        }
        self.walk(&path, |_, pattern| {
            above
                .iter()
                .any(|folder| pattern.matches(folder).unwrap_or(false))
        })
    }

    /// The same decision for content of a folder of which [`Rules::inherit`] is
    /// known: cheaper, as nothing above is looked at again.
    pub fn decide_in(&self, path: &[u8], folder: &Inherited) -> Result<Decision, BadRule> {
        self.walk(path, |index, _| folder.0.get(index) == Some(&true))
    }

    fn walk(
        &self,
        path: &[u8],
        above: impl Fn(usize, &Pattern) -> bool,
    ) -> Result<Decision, BadRule> {
        let mut decision = Decision {
            ignored: false,
            rule: None,
        };
        for (index, pattern) in self.patterns.iter().enumerate() {
            // One that would change nothing is not asked.
            if pattern.exclusion != decision.ignored {
                continue;
            }
            let matched = pattern.matches(path).map_err(|problem| BadRule {
                rule: self.rules[index].clone(),
                problem,
            })?;
            if matched || above(index, pattern) {
                decision = Decision {
                    ignored: !pattern.exclusion,
                    rule: Some(index),
                };
            }
        }
        Ok(decision)
    }

    /// What the content of `folder` inherits, given what the folder inherits.
    pub fn inherit(&self, folder: &[u8], above: &Inherited) -> Inherited {
        let matched = self.patterns.iter().enumerate().map(|(index, pattern)| {
            above.0.get(index) == Some(&true) || pattern.matches(folder).unwrap_or(false)
        });
        Inherited(matched.collect())
    }

    /// Whether anything below a folder that is left out may be taken back in,
    /// so that it has to be looked at. It may say yes too often.
    pub fn may_reinclude_below(&self, folder: &[u8], decision: Decision) -> bool {
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
    fn a_folder_takes_its_content_along() {
        let rules = rules(&["*/b", "!a"]);
        // `!a` is about a folder above, though it did nothing for the folder itself.
        assert!(!rules.decide(b"a/b").unwrap().ignored);
        let inherited = rules.inherit(b"a", &Inherited::default());
        assert_eq!(rules.decide_in(b"a/b", &inherited), rules.decide(b"a/b"));
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
