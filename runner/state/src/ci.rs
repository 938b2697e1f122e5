//! Derives the id of a run that a CI system starts.

use serde_json::Value;
use sidestep_names::{Encoding, Kind};

use crate::RunId;

/// The variable that distinguishes jobs of one CI run whose other variables are equal.
pub const RUN_KEY: &str = "SIDESTEP_RUN_KEY";

/// The variables by which a CI system identifies a job. They stay the same when the job is retried.
struct System {
    name: &'static str,
    /// The variable of the CI run. It is also how the CI system is detected.
    run: &'static str,
    /// The variables that distinguish the job from all others of that run: server, project, job,
    /// and its index among parallel copies. The absence of a variable counts too.
    job: &'static [&'static str],
}

const SYSTEMS: [System; 4] = [
    // https://docs.github.com/en/actions/reference/workflows-and-actions/variables: the run's id is
    // unique within a repository, and unlike GITHUB_RUN_ATTEMPT it stays the same when the run is
    // re-run. No variable holds the job's position in a matrix.
    System {
        name: "github",
        run: "GITHUB_RUN_ID",
        job: &[
            "GITHUB_SERVER_URL",
            "GITHUB_REPOSITORY",
            "GITHUB_WORKFLOW_REF",
            "GITHUB_JOB",
        ],
    },
    // https://docs.gitlab.com/ci/variables/predefined_variables: the pipeline's id is unique within
    // an instance. A retried job has another CI_JOB_ID and the same name. CI_NODE_INDEX is set only
    // for jobs of `parallel`.
    System {
        name: "gitlab",
        run: "CI_PIPELINE_ID",
        job: &[
            "CI_SERVER_URL",
            "CI_PROJECT_ID",
            "CI_JOB_NAME",
            "CI_NODE_INDEX",
        ],
    },
    // https://buildkite.com/docs/pipelines/configure/environment-variables: the build's id is a
    // UUID. A retried job has another BUILDKITE_JOB_ID and the same step. Jobs of a `matrix` share
    // their step.
    System {
        name: "buildkite",
        run: "BUILDKITE_BUILD_ID",
        job: &["BUILDKITE_STEP_ID", "BUILDKITE_PARALLEL_JOB"],
    },
    // Tekton sets no variables, so the task passes $(context.taskRun.uid). A task can read that uid
    // but not the pipeline run's, and it differs for each copy of a matrix. A retried task has the
    // same TaskRun. https://tekton.dev/docs/pipelines/variables
    System {
        name: "tekton",
        run: "TEKTON_TASK_RUN_UID",
        job: &[],
    },
];

/// Returns the variables that [`RunId::from_ci`] reads besides [`RUN_KEY`].
pub fn ci_variables() -> impl Iterator<Item = &'static str> {
    SYSTEMS
        .iter()
        .flat_map(|system| std::iter::once(system.run).chain(system.job.iter().copied()))
}

