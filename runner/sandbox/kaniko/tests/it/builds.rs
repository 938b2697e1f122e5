//! The built images.

use crate::server::{Ran, Server, archive, digest};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::{collections::BTreeMap, io::Read as _};

/// A file of an image: mode, owner, and content or link target.
type Files = BTreeMap<String, (u32, u64, String)>;

struct Pulled {
    config: Value,
    layers: Vec<Files>,
}

impl Pulled {
    fn files(&self) -> Files {
        self.layers
            .iter()
            .flatten()
            .map(|(path, file)| (path.clone(), file.clone()))
            .collect()
    }

    fn content(&self, path: &str) -> String {
        self.files()
            .get(path)
            .unwrap_or_else(|| panic!("{path} in {:?}", self.files()))
            .2
            .clone()
    }
}

/// Pulls the image from the registry and checks every digest.
fn pull(server: &Server, ran: &Ran, name: &str) -> Pulled {
    assert_eq!(ran.code, 0, "{}", ran.log);
    let world = server.world.lock().unwrap();
    let manifest = &world.manifests[&format!(
        "/v2/europe-docker.pkg.dev/p/r/{}",
        name.replace(':', "/manifests/")
    )];
    assert_eq!(ran.digest.as_deref(), Some(&digest(manifest)[..]));
    let manifest: Value = serde_json::from_slice(manifest).unwrap();
    let blob = |descriptor: &Value| {
        let bytes = &world.blobs[descriptor["digest"].as_str().unwrap()];
        assert_eq!(descriptor["size"], bytes.len());
        bytes.clone()
    };
    let config: Value = serde_json::from_slice(&blob(&manifest["config"])).unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    let diff_ids = config["rootfs"]["diff_ids"].as_array().unwrap();
    assert_eq!(layers.len(), diff_ids.len());
    let history = config["history"].as_array().unwrap();
    assert_eq!(
        history
            .iter()
            .filter(|entry| entry["empty_layer"] != true)
            .count(),
        layers.len()
    );
    let layers = layers.iter().zip(diff_ids).map(|(layer, diff_id)| {
        let mut plain = Vec::new();
        GzDecoder::new(&blob(layer)[..])
            .read_to_end(&mut plain)
            .unwrap();
        assert_eq!(*diff_id, digest(&plain));
        entries(&plain)
    });
    let layers = layers.collect();
    Pulled { config, layers }
}

fn entries(plain: &[u8]) -> Files {
    let mut files = Files::new();
    for entry in tar::Archive::new(plain).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let mut content = String::from_utf8_lossy(&bytes).into_owned();
        if let Some(target) = entry.link_name().unwrap() {
            content = target.display().to_string();
        }
        let header = entry.header();
        files.insert(
            path,
            (header.mode().unwrap(), header.uid().unwrap(), content),
        );
    }
    files
}

async fn build(dockerfile: &str, more: &[(&str, &str)], flags: &[&str]) -> (Server, Ran, Pulled) {
    let server = Server::start().await;
    server.context(&[&[("Dockerfile", dockerfile)], more].concat());
    let ran = server.run(flags).await;
    let pulled = pull(&server, &ran, "app:1");
    (server, ran, pulled)
}

#[tokio::test]
async fn it_asks_in_kanikos_order_and_writes_the_digest() {
    let (server, ran, _) = build("FROM scratch\nCOPY a /a\n", &[("a", "x")], &[]).await;
    let token = "GET /computeMetadata/v1/instance/service-accounts/default/token";
    let want = [
        token,
        "GET /ctx/a%2Fctx.tar.gz",
        "GET /computeMetadata/v1/project/project-id",
        token,
        "GET /v2/",
        "GET /token",
        "POST /v2/europe-docker.pkg.dev/p/r/app/blobs/uploads/",
        "DELETE /v2/upload/1",
    ];
    assert_eq!(server.requests()[..want.len()], want);
    assert_eq!(
        server.requests().last().unwrap(),
        "PUT /v2/europe-docker.pkg.dev/p/r/app/manifests/1"
    );
    let digest = ran.digest.unwrap();
    assert!(
        ran.log.ends_with(&format!(
            "INFO[0000] Pushed europe-docker.pkg.dev/p/r/app@{digest}\n"
        )),
        "{}",
        ran.log
    );
}

