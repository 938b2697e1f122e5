use super::clean::{clean, trim};

/// The length at which Docker's reader stops at a line, in bytes (Go's `bufio.Scanner`).
const LINE_LIMIT: usize = 64 * 1024;

/// A pattern of an ignore file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line number, counted from 1.
    pub number: usize,
    /// The pattern, cleaned, with its `!` if it has one.
    pub pattern: Vec<u8>,
}

/// The error for a line of an ignore file that is too long for Docker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {number} is longer than 64 KiB")]
pub struct LongLine {
    /// The line, counted from 1.
    pub number: usize,
}

/// Reads an ignore file. A byte order mark at its start, comments (`#` in the first column) and
/// blank lines are skipped. Patterns are trimmed and cleaned, and a leading `/` is removed, since
/// patterns are relative to the context's root anyway.
pub fn read(content: &[u8]) -> Result<Vec<Line>, LongLine> {
    let mut lines = Vec::new();
    for (index, line) in content.split(|&b| b == b'\n').enumerate() {
        let number = index + 1;
        if line.len() >= LINE_LIMIT {
            return Err(LongLine { number });
        }
        let line = match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if index == 0 => rest,
            _ => line,
        };
        if line.starts_with(b"#") {
            continue;
        }
        let text = trim(line);
        if text.is_empty() {
            continue;
        }
        let (mark, body) = match text.strip_prefix(b"!") {
            Some(body) => (&b"!"[..], trim(body)),
            None => (&b""[..], text),
        };
        let mut body = if body.is_empty() {
            Vec::new()
        } else {
            clean(body)
        };
        if body.len() > 1 && body[0] == b'/' {
            body.remove(0);
        }
        lines.push(Line {
            number,
            pattern: [mark, &body].concat(),
        });
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_docker_reads() {
        let lines =
            read(b"\xef\xbb\xbf# no\n  a/./b/ \r\n\n # yes\n! /x/../y\n/z\n!\n\xef\xbb\xbfq")
                .unwrap();
        let got: Vec<_> = lines
            .iter()
            .map(|line| {
                (
                    line.number,
                    String::from_utf8(line.pattern.clone()).unwrap(),
                )
            })
            .collect();
        let want = [
            (2, "a/b"),
            (4, "# yes"),
            (5, "!y"),
            (6, "z"),
            (7, "!"),
            (8, "\u{feff}q"),
        ];
        assert_eq!(got, want.map(|(n, s)| (n, s.to_owned())));
    }

    #[test]
    fn a_line_that_docker_refuses_is_named() {
        let line = |n: usize| [b"a\n".to_vec(), vec![b'x'; n], b"\n".to_vec()].concat();
        assert_eq!(read(&line(65_535)).unwrap().len(), 2);
        assert_eq!(read(&line(65_536)), Err(LongLine { number: 2 }));
    }
}
