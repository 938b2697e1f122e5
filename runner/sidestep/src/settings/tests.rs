use std::os::unix::fs::PermissionsExt as _;

use super::*;

struct World {
    folder: tempfile::TempDir,
    places: Places,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let places = Places {
            machine_config: root.join("etc/config.yaml"),
            ..Places::of(&root.join("work"), |name| match name {
                "HOME" => Some(root.join("home").display().to_string()),
                _ => None,
            })
        };
        Self { folder, places }
    }

    fn write(&self, path: &Path, text: &str) {
        assert!(path.starts_with(self.folder.path()));
        let folder = path.parent().expect("a folder");
        std::fs::create_dir_all(folder).expect("made");
        std::fs::write(path, text).expect("written");
        // Independent of the umask.
        set(folder, 0o700);
        set(path, 0o600);
    }

    /// Returns the path of the user's file.
    fn user(&self) -> PathBuf {
        self.places.user_config.clone().expect("a home")
    }

    fn load(
        &self,
        color: Option<Color>,
        env: &[(&str, &str)],
    ) -> Result<Settings, Vec<Diagnostic>> {
        Settings::load(color, &self.places, |name| {
            let found = env.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }
}

fn set(path: &Path, mode: u32) {
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, mode).expect("set");
}

#[test]
fn flag_then_environment_then_project_then_user_then_machine() {
    let world = World::new();
    let value = |env: &[(&str, &str)]| {
        let settings = world.load(None, env).expect("right");
        settings.max_parallel.value
    };
    assert_eq!(value(&[]), MAX_PARALLEL);
    world.write(&world.places.machine_config, "maxParallel: 2\n");
    assert_eq!(value(&[]), 2);
    world.write(&world.user(), "maxParallel: 3\n");
    assert_eq!(value(&[]), 3);
    world.write(&world.places.project_config, "maxParallel: 4\n");
    assert_eq!(value(&[]), 4);
    assert_eq!(value(&[("SIDESTEP_MAX_PARALLEL", "5")]), 5);
    let settings = world.load(None, &[]).expect("right");
    let flagged = settings.flag(&known::MAX_PARALLEL, &settings.max_parallel, Some(6));
    assert_eq!(
        (flagged.value, flagged.source),
        (6, Source::Flag("--max-parallel"))
    );
}