#[tokio::test]
async fn the_configuration_is_what_the_dockerfile_says() {
    let dockerfile = r#"
ARG V=1
FROM scratch AS one
ARG V
ARG FOO=bar BAZ
ENV A=b C="d e" P=$A
ENV OLD style  value
ENV P=$A/x F=${FOO}-${BAZ:-none}-$V
LABEL x="y z" w=$A
WORKDIR /x/$A
WORKDIR rel
USER $A:1
EXPOSE 80 53/udp
VOLUME ["/v"]
HEALTHCHECK --interval=1m30s --retries=3 CMD curl x
SHELL ["/bin/bash", "-c"]
ENTRYPOINT exec $A \
  # a comment
  more
CMD ["a", "$A"]
STOPSIGNAL SIGINT
"#;
    let (_, ran, image) = build(dockerfile, &[], &["--build-arg=BAZ=given", "--label=l=1"]).await;
    let got = &image.config["config"];
    let want = json!({
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "A=b", "C=d e", "P=b/x", "OLD=style  value", "F=bar-given-1"],
        "Labels": { "x": "y z", "w": "b", "dev.sidestep.sandbox": "true", "l": "1" },
        "WorkingDir": "/x/b/rel",
        "User": "b:1",
        "ExposedPorts": { "80/tcp": {}, "53/udp": {} },
        "Volumes": { "/v": {} },
        "Healthcheck": { "Test": ["CMD-SHELL", "curl x"], "Interval": 90_000_000_000_u64, "Retries": 3 },
        "Shell": ["/bin/bash", "-c"],
        "Entrypoint": ["/bin/bash", "-c", "exec $A   more"],
        "Cmd": ["a", "$A"],
        "StopSignal": "SIGINT",
    });
    for (key, value) in want.as_object().unwrap() {
        assert_eq!(&got[key], value, "{key}");
    }
    assert_eq!(
        got.as_object().unwrap().len(),
        want.as_object().unwrap().len()
    );
    assert_eq!(
        image.files().keys().collect::<Vec<_>>(),
        ["x/", "x/b/", "x/b/rel/"]
    );
    assert!(
        ran.log.contains("sandbox: all of 17 instructions executed"),
        "{}",
        ran.log
    );
}

#[tokio::test]
async fn copies_land_where_docker_puts_them() {
    let dockerfile = "FROM scratch\nWORKDIR /app\nCOPY --chown=7:8 --chmod=0750 src/ lib/\nCOPY *.txt a.md ./\nCOPY one.txt renamed\nCOPY [\"sp ace\", \"/q/\"]\nCOPY . /all/\nCOPY <<EOF <<'B' /docs/\nhello $PATHX \"q\"\nEOF\nkeep $A\nB\nADD in.tar.gz /unpacked/\nENV D=sub\nCOPY one.txt $D/\n";
    let folder = tempfile::tempdir().unwrap();
    let inner = tempfile::tempdir().unwrap();
    std::fs::write(inner.path().join("deep"), "d").unwrap();
    std::fs::write(folder.path().join("in.tar.gz"), archive(inner.path())).unwrap();
    for (path, content) in [
        ("Dockerfile", dockerfile),
        (".dockerignore", "*.log\nDockerfile\n!keep.log\n"),
        ("one.txt", "1"),
        ("two.txt", "2"),
        ("a.md", "m"),
        ("x.log", "l"),
        ("keep.log", "k"),
        ("sp ace", "s"),
    ] {
        std::fs::write(folder.path().join(path), content).unwrap();
    }
    std::fs::create_dir_all(folder.path().join("src/sub")).unwrap();
    std::fs::write(folder.path().join("src/sub/f"), "f").unwrap();
    std::os::unix::fs::symlink("sub/f", folder.path().join("src/l")).unwrap();
    let server = Server::start().await;
    server.context_of(folder.path());
    let ran = server.run(&[]).await;
    let image = pull(&server, &ran, "app:1");
    let files = image.files();
    let mode = |path: &str| (files[path].0, files[path].1);
    assert_eq!(mode("app/lib/sub/f"), (0o750, 7));
    assert_eq!(mode("app/lib/sub/"), (0o750, 7));
    assert_eq!(files["app/lib/l"].2, "sub/f");
    for (path, content) in [
        ("app/one.txt", "1"),
        ("app/two.txt", "2"),
        ("app/a.md", "m"),
        ("app/renamed", "1"),
        ("q/sp ace", "s"),
        ("all/src/sub/f", "f"),
        ("all/keep.log", "k"),
        ("all/.dockerignore", "*.log\nDockerfile\n!keep.log\n"),
        ("docs/EOF", "hello $PATHX \"q\"\n"),
        ("docs/B", "keep $A\n"),
        ("unpacked/deep", "d"),
        ("app/sub/one.txt", "1"),
    ] {
        assert_eq!(image.content(path), content, "{path}");
    }
    assert!(!files.contains_key("all/x.log") && !files.contains_key("all/Dockerfile"));
}

