//! The time of each phase of a build.
//!
//! The pod's state tells when it had a node and when kaniko started and ended; kaniko's log tells
//! when the context was there and when the push began.

use sidestep::kubernetes::Pattern;
use sidestep::serde_json::Value;
use sidestep_pod::seconds;

use crate::inputs::Times;
use crate::pod::CONTAINER;

/// The lines of kaniko's log with which a phase begins: once the context is there, and the push.
/// Its text format begins a line with `time="…"` (logrus without colours), others with the seconds
/// since its start.
const PATTERN: (&str, &str) = (
    "phase",
    r#"^((?:INFO\[\d+\] |time="[^"]+" level=info msg="?)(?:Resolved base name|Retrieving image manifest|Building stage|Pushing image to))"#,
);
/// The end of the line with which the push begins.
const PUSH: &str = "Pushing image to";

/// Returns the lines that the host is asked to look for.
pub(crate) fn patterns() -> [Pattern; 1] {
    let (id, regex) = PATTERN;
    [Pattern {
        id: id.to_owned(),
        regex: regex.to_owned(),
    }]
}

/// The time of a line, as kaniko writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// Since kaniko's start.
    After(u64),
    /// Since 1970.
    At(u64),
}

impl Written {
    fn of(line: &str) -> Option<Self> {
        if let Some(rest) = line.strip_prefix("INFO[") {
            let seconds = rest.split(']').next()?.parse().ok()?;
            return Some(Self::After(seconds));
        }
        let time = line.strip_prefix("time=\"")?.split('"').next()?;
        Some(Self::At(u64::try_from(seconds(time)?).ok()?))
    }

    fn since(self, start: u64) -> u64 {
        match self {
            Self::After(seconds) => start.saturating_add(seconds),
            Self::At(seconds) => seconds,
        }
    }
}

/// The first line of each phase.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    context: Option<Written>,
    push: Option<Written>,
}

impl Lines {
    /// Takes a line that matched. Only the first of a phase counts.
    pub(crate) fn add(&mut self, line: &str) {
        let Some(written) = Written::of(line) else {
            return;
        };
        self.context.get_or_insert(written);
        if line.ends_with(PUSH) {
            self.push.get_or_insert(written);
        }
    }

    /// Returns the times of a build whose pod ended in this state. A phase is known if its beginning
    /// and its end are.
    pub(crate) fn times(&self, pod: &Value) -> Times {
        let time = |value: &Value| u64::try_from(seconds(value.as_str()?)?).ok();
        let created = time(&pod["metadata"]["creationTimestamp"]);
        let of_list = |list: &Value, is: &dyn Fn(&Value) -> bool| {
            let mut all = list.as_array().into_iter().flatten();
            all.find(|one| is(one)).cloned().unwrap_or_default()
        };
        let is_scheduled = |one: &Value| one["type"] == "PodScheduled" && one["status"] == "True";
        let scheduled = of_list(&pod["status"]["conditions"], &is_scheduled);
        let scheduled = time(&scheduled["lastTransitionTime"]);
        let is_kaniko = |one: &Value| one["name"] == CONTAINER;
        let container = of_list(&pod["status"]["containerStatuses"], &is_kaniko);
        let ended = &container["state"]["terminated"];
        let (started, finished) = (time(&ended["startedAt"]), time(&ended["finishedAt"]));
        let line = |line: Option<Written>| Some(line?.since(started?));
        let (context, push) = (line(self.context), line(self.push));
        let phase = |from: Option<u64>, to: Option<u64>| Some(to?.saturating_sub(from?));
        Times {
            scheduled: phase(created, scheduled),
            pulled: phase(scheduled, started),
            context_fetched: phase(started, context),
            built: phase(context, push),
            pushed: phase(push, finished),
        }
    }
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;

    fn pod() -> Value {
        json!({
            "metadata": { "creationTimestamp": "2026-11-30T06:00:00Z" },
            "status": {
                "conditions": [{ "type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-30T06:00:02Z" }],
                "containerStatuses": [{ "name": CONTAINER, "state": { "terminated": {
                    "startedAt": "2026-11-30T06:00:10Z", "finishedAt": "2026-11-30T06:01:30Z" } } }],
            },
        })
    }

    #[test]
    fn each_phase_ends_where_the_next_begins_in_either_format_of_the_log() {
        for (context, push) in [
            (
                "INFO[0005] Retrieving image manifest",
                "INFO[0060] Pushing image to",
            ),
            (
                "time=\"2026-11-30T06:00:15Z\" level=info msg=\"Retrieving image manifest",
                "time=\"2026-11-30T06:01:10Z\" level=info msg=\"Pushing image to",
            ),
        ] {
            let mut lines = Lines::default();
            for line in [context, push, "INFO[0070] Pushing image to"] {
                lines.add(line);
            }
            let times = lines.times(&pod());
            let all = [
                times.scheduled,
                times.pulled,
                times.context_fetched,
                times.built,
                times.pushed,
            ];
            assert_eq!(all, [2, 8, 5, 55, 20].map(Some), "{context}");
        }
    }

    #[test]
    fn what_was_not_seen_is_not_guessed() {
        let times = Lines::default().times(&pod());
        assert_eq!((times.scheduled, times.pulled), (Some(2), Some(8)));
        assert_eq!(
            (times.context_fetched, times.built, times.pushed),
            (None, None, None)
        );
        let none = Lines::default().times(&json!({}));
        assert_eq!(none, Times::default());
        let mut lines = Lines::default();
        lines.add("INFO[x] Pushing image to");
        lines.add("error pushing image: Pushing image to");
        assert_eq!(lines.times(&pod()).pushed, None);
    }
}
