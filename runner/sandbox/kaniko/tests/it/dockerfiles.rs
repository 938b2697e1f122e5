//! Dockerfiles that kaniko refuses, and its messages: each line was copied from kaniko 1.28.3, run
//! with the same file.

use crate::server::{Ran, Server};

async fn run(dockerfile: &str, args: &[&str]) -> Ran {
    let server = Server::start().await;
    server.context(&[("Dockerfile", dockerfile), ("a", "x"), ("b", "y")]);
    server.run(args).await
}

#[tokio::test]
async fn what_kaniko_fails_at_fails_in_its_words() {
    let copying = "error building stage: failed to get files used from context: ";
    let doing = "error building stage: failed to execute command: ";
    let early = "failed to optimize instructions: ";
    let cases: &[(&str, &str, &str)] = &[
        (
            "ARG BASH\nFROM bash:$BASH\n",
            "",
            "could not parse reference: bash:",
        ),
        (
            "FROM scratch\nCOPPY a b\n",
            "",
            "parsing dockerfile: dockerfile parse error on line 2: unknown instruction: COPPY (did you mean COPY?)",
        ),
        (
            "ARG A\n",
            "",
            "dockerfile must contain at least one FROM instruction",
        ),
        (
            "FROM scratch AS a\nCOPY --from=7 a b\n",
            "",
            "stage 0: COPY --from=7 refers to a stage that does not exist",
        ),
        (
            "FROM scratch AS a\nCOPY --from=a a b\n",
            "",
            "COPY --from=a a b refers to invalid stage: 0",
        ),
        (
            "FROM scratch\nARG X=a\nCOPY --from=$X a b\n",
            "",
            "could not parse reference: $X",
        ),
        (
            "FROM ab:${V?}\nFROM scratch\n",
            "",
            "resolving args: resolving base name ab:${V?}: failed to process \"ab:${V?}\": V: is not allowed to be unset",
        ),
        (
            "FROM scratch\nCOPY ../a /b\n",
            copying,
            "failed to get fileinfo for /kaniko/a: lstat /kaniko/a: no such file or directory",
        ),
        (
            "FROM scratch AS x\nCOPY a /\nFROM scratch\nCOPY --from=x /nope /b\n",
            copying,
            "failed to get fileinfo for /kaniko/deps/0/nope: lstat /kaniko/deps/0/nope: no such file or directory",
        ),
        (
            "FROM scratch\nCOPY a b dst\n",
            copying,
            "when specifying multiple sources in a COPY command, destination must be a directory and end in '/'",
        ),
        (
            "FROM scratch\nCOPY ${} /b\n",
            copying,
            "failed to resolve environment: failed to process \"${}\": syntax error: bad substitution",
        ),
        (
            "FROM scratch\nRUN --mount=type=cach x\n",
            copying,
            "unsupported mount type \"cach\" (did you mean cache?)",
        ),
        (
            "FROM scratch\nCOPY https://example.com/x /x\n",
            doing,
            "could not copy source: lstat /kaniko/buildcontext/https:/example.com/x: no such file or directory",
        ),
        (
            "FROM scratch\nADD ssh://git@github.com/a/b.git /x\n",
            doing,
            "downloading remote source file: Get \"ssh://git@github.com/a/b.git\": unsupported protocol scheme \"ssh\"",
        ),
        (
            "FROM scratch\nADD git@github.com:a/b.git /x\n",
            copying,
            "failed to get fileinfo for /kaniko/buildcontext/git@github.com:a/b.git: lstat /kaniko/buildcontext/git@github.com:a/b.git: no such file or directory",
        ),
        (
            "FROM scratch\nCOPY --chmod=rwx a /b\n",
            doing,
            "getting permissions from chmod: parsing value from chmod: invalid syntax",
        ),
        (
            "FROM scratch\nCOPY --chmod=888 a /b\n",
            doing,
            "getting permissions from chmod: parsing value from chmod: strconv.ParseInt: parsing \"888\": invalid syntax",
        ),
        (
            "FROM scratch\nCOPY --chmod=rwx nope /b\n",
            copying,
            "failed to get fileinfo for /kaniko/buildcontext/nope: lstat /kaniko/buildcontext/nope: no such file or directory",
        ),
        (
            "FROM scratch\nCOPY --chown=nobody a /a\n",
            doing,
            "getting user group from chown: getting user group from chown: user nobody is not a uid and does not exist on the system",
        ),
        (
            "FROM scratch\nRUN --mount=type=secret,id=npm,required=true x\n",
            doing,
            "secret not defined: npm",
        ),
        (
            "FROM scratch\nWORKDIR ${X}${\n",
            doing,
            "failed to process \"${X}${\": syntax error: missing '}'",
        ),
        (
            "FROM scratch\nEXPOSE 80/TCP\n",
            early,
            "invalid protocol: TCP",
        ),
        (
            "FROM scratch\nEXPOSE 80/sctp\n",
            early,
            "invalid protocol: sctp",
        ),
        (
            "FROM scratch\nSTOPSIGNAL SIGNONE\n",
            early,
            "invalid signal: SIGNONE",
        ),
        (
            "FROM scratch\nLABEL a=${}\n",
            early,
            "failed to process \"${}\": syntax error: bad substitution",
        ),
        (
            "FROM scratch\nUSER nobody\nCOPY a /b\n",
            doing,
            "getting user group from chown: identifying uid and gid for user nobody: user nobody is not a uid and does not exist on the system",
        ),
        (
            "FROM scratch\nCOPY a /x\nCOPY b /x/\n",
            doing,
            "resolving dest symlink: failed to lstat: lstat /x/b: not a directory",
        ),
        (
            "FROM scratch\nLABEL a=\"It's nice\"\n",
            doing,
            "failed to process \"It's nice\": unexpected end of statement while looking for matching single-quote",
        ),
        (
            "FROM scratch\nENV A=${}\n",
            "",
            "failed to process \"${}\": syntax error: bad substitution",
        ),
        (
            "FROM scratch\nARG A=${}\n",
            "",
            "failed to process \"${}\": syntax error: bad substitution",
        ),
    ];
    for (dockerfile, preface, words) in cases {
        let ran = run(dockerfile, &[]).await;
        let want = format!("error building image: {preface}{words}");
        let last = ran.log.lines().last().unwrap_or_default();
        assert_eq!(last, want, "{dockerfile}\n{}", ran.log);
        assert_eq!((ran.code, ran.digest), (1, None), "{dockerfile}");
    }
}

