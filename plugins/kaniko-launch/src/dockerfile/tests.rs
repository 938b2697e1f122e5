//! The messages that users read, rule by rule.

use std::fmt::Write as _;

use sidestep::Severity;
use sidestep::serde_json::{Value, from_value, json};

use super::*;

/// The problems of a Dockerfile as `LINE:COLUMN SEVERITY CODE: MESSAGE`, each with its help.
fn said(text: &str, inputs: &Value) -> String {
    let mut all = json!({
        "target": null, "buildArgs": {}, "platform": null,
        "executor": "ghcr.io/osscontainertools/kaniko:v1.28.3",
    });
    for (key, value) in inputs.as_object().expect("an object") {
        if value == "unknown" {
            all.as_object_mut().expect("an object").remove(key);
        } else {
            all[key] = value.clone();
        }
    }
    let known: Known = from_value(all).expect("known inputs");
    let mut out = String::new();
    for found in problems("Dockerfile", text, &known) {
        let place = match (found.line, found.column) {
            (Some(line), Some(column)) => format!("{line}:{column}"),
            _ => "step".to_owned(),
        };
        let severity = match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        writeln!(out, "{place} {severity} {}: {}", found.code, found.message).expect("a String");
        for help in found.help {
            writeln!(out, "    {help}").expect("a String");
        }
    }
    out
}

fn plain(text: &str) -> String {
    said(text, &json!({}))
}

/// The problems of several Dockerfiles, one after the other.
fn all(cases: &[(&str, Value)]) -> String {
    let mut out = String::new();
    for (text, inputs) in cases {
        let shown = if inputs == &json!({}) {
            String::new()
        } else {
            format!("# {inputs}\n")
        };
        write!(
            out,
            "{shown}{}\n\n{}\n---\n",
            text.trim_end(),
            said(text, inputs)
        )
        .expect("a String");
    }
    out
}

fn same(cases: &[&str]) -> String {
    let cases: Vec<(&str, Value)> = cases.iter().map(|text| (*text, json!({}))).collect();
    all(&cases)
}

#[test]
fn an_argument_that_a_from_needs_is_asked_for() {
    insta::assert_snapshot!(all(&[
        ("# the shell\nARG BASH\nFROM bash:$BASH\n", json!({})),
        (
            "ARG BASH\nFROM bash:$BASH\n",
            json!({ "buildArgs": { "TAG": "1" } })
        ),
        (
            "ARG BASH\nFROM bash:$BASH\n",
            json!({ "buildArgs": { "BASH": "" } })
        ),
        ("FROM bash:${BASH}\n", json!({})),
        (
            "FROM node:20 AS one\nARG NODE=1\nFROM node:${NODE}\n",
            json!({})
        ),
        ("ARG REPO NAME\nFROM ${REPO}/${NAME}:1\n", json!({})),
        ("ARG BASE\nFROM $BASE\n", json!({})),
        ("ARG BASE\nFROM ab\nFROM $BASE\n", json!({})),
        ("FROM alpine:${TARGETVARIANT} AS x\n", json!({})),
        ("FROM base-$TARGETARCH\n", json!({})),
        ("ARG SUFFIX\nFROM node:20$SUFFIX\n", json!({})),
        ("FROM node:20$SUFFIX\n", json!({})),
        (
            "ARG R\nFROM ${R}ab AS x\nFROM ${R}cd\nCOPY --from=x a b\n",
            json!({})
        ),
        ("FROM bash:${BASH:?which}\n", json!({})),
    ]));
}

#[test]
fn what_has_a_value_or_may_get_one_is_let_be() {
    for (text, inputs) in [
        ("ARG BASH=5\nFROM bash:$BASH\n", json!({})),
        (
            "ARG BASH\nFROM bash:$BASH\n",
            json!({ "buildArgs": { "BASH": "5" } }),
        ),
        ("FROM bash:$BASH\n", json!({ "buildArgs": { "BASH": "5" } })),
        (
            "ARG BASH\nFROM bash:$BASH\n",
            json!({ "buildArgs": "unknown" }),
        ),
        (
            "FROM bash:${BASH:?which}\n",
            json!({ "buildArgs": "unknown" }),
        ),
        ("ARG BASH\nFROM bash:${BASH:-5}\n", json!({})),
        ("ARG BASH\nFROM bash${BASH:+:$BASH}\n", json!({})),
        ("ARG V=5.2\nARG T=$V-alpine\nFROM bash:$T\n", json!({})),
        (
            "ARG BASH\nFROM bash:$BASH AS no\nFROM bash AS yes\n",
            json!({}),
        ),
        (
            "ARG BASH\nFROM bash AS yes\nFROM bash:$BASH\n",
            json!({ "target": "YES" }),
        ),
        (
            "FROM bash AS base\nFROM Base\nARG TARGETARCH\nRUN echo $TARGETARCH $X\n",
            json!({}),
        ),
        (
            "FROM scratch\nARG http_proxy\n",
            json!({ "buildArgs": { "http_proxy": "x", "HTTPS_PROXY": "y" } }),
        ),
    ] {
        assert_eq!(said(text, &inputs), "", "{text} {inputs}");
    }
}

