//! The results, for people and for programs.

use std::time::Duration;

use super::sample::Sample;
use crate::Result;

/// One operation of Sidestep, compared with its alternatives.
pub(crate) struct Row {
    what: String,
    ours: Sample,
    others: Vec<(&'static str, Result<Sample>)>,
    note: Option<String>,
}

impl Row {
    /// Returns a row of samples: Sidestep first, which is required, then the others sorted by name.
    /// A sample that could not be measured has its reason.
    pub(crate) fn new(
        what: &str,
        samples: Vec<Result<Sample>>,
        others: &[&'static str],
    ) -> Result<Self> {
        let mut samples = samples.into_iter();
        let ours = samples.next().ok_or("nothing was measured")??;
        Ok(Self {
            what: what.to_owned(),
            ours,
            others: others.iter().copied().zip(samples).collect(),
            note: None,
        })
    }

    /// Adds a line for people below the row.
    pub(crate) fn with_note(mut self, note: String) -> Self {
        self.note = Some(note);
        self
    }
}

/// A figure that is counted once, and its maximum.
pub(crate) struct Figure {
    pub(crate) what: &'static str,
    pub(crate) value: Result<u64>,
    pub(crate) goal: u64,
}

/// Prints a table.
pub(crate) fn human(rows: &[Row], figures: &[Figure]) {
    for figure in figures {
        match &figure.value {
            Ok(value) => println!("{}: {value} (the goal is {})", figure.what, figure.goal),
            Err(why) => println!("{}: not run: {why}", figure.what),
        }
    }
    println!();
    for row in rows {
        println!("{}", row.what);
        println!("  {:<38} {}", "sidestep", shown(&row.ours));
        for (name, sample) in &row.others {
            match sample {
                Ok(sample) => println!(
                    "  {name:<38} {}   {}",
                    shown(sample),
                    compared(row.ours.median(), sample.median())
                ),
                Err(why) => println!("  {name:<38} not run: {why}"),
            }
        }
        if let Some(note) = &row.note {
            println!("  {note}");
        }
        println!();
    }
    println!("median (shortest to longest); the alternatives of a row are measured in turn");
}

/// Prints one JSON object. Times are in seconds. A ratio is Sidestep's time divided by the other's.
pub(crate) fn json(rows: &[Row], figures: &[Figure], rounds: usize) {
    let rows: Vec<String> = rows.iter().map(row_json).collect();
    let figures: Vec<String> = figures.iter().map(figure_json).collect();
    println!(
        "{{\"rounds\":{rounds},\"rows\":[{}],\"figures\":[{}]}}",
        rows.join(","),
        figures.join(",")
    );
}

fn figure_json(figure: &Figure) -> String {
    let value = match &figure.value {
        Ok(value) => format!("\"value\":{value}"),
        Err(why) => format!("\"notRun\":{}", quoted(why)),
    };
    format!(
        "{{\"what\":{},{value},\"goal\":{}}}",
        quoted(figure.what),
        figure.goal
    )
}

fn row_json(row: &Row) -> String {
    let others: Vec<String> = row
        .others
        .iter()
        .map(|(name, sample)| match sample {
            Ok(sample) => format!(
                "{{\"name\":{},{},\"ratio\":{:.6}}}",
                quoted(name),
                times(sample),
                ratio(row.ours.median(), sample.median())
            ),
            Err(why) => format!("{{\"name\":{},\"notRun\":{}}}", quoted(name), quoted(why)),
        })
        .collect();
    format!(
        "{{\"what\":{},\"sidestep\":{{{}}},\"instead\":[{}]}}",
        quoted(&row.what),
        times(&row.ours),
        others.join(",")
    )
}

fn times(sample: &Sample) -> String {
    format!(
        "\"median\":{:.9},\"min\":{:.9},\"max\":{:.9}",
        sample.median().as_secs_f64(),
        sample.min().as_secs_f64(),
        sample.max().as_secs_f64()
    )
}

fn shown(sample: &Sample) -> String {
    format!(
        "{:>9}  ({} to {})",
        time(sample.median()),
        time(sample.min()),
        time(sample.max())
    )
}

/// Returns a time with three significant digits.
fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (value, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s if s >= 1e-6 => (s * 1e6, "µs"),
        s => (s * 1e9, "ns"),
    };
    let digits = match value {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}

fn ratio(ours: Duration, other: Duration) -> f64 {
    ours.as_secs_f64() / other.as_secs_f64()
}

fn compared(ours: Duration, other: Duration) -> String {
    match ratio(ours, other) {
        ratio if ratio <= 1.0 => format!("sidestep takes 1/{} of that", digits(1.0 / ratio)),
        ratio => format!("sidestep takes {} times that", digits(ratio)),
    }
}

/// Returns a ratio with as many digits as its spread makes significant.
fn digits(ratio: f64) -> String {
    let digits = usize::from(ratio < 10.0);
    format!("{ratio:.digits$}")
}

fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c.is_control() => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_text_is_json() {
        assert_eq!(time(Duration::from_nanos(1_234_567)), "1.23 ms");
        assert_eq!(time(Duration::from_micros(45_670)), "45.7 ms");
        assert_eq!(time(Duration::from_secs(321)), "321 s");
        let second = Duration::from_secs(1);
        assert_eq!(
            compared(second, second / 25),
            "sidestep takes 25 times that"
        );
        assert_eq!(compared(second / 2, second), "sidestep takes 1/2.0 of that");
        let figure = |value| Figure {
            what: "w",
            value,
            goal: 25,
        };
        assert_eq!(
            figure_json(&figure(Ok(7))),
            r#"{"what":"w","value":7,"goal":25}"#
        );
        assert_eq!(
            figure_json(&figure(Err("no".into()))),
            r#"{"what":"w","notRun":"no","goal":25}"#
        );
        assert_eq!(quoted("a \"b\" \\\n"), r#""a \"b\" \\\u000a""#);
    }
}