#[test]
fn limits_are_sizes_with_their_unit() {
    let world = World::new();
    let limits = |env: &[(&str, &str)]| {
        let settings = world.load(None, env).expect("right");
        (settings.journal_limit.value.0, settings.log_limit.value.0)
    };
    assert_eq!(limits(&[]), (256 << 20, 1 << 30));
    world.write(&world.user(), "journalLimit: 512Mi\nlogLimit: 2G\n");
    assert_eq!(limits(&[]), (512 << 20, 2_000_000_000));
    assert_eq!(limits(&[("SIDESTEP_LOG_LIMIT", "8Mi")]).1, 8 << 20);
    let shown = world.load(None, &[]).expect("right").rows();
    assert!(
        shown
            .iter()
            .any(|row| row.name == "journalLimit" && row.value == "512Mi")
    );
    world.write(&world.places.project_config, "journalLimit: 512Mi\n");
    assert!(
        world.load(None, &[]).is_err(),
        "a project sets its own limit"
    );
    world.write(&world.places.project_config, "");
    for wrong in ["1", "many", "1023Ki", "-1Mi", "99999999999Gi"] {
        assert!(
            world
                .load(None, &[("SIDESTEP_JOURNAL_LIMIT", wrong)])
                .is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn what_the_machine_locks_nothing_changes() {
    let world = World::new();
    world.write(
        &world.places.machine_config,
        "maxParallel: 2\ncolor: never\nendpoints: { STS: \"https://sts.example\" }\nlock: [maxParallel, color, endpoints]\n",
    );
    world.write(
        &world.user(),
        "maxParallel: 3\nendpoints: { STS: \"https://a\", IAM: \"https://b\" }\n",
    );
    let env = [
        ("SIDESTEP_MAX_PARALLEL", "5"),
        ("SIDESTEP_ENDPOINT_STS", "https://c"),
    ];
    let settings = world.load(Some(Color::Always), &env).expect("right");
    assert_eq!(settings.max_parallel.value, 2);
    assert_eq!(settings.color.value, Color::Never);
    assert_eq!(settings.endpoint("STS"), Some("https://sts.example"));
    assert_eq!(settings.endpoint("IAM"), None);
    let flagged = settings.flag(&known::MAX_PARALLEL, &settings.max_parallel, Some(6));
    assert_eq!(flagged.value, 2);
    assert!(
        settings
            .rows()
            .iter()
            .any(|row| row.name == "endpoints.STS" && row.locked)
    );
}

#[test]
fn a_lock_names_a_setting_and_stands_in_the_machine_s_file() {
    let world = World::new();
    let machine = world.places.machine_config.clone();
    for (lock, known) in [
        ("maxParallel", true),
        ("clusters", true),
        ("endpoints.STS", true),
        ("maxparallel", false),
        ("endpoints.NONE", false),
        ("clusters.prod", false),
        ("lock", false),
    ] {
        world.write(&machine, &format!("lock: [{lock}]\n"));
        match world.load(None, &[]) {
            Ok(_) => assert!(known, "{lock} locks nothing"),
            Err(problems) => {
                let message = problems[0].message.exact();
                assert!(!known && message.contains(lock), "{message}");
                assert!(
                    message.contains("the settings are state, color"),
                    "{message}"
                );
            }
        }
    }
    world.write(&machine, "");
    for file in [world.user(), world.places.project_config.clone()] {
        world.write(&file, "lock: [color]\n");
        let problems = world.load(None, &[]).expect_err("it locks nothing");
        let message = problems[0].message.exact();
        assert!(
            message.ends_with("only the machine's file can lock settings"),
            "{message}"
        );
        world.write(&file, "");
    }
}

/// The table and the file's type have the same settings, and each row has its own name.
#[test]
fn a_file_sets_what_the_table_lists() {
    let unknown = serde_json::from_str::<File>(r#"{ "?": 1 }"#).expect_err("unknown");
    let unknown = unknown.to_string();
    let (_, list) = unknown.split_once("expected one of ").expect("a list");
    let (list, _) = list.split_once(" at line").expect("a place");
    let mut read: Vec<_> = list
        .split(", ")
        .map(|name| name.trim_matches('`'))
        .collect();
    let mut listed: Vec<_> = known::ALL.iter().map(|known| known.name).collect();
    read.sort_unstable();
    listed.sort_unstable();
    assert_eq!(read, listed);
    for known in known::ALL {
        let Some(variable) = known.variable.filter(|_| *known != known::ENDPOINTS) else {
            continue;
        };
        let capital = |letter: char| match letter {
            'A'..='Z' => format!("_{letter}"),
            '.' => "_".to_owned(),
            _ => letter.to_ascii_uppercase().to_string(),
        };
        let derived: String = known.name.chars().map(capital).collect();
        assert_eq!(variable, format!("SIDESTEP_{derived}"));
    }
}

/// The examples of settings files in the book are valid.
#[test]
fn the_examples_of_the_book_are_read() {
    let world = World::new();
    let book = include_str!("../../../../docs/settings.md");
    let examples: Vec<&str> = book
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    let [user, job, machine] = examples.try_into().expect("three examples");
    world.write(&world.user(), job);
    let settings = world.load(None, &[]).expect("right");
    assert!(settings.identity_provider.value.is_some());
    assert!(settings.identity_service_account.value.is_some());
    world.write(&world.user(), user);
    world.write(&world.places.machine_config, machine);
    let settings = world.load(None, &[]).expect("right");
    let clusters = settings
        .clusters
        .values()
        .map(|found| found.value.to_string());
    assert_eq!(
        clusters.collect::<Vec<_>>(),
        ["in cluster", "kubeconfig context kind-builds"]
    );
    assert!(settings.rows().iter().any(|row| row.locked));
}

#[test]
fn a_project_sets_no_endpoint_secret_path_or_state() {
    let world = World::new();
    for (text, why) in [
        (
            "endpoints: { STS: \"https://evil\" }",
            "receive credentials",
        ),
        (
            "clusters: { prod: { context: mine } }",
            "receive credentials",
        ),
        ("secretFiles: [/etc/shadow]", "which files outside"),
        ("state: dir:/tmp/theirs", "where the runner writes"),
        ("sandboxImages: [busybox]", "processes of this machine"),
        ("helperImage: evil.example.com/a:1", "in the pods of steps"),
    ] {
        world.write(&world.places.project_config, text);
        let problems = world.load(None, &[]).expect_err("refused");
        assert_eq!(problems[0].exit, Some(6));
        assert!(problems[0].message.contains(why), "{problems:?}");
    }
}

#[test]
fn a_project_s_file_is_one_of_the_workspace() {
    let world = World::new();
    let outside = world.folder.path().join("outside.yaml");
    world.write(&outside, "maxParallel: 3\n");
    let project = &world.places.project_config;
    std::fs::create_dir_all(project.parent().expect("a folder")).expect("made");
    std::os::unix::fs::symlink(&outside, project).expect("made");
    let problems = world.load(None, &[]).expect_err("refused");
    assert!(problems[0].message.contains("leads out"), "{problems:?}");
}

#[test]
fn a_file_that_others_can_change_is_not_used_and_the_command_is_said() {
    let world = World::new();
    let files = [world.user(), world.places.machine_config.clone()];
    for file in &files {
        world.write(
            file,
            "maxParallel: 3\nendpoints: { STS: \"https://evil\" }\n",
        );
    }
    let [user, machine] = &files;
    for (path, mode) in [
        (user.clone(), 0o666),
        (user.clone(), 0o620),
        (user.parent().expect("a folder").to_owned(), 0o777),
    ] {
        set(machine, 0o646);
        set(&path, mode);
        let settings = world.load(None, &[]).expect("a warning");
        assert_eq!(settings.max_parallel.value, MAX_PARALLEL);
        assert_eq!(settings.endpoint("STS"), None);
        let [warning, _] = &settings.warnings[..] else {
            panic!("one for each file: {:?}", settings.warnings);
        };
        assert_eq!(warning.code, "settings.not-own");
        assert!(warning.message.contains(&format!("mode {mode:04o}")));
        let repair = format!("chmod go-w {}", path.display());
        assert!(warning.help.iter().any(|help| *help == repair));
        set(&path, if path == *user { 0o600 } else { 0o700 });
    }
    set(machine, 0o644);
    let settings = world.load(None, &[]).expect("own");
    assert_eq!(settings.max_parallel.value, 3);
    assert_eq!(settings.warnings, []);
}

#[test]
fn without_a_home_there_are_no_user_settings_and_no_state() {
    let places = |variables: &[(&str, &str)]| {
        Places::of(Path::new("/work"), |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    };
    for variables in [&[][..], &[("HOME", "")], &[("HOME", "relative")]] {
        let places = places(variables);
        assert_eq!(places.user_config, None);
        assert_eq!(places.user_policy, None);
        assert_eq!(places.cache, None);
        let settings = Settings::load(None, &places, |_| None).expect("right");
        assert_eq!(settings.state, None);
        let rows = settings.rows();
        assert!(rows.iter().any(|row| row.value == "none (no home folder)"));
    }
    let named = places(&[("XDG_STATE_HOME", "/s"), ("XDG_CONFIG_HOME", "/c")]);
    assert_eq!(named.state.as_deref(), Some(Path::new("/s/sidestep")));
    assert_eq!(
        named.user_config.as_deref(),
        Some(Path::new("/c/sidestep/config.yaml"))
    );
    let set = Settings::load(None, &places(&[]), |name| {
        (name == "SIDESTEP_STATE").then(|| "dir:/runs".to_owned())
    });
    let state = set.expect("right").state.map(|state| state.value);
    assert_eq!(state.as_deref(), Some(Path::new("/runs")));
}

#[test]
fn files_for_secrets_are_the_operators_to_list() {
    let world = World::new();
    world.write(&world.user(), "secretFiles: [\"/run/secrets/*\"]\n");
    let of = |env: &[(&str, &str)]| {
        let settings = world.load(None, env).expect("right");
        let texts = settings.secret_files.value.texts();
        texts.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of(&[]), ["/run/secrets/*"]);
    assert_eq!(of(&[("SIDESTEP_SECRET_FILES", "/a/*:/b")]), ["/a/*", "/b"]);
    for wrong in ["secrets/*", "/run/../etc/*"] {
        let problems = world.load(None, &[("SIDESTEP_SECRET_FILES", wrong)]);
        assert_eq!(problems.expect_err("wrong")[0].code, "settings.wrong");
    }
    world.write(&world.user(), "secretFiles: [relative]\n");
    assert!(world.load(None, &[]).is_err());
}

#[test]
fn images_that_run_as_processes_are_named_without_tags() {
    let world = World::new();
    world.write(&world.user(), "sandboxImages: [busybox]\n");
    let of = |env: &[(&str, &str)]| {
        let settings = world.load(None, env).expect("right");
        let names = settings.sandbox_images.value.names();
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of(&[]), ["busybox"]);
    let variable = ("SIDESTEP_SANDBOX_IMAGES", "python, localhost:5000/a/b");
    assert_eq!(of(&[variable]), ["python", "localhost:5000/a/b"]);
    for wrong in ["busybox:1", "a@sha256:0", "*"] {
        let problems = world.load(None, &[("SIDESTEP_SANDBOX_IMAGES", wrong)]);
        assert_eq!(
            problems.expect_err("wrong")[0].code,
            "settings.wrong",
            "{wrong}"
        );
    }
}

#[test]
fn a_project_does_not_set_its_own_limits() {
    let world = World::new();
    for text in ["compileTime: 1h", "compileMemory: 64Gi", "memory: 64Gi"] {
        world.write(&world.places.project_config, text);
        let problems = world.load(None, &[]).expect_err("refused");
        assert_eq!(problems[0].exit, Some(6));
        assert!(
            problems[0]
                .message
                .contains("limit the resources of a project"),
            "{problems:?}"
        );
    }
    world.write(&world.places.project_config, "");
    world.write(&world.user(), "compileTime: 2m\n");
    let env = [("SIDESTEP_COMPILE_MEMORY", "512Mi")];
    let settings = world.load(None, &env).expect("right");
    assert_eq!(settings.compile_time.value.to_string(), "120s");
    assert_eq!(settings.compile_memory.value, SizeFrom(512 << 20));
}

#[test]
fn a_setting_says_where_it_comes_from() {
    let world = World::new();
    world.write(
        &world.user(),
        "state: dir:/var/runs\nclusters:\n  prod: { context: gke_prod }\n  here: { inCluster: {} }\n",
    );
    let env = [("SIDESTEP_ENDPOINT_STORAGE", "http://127.0.0.1:1")];
    let settings = world.load(None, &env).expect("right");
    let state = settings.state.as_ref().map(|state| &*state.value);
    assert_eq!(state, Some(Path::new("/var/runs")));
    assert_eq!(
        settings.clusters["prod"].value,
        ClusterAccess::Context("gke_prod".into())
    );
    let rows = settings.rows();
    let source = |name: &str| {
        let row = rows.iter().find(|row| row.name == name);
        row.map(|row| row.source.clone()).expect("listed")
    };
    assert_eq!(source("state"), world.user().display().to_string());
    assert_eq!(source("color"), "default");
    assert_eq!(source("endpoints.STORAGE"), "$SIDESTEP_ENDPOINT_STORAGE");
}

#[test]
fn everything_wrong_is_told_at_once_with_its_place() {
    let world = World::new();
    world.write(&world.user(), "maxParalel: 3\n");
    let env = [("SIDESTEP_MAX_PARALLEL", "0"), ("SIDESTEP_STATE", "/tmp/x")];
    let problems = world.load(None, &env).expect_err("wrong");
    let text: Vec<_> = problems.iter().map(|p| p.message.exact()).collect();
    assert_eq!(text.len(), 3, "{text:?}");
    assert!(
        text[0].contains("maxParalel") && text[0].contains("config.yaml"),
        "{text:?}"
    );
    assert!(text.iter().any(|t| t.contains("SIDESTEP_MAX_PARALLEL")));
    assert!(text.iter().any(|t| t.contains("dir:PATH")));
}

#[test]
fn the_identity_of_a_job_is_a_group_of_settings_that_a_project_cannot_set() {
    let world = World::new();
    let name = "projects/1/locations/global/workloadIdentityPools/p/providers/q";
    let text = format!("identity: {{ provider: //iam.googleapis.com/{name}, serviceAccount: }}\n");
    world.write(&world.user(), &text);
    let settings = world.load(None, &[]).expect("right");
    let provider = settings.identity_provider.value.expect("it is set");
    assert_eq!(provider.name(), name);
    assert_eq!(settings.identity_service_account.value, None);
    let variable = (
        "SIDESTEP_IDENTITY_SERVICE_ACCOUNT",
        "ci@demo.iam.gserviceaccount.com",
    );
    let settings = world.load(None, &[variable]).expect("right");
    let rows = settings.rows();
    let row = |name: &str| {
        let found = rows.iter().find(|row| row.name == name).expect("a row");
        found.value.clone()
    };
    assert_eq!(row("identity.provider"), name);
    assert_eq!(row("identity.serviceAccount"), variable.1);
    let wrong = world.load(None, &[("SIDESTEP_IDENTITY_PROVIDER", "p")]);
    assert!(
        wrong.expect_err("no provider")[0]
            .message
            .contains("write projects/NUMBER/")
    );

    world.write(&world.places.project_config, &text);
    let wrong = world.load(None, &[]).expect_err("not the project's");
    assert!(
        wrong[0].message.contains("receives the job's id token"),
        "{wrong:?}"
    );
}