#[tokio::test]
async fn a_base_without_a_name_is_the_stage_without_one() {
    let ran = run("FROM scratch\nCOPY a /a\nFROM $BASE\nCOPY b /b\n", &[]).await;
    assert_eq!(ran.code, 0, "{}", ran.log);
    let ran = run("FROM scratch AS one\nCOPY a /a\nFROM $BASE\n", &[]).await;
    let last = ran.log.lines().last().unwrap_or_default();
    assert_eq!(last, "error building image: could not parse reference: ");
}

#[tokio::test]
async fn a_command_outlives_an_entry_point_of_the_same_stage_alone() {
    let kept = "FROM scratch AS one\nCOPY a /a\nCMD x\nFROM one\nENTRYPOINT [\"e\"]\n";
    let lost = kept.replace(
        "FROM one",
        "FROM scratch AS two\nCOPY --from=one /a /a\nFROM one",
    );
    let lost = lost + "COPY --from=two /a /b\n";
    for (dockerfile, command) in [
        (kept.to_owned(), "[\"/bin/sh\",\"-c\",\"x\"]"),
        (lost, "null"),
    ] {
        let server = Server::start().await;
        server.context(&[("Dockerfile", &dockerfile), ("a", "x")]);
        let ran = server.run(&[]).await;
        assert_eq!(ran.code, 0, "{}", ran.log);
        let world = server.world.lock().unwrap();
        let configs = world
            .blobs
            .values()
            .filter_map(|blob| serde_json::from_slice::<serde_json::Value>(blob).ok());
        let config = configs
            .into_iter()
            .find(|blob| blob.get("rootfs").is_some())
            .unwrap();
        assert_eq!(config["config"]["Cmd"].to_string(), command, "{dockerfile}");
    }
}

#[tokio::test]
async fn a_target_is_a_name_in_any_case() {
    let dockerfile = "FROM scratch AS one\nFROM scratch\nCOPY nope /\n";
    let ran = run(dockerfile, &["--target=ONE"]).await;
    assert_eq!(ran.code, 0, "{}", ran.log);
    let ran = run(dockerfile, &["--target=0"]).await;
    let words =
        "error building image: error finding target stage: \"0\" is not a valid target build stage";
    assert!(ran.log.contains(words), "{}", ran.log);
}

#[tokio::test]
async fn what_kaniko_goes_on_without_is_warned_of() {
    let dockerfile = "FROM scratch\nRUN --mount=from=a,target=/x --mount=type=ssh --network=host x\nRUN --mount=type=secret,id=npm x\nCOPY *.gone /b/\nMAINTAINER me\n";
    let ran = run(dockerfile, &[]).await;
    assert_eq!(ran.code, 0, "{}", ran.log);
    for line in [
        "WARN[0000] Kaniko does not support cross-stage bind mounts (from=a) - skipping",
        "WARN[0000] #969 kaniko does not support '--network' flags in RUN statements - relying on unsupported flags can lead to invalid builds",
        "WARN[0000] Kaniko does not support '--mount=type=ssh' flags in RUN statements - relying on unsupported flags can lead to invalid builds",
        "INFO[0000] skip mounting \"npm\" as it is not available",
        "WARN[0000] MAINTAINER is deprecated, skipping",
    ] {
        assert!(
            ran.log.lines().any(|got| got == line),
            "{line}\nin\n{}",
            ran.log
        );
    }
}
