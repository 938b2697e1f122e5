use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use sidestep_events::{
    AttemptFinished, FORMAT_VERSION, LogLevel, RunFinished, SpanId, Status, TraceId,
};

use super::*;

fn event(seq: u64, event: Event) -> Envelope {
    Envelope {
        v: FORMAT_VERSION,
        run: "r".into(),
        seq,
        time: "2026-01-02T03:04:05Z".parse().expect("a time"),
        step: Some("build".into()),
        instance: Some("build".into()),
        attempt: Some(1),
        incarnation: Some(1),
        trace: TraceId::of_run("r", None),
        span: SpanId::of_run("r"),
        parent: None,
        event,
    }
}

fn piece(seq: u64, container: &str, bytes: &[u8], end: LineEnd) -> Envelope {
    let fields = BTreeMap::from([
        (log_field::POD.into(), json!("n/p").into()),
        (log_field::CONTAINER.into(), json!(container).into()),
    ]);
    let line = LogLine {
        source: LogSource::Pod,
        level: LogLevel::Info,
        message: bytes.into(),
        end,
        fields,
        offset: None,
    };
    event(seq, Event::Log(line))
}

fn texts(shown: &[Cow<'_, Envelope>]) -> Vec<Vec<u8>> {
    let lines = shown.iter().filter_map(|envelope| match &envelope.event {
        Event::Log(line) => Some(line.message.bytes().to_vec()),
        _ => None,
    });
    lines.collect()
}

#[test]
fn a_line_of_a_mebibyte_is_one_line_and_a_longer_one_is_cut_and_says_so() {
    let part = vec![b'x'; 64 << 10];
    for (pieces, more) in [(15, 0), (31, 16)] {
        let mut lines = JoinedLines::default();
        for seq in 0..pieces {
            assert!(
                lines
                    .take(&piece(seq, "main", &part, LineEnd::Open))
                    .is_empty()
            );
        }
        let last = piece(pieces, "main", &part, LineEnd::Feed);
        let shown = lines.take(&last);
        let [line] = &texts(&shown)[..] else {
            panic!("one line");
        };
        let mut expected = "x".repeat(1 << 20);
        if more > 0 {
            expected.push_str(&format!("… ({} bytes more)", more << 16));
        }
        assert!(line == expected.as_bytes(), "{} bytes", line.len());
        assert_eq!(lines.bytes, 0);
    }
}

#[test]
fn a_line_that_goes_on_is_shown_at_the_latest_with_its_attempts_end() {
    let mut lines = JoinedLines::default();
    assert!(
        lines
            .take(&piece(1, "main", b"half a ", LineEnd::Open))
            .is_empty()
    );
    let end = event(
        2,
        Event::AttemptFinished(AttemptFinished {
            status: Status::Succeeded,
            failure: None,
        }),
    );
    let shown = lines.take(&end);
    assert_eq!(texts(&shown), [b"half a ".to_vec()]);
    assert_eq!(shown.len(), 2, "and the end itself");
    // Its end arrives late, and must not become a line.
    let late = piece(3, "main", b"", LineEnd::Missing);
    assert!(lines.take(&late).is_empty());
    assert!(lines.rest().is_empty());
}

#[test]
fn what_all_open_lines_hold_is_bounded() {
    let mut lines = JoinedLines::default();
    let part = vec![b'x'; LONGEST];
    for container in 0..100 {
        let piece = piece(container, &container.to_string(), &part, LineEnd::Open);
        assert!(lines.take(&piece).is_empty());
    }
    assert_eq!(lines.bytes, MOST);
    assert_eq!(lines.rest().len(), 100);
    assert_eq!(lines.bytes, 0);
}

#[test]
fn the_end_of_a_run_shows_what_is_left() {
    let mut lines = JoinedLines::default();
    assert!(
        lines
            .take(&piece(1, "main", b"a", LineEnd::Open))
            .is_empty()
    );
    let mut end = event(
        2,
        Event::RunFinished(RunFinished {
            status: Status::Succeeded,
            exit: 0,
            outputs: None,
            duration_ms: 1,
        }),
    );
    end.instance = None;
    assert_eq!(texts(&lines.take(&end)), [b"a".to_vec()]);
}

proptest! {
    /// Lines of several containers are shown whole, whatever pieces they are cut into and in
    /// whatever order the pieces arrive.
    #[test]
    fn pieces_of_containers_become_their_lines(
        pieces in prop::collection::vec(
            (0_usize..3, prop::collection::vec(any::<u8>(), 1..9), any::<bool>()), 0..40,
        ),
    ) {
        let mut lines = JoinedLines::default();
        let mut expected = [const { Vec::<Vec<u8>>::new() }; 3];
        let mut open = [false; 3];
        let mut shown = [const { Vec::<Vec<u8>>::new() }; 3];
        for (seq, (container, bytes, ends)) in pieces.iter().enumerate() {
            if !open[*container] {
                expected[*container].push(Vec::new());
            }
            expected[*container].last_mut().expect("a line").extend(bytes);
            open[*container] = !ends;
            let end = if *ends { LineEnd::Feed } else { LineEnd::Open };
            let piece = piece(seq as u64, &container.to_string(), bytes, end);
            shown[*container].extend(texts(&lines.take(&piece)));
        }
        let rest = lines.rest();
        for envelope in &rest {
            let Event::Log(line) = &envelope.event else { panic!("a line") };
            let container = line.field(log_field::CONTAINER).and_then(|c| c.as_str()).expect("one");
            shown[container.parse::<usize>().expect("a number")].push(line.message.bytes().to_vec());
        }
        prop_assert_eq!(shown, expected);
    }
}