#[test]
fn stages_are_found_or_named() {
    insta::assert_snapshot!(all(&[
        (
            "FROM ab AS build\nFROM cd AS run\n",
            json!({ "target": "test" })
        ),
        (
            "FROM ab AS build\nFROM cd AS run\n",
            json!({ "target": "buidl" })
        ),
        ("FROM ab AS build\nFROM cd\n", json!({ "target": "1" })),
        ("FROM ab\n", json!({ "target": "0" })),
        ("FROM ab AS x\nFROM cd AS X\nCOPY --from=x a b\n", json!({})),
        ("ARG A=\"x\nFROM ab\n", json!({})),
        ("FROM ab:${A!}\n", json!({})),
        ("FROM Node:20\n", json!({})),
        ("ARG T=1:2\nFROM node:$T\n", json!({})),
        ("FROM --platform=linux/arm64 ab\n", json!({})),
        (
            "FROM --platform=$BUILDPLATFORM ab\n",
            json!({ "platform": "linux/arm64" })
        ),
    ]));
    for (text, inputs) in [
        ("FROM ab AS build\nFROM cd\n", json!({ "target": "Build" })),
        ("FROM ab\n", json!({ "target": "unknown" })),
        ("FROM --platform=$BUILDPLATFORM ab\n", json!({})),
        (
            "FROM --platform=${TARGETPLATFORM} ab\n",
            json!({ "platform": "linux/arm64" }),
        ),
        (
            "FROM --platform=linux/arm64 ab\n",
            json!({ "platform": "linux/arm64" }),
        ),
        (
            "FROM --platform=linux/arm64 ab\n",
            json!({ "platform": "unknown" }),
        ),
    ] {
        assert_eq!(said(text, &inputs), "", "{text} {inputs}");
    }
}

#[test]
fn copies_say_what_they_can_t_copy() {
    insta::assert_snapshot!(same(&[
        "FROM ab AS build\nCOPY --from=run a b\nFROM build AS run\nCOPY --from=run a b\n",
        "FROM ab AS build\nFROM cd\nCOPY --from=7 a b\n",
        "FROM ab AS builder\nFROM cd\nCOPY --from=buidler a b\nCOPY --from=Bad a b\n",
        "FROM ab\nARG S=x\nCOPY --from=$S a b\n",
        "FROM ab\nCOPY --parents --exclude=*.md --link a b/\n",
        "FROM ab\nADD --checksum=sha256:1 --unpack=true --keep-git-dir=true https://h/x.tar /x\n",
        "FROM ab\nCOPY --chmod=rwx a b\nCOPY --chmod=888 a b\n",
        "FROM ab\nCOPY a b dst\n",
        "FROM ab AS one\nUSER app\nFROM one\nCOPY a /a\nCOPY b /b\nUSER 7:8\nADD c /c\nUSER root\nCOPY d /d\n",
        "FROM ab\nCOPY ../a x/../../b https://h/x /d/\n",
        "FROM ab\nADD https://github.com/a/b.git#main /b\nADD git@github.com:a/b.git /b\nADD ssh://git@h/b.git /b\n",
    ]));
    for text in [
        "FROM ab AS a\nFROM cd\nCOPY --from=a x y\nCOPY --from=0 x y\nCOPY --from=nginx:1 x y\nCOPY --from=composer x y\n",
        "FROM ab\nCOPY --link --chmod=u+x,go=rX --chown=1 a ./a/../b $X ../$Y b/\n",
        "FROM ab\nCOPY a b .\nCOPY a b /usr/bin\nCOPY a b $D\nCOPY * d\nADD https://h/x /y\n",
        "FROM ab AS no\nCOPY --from=9 a b\nFROM cd\n",
        "FROM ab\nONBUILD RUN --user=1 x\n",
        "FROM ab AS one\nFROM cd\nCOPY a b\nUSER app\nCOPY --chown=app c d\nCOPY --from=one e f\n",
    ] {
        assert_eq!(plain(text), "", "{text}");
    }
}

#[test]
fn here_documents_that_do_something_else_are_pointed_at() {
    insta::assert_snapshot!(same(&[
        "FROM ab\nRUN <<\"EOF\"\necho a\nEOF\n",
        "FROM ab\nRUN <<-EOF\n\techo a\n\tEOF\n",
        "FROM ab\nRUN <<A <<B\na\nA\nb\nB\n",
        "FROM ab\nRUN <<EOF\n#!/usr/bin/env python3\nprint(1)\nEOF\n",
        "FROM ab\nCOPY <<EOF /etc/x\na\nb = ${HOME}/c\nEOF\n",
    ]));
    for text in [
        "FROM ab\nRUN <<EOF\necho $HOME\nEOF\nRUN bash <<'EOF'\n#!/bin/python\nEOF\n",
        "FROM ab\nRUN <<EOF bash\n#!/bin/bash\nEOF\nRUN cat <<-EOF > x\n\ta\n\tEOF\n",
        "FROM ab\nCOPY <<'EOF' /etc/x\n$HOME\nEOF\nCOPY <<EOF /etc/y\ncost: 5$\nEOF\n",
    ] {
        assert_eq!(plain(text), "", "{text}");
    }
}

