//! Groups log lines for the journal, and expands the groups again.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sidestep_events::{
    Envelope, Event, FORMAT_VERSION, Foreign, ForeignValue, LineEnd, LineKind, LinePlace, Lines,
    LinesOf, LogLine, LogOwner, LogSource, LogText, SpanId, TraceId, log_field,
};

/// The size of a group's JSON without its tables, in bytes.
const GROUP: usize = 512;
/// The size of a line's entry, which is three numbers.
const ENTRY: usize = 32;
/// The size of an attempt's entry without its names.
const ATTEMPT: usize = 256;
/// The size of a kind's entry without its fields.
const KIND: usize = 128;

/// The number of latest kinds that a line is compared with: about the number of steps that log at
/// the same time.
const LATEST: usize = 64;

/// An open group of lines, which is neither in the log files nor in the journal yet.
#[derive(Debug)]
pub struct LineGroup {
    lines: Lines,
    run: String,
    last: Timestamp,
    /// The text for the log file of each attempt.
    texts: Vec<Vec<u8>>,
    /// Each line as an event, and the offset of its text in its attempt's part of `texts`.
    events: Vec<(Envelope, u64)>,
    weight: usize,
}

impl LineGroup {
    /// Creates an empty group, whose first line will have the number `seq`.
    pub fn new(run: &str, trace: TraceId, seq: u64) -> Self {
        Self {
            lines: Lines {
                seq,
                time: Timestamp::UNIX_EPOCH,
                trace,
                attempts: Vec::new(),
                kinds: Vec::new(),
                lines: Vec::new(),
            },
            run: run.to_owned(),
            last: Timestamp::UNIX_EPOCH,
            texts: Vec::new(),
            events: Vec::new(),
            weight: GROUP,
        }
    }

    /// Returns whether the group has no lines.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Returns the number of lines.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Returns the maximum size of the group in the journal, in bytes.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Returns the size of all texts, in bytes.
    pub fn text(&self) -> usize {
        self.texts.iter().map(Vec::len).sum()
    }

    /// Returns the maximum number of bytes that one more line adds to the group in the journal.
    pub fn cost(&self, owner: &LogOwner, line: &LogLine) -> usize {
        let attempt = self.attempt(owner);
        let names = match attempt {
            Some(_) => 0,
            None => ATTEMPT + json_size(owner),
        };
        let kind = match attempt {
            Some(attempt) if self.kind(attempt, line).is_some() => 0,
            // A position is one of the fields, but is stored with the attempt.
            _ => KIND + json_size(&line.fields),
        };
        ENTRY + names + kind
    }

    /// Adds a line with the current time.
    pub fn push(&mut self, owner: &LogOwner, mut line: LogLine) {
        self.weight += self.cost(owner, &line);
        // Cut the time to the stored precision, so that reporters see the same time as later
        // readers.
        let now = Timestamp::now();
        let now = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
        if self.is_empty() {
            self.lines.time = now;
            self.last = now;
        }
        let attempt = self.attempt(owner).unwrap_or_else(|| {
            self.lines.attempts.push(LinesOf {
                of: owner.clone(),
                offset: 0,
                positions: BTreeMap::new(),
            });
            self.texts.push(Vec::new());
            self.lines.attempts.len() - 1
        });
        self.keep_position(attempt, &mut line);
        let kind = self.kind(attempt, &line).unwrap_or_else(|| {
            self.lines.kinds.push(LineKind {
                attempt,
                source: line.source,
                level: line.level,
                end: line.end,
                fields: line.fields.clone(),
            });
            self.lines.kinds.len() - 1
        });
        let since = now.as_microsecond() - self.last.as_microsecond();
        self.last = now;
        let text = &mut self.texts[attempt];
        let begins = text.len() as u64;
        text.extend_from_slice(line.message.bytes());
        text.extend_from_slice(line.end.bytes());
        let place = LinePlace(kind, line.message.len() as u64, since);
        self.lines.lines.push(place);
        let seq = self.lines.seq + self.events.len() as u64;
        let event = envelope(&self.run, &self.lines.trace, owner, seq, now, line);
        self.events.push((event, begins));
    }

    /// Writes the texts to their log files and closes the group. `append` returns the offset of an
    /// attempt's text in its file.
    ///
    /// If one of the files can't be written, fails and returns the events, which then have no
    /// offset.
    pub fn close<E>(
        mut self,
        mut append: impl FnMut(&LogOwner, &[u8]) -> Result<u64, E>,
    ) -> Result<(Lines, Vec<Envelope>), (E, Vec<Envelope>)> {
        for (attempt, text) in self.lines.attempts.iter_mut().zip(&self.texts) {
            match append(&attempt.of, text) {
                Ok(offset) => attempt.offset = offset,
                Err(error) => {
                    let events = self.events.into_iter().map(|(event, _)| event).collect();
                    return Err((error, events));
                }
            }
        }
        let lines = self.lines;
        let placed = lines.lines.iter().zip(self.events);
        let events = placed.map(|(LinePlace(kind, ..), (mut event, begins))| {
            if let Event::Log(line) = &mut event.event {
                let attempt = lines.kinds[*kind].attempt;
                line.offset = Some(lines.attempts[attempt].offset + begins);
            }
            event
        });
        let events = events.collect();
        Ok((lines, events))
    }

