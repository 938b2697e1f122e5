//! Runs that are killed at random moments and resumed, in the sandbox.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::clients::{client, exports, said};
use crate::killed::Running;
use crate::setup::{Setup, find, program};
use crate::soak::{Random, row, times};

/// The threads that kill runs, each with a sandbox of its own.
const THREADS: u32 = 2;

/// Returns the image of a run that succeeded.
pub(crate) fn image(name: &str, (exit, events): &(i32, Vec<Value>)) -> String {
    assert_eq!(*exit, 0, "{name}: {events:#?}");
    let end = find(events, "run-finished", |_| true).expect("an end");
    let image = end["outputs"]["image"].as_str();
    image.unwrap_or_else(|| panic!("{name}: {end}")).to_owned()
}

/// A moment of a run: after an event, and some milliseconds more.
pub(crate) struct Moment {
    event: usize,
    later: Duration,
}

impl Moment {
    /// Chooses a moment after one of these events, of which the first has number 1.
    pub(crate) fn choose(random: &mut Random, events: Range<usize>) -> Self {
        let events = events.start as u64..events.end as u64;
        Self {
            event: usize::try_from(random.within(events)).unwrap(),
            later: Duration::from_millis(random.within(0..40)),
        }
    }

    /// Waits for the moment. Returns what the run did last.
    pub(crate) fn come(&self, run: &mut Running) -> String {
        let mut seen = 0;
        let mut last = String::new();
        run.until(|event| {
            seen += 1;
            last = format!("{} of {}", event["type"], event["step"]);
            seen == self.event
        });
        std::thread::sleep(self.later);
        format!("event {seen} ({last}) and {} ms", self.later.as_millis())
    }
}

/// A pipeline whose image has the same digest in each run.
const REPRODUCIBLE: &str = "version: 1
name: reproducible
defaults: { cluster: projects/demo/locations/europe-west1/clusters/ci }
steps:
  context:
    uses: sidestep/context-upload
    with: { bucket: demo-contexts }
  build:
    uses: sidestep/kaniko-launch
    with:
      context: \"${{ steps.context.outputs.uri }}\"
      destinations: [europe-docker.pkg.dev/demo/images/reproducible:1]
      namespace: builds
      serviceAccount: kaniko
      kaniko: { reproducible: true }
outputs:
  image: \"${{ steps.build.outputs.image }}\"
";

/// Kills runs of one sandbox. Returns the longest time of a resumed run.
fn kill(mut random: Random, count: u32) -> Duration {
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", REPRODUCIBLE);
    let whole = setup.events(&["run", "--sandbox", "--run-id", "whole"]);
    let expected = image("whole", &whole);
    let mut longest = Duration::ZERO;
    for number in 0..count {
        let name = format!("killed-{number}");
        let moment = Moment::choose(&mut random, 1..whole.1.len());
        let mut run = Running::start(&mut setup, &["run", "--sandbox", "--run-id", &name]);
        let point = moment.come(&mut run);
        run.kill();
        let began = Instant::now();
        let resumed = setup.events(&["resume", &name]);
        longest = longest.max(began.elapsed());
        let name = format!("{name}, after {point}");
        assert_eq!(image(&name, &resumed), expected, "{name}");
    }
    assert_eq!(
        said(&setup.run(&["gc", "--sandbox"])),
        "Nothing to remove.\n"
    );
    let exports = exports(&mut setup, "healthy");
    let kubectl = |line: &str| said(&client(&setup, &exports, line));
    let pods = kubectl("kubectl get pods,secrets -n builds -o name");
    assert_eq!(pods, "", "nothing is left");
    let scheduled = "kubectl get events -n builds --field-selector reason=Scheduled -o jsonpath={.items[*].involvedObject.uid}";
    let scheduled = kubectl(scheduled);
    let uids: BTreeSet<&str> = scheduled.split_whitespace().collect();
    assert_eq!(
        uids.len(),
        count as usize + 1,
        "each run built once: {scheduled}"
    );
    longest
}

#[test]
fn a_runner_killed_at_random_moments_builds_once_and_leaves_nothing() {
    let Some(_) = program("kubectl") else { return };
    let mut random = Random::of("kills in the sandbox");
    let count = times(20, 200) / THREADS;
    let threads: Vec<_> = (0..THREADS)
        .map(|_| random.of_thread())
        .map(|random| std::thread::spawn(move || kill(random, count)))
        .collect();
    let longest = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .max();
    row(
        "SIGKILL at random moments in the sandbox, then `resume`",
        format!(
            "{} runs, each built once; the longest `resume` took {:.1} s",
            count * THREADS,
            longest.unwrap().as_secs_f32()
        ),
    );
}
