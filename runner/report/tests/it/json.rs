use sidestep_events::Envelope;
use sidestep_report::{JsonLines, Reporter};

use crate::story;

#[test]
fn every_event_is_one_line_that_reads_back() {
    let story = story::healthy();
    let mut reporter = JsonLines::new(Vec::new());
    for envelope in &story.events {
        reporter.event(envelope);
    }
    let text = String::from_utf8(reporter.into_inner()).expect("JSON is UTF-8");
    let read: Vec<Envelope> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event"))
        .collect();
    assert_eq!(read, story.events);
}

#[test]
fn a_reader_that_went_away_does_not_end_the_run() {
    struct Gone;
    impl std::io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut reporter = JsonLines::new(Gone);
    for envelope in &story::healthy().events {
        reporter.event(envelope);
    }
}
