//! The tables agree with themselves, with the documentation, and with what kaniko prints.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use sidestep_contract::codes;
use sidestep_kaniko_messages::{
    CAUSES, Class, EXAMPLES, FinalLine, Kind, PATTERNS, Phase, Role, classify, sites,
};

const PHASES: &[Phase] = &[
    Phase::Context,
    Phase::Dockerfile,
    Phase::Flags,
    Phase::PushCheck,
    Phase::Build,
    Phase::Push,
    Phase::Start,
    Phase::Fatal,
    Phase::Crash,
];

fn examples() -> impl Iterator<Item = &'static (&'static str, i64, Kind)> {
    EXAMPLES.iter().copied().flatten()
}

/// The verdict on a whole log, as the plugin comes to it.
fn verdict(log: &str, exit: i64) -> Option<Kind> {
    let line = FinalLine::last(log).filter(|line| line.fits(exit) && line.ends(log))?;
    classify(&line.with_rest(log)).map(|found| found.kind)
}

#[test]
fn every_example_means_what_its_row_says() {
    for (line, exit, kind) in examples() {
        assert_eq!(verdict(line, *exit), Some(*kind), "{line}");
    }
}

#[test]
fn every_cause_and_every_kind_has_an_example() {
    let found: Vec<_> = examples()
        .filter_map(|(line, _, _)| classify(&FinalLine::last(line)?.with_rest(line)))
        .collect();
    let rows: BTreeSet<usize> = found.iter().map(|found| found.row).collect();
    let missing: Vec<&str> = (0..CAUSES.len())
        .filter(|row| !rows.contains(row))
        .map(|row| CAUSES[row].words)
        .collect();
    assert_eq!(
        missing, [""; 0],
        "rows that an earlier row hides, or without an example"
    );
    let kinds: BTreeSet<Kind> = found.iter().map(|found| found.kind).collect();
    assert_eq!(kinds.len(), Kind::ALL.len());
}

/// A RUN that prints any text of the table, at any place, in any form, and then fails or leaves the
/// build to fail later, does not change the verdict.
#[test]
fn what_a_run_prints_does_not_change_the_verdict() {
    let usage = "Usage:\n  executor [flags]\n\nFlags:\n      --build-arg multi-arg-type\n";
    for (row, (echoed, _, _)) in examples().enumerate() {
        let bare = echoed.split_once(": ").map_or(*echoed, |(_, rest)| rest);
        for (other, (last, exit, kind)) in examples().enumerate() {
            let end = if last.starts_with("Error: ") {
                usage
            } else {
                ""
            };
            // The forms take turns: each row meets all of them.
            let before = match (row + other) % 4 {
                0 => format!("{echoed}\n"),
                1 => format!("{echoed}\n{usage}"),
                2 => format!("{bare}\n"),
                _ => {
                    format!("{echoed}\n{last}\n{echoed}\nINFO[0001] Taking snapshot of files...\n")
                }
            };
            let log = format!("INFO[0000] Running: [/bin/sh -c x]\n{before}{last}\n{end}");
            assert_eq!(verdict(&log, *exit), Some(*kind), "{log}");
        }
        // A RUN that leaves its last line open and fails.
        let log = format!(
            "{echoed}error building image: error building stage: failed to execute command: waiting for process to exit: exit status 7\n"
        );
        assert_eq!(verdict(&log, 7), Some(Kind::RunFailed), "{log}");
    }
}

/// What a RUN prints of a crash is not kaniko's, also where SIGTERM ends kaniko with code 2.
#[test]
fn a_crash_needs_its_trace_and_nothing_that_kaniko_logged_after_it() {
    let trace = "goroutine 1 [running]:\nmain.main()\n\t/src/main.go:9 +0x1d\n";
    let logged = "INFO[0003] Taking snapshot of files...\n";
    let keyed = "time=\"2026-11-30T06:00:00Z\" level=info msg=\"Taking snapshot\"\n";
    for (message, _, _) in examples().filter(|(_, exit, _)| *exit == 2) {
        let message = message.lines().next().unwrap_or_default();
        assert_eq!(verdict(&format!("{message}\ncompiling\n"), 2), None);
        for after in [logged, keyed] {
            let log = format!("{message}\n\n{trace}{after}");
            assert_eq!(verdict(&log, 2), None, "{log}");
        }
        let crashed = format!("{logged}{message}\n\n{trace}");
        assert!(verdict(&crashed, 2).is_some(), "{crashed}");
        let line = FinalLine::read(message).expect("a crash");
        assert!(line.ends(trace), "the message may be before the log's end");
    }
}

