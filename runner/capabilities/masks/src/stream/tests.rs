use proptest::prelude::*;

use super::*;

fn masked_in_pieces(masks: &Arc<Masks>, text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut stream = masks.stream();
    let mut out = Vec::new();
    let mut from = 0;
    for &cut in cuts {
        out.extend(stream.push(&text[from..cut]));
        from = cut;
    }
    out.extend(stream.push(&text[from..]));
    out.extend(stream.finish());
    out
}

fn masks(secrets: &[&str]) -> Arc<Masks> {
    let masks = Arc::new(Masks::new());
    for secret in secrets {
        assert_eq!(masks.add(secret), Ok(()));
    }
    masks
}

#[test]
fn every_split_in_two_or_three_gives_the_same() {
    let masks = masks(&["abcabd", "line one\nline two", "bdab"]);
    let text = "x abcabcabd bdabcabd line one\nline two line tw \u{1b}[1mabc%61bd\r \
                \\u0061bcab\u{0}d\u{202e} abc";
    let whole = masks.text(text);
    assert_eq!(
        whole,
        "x abc*** *** *** line tw \u{1b}[1m***\r ***\u{202e} abc"
    );
    for first in 0..=text.len() {
        for second in first..=text.len() {
            let pieces = masked_in_pieces(&masks, text.as_bytes(), &[first, second]);
            assert_eq!(String::from_utf8_lossy(&pieces), whole, "{first} {second}");
        }
    }
}

#[test]
fn a_line_that_can_be_no_secret_is_not_held_back() {
    let masks = masks(&["hunter22"]);
    let mut stream = masks.stream();
    assert_eq!(stream.push(b"step a: ok \n"), b"step a: ok \n");
    assert_eq!(stream.push(b"hunt"), b"");
    assert_eq!(stream.push(b"ing \n"), b"hunting \n");
}

#[test]
fn what_is_held_back_is_bounded() {
    let masks = masks(&["hunter22"]);
    let mut stream = masks.stream();
    let mut out = stream.push(b"a hunter2");
    for _ in 0..1000 {
        out.extend(stream.push(&[0; 1000]));
        assert!(stream.held() < 100_000, "{}", stream.held());
    }
    out.extend(stream.push(b"2 b"));
    out.extend(stream.finish());
    assert!(out.starts_with(b"a ***"), "the beginning is masked");
    assert!(out.ends_with(b"\x002 b"), "the end passes");
}

#[test]
fn a_secret_that_becomes_known_on_the_way_is_masked_from_there() {
    let masks = masks(&["hunter22"]);
    let mut stream = masks.stream();
    let mut out = stream.push(b"hunter23 hunter22 hunte");
    assert_eq!(masks.add("hunter23"), Ok(()));
    out.extend(stream.push(b"r23 hunter22"));
    out.extend(stream.finish());
    assert_eq!(String::from_utf8_lossy(&out), "hunter23 *** *** ***");
}

proptest! {
    /// A text that is masked again from its beginning after any interruption gives the same output
    /// as without it.
    #[test]
    fn an_interruption_changes_nothing(
        text in prop::collection::vec(
            prop_oneof![
                4 => Just(b'a'), 4 => Just(b'b'), 1 => Just(b'%'), 1 => Just(b'6'), 1 => Just(b'1'),
                1 => Just(0x1b), 1 => Just(b']'), 1 => Just(b'['), 1 => Just(b'm'), 1 => Just(7),
                1 => any::<u8>(),
            ],
            0..80,
        ),
        cut in 0_usize..80,
    ) {
        let masks = masks(&["aaaa", "abab", "bbabaa"]);
        let cut = cut.min(text.len());
        let mut first = masks.stream();
        let mut out = first.push(&text[..cut]);
        let mut again = masks.stream_after((cut - first.held()) as u64);
        out.extend(again.push(&text));
        out.extend(again.finish());
        prop_assert_eq!(out, masked_in_pieces(&masks, &text, &[]));
    }

    /// For every text, every set of secrets and every way of splitting it, the output of the pieces
    /// equals that of the whole and contains no secret.
    #[test]
    fn no_split_lets_a_secret_through(
        secrets in prop::collection::vec("[ab\n]{0,2}[ab]{4,5}", 1..4),
        text in "([ab]{1,4}|%6[12]|\\\\u0061|\\\\|%|\u{1b}\\[1m|\u{1b}|\u{0}|\n|\u{202e}| ){0,40}",
        cuts in prop::collection::vec(0usize..120, 0..12),
    ) {
        let masks = Arc::new(Masks::new());
        for secret in &secrets {
            prop_assert_eq!(masks.add(secret), Ok(()));
        }
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.sort_unstable();
        let pieces = masked_in_pieces(&masks, text.as_bytes(), &cuts);
        let pieces = String::from_utf8(pieces).expect("whole characters are masked");
        prop_assert_eq!(&pieces, &masks.text(&text));
        prop_assert!(!masks.found_in(&pieces));
    }

    /// Bytes that are not text are masked in the same way in pieces and as a whole.
    #[test]
    fn bytes_are_masked_alike_in_pieces(
        bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), Just(b'a'), Just(b'b'), Just(0x1b), Just(0xe2)], 0..60,
        ),
        cuts in prop::collection::vec(0usize..61, 0..12),
    ) {
        let masks = masks(&["aaaa", "abab"]);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        let whole = masked_in_pieces(&masks, &bytes, &[]);
        prop_assert_eq!(masked_in_pieces(&masks, &bytes, &cuts), whole);
    }
}
