//! `--chmod`: octal, or symbolic as in chmod(1).

/// The set-id and permission bits.
const STANDARD: u32 = 0o6777;
const STICKY: u32 = 0o1000;

/// Changes to a file's mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mode(Vec<Change>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    /// The bits that may change.
    who: u32,
    op: char,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Bits(u32),
    /// Execution, if it is a folder or anyone may already execute it.
    Execution,
    /// The permissions of the user, the group or others: the shift of their bits from the last
    /// ones.
    As(u32),
}

impl Mode {
    /// Parses a mode. The error is that of kaniko's library for modes.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let go = |why: &str| format!("strconv.ParseInt: parsing {text:?}: {why}");
            if !text.chars().all(|c| ('0'..='7').contains(&c)) {
                return Err(go("invalid syntax"));
            }
            let bits = u32::from_str_radix(text, 8)
                .ok()
                .filter(|bits| *bits < 1 << 15)
                .ok_or_else(|| go("value out of range"))?;
            if bits & !(STANDARD | STICKY) != 0 {
                return Err("invalid syntax".to_owned());
            }
            return Ok(Self(vec![Change {
                who: STANDARD | STICKY,
                op: '=',
                what: What::Bits(bits),
            }]));
        }
        let clauses = text.split(',').map(clause);
        let changes = clauses.collect::<Option<Vec<_>>>();
        let changes = changes.ok_or_else(|| "invalid syntax".to_owned())?;
        Ok(Self(changes.concat()))
    }

    /// Returns the new mode of a file with this mode.
    pub fn apply(&self, mode: u32, is_folder: bool) -> u32 {
        let mut new = mode;
        for change in &self.0 {
            let bits = match change.what {
                What::Bits(bits) => bits,
                What::Execution if is_folder || mode & 0o111 != 0 => 0o111,
                What::Execution => 0,
                What::As(shift) => ((new >> shift) & 0o7) * 0o111,
            };
            let bits = bits & change.who;
            match change.op {
                '+' => new |= bits,
                '-' => new &= !bits,
                _ => new = (new & !change.who) | bits,
            }
        }
        new
    }
}

fn clause(text: &str) -> Option<Vec<Change>> {
    let ops = text.find(['+', '-', '='])?;
    let mut who = 0;
    for c in text[..ops].chars() {
        who |= match c {
            'a' => STANDARD,
            'u' => 0o4700,
            'g' => 0o2070,
            'o' => 0o007,
            _ => return None,
        };
    }
    let others_alone = who != 0 && who & !0o007 == 0;
    let who = if who == 0 { STANDARD } else { who };
    let mut changes = Vec::new();
    let mut rest = &text[ops..];
    while let Some(op) = rest.chars().next() {
        rest = &rest[1..];
        let end = rest.find(['+', '-', '=']).unwrap_or(rest.len());
        let (perms, after) = rest.split_at(end);
        rest = after;
        let (mut who, mut bits) = (who, 0);
        let mut more = Vec::new();
        for c in perms.chars() {
            match c {
                'r' => bits |= 0o444,
                'w' => bits |= 0o222,
                'x' => bits |= 0o111,
                'X' if op == '-' => bits |= 0o111,
                'X' => more.push(What::Execution),
                's' if others_alone => {}
                's' => bits |= 0o6000,
                't' if others_alone => {}
                't' => {
                    who |= STICKY;
                    bits |= STICKY;
                }
                'u' => more.push(What::As(6)),
                'g' => more.push(What::As(3)),
                'o' => more.push(What::As(0)),
                _ => return None,
            }
        }
        let first = Change {
            who,
            op,
            what: What::Bits(bits),
        };
        changes.push(first);
        let op = if op == '=' { '+' } else { op };
        changes.extend(more.into_iter().map(|what| Change { who, op, what }));
    }
    Some(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_chmods() {
        let apply = |text: &str, mode: u32| Mode::parse(text).expect(text).apply(mode, false);
        assert_eq!(apply("755", 0o644), 0o755);
        assert_eq!(apply("0755", 0o644), 0o755);
        assert_eq!(apply("+x", 0o644), 0o755);
        assert_eq!(apply("u+x,go-r", 0o644), 0o700);
        assert_eq!(apply("a=rX", 0o700), 0o555);
        assert_eq!(apply("g=u", 0o640), 0o660);
        assert_eq!(apply("u=rwx,go=rx", 0), 0o755);
        assert_eq!(Mode::parse("+X").expect("read").apply(0o644, true), 0o755);
        let why = |text: &str| Mode::parse(text).expect_err(text);
        assert_eq!(why("rwx"), "invalid syntax");
        assert_eq!(why("u+q"), "invalid syntax");
        assert_eq!(why(""), "invalid syntax");
        assert_eq!(
            why("888"),
            "strconv.ParseInt: parsing \"888\": invalid syntax"
        );
        assert_eq!(
            why("77777777"),
            "strconv.ParseInt: parsing \"77777777\": value out of range"
        );
    }
}