#[tokio::test]
async fn a_context_that_we_packed_is_not_filtered_again() {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in [
        (".dockerignore", "*\n!.dockerignore\n!**/.cargo/\n"),
        (".cargo/config.toml", "[build]"),
        ("sub/.cargo/config.toml", "[net]"),
        ("other", "o"),
        ("Dockerfile", "FROM scratch\nCOPY . /\n"),
    ] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let server = Server::start().await;
    let copied = async |args: &[&str]| -> Vec<String> {
        let image = pull(&server, &server.run(args).await, "app:1");
        let files = image.files().into_keys();
        files.filter(|path| !path.ends_with('/')).collect()
    };

    let tree =
        sidestep_context::Tree::read(&sidestep_context::Options::new(folder.path())).unwrap();
    let mut packed = Vec::new();
    sidestep_context::pack(&tree, &mut packed).unwrap();
    server.context_is(packed);
    let got = copied(&[
        "--context-sub-path=context",
        "--dockerfile=../dockerfiles/Dockerfile/Dockerfile",
    ])
    .await;
    let files = tree.entries().iter().filter(|entry| entry.kind.size() > 0);
    let mut listed: Vec<String> = files
        .map(|entry| entry.path.to_str_lossy().into_owned())
        .collect();
    listed.sort();
    assert_eq!(got, listed);
    assert_eq!(
        got,
        [
            ".cargo/config.toml",
            ".dockerignore",
            "sub/.cargo/config.toml"
        ]
    );

    // A third-party archive is filtered, and the real kaniko drops the same file.
    server.context_of(folder.path());
    assert_eq!(
        copied(&[]).await,
        [".dockerignore", "sub/.cargo/config.toml"]
    );
}

#[tokio::test]
async fn a_link_that_is_named_in_a_copy_is_copied_as_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let dockerfile = "FROM scratch\nCOPY lf /lf\nCOPY linkdir /x\nCOPY l* /all/\nADD lf /added\nADD la /unpacked/\nCOPY linkdir/g /g\nCOPY real/f linkdir/f /both/\nCOPY real /real\n";
    std::fs::create_dir_all(folder.path().join("real")).unwrap();
    for (path, content) in [
        ("Dockerfile", dockerfile),
        ("real/f", "f"),
        ("inner/deep", "d"),
    ] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let inner = archive(&folder.path().join("inner"));
    std::fs::write(folder.path().join("in.tar.gz"), inner).unwrap();
    for (target, at) in [
        ("real/f", "lf"),
        ("real", "linkdir"),
        ("in.tar.gz", "la"),
        ("f", "real/g"),
    ] {
        std::os::unix::fs::symlink(target, folder.path().join(at)).unwrap();
    }
    let server = Server::start().await;
    server.context_of(folder.path());
    let ran = server.run(&[]).await;
    let image = pull(&server, &ran, "app:1");
    let files = image.files();
    // The same as kaniko 1.28.3 with this context.
    for (path, target) in [
        ("lf", "real/f"),
        ("x", "real"),
        ("all/lf", "real/f"),
        ("all/linkdir", "real"),
        ("all/la", "in.tar.gz"),
        ("added", "real/f"),
        ("g", "f"),
        ("real/g", "f"),
    ] {
        assert_eq!(files[path].2, target, "{path}");
    }
    for (path, content) in [("unpacked/deep", "d"), ("both/f", "f"), ("real/f", "f")] {
        assert_eq!(image.content(path), content, "{path}");
    }
}

