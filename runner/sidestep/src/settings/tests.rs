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
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
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
    world.write(&world.places.user_config, "maxParallel: 3\n");
    assert_eq!(value(&[]), 3);
    world.write(&world.places.project_config, "maxParallel: 4\n");
    assert_eq!(value(&[]), 4);
    assert_eq!(value(&[("SIDESTEP_MAX_PARALLEL", "5")]), 5);
    let settings = world.load(None, &[]).expect("right");
    let flagged = settings.flag(
        "maxParallel",
        &settings.max_parallel,
        Some((6, "--max-parallel")),
    );
    assert_eq!(
        (flagged.value, flagged.source),
        (6, Source::Flag("--max-parallel"))
    );
}

#[test]
fn what_the_machine_locks_nothing_changes() {
    let world = World::new();
    world.write(
        &world.places.machine_config,
        "maxParallel: 2\ncolor: never\nendpoints: { STS: \"https://sts.example\" }\nlock: [maxParallel, color, endpoints]\n",
    );
    world.write(
        &world.places.user_config,
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
    let flagged = settings.flag(
        "maxParallel",
        &settings.max_parallel,
        Some((6, "--max-parallel")),
    );
    assert_eq!(flagged.value, 2);
    assert!(
        settings
            .rows()
            .iter()
            .any(|row| row.name == "endpoints.STS" && row.locked)
    );
}

#[test]
fn a_project_says_nothing_about_where_credentials_go() {
    let world = World::new();
    for text in [
        "endpoints: { STS: \"https://evil\" }",
        "clusters: { prod: { context: mine } }",
    ] {
        world.write(&world.places.project_config, text);
        let problems = world.load(None, &[]).expect_err("refused");
        assert_eq!(problems[0].exit, Some(6));
        assert!(
            problems[0].message.contains("receive credentials"),
            "{problems:?}"
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
            problems[0].message.contains("bound what a project may use"),
            "{problems:?}"
        );
    }
    world.write(&world.places.project_config, "");
    world.write(&world.places.user_config, "compileTime: 2m\n");
    let env = [("SIDESTEP_COMPILE_MEMORY", "512Mi")];
    let settings = world.load(None, &env).expect("right");
    assert_eq!(settings.compile_time.value.to_string(), "120s");
    assert_eq!(settings.compile_memory.value, Size(512 << 20));
}

#[test]
fn a_setting_says_where_it_comes_from() {
    let world = World::new();
    world.write(
        &world.places.user_config,
        "state: dir:/var/runs\nclusters:\n  prod: { context: gke_prod }\n  here: { inCluster: {} }\n",
    );
    let env = [("SIDESTEP_ENDPOINT_STORAGE", "http://127.0.0.1:1")];
    let settings = world.load(None, &env).expect("right");
    assert_eq!(settings.state.value, Path::new("/var/runs"));
    assert_eq!(
        settings.clusters["prod"].value,
        ClusterAccess::Context("gke_prod".into())
    );
    let rows = settings.rows();
    let source = |name: &str| {
        let row = rows.iter().find(|row| row.name == name);
        row.map(|row| row.source.clone()).expect("listed")
    };
    assert_eq!(
        source("state"),
        world.places.user_config.display().to_string()
    );
    assert_eq!(source("color"), "default");
    assert_eq!(source("endpoints.STORAGE"), "$SIDESTEP_ENDPOINT_STORAGE");
}

#[test]
fn everything_wrong_is_told_at_once_with_its_place() {
    let world = World::new();
    world.write(&world.places.user_config, "maxParalel: 3\n");
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
