//! Views of a text: the text with its escapes decoded and its invisible characters dropped.
//!
//! Secrets are searched for in the views and masked in the text itself, so that a text without a
//! secret passes unchanged, with its colours and line ends.

mod decoder;
mod escapes;
mod invisible;
mod read;
mod terminal;

use decoder::Decoder;
use terminal::Terminal;

pub(super) use invisible::visible;

/// One byte of a view, and the bytes of the text that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) byte: u8,
    pub(super) from: u64,
    pub(super) to: u64,
}

/// Creates a view of a text, a byte at a time.
#[derive(Debug, Clone)]
pub(super) struct View(Vec<Stage>);

#[derive(Debug, Clone)]
enum Stage {
    Decoder(Decoder),
    Terminal(Terminal),
}

impl View {
    /// Returns the views in which a secret is searched for. The first drops only invisible
    /// characters.
    pub(super) fn all() -> Vec<Self> {
        let decoders: [fn() -> Decoder; 2] = [Decoder::backslashes, Decoder::percents];
        let mut views = vec![
            Self::new(vec![]),
            Self::new(vec![Stage::Terminal(Terminal::default())]),
            Self::decoded(&[]),
        ];
        for outer in decoders {
            views.push(Self::decoded(&[outer]));
            views.extend(decoders.map(|inner| Self::decoded(&[outer, inner])));
        }
        views
    }

    /// Returns the view of the text as this program's log lines show it, without colours, decoded
    /// layer by layer.
    fn decoded(layers: &[fn() -> Decoder]) -> Self {
        let mut stages = vec![Stage::Decoder(Decoder::colours())];
        if !layers.is_empty() {
            // Invisible characters are dropped between the characters of an escape, too.
            stages.push(Stage::Decoder(Decoder::invisible()));
        }
        stages.extend(layers.iter().map(|layer| Stage::Decoder(layer())));
        Self::new(stages)
    }

    fn new(mut stages: Vec<Stage>) -> Self {
        stages.push(Stage::Decoder(Decoder::invisible()));
        Self(stages)
    }

    /// Accepts the text's next byte; `see` gets the resulting bytes of the view.
    pub(super) fn push(&mut self, unit: Unit, see: &mut dyn FnMut(Unit)) {
        pass(&mut self.0, unit, see);
    }

    /// Ends the text: undecided bytes stand for themselves.
    pub(super) fn finish(&mut self, see: &mut dyn FnMut(Unit)) {
        let mut stages = self.0.as_mut_slice();
        while let Some((stage, rest)) = stages.split_first_mut() {
            if let Stage::Decoder(decoder) = stage {
                decoder.finish(&mut |unit| pass(rest, unit, see));
            }
            stages = rest;
        }
    }

    /// Returns the offset in the text of the first undecided byte.
    pub(super) fn undecided(&self) -> Option<u64> {
        let stages = self.0.iter().filter_map(|stage| match stage {
            Stage::Decoder(decoder) => decoder.undecided(),
            Stage::Terminal(_) => None,
        });
        stages.min()
    }

    /// Returns whether it is outside of any escape or sequence, so that an ordinary byte passes
    /// unchanged.
    pub(super) fn is_idle(&self) -> bool {
        self.0.iter().all(|stage| match stage {
            Stage::Decoder(decoder) => decoder.undecided().is_none(),
            Stage::Terminal(terminal) => terminal.is_idle(),
        })
    }
}

/// The effect of a byte on all idle views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alike {
    /// They show it.
    Shown,
    /// They drop it.
    Dropped,
    /// They differ: an escape, a sequence or an invisible character may begin.
    No,
}

/// Returns the effect of a byte on all idle views.
pub(super) fn alike(byte: u8) -> Alike {
    match byte {
        b'\\' | b'%' | 0x1b => Alike::No,
        0x20..=0x7e | 0x80..=0xbf => Alike::Shown,
        0x00..=0x1f | 0x7f => Alike::Dropped,
        _ if invisible::begins_only_visible(byte) => Alike::Shown,
        _ => Alike::No,
    }
}