#[tokio::test]
async fn any_repository_builds_and_what_was_left_out_is_named() {
    let dockerfile = "FROM node:20 AS build\nWORKDIR /app\nCOPY package.json .\nRUN npm ci && \\\n    npm run build\n\nFROM nginx:alpine AS app\nCOPY --from=build /app/dist /usr/share/nginx/html\nCOPY --from=build /app/package.json /\nCOPY --from=busybox /bin/sh /bin/\nCMD [\"nginx\"]\nFROM unused\nRUN never\n";
    let (_, ran, image) = build(dockerfile, &[("package.json", "{}")], &["--target=App"]).await;
    assert_eq!(image.content("package.json"), "{}");
    for line in [
        "WARN[0000] sandbox: not executed: FROM node:20 AS build: the sandbox does not have \
         node:20; an empty layer replaces it",
        "WARN[0000] sandbox: not executed: RUN npm ci && npm run build: the sandbox runs no commands",
        "WARN[0000] sandbox: not executed: COPY --from=build /app/dist /usr/share/nginx/html: \
         missing in the sandbox: /app/dist (the sandbox does not have the image node:20; line 4 \
         was not executed: RUN npm ci && npm run build)",
        "WARN[0000] sandbox: not executed: COPY --from=busybox /bin/sh /bin/: missing in the \
         sandbox: /bin/sh (the sandbox does not have the image busybox)",
        "WARN[0000] sandbox: 5 of 9 instructions not executed",
    ] {
        assert!(
            ran.log.lines().any(|got| got == line),
            "{line}\nin\n{}",
            ran.log
        );
    }
    assert!(!ran.log.contains("unused"));
    assert_eq!(
        image.config["config"]["Labels"]["dev.sidestep.sandbox"],
        "true"
    );
}

#[tokio::test]
async fn an_image_of_the_sandbox_is_a_base_for_the_next() {
    let server = Server::start().await;
    server.context(&[("Dockerfile", "FROM scratch\nCOPY a /dir/a\nENV X=1\nENTRYPOINT [\"e\"]\nCMD [\"c\"]\nONBUILD RUN later\n"), ("a", "base")]);
    let first = server
        .run(&["--destination=europe-docker.pkg.dev/p/r/other:2"])
        .await;
    let base = pull(&server, &first, "app:1");
    server.context(&[("Dockerfile", "FROM europe-docker.pkg.dev/p/r/other:2\nENV X=$X$X\nENTRYPOINT [\"f\"]\nCOPY --from=europe-docker.pkg.dev/p/r/app:1 /dir /copy\nCOPY b /dir\n"), ("b", "b")]);
    let ran = server
        .run(&["--destination=europe-docker.pkg.dev/p/r/top:1"])
        .await;
    let top = pull(&server, &ran, "top:1");
    assert_eq!(top.layers[0], base.layers[0]);
    assert_eq!(
        (top.content("copy/a"), top.content("dir/b")),
        ("base".into(), "b".into())
    );
    let config = &top.config["config"];
    assert_eq!(config["Env"][1], "X=11");
    assert_eq!(
        (&config["Entrypoint"], &config["Cmd"]),
        (&json!(["f"]), &Value::Null)
    );
    assert!(
        ran.log
            .contains("sandbox: not executed: RUN later: the sandbox runs no commands"),
        "{}",
        ran.log
    );
    assert!(
        ran.log
            .contains("sandbox: 1 of 6 instructions not executed"),
        "{}",
        ran.log
    );
}