    fn attempt(&self, owner: &LogOwner) -> Option<usize> {
        self.lines.attempts.iter().position(|of| of.of == *owner)
    }

    /// Returns the kind of a line, searching from the latest, since lines of one kind come in a
    /// row.
    fn kind(&self, attempt: usize, line: &LogLine) -> Option<usize> {
        let from = self.lines.kinds.len().saturating_sub(LATEST);
        let latest = &self.lines.kinds[from..];
        let found = latest.iter().rposition(|kind| {
            kind.attempt == attempt
                && kind.source == line.source
                && kind.level == line.level
                && kind.end == line.end
                && same(&kind.fields, &line.fields, line.source)
        });
        found.map(|found| from + found)
    }

    /// Removes the position of a followed log from a line. Only the last position of each log is
    /// kept.
    fn keep_position(&mut self, attempt: usize, line: &mut LogLine) {
        if line.source != LogSource::Pod {
            return;
        }
        let text = |name: &str| line.field(name).and_then(Value::as_str);
        let of = text(log_field::POD).zip(text(log_field::CONTAINER));
        let of = of.map(|(pod, container)| (pod.to_owned(), container.to_owned()));
        if let (Some((pod, container)), Some(position)) =
            (of, line.fields.remove(&Foreign::from(log_field::POSITION)))
        {
            let positions = &mut self.lines.attempts[attempt].positions;
            positions
                .entry(pod)
                .or_default()
                .insert(container, position.into_exact());
        }
    }
}

/// The fields of a line.
type Fields = BTreeMap<Foreign, ForeignValue>;

/// Returns whether a line has these fields, ignoring its position.
fn same(known: &Fields, fields: &Fields, of: LogSource) -> bool {
    let counts = |name: &&Foreign| of != LogSource::Pod || name.exact() != log_field::POSITION;
    known.keys().eq(fields.keys().filter(counts))
        && known
            .iter()
            .all(|(name, value)| fields.get(name) == Some(value))
}

fn json_size(value: &impl serde::Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX / 4, |json| json.len())
}

fn envelope(
    run: &str,
    trace: &TraceId,
    owner: &LogOwner,
    seq: u64,
    time: Timestamp,
    line: LogLine,
) -> Envelope {
    Envelope {
        v: FORMAT_VERSION,
        run: run.into(),
        seq,
        time,
        step: Some(owner.step.as_str().into()),
        instance: Some(owner.instance.as_str().into()),
        attempt: Some(owner.attempt),
        incarnation: Some(owner.incarnation),
        trace: trace.clone(),
        span: SpanId::of_attempt(run, &owner.instance, owner.attempt),
        parent: Some(SpanId::of_run(run)),
        event: Event::Log(line),
    }
}

/// The lines of a group as events without their text, each with the text's length in bytes.
#[derive(Debug)]
pub(crate) struct Expanded {
    lines: Lines,
    run: String,
    next: usize,
    time: Timestamp,
    /// The offset of the next line of each attempt.
    offsets: Vec<u64>,
}

impl Expanded {
    pub(crate) fn new(run: &str, lines: Lines) -> Self {
        Self {
            run: run.to_owned(),
            next: 0,
            time: lines.time,
            offsets: lines.attempts.iter().map(|of| of.offset).collect(),
            lines,
        }
    }
}

impl Iterator for Expanded {
    type Item = (Envelope, u64);

    fn next(&mut self) -> Option<Self::Item> {
        let LinePlace(kind, length, since) = *self.lines.lines.get(self.next)?;
        let seq = self.lines.seq.saturating_add(self.next as u64);
        self.next += 1;
        self.time = self
            .time
            .checked_add(SignedDuration::from_micros(since))
            .unwrap_or(self.time);
        // A group with an index out of range was not written by this program; its lines end here.
        let kind = self.lines.kinds.get(kind)?;
        let owner = &self.lines.attempts.get(kind.attempt)?.of;
        let offset = &mut self.offsets[kind.attempt];
        let line = LogLine {
            source: kind.source,
            level: kind.level,
            message: LogText::default(),
            end: kind.end,
            fields: kind.fields.clone(),
            offset: Some(*offset),
        };
        *offset = after(*offset, length, kind.end);
        let event = envelope(&self.run, &self.lines.trace, owner, seq, self.time, line);
        Some((event, length))
    }
}

/// Returns the offset at which the last line of each attempt ends in its log file, by the index of
/// the attempt.
pub(crate) fn ends(lines: &Lines) -> Vec<u64> {
    let mut ends: Vec<u64> = lines.attempts.iter().map(|of| of.offset).collect();
    for LinePlace(kind, length, _) in &lines.lines {
        let kind = lines.kinds.get(*kind);
        if let Some((kind, end)) = kind.and_then(|kind| Some((kind, ends.get_mut(kind.attempt)?))) {
            *end = after(*end, *length, kind.end);
        }
    }
    ends
}

/// Returns the offset after a line that begins at `offset` of the log file.
fn after(offset: u64, length: u64, end: LineEnd) -> u64 {
    let end = end.bytes().len() as u64;
    offset.saturating_add(length).saturating_add(end)
}
