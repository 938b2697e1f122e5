use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use sidestep_events::{Envelope, Event, Foreign, Progress, show};

use crate::text::{columns, fold, progress_text, throughput};
use crate::{Narrator, Reporter, TextOptions};

/// The maximum refresh rate, per second.
const REFRESH_HZ: u8 = 12;

/// Shows a run on a terminal: finished output scrolls up, and below it each running step has one
/// line that is redrawn.
pub struct Live {
    narrator: Narrator,
    drawing: MultiProgress,
    bars: BTreeMap<Foreign, ProgressBar>,
    style: ProgressStyle,
    /// Returns the current number of columns, if the output is a terminal.
    columns: fn() -> Option<usize>,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("running", &self.bars.len())
            .finish_non_exhaustive()
    }
}

/// The screen that [`Live`] draws on, for other output to the same terminal.
#[derive(Debug, Clone)]
pub struct Screen(MultiProgress);

impl Screen {
    /// Calls `write` while nothing is drawn. The moving lines are redrawn below the output.
    pub fn apart(&self, write: impl FnOnce()) {
        self.0.suspend(write);
    }
}

impl Live {
    /// Creates a reporter that draws on standard output. For a pipe, use `Lines` instead.
    pub fn stdout(options: TextOptions) -> Self {
        Self {
            columns: || columns(&Term::stdout()),
            ..Self::on(ProgressDrawTarget::stdout_with_hz(REFRESH_HZ), options)
        }
    }

    /// Creates a reporter that draws on the given target, and folds no lines.
    pub fn on(target: ProgressDrawTarget, options: TextOptions) -> Self {
        let template = if options.color {
            "{spinner:.cyan} {prefix:.bold}  {elapsed:>4.dim}  {wide_msg}"
        } else {
            "{spinner} {prefix}  {elapsed:>4}  {wide_msg}"
        };
        Self {
            narrator: Narrator::new(TextOptions {
                progress_lines: false,
                ..options
            }),
            drawing: MultiProgress::with_draw_target(target),
            bars: BTreeMap::new(),
            style: ProgressStyle::with_template(template)
                .expect("the template is a constant that tests draw")
                .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "),
            columns: || None,
        }
    }

    /// Returns the screen that it draws on.
    pub fn screen(&self) -> Screen {
        Screen(self.drawing.clone())
    }

    fn bar(&mut self, instance: &Foreign) -> &ProgressBar {
        let name = self.narrator.padded(instance);
        self.bars.entry(instance.clone()).or_insert_with(|| {
            let bar = self.drawing.add(ProgressBar::new_spinner());
            bar.set_style(self.style.clone());
            bar.set_prefix(name);
            bar.enable_steady_tick(Duration::from_millis(90));
            bar
        })
    }

    fn draw(&mut self, envelope: &Envelope) {
        let Some(instance) = &envelope.instance else {
            return;
        };
        match &envelope.event {
            Event::AttemptStarted(_) => {
                self.bar(instance).set_message("starting");
            }
            Event::Progress(progress) => {
                let text = self.progress(progress, instance);
                self.bar(instance).set_message(text);
            }
            Event::RetryScheduled(retry) => {
                let wait = crate::duration(retry.after_ms);
                self.bar(instance)
                    .set_message(format!("retrying in {wait}"));
            }
            Event::StepFinished(_) => {
                if let Some(bar) = self.bars.remove(instance) {
                    bar.finish_and_clear();
                    self.drawing.remove(&bar);
                }
            }
            _ => {}
        }
    }

    fn progress(&self, progress: &Progress, instance: &Foreign) -> String {
        let rate = self
            .bars
            .get(instance)
            .and_then(|bar| throughput(progress, bar.elapsed()));
        match rate {
            Some(rate) => format!("{}  {rate}", progress_text(progress)),
            None => progress_text(progress),
        }
    }
}

impl Reporter for Live {
    fn event(&mut self, envelope: &Envelope) {
        let ends = matches!(
            envelope.event,
            Event::StepFinished(_) | Event::RunFinished(_)
        );
        if ends {
            self.draw(envelope);
        }
        let lines = self.narrator.tell(envelope);
        self.print(lines);
        if !ends {
            self.draw(envelope);
        }
    }

    fn finish(&mut self) {
        let lines = self.narrator.rest();
        self.print(lines);
        for bar in std::mem::take(&mut self.bars).into_values() {
            bar.finish_and_clear();
        }
        let _ = self.drawing.clear();
    }
}

impl Live {
    /// Prints lines above the moving lines.
    fn print(&self, lines: Vec<String>) {
        for line in lines {
            // `println` keeps the moving lines below. It does not draw on a hidden target.
            let line = if line.is_empty() {
                " ".to_owned()
            } else {
                line
            };
            let lines = match (self.columns)() {
                Some(columns) => fold(&line, columns),
                None => vec![line],
            };
            for line in lines {
                let _ = self.drawing.println(show::sealed(&line));
            }
        }
    }
}