#[test]
fn lines_that_run_without_something_say_so() {
    let google = json!({ "executor": "gcr.io/kaniko-project/executor:v1.24.0" });
    insta::assert_snapshot!(all(&[
        (
            "FROM ab\nRUN --network=none --security=insecure x\n",
            json!({})
        ),
        (
            "FROM ab\nRUN --mount=type=bind,from=build,target=/x --mount=type=ssh --mount=type=tmpfs,target=/y x\n",
            json!({})
        ),
        (
            "FROM ab\nRUN --mount=type=secret,id=npm x\nRUN --mount=type=secret,id=npm,required x\n",
            json!({ "buildSecrets": { "pip": "pipToken" } })
        ),
        ("FROM ab\nRUN --mount=type=cach,target=/x x\n", json!({})),
        ("FROM ab\nRUN --mount=type=cache,target=/x x\n", google),
    ]));
    let text = "FROM ab\nRUN --mount=type=cache,target=/x --mount=target=/y --mount=type=$T x\n";
    assert_eq!(plain(text), "");
    // A secret that the step passes, and those that another step provides.
    let text = "FROM ab\nRUN --mount=type=secret,id=npm,required x\n";
    for known in [json!({ "buildSecrets": { "npm": "npmToken" } }), json!({})] {
        assert_eq!(
            all(&[(text, known)])
                .lines()
                .filter(|line| line.contains("dockerfile."))
                .count(),
            0
        );
    }
}

#[test]
fn settings_and_directives_and_what_nothing_takes() {
    insta::assert_snapshot!(all(&[
        (
            "FROM ab\nEXPOSE 80 53/UDP 9/sctp $P/x\nSTOPSIGNAL SIGNONE\nMAINTAINER \"me\"\n",
            json!({})
        ),
        (
            "# syntax=example.com/frontend:1\n# escape=`\nFROM ab\n",
            json!({})
        ),
        (
            "# syntax=docker/dockerfile:1-labs\nFROM ab\nARG VERSION\n",
            json!({ "buildArgs": { "VERSOIN": "1", "OTHER": "2" } })
        ),
    ]));
}

#[test]
fn what_is_no_substitution_is_found_where_it_counts() {
    insta::assert_snapshot!(same(&[
        "FROM ab\nARG A=${}\nENV B=1 C=${B!}\nLABEL d=\"${X\"\nCOPY ${} /a\n",
    ]));
    let text = "FROM ab\nENV A=${B:?x} C=\\${} D='${}' E=${A%%.*}\nRUN x=${} y=${#z}\nCMD ${}\n";
    assert_eq!(plain(text), "");
}

#[test]
fn a_label_is_read_twice() {
    insta::assert_snapshot!(same(&[
        "FROM ab\nLABEL a=\"It's nice\" b='{\"c\": 1}' d=\"\\$HOME\" e=\"$F's\"\n",
    ]));
    let fine = "FROM ab\nLABEL a=\"It\\\\'s nice\" b=\"{\\\\\\\"c\\\\\\\": 1}\" d=\"\\\\\\$HOME\" e=$F f='a b'\n";
    assert_eq!(plain(fine), "", "{fine}");
}

#[test]
fn what_is_no_dockerfile_says_where() {
    insta::assert_snapshot!(same(&[
        "FROM ab\nCOPPY x y\nRUN --user=1 x\nCMD\nFROM ab AS 1\n",
        "FROM ab\nRUN <<EOF\nx\n",
        "RUN x\n",
        "",
        "ARG A=1\n",
        "FROM ab\nHEALTHCHECK --interval=30 CMD x\n",
        "FROM ab AS one\nONBUILD COPPY x y\nONBUILD RUN --user=1 x\nFROM one\n",
    ]));
}

#[test]
fn what_docker_allows_and_kaniko_builds_is_let_be() {
    let text = "# syntax=docker/dockerfile:1\nARG V=3\nfrom python:$V AS Base\nrun <<A cat && <<B cat\n1\nA\n2\nB\nonbuild run x\nhealthcheck none\nstopsignal 9\nvolume /a /b\nshell [\"/bin/sh\", \"-c\"]\n\nFROM base\nEXPOSE 80/tcp\nENV A=b C=\"d e\"\nCOPY --from=Base /a /b\n";
    assert_eq!(plain(text), "");
}
