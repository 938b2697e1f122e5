use indicatif::{InMemoryTerm, ProgressDrawTarget, TermLike as _};
use sidestep_events::Command;
use sidestep_report::{Hint, Lines, Live, Reporter, TextOptions, Verbosity};

use crate::story::{self, Story};

fn lines(story: &Story, options: TextOptions) -> String {
    let mut reporter = Lines::new(Vec::new(), options);
    for envelope in &story.events {
        reporter.event(envelope);
    }
    reporter.finish();
    String::from_utf8(reporter.into_inner()).expect("text is UTF-8")
}

#[test]
fn a_healthy_run() {
    let options = TextOptions {
        hints: vec![Hint {
            command: Command::fixed(&["sidestep", "run", "--sandbox"]),
            does: "run again: the context is uploaded already".into(),
        }],
        ..TextOptions::default()
    };
    insta::assert_snapshot!(lines(&story::healthy(), options));
}

#[test]
fn a_healthy_run_told_quietly() {
    let options = TextOptions {
        verbosity: Verbosity::Quiet,
        ..TextOptions::default()
    };
    insta::assert_snapshot!(lines(&story::healthy(), options));
}

#[test]
fn a_cut_link_with_the_command_that_mends_it() {
    insta::assert_snapshot!(lines(&story::unbound(), TextOptions::default()));
}

#[test]
fn a_retry_and_then_a_cancel() {
    insta::assert_snapshot!(lines(&story::interrupted(), TextOptions::default()));
}

#[test]
fn colours_change_nothing_but_colours() {
    let options = TextOptions {
        color: true,
        ..TextOptions::default()
    };
    for story in [story::healthy(), story::unbound(), story::interrupted()] {
        let colored = lines(&story, options.clone());
        assert!(colored.contains("\u{1b}["));
        assert_eq!(
            console::strip_ansi_codes(&colored),
            lines(&story, TextOptions::default())
        );
    }
}

#[test]
fn another_line_is_written_above_what_moves() {
    let terminal = InMemoryTerm::new(60, 100);
    let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
    let mut live = Live::on(target, TextOptions::default());
    for envelope in &story::healthy().events[..3] {
        live.event(envelope);
    }
    live.screen().apart(|| {
        let now = terminal.contents();
        assert!(!now.contains("starting"), "it is taken away: {now}");
        terminal.write_line("of the log").expect("written");
    });
    let after = terminal.contents();
    let lines: Vec<_> = after.lines().collect();
    let line = lines.iter().position(|line| *line == "of the log");
    let below = &lines[line.expect("it stays") + 1..];
    assert_eq!(below.len(), 2, "{after}");
    assert!(
        below.iter().all(|line| line.contains("starting")),
        "{after}"
    );
    live.finish();
}

#[test]
fn a_terminal_shows_what_runs_below_what_is_over() {
    let terminal = InMemoryTerm::new(60, 100);
    let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
    let mut live = Live::on(target, TextOptions::default());
    let story = story::healthy();
    let (before, after) = story.events.split_at(3);
    for envelope in before {
        live.event(envelope);
    }
    let middle = terminal.contents();
    let last = middle.lines().last().expect("something is drawn");
    assert!(
        last.contains("context") && last.contains("starting"),
        "{middle}"
    );
    for envelope in after {
        live.event(envelope);
    }
    live.finish();
    let end = terminal.contents();
    assert!(!end.contains("starting"), "{end}");
    assert!(end.contains("✓ image succeeded"), "{end}");
    assert!(
        !end.contains("uploading"),
        "progress is drawn, not told: {end}"
    );
}