impl RunId {
    /// Returns the id of the CI job that this process runs in, if it runs in one. The id is a
    /// function of the job's variables, [`RUN_KEY`], the pipeline's name and its inputs. So a
    /// retried job gets the same id again, and no other job gets it.
    pub fn from_ci(
        env: impl Fn(&str) -> Option<String>,
        pipeline: &str,
        given: &Value,
    ) -> Option<Self> {
        let env = |name: &str| env(name).filter(|value| !value.trim().is_empty());
        let (system, run) = SYSTEMS
            .iter()
            .find_map(|system| Some((system, env(system.run)?)))?;
        let job = Encoding::of(Kind::CiRun).text(system.name).text(&run);
        let job = system
            .job
            .iter()
            .fold(job, |job, name| job.optional(env(name).as_deref()));
        let digest = job
            .optional(env(RUN_KEY).as_deref())
            .text(pipeline)
            .value(given)
            .digest();
        Some(Self::of_ci(&run, &digest))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn id(env: &[(&str, &str)], pipeline: &str, given: &Value) -> Option<RunId> {
        let env: HashMap<_, _> = env.iter().copied().collect();
        RunId::from_ci(
            |name| env.get(name).map(|value| (*value).to_owned()),
            pipeline,
            given,
        )
    }

    #[test]
    fn two_jobs_of_one_ci_run_have_two_ids() {
        for (one, other) in [
            (
                &[("GITHUB_RUN_ID", "7"), ("GITHUB_JOB", "linux")][..],
                &[("GITHUB_RUN_ID", "7"), ("GITHUB_JOB", "windows")][..],
            ),
            (
                &[("GITHUB_RUN_ID", "7"), ("GITHUB_REPOSITORY", "acme/api")],
                &[("GITHUB_RUN_ID", "7"), ("GITHUB_REPOSITORY", "acme/web")],
            ),
            (
                &[
                    ("GITHUB_RUN_ID", "7"),
                    (
                        "GITHUB_WORKFLOW_REF",
                        "a/b/.github/workflows/x.yml@refs/heads/main",
                    ),
                ],
                &[
                    ("GITHUB_RUN_ID", "7"),
                    (
                        "GITHUB_WORKFLOW_REF",
                        "a/b/.github/workflows/y.yml@refs/heads/main",
                    ),
                ],
            ),
            (
                &[
                    ("CI_PIPELINE_ID", "7"),
                    ("CI_JOB_NAME", "image 1/2"),
                    ("CI_NODE_INDEX", "1"),
                ],
                &[
                    ("CI_PIPELINE_ID", "7"),
                    ("CI_JOB_NAME", "image 1/2"),
                    ("CI_NODE_INDEX", "2"),
                ],
            ),
            (
                &[
                    ("BUILDKITE_BUILD_ID", "7"),
                    ("BUILDKITE_STEP_ID", "s"),
                    ("BUILDKITE_PARALLEL_JOB", "0"),
                ],
                &[
                    ("BUILDKITE_BUILD_ID", "7"),
                    ("BUILDKITE_STEP_ID", "s"),
                    ("BUILDKITE_PARALLEL_JOB", "1"),
                ],
            ),
            (
                &[("GITHUB_RUN_ID", "7"), (RUN_KEY, "linux")],
                &[("GITHUB_RUN_ID", "7"), (RUN_KEY, "windows")],
            ),
            // The same number in two CI systems, and the same text in two variables.
            (&[("GITHUB_RUN_ID", "7")], &[("CI_PIPELINE_ID", "7")]),
            (
                &[("GITHUB_RUN_ID", "7"), ("GITHUB_JOB", "x")],
                &[("GITHUB_RUN_ID", "7"), (RUN_KEY, "x")],
            ),
        ] {
            let ids = [one, other].map(|env| id(env, "image", &json!({})).expect("in CI"));
            assert_ne!(ids[0], ids[1], "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_retried_ci_job_gets_its_id_again() {
        let job = [("GITHUB_RUN_ID", "1234"), ("GITHUB_JOB", "linux")];
        let first = id(&job, "image", &json!({"a": 1, "b": [2]})).expect("in CI");
        let retried = [job[0], job[1], ("GITHUB_RUN_ATTEMPT", "2")];
        let again = id(&retried, "image", &json!({"b": [2], "a": 1}));
        assert_eq!(again.as_ref(), Some(&first));
        assert!(first.as_str().starts_with("1234-"), "{first}");
        assert_ne!(id(&job, "image", &json!({"a": "1", "b": [2]})), Some(first));
    }

    #[test]
    fn without_a_ci_there_is_no_id_and_an_empty_variable_is_none() {
        assert_eq!(id(&[("GITHUB_JOB", "linux")], "image", &json!({})), None);
        assert_eq!(id(&[("CI_PIPELINE_ID", " ")], "image", &json!({})), None);
        assert_eq!(
            id(
                &[("GITHUB_RUN_ID", "7"), (RUN_KEY, "")],
                "image",
                &json!({})
            ),
            id(&[("GITHUB_RUN_ID", "7")], "image", &json!({}))
        );
    }

    fn jobs(
        system: &'static System,
    ) -> impl Strategy<Value = (BTreeMap<&'static str, String>, String, i32)> {
        let names: Vec<_> = [system.run, RUN_KEY]
            .into_iter()
            .chain(system.job.iter().copied())
            .collect();
        let count = names.len();
        (
            prop::collection::vec("[a7/ -]{0,3}", count),
            "[ab]{1,2}",
            0_i32..3,
        )
            .prop_map(move |(values, pipeline, input)| {
                let env = names.iter().copied().zip(values);
                // An empty variable counts as unset.
                let env = env.filter(|(_, value)| !value.trim().is_empty());
                (env.collect(), pipeline, input)
            })
    }

    /// Text that moves between adjacent variables changes the id: `ab` and nothing, `a` and `b`.
    #[test]
    fn no_text_moves_from_one_variable_into_another() {
        for system in &SYSTEMS {
            let names: Vec<_> = [system.run]
                .into_iter()
                .chain(system.job.iter().copied())
                .chain([RUN_KEY])
                .collect();
            for pair in names.windows(2) {
                let [one, other] = pair else { continue };
                let of = |first: &str, second: &str| {
                    id(
                        &[(system.run, "r"), (one, first), (other, second)],
                        "image",
                        &json!({}),
                    )
                    .expect("in CI")
                };
                let ids: std::collections::BTreeSet<_> =
                    [("ab", "c"), ("a", "bc"), ("abc", ""), ("a b", "c")]
                        .map(|(first, second)| of(first, second).to_string())
                        .into();
                assert_eq!(ids.len(), 4, "{} {pair:?}", system.name);
            }
        }
    }

    proptest! {
        /// Jobs that differ in a variable, in the pipeline or in an input have different ids.
        #[test]
        fn jobs_share_an_id_only_if_all_is_equal(
            (one, other) in (0..SYSTEMS.len(), 0..SYSTEMS.len())
                .prop_flat_map(|(a, b)| (jobs(&SYSTEMS[a]), jobs(&SYSTEMS[b]))),
        ) {
            let id = |(env, pipeline, input): &(BTreeMap<&str, String>, String, i32)| {
                RunId::from_ci(|name| env.get(name).cloned(), pipeline, &json!({ "input": input }))
            };
            if let (Some(first), Some(second)) = (id(&one), id(&other)) {
                prop_assert_eq!(first == second, one == other);
                prop_assert_eq!(first.as_str().parse::<RunId>(), Ok(first.clone()));
            }
        }
    }
}