/// The host picks the lines by the patterns, and the plugin reads them.
#[test]
fn the_patterns_pick_each_line_that_can_be_kaniko_s_last_and_no_other_of_its_own() {
    let patterns: Vec<Regex> = PATTERNS
        .iter()
        .map(|(_, pattern)| Regex::new(pattern).expect("a pattern"))
        .collect();
    let picked = |line: &str| {
        let found = patterns.iter().find_map(|pattern| pattern.find(line));
        found.map(|found| found.as_str().to_owned())
    };
    let other = [
        "INFO[0000] x",
        "WARN[0000] y",
        "Step 1",
        "  error building image: z",
        "",
    ];
    for line in examples()
        .flat_map(|(text, _, _)| text.lines())
        .chain(other)
    {
        let text = picked(line);
        assert_eq!(
            text.as_deref().and_then(FinalLine::read),
            FinalLine::read(line),
            "{line}"
        );
        // A RUN that leaves its last line open.
        let open = format!("compiling {line}");
        let text = picked(&open);
        assert_eq!(
            text.as_deref().and_then(FinalLine::read),
            FinalLine::read(&open),
            "{open}"
        );
    }
}

/// kaniko that is ended before it prints its own error leaves what a RUN printed as the last line.
#[test]
fn a_line_that_does_not_fit_the_exit_code_is_not_kaniko_s() {
    for (line, exit, _) in examples() {
        for other in [137, 143, 3, 2] {
            assert!(*exit == other || verdict(line, other).is_none(), "{line}");
        }
    }
}

#[test]
fn an_unknown_message_keeps_its_cause() {
    let log =
        "error building image: error building stage: something new: and why\nmore of it\nlast\n";
    let line = FinalLine::last(log).expect("a final line").with_rest(log);
    assert_eq!(classify(&line), None);
    assert_eq!(line.cause(), "error building stage: something new: and why");
    assert_eq!(line.phase, Phase::Build);
    assert_eq!(FinalLine::last("nothing\nof kaniko's\n"), None);
}

/// Each site, filled in, means in some phase what its row says, and nothing where it says nothing.
#[test]
fn every_site_means_what_its_row_says() {
    for source in sites() {
        for site in source.sites {
            let message = site.words.replace("{}", "x");
            let found = |phase| {
                let line = FinalLine {
                    phase,
                    message: message.clone(),
                };
                classify(&line).map(|found| found.kind)
            };
            let kinds: Vec<Kind> = PHASES.iter().copied().filter_map(found).collect();
            let place = format!("{}: {}", source.file, site.words);
            match site.role {
                Role::Says(kind) => assert!(kinds.contains(&kind), "{place}: {kinds:?}"),
                Role::Internal => {
                    let other = kinds.iter().find(|kind| **kind != Kind::Crashed);
                    assert_eq!(other, None, "{place}");
                }
                Role::Outer | Role::Link | Role::Never(_) => {}
            }
        }
    }
}

#[test]
fn the_counts_of_sites_are_those_that_were_read() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for site in sites().flat_map(|source| source.sites) {
        let role = match site.role {
            Role::Outer => "outer",
            Role::Link => "link",
            Role::Says(_) => "says",
            Role::Internal => "internal",
            Role::Never(_) => "never",
        };
        *counts.entry(role).or_default() += site.places;
    }
    let expected = [
        ("internal", 31),
        ("link", 150),
        ("never", 146),
        ("outer", 7),
        ("says", 35),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
    let files: BTreeSet<&str> = sites().map(|source| source.file).collect();
    assert_eq!((files.len(), sites().count()), (48, 48));
}

#[test]
fn every_code_is_in_the_documentation() {
    let page = include_str!("../../../../docs/failures.md");
    for kind in Kind::ALL {
        let code = kind.facts().code;
        assert!(
            page.contains(&format!("`{code}`")),
            "{code} is not in docs/failures.md"
        );
    }
}

#[test]
fn every_kind_has_the_class_and_the_owner_of_its_code() {
    for kind in Kind::ALL {
        let facts = kind.facts();
        let row = codes::all().find(|code| code.name == facts.code);
        let row = row.unwrap_or_else(|| panic!("{} has no row", facts.code));
        assert!(row.classes.contains(&facts.class), "{}", row.name);
        assert!(row.owners.contains(&facts.owner), "{}", row.name);
    }
}

/// The table of codes has one text for each code; kinds that share a code must differ.
#[test]
fn no_two_kinds_say_the_same() {
    let mut said = BTreeSet::new();
    for kind in Kind::ALL {
        let what = kind.facts().what;
        assert!(said.insert(what), "{what}");
    }
}

/// `unavailable` ends with exit code 75 and may be retried, so it is for what passes by itself.
#[test]
fn what_passes_by_itself_is_unavailable() {
    let passing: Vec<&str> = Kind::ALL
        .iter()
        .map(|kind| kind.facts())
        .filter(|facts| facts.class == Class::Unavailable)
        .map(|facts| facts.code)
        .collect();
    assert_eq!(
        passing,
        [
            "pod.no-identity",
            "identity.metadata-unavailable",
            "kaniko.push-anonymous",
            "kaniko.rate-limited",
            "kaniko.service-unavailable",
            "kaniko.network",
        ]
    );
}
