use proptest::prelude::*;
use serde_json::json;
use sidestep_gate_testing::{Kept, Record, step};
use sidestep_policy::Capability;

use super::*;

const SECRET: &str = "s3cr\u{e9}t-t\u{f6}ken";

fn outlet(secrets: &[&str]) -> (StepOutlet, Arc<Kept>) {
    let scope = json!([{ "cluster": "c", "namespace": "n" }]);
    let (step, kept) = step(Capability::Kubernetes, &scope);
    for secret in secrets {
        step.masks.add(secret).expect("maskable");
    }
    let positions = HashMap::new();
    (StepOutlet::new(step, "n/pod".to_owned(), &positions), kept)
}

/// Passes on a line in pieces that end at these positions, and returns the resulting lines.
fn said(outlet: &StepOutlet, kept: &Kept, line: &[u8], cuts: &[usize]) -> Vec<String> {
    let mut from = 0;
    let ends = cuts.iter().copied().chain([line.len()]);
    let count = cuts.len();
    for (index, end) in ends.enumerate() {
        let piece = Piece {
            stamp: jiff::Timestamp::UNIX_EPOCH,
            bytes: line[from..end].to_vec(),
            first: index == 0,
            end: end_of(index == count),
        };
        outlet.piece("main", &piece, Position::default());
        from = end;
    }
    lines(kept)
}

fn end_of(last: bool) -> LineEnd {
    if last { LineEnd::Feed } else { LineEnd::Open }
}

fn lines(kept: &Kept) -> Vec<String> {
    let mut lines = vec![String::new()];
    for record in kept.records() {
        if let Record::Event(Event::Log(log)) = record {
            let text = log.message.text();
            lines.last_mut().expect("one").push_str(text.exact());
            if log.end != LineEnd::Open {
                lines.push(String::new());
            }
        }
    }
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

#[test]
fn a_secret_across_two_pieces_of_64_kib_is_masked() {
    use crate::follow::PIECE;
    for shift in 0..=SECRET.len() {
        let (outlet, kept) = outlet(&[SECRET]);
        let before = "x".repeat(PIECE - shift);
        let line = format!("{before}{SECRET} after");
        let said = said(&outlet, &kept, line.as_bytes(), &[PIECE]);
        assert_eq!(said, [format!("{before}*** after")], "{shift}");
    }
}

#[test]
fn what_was_held_back_of_a_line_that_has_no_end_is_said() {
    let (outlet, kept) = outlet(&[SECRET]);
    let piece = Piece {
        stamp: jiff::Timestamp::UNIX_EPOCH,
        bytes: b"half a s3c".to_vec(),
        first: true,
        end: LineEnd::Open,
    };
    outlet.piece("main", &piece, Position::default());
    assert_eq!(lines(&kept), ["half a "]);
    outlet.cut_off("main", "the node is gone");
    assert_eq!(lines(&kept), ["half a s3c"]);
}

#[test]
fn a_text_that_was_cut_ends_before_what_may_be_a_secret() {
    let (outlet, _) = outlet(&[SECRET]);
    assert_eq!(outlet.mask("key s3cr", false), "key ");
    assert_eq!(outlet.mask("key s3cr", true), "key s3cr");
    assert_eq!(outlet.mask(&format!("key {SECRET}"), false), "key ***");
}

#[test]
fn colours_and_carriage_returns_are_stored_and_a_secret_among_them_is_not() {
    let line = "\u{1b}[32mkey s3cr\u{1b}[0m\u{e9}t\0-t\r\u{f6}k\u{7f}en\u{1b}[1m ok\r\u{1b}[0m";
    for cut in 0..=line.len() {
        let (outlet, kept) = outlet(&[SECRET]);
        let said = said(&outlet, &kept, line.as_bytes(), &[cut]);
        assert_eq!(said, ["\u{1b}[32mkey ***\u{1b}[1m ok\r\u{1b}[0m"], "{cut}");
    }
}

#[test]
fn containers_do_not_disturb_one_another() {
    let (outlet, kept) = outlet(&[SECRET]);
    let piece = |text: &str, first, last| Piece {
        stamp: jiff::Timestamp::UNIX_EPOCH,
        bytes: text.into(),
        first,
        end: end_of(last),
    };
    let (start, end) = SECRET.split_at(4);
    outlet.piece("a", &piece(start, true, false), Position::default());
    outlet.piece("b", &piece("other", true, true), Position::default());
    outlet.piece("a", &piece(end, false, true), Position::default());
    assert_eq!(lines(&kept), ["other", "***"]);
}

proptest! {
    /// For every line and every way of splitting it, the output equals that of the whole line
    /// and contains no secret.
    #[test]
    fn no_cut_lets_a_secret_through_or_breaks_a_character(
        parts in prop::collection::vec(
            prop_oneof![Just(SECRET), Just("s3cr\u{e9}"), Just("t-t\u{f6}ken"), Just("\u{65e5}\u{672c}"), Just("a "), Just("abab"), Just("ba")],
            0..8,
        ),
        cuts in prop::collection::vec(0_usize..120, 0..10),
    ) {
        let line = parts.concat();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(line.len())).collect();
        cuts.sort_unstable();
        let (outlet, kept) = outlet(&[SECRET, "abab"]);
        let said = said(&outlet, &kept, line.as_bytes(), &cuts);
        let whole = outlet.mask(&line, true);
        prop_assert_eq!(said.concat(), whole.as_str());
        prop_assert!(!whole.contains(SECRET) && !whole.contains("abab"));
    }

    /// Bytes that are not text pass as far as possible.
    #[test]
    fn no_bytes_panic(
        line in prop::collection::vec(any::<u8>(), 0..60),
        cuts in prop::collection::vec(0_usize..60, 0..6),
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(line.len())).collect();
        cuts.sort_unstable();
        let (outlet, kept) = outlet(&[]);
        let said = said(&outlet, &kept, &line, &cuts);
        prop_assert_eq!(said.concat(), String::from_utf8_lossy(&line).into_owned());
    }
}