fn pass(stages: &mut [Stage], unit: Unit, see: &mut dyn FnMut(Unit)) {
    match stages.split_first_mut() {
        None => see(unit),
        Some((Stage::Decoder(decoder), rest)) => {
            decoder.push(unit, &mut |unit| pass(rest, unit, see));
        }
        Some((Stage::Terminal(terminal), rest)) => {
            if terminal.shows(unit.byte) {
                pass(rest, unit, see);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(view: &mut View, text: &str) -> String {
        let mut seen = Vec::new();
        for (from, byte) in (0..).zip(text.bytes()) {
            let unit = Unit {
                byte,
                from,
                to: from + 1,
            };
            view.push(unit, &mut |unit| seen.push(unit.byte));
        }
        view.finish(&mut |unit| seen.push(unit.byte));
        String::from_utf8_lossy(&seen).into_owned()
    }

    #[test]
    fn views_drop_what_is_not_seen() {
        let text = "a\0b\u{1b}[31mc\r\n\u{202e}d\u{7f}\u{85}e\u{1b}]0;title\u{7}f\tgé\u{ad}日";
        let [mut plain, mut terminal, mut lines, ..] = View::all()
            .try_into()
            .unwrap_or_else(|views: Vec<View>| -> [View; 9] { panic!("{} views", views.len()) });
        assert_eq!(seen(&mut plain, text), "ab[31mcde]0;titlefgé日");
        assert_eq!(seen(&mut terminal, text), "abcdefgé日");
        assert_eq!(seen(&mut lines, text), "abcde]0;titlefgé日");
        assert_eq!(seen(&mut lines.clone(), "a\u{1b}[3"), "a[3");
    }

    #[test]
    fn views_decode_two_layers() {
        type Layers<'a> = &'a [fn() -> Decoder];
        let backslashes: fn() -> Decoder = Decoder::backslashes;
        let percents: fn() -> Decoder = Decoder::percents;
        let table: [(Layers<'_>, &str, &str); 12] = [
            (
                &[backslashes],
                r#"\"\\\/\u00e9\ud83d\ude00\x41"#,
                "\"\\/é😀A",
            ),
            (&[backslashes], r"a\nb\u0000c\u202ed", "abcd"),
            (
                &[backslashes],
                r"C:\hunter\u12 \x4 \",
                r"C:\hunter\u12 \x4 \",
            ),
            (
                &[backslashes],
                r"\ud83dx\ud83d\n\udc00",
                "\u{fffd}x\u{fffd}\u{fffd}",
            ),
            (&[percents], "%41%2f%2F%c3%a9%00", "A//é"),
            (&[percents], "100% %4 %zz %%41 %", "100% %4 %zz %A %"),
            (&[percents, percents], "%2541", "A"),
            (&[backslashes, backslashes], r"\\u0041", "A"),
            (&[backslashes, percents], r"\u002541", "A"),
            (&[percents, backslashes], "%5Cu0041", "A"),
            (&[percents], "%\u{0}4\u{1b}[1m1", "A"),
            (&[backslashes, backslashes], r"\u005cu0041", "A"),
        ];
        for (layers, text, expected) in table {
            assert_eq!(seen(&mut View::decoded(layers), text), expected, "{text}");
        }
    }

    #[test]
    fn idle_views_make_the_same_of_most_bytes() {
        for view in &mut View::all() {
            for control in (0..=0x7f).filter(|byte| alike(*byte) == Alike::Dropped) {
                let text = char::from(control).to_string();
                assert_eq!(seen(view, &text), "", "{control:x}");
                assert!(view.is_idle(), "{control:x}");
            }
            for lead in (0..=255).filter(|byte| alike(*byte) == Alike::Shown) {
                // The character with the smallest, and with the largest continuation.
                for next in [0x80, 0xbf] {
                    let bytes = [lead, next, next, next];
                    let length = match lead {
                        0..0x80 => 1,
                        0x80..0xe0 => 2,
                        0xe0..0xf0 => 3,
                        0xf0.. => 4,
                    };
                    let Ok(text) = std::str::from_utf8(&bytes[..length]) else {
                        continue;
                    };
                    assert_eq!(seen(view, text), text, "{lead:x}");
                    assert!(view.is_idle(), "{lead:x}");
                }
            }
        }
    }
}
