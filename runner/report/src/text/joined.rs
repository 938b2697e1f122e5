//! Joins the pieces of long lines in pods' logs, so that people see whole lines.

use std::borrow::Cow;
use std::collections::HashMap;

use sidestep_events::{Envelope, Event, Foreign, LineEnd, LogLine, LogSource, LogText, log_field};

/// The maximum number of bytes shown of one line.
const LONGEST: usize = 1 << 20;
/// The maximum number of bytes held for all incomplete lines together.
const MOST: usize = 32 << 20;

/// The source of a line: instance, attempt, pod and container.
type Source = (Option<Foreign>, Option<u32>, [Option<String>; 2]);

/// Joins the pieces of lines.
///
/// A line is returned when its end arrives, or when its attempt ends. Of a line of more than 1 MiB,
/// the beginning is returned, with the number of omitted bytes.
#[derive(Debug, Default)]
pub struct JoinedLines {
    under_way: HashMap<Source, UnderWay>,
    bytes: usize,
}

/// A line whose end has not arrived yet.
#[derive(Debug)]
struct UnderWay {
    /// A piece as an event, without its text.
    envelope: Envelope,
    text: Vec<u8>,
    left_out: usize,
}

impl JoinedLines {
    /// Takes an event, and returns the events to show now: first the lines that will get no end,
    /// then the event itself, unless it is a piece of an incomplete line.
    pub fn take<'e>(&mut self, envelope: &'e Envelope) -> Vec<Cow<'e, Envelope>> {
        let mut shown = match &envelope.event {
            Event::Log(line) if line.source == LogSource::Pod => {
                return self.line(envelope, line).into_iter().collect();
            }
            Event::AttemptFinished(_) | Event::StepFinished(_) => {
                self.end(|of| of.0 == envelope.instance)
            }
            Event::RunFinished(_) => self.rest(),
            _ => Vec::new(),
        };
        let mut shown: Vec<_> = shown.drain(..).map(Cow::Owned).collect();
        shown.push(Cow::Borrowed(envelope));
        shown
    }

    /// Returns the incomplete lines. Call it after the last event.
    pub fn rest(&mut self) -> Vec<Envelope> {
        self.end(|_| true)
    }

    fn line<'e>(&mut self, envelope: &'e Envelope, piece: &LogLine) -> Option<Cow<'e, Envelope>> {
        let source = source(envelope, piece);
        let known = self.under_way.remove(&source);
        if known.is_none() && piece.end != LineEnd::Open {
            // An empty end belongs to a line that was shown when its attempt ended.
            let is_end = piece.end == LineEnd::Missing && piece.message.is_empty();
            return (!is_end).then_some(Cow::Borrowed(envelope));
        }
        let mut line = known.unwrap_or_else(|| UnderWay {
            envelope: without_text(envelope, piece),
            text: Vec::new(),
            left_out: 0,
        });
        self.extend(&mut line, piece.message.bytes());
        if piece.end == LineEnd::Open {
            self.under_way.insert(source, line);
            return None;
        }
        self.bytes -= line.text.len();
        line.envelope = without_text(envelope, piece);
        Some(Cow::Owned(line.into_envelope()))
    }

    fn extend(&mut self, line: &mut UnderWay, bytes: &[u8]) {
        let room = (LONGEST - line.text.len()).min(MOST - self.bytes);
        let room = if line.left_out > 0 { 0 } else { room };
        let shown = &bytes[..bytes.len().min(room)];
        line.text.extend_from_slice(shown);
        line.left_out += bytes.len() - shown.len();
        self.bytes += shown.len();
    }

    fn end(&mut self, of: impl Fn(&Source) -> bool) -> Vec<Envelope> {
        let ended = self.under_way.extract_if(|source, _| of(source));
        let mut ended: Vec<_> = ended.map(|(_, line)| line).collect();
        ended.sort_by_key(|line| line.envelope.seq);
        self.bytes -= ended.iter().map(|line| line.text.len()).sum::<usize>();
        ended.into_iter().map(UnderWay::into_envelope).collect()
    }
}

impl UnderWay {
    fn into_envelope(mut self) -> Envelope {
        if self.left_out > 0 {
            // The cut may be within a character.
            let whole = String::from_utf8_lossy(&self.text);
            let whole = whole.trim_end_matches(char::REPLACEMENT_CHARACTER);
            self.text = format!("{whole}… ({} bytes more)", self.left_out).into_bytes();
        }
        if let Event::Log(line) = &mut self.envelope.event {
            line.message = LogText::from(self.text);
            if line.end == LineEnd::Open {
                line.end = LineEnd::Missing;
            }
        }
        self.envelope
    }
}

fn source(envelope: &Envelope, line: &LogLine) -> Source {
    let field = |name| Some(line.field(name)?.as_str()?.to_owned());
    let names = [log_field::POD, log_field::CONTAINER].map(field);
    (envelope.instance.clone(), envelope.attempt, names)
}

fn without_text(envelope: &Envelope, line: &LogLine) -> Envelope {
    let line = LogLine {
        source: line.source,
        level: line.level,
        message: LogText::default(),
        end: line.end,
        fields: line.fields.clone(),
        offset: line.offset,
    };
    Envelope {
        event: Event::Log(line),
        run: envelope.run.clone(),
        step: envelope.step.clone(),
        instance: envelope.instance.clone(),
        trace: envelope.trace.clone(),
        span: envelope.span.clone(),
        parent: envelope.parent.clone(),
        ..*envelope
    }
}

#[cfg(test)]
mod tests;