#[tokio::test]
async fn stages_build_on_stages() {
    let dockerfile = "FROM scratch AS a\nCOPY x /x\nFROM a AS b\nCOPY y /y\nFROM scratch\nCOPY --from=b / /\nCOPY --from=0 /x /again\n";
    let (_, ran, image) = build(dockerfile, &[("x", "1"), ("y", "2")], &[]).await;
    assert_eq!(
        (
            image.content("x"),
            image.content("y"),
            image.content("again")
        ),
        ("1".into(), "2".into(), "1".into())
    );
    assert_eq!(image.layers.len(), 2);
    assert!(
        ran.log.contains("all of 7 instructions executed"),
        "{}",
        ran.log
    );
}

#[tokio::test]
async fn reproducible_means_one_digest() {
    let server = Server::start().await;
    server.context(&[("Dockerfile", "FROM scratch\nCOPY a /\n"), ("a", "x")]);
    let first = server.run(&["--reproducible"]).await;
    let second = server.run(&["--reproducible"]).await;
    assert_eq!(first.digest, second.digest);
    assert_eq!(
        pull(&server, &first, "app:1").config["created"],
        "0001-01-01T00:00:00Z"
    );
}

#[tokio::test]
async fn without_a_push_nothing_is_pushed() {
    let server = Server::start().await;
    server.context(&[
        ("sub/Dockerfile", "FROM scratch\nCOPY a /\n"),
        ("sub/a", "x"),
    ]);
    let names = tempfile::NamedTempFile::new().unwrap();
    let tar = tempfile::NamedTempFile::new().unwrap();
    let tar_path = format!("--tar-path={}", tar.path().display());
    let file = format!("--image-name-with-digest-file={}", names.path().display());
    let ran = server
        .run(&[
            "--no-push",
            &tar_path,
            "--context-sub-path=sub",
            &file,
            "--log-format=json",
        ])
        .await;
    assert_eq!(ran.code, 0, "{}", ran.log);
    let digest = ran.digest.unwrap();
    assert_eq!(
        std::fs::read_to_string(names.path()).unwrap(),
        format!("europe-docker.pkg.dev/p/r/app@{digest}\n")
    );
    assert!(
        server
            .requests()
            .iter()
            .all(|request| !request.contains("/v2/")),
        "{:?}",
        server.requests()
    );
    for line in ran.log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["msg"].is_string() && line["level"].is_string() && line["time"].is_string());
    }
}

#[tokio::test]
async fn arguments_and_stages_count_as_kaniko_counts_them() {
    let dockerfile = "ARG V=1\nFROM scratch AS x\nCOPY a /first\nONBUILD COPY b /trigger\nFROM scratch AS X\nCOPY a /second\nFROM x\nCOPY --from=x /second /again\nENV A=1 B=1\nARG A=2\nARG V\nARG TARGETARCH\nARG TARGETSTAGE\nENV B=$A C=$V-$TARGETSTAGE-$TARGETOS\nCOPY --chmod=u+x,go= a /mode\nUSER 7\nCOPY a /own\nCOPY --from=x /second /kept\n";
    let args = ["--build-arg=V=3", "--build-arg=UNKNOWN=1"];
    let (_, _, image) = build(dockerfile, &[("a", "x"), ("b", "y")], &args).await;
    // FROM uses the first of two stages with the same name, and COPY --from the last.
    assert_eq!(image.content("first") + &image.content("again"), "xx");
    assert_eq!(image.content("trigger"), "y");
    let files = image.files();
    assert_eq!(files["mode"].0, 0o700);
    // Files from the context get the user as owner. Files from a stage keep their owner.
    assert_eq!((files["own"].1, files["kept"].1), (7, 0));
    let env = &image.config["config"]["Env"];
    assert_eq!(env[2], "B=2", "an ARG goes before an ENV: {env}");
    assert_eq!(env[3], "C=3-default-", "{env}");
    assert_eq!(image.config["config"].get("OnBuild"), None);
}
