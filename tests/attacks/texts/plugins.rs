//! Texts in a plugin's manifest, and in a build's log.

use std::fs;

use serde_json::{Map, Value, json};

use super::screen::{Screen, assert_harmless, assert_json};
use super::{HOSTILE, JOBS, assert_exact, run};
use crate::attacks::harness::{Arena, Bounds};
use crate::setup::Setup;

const SECTION: &str = "sidestep:manifest";

/// Returns a component with a changed manifest section.
fn with_manifest(component: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let (header, mut rest) = component.split_at(8);
    let mut changed = header.to_vec();
    let mut change = Some(change);
    while let [id, after @ ..] = rest {
        let (size, after) = leb128(after);
        let (content, next) = after.split_at(size);
        let whole = &rest[..rest.len() - next.len()];
        let (length, named) = leb128(content);
        if *id == 0 && named.starts_with(SECTION.as_bytes()) && length == SECTION.len() {
            let mut manifest = serde_json::from_slice(&named[length..]).expect("a manifest");
            change.take().expect("one manifest")(&mut manifest);
            let mut section = vec![u8::try_from(SECTION.len()).expect("short")];
            section.extend(SECTION.as_bytes());
            section.extend(manifest.to_string().into_bytes());
            changed.push(0);
            changed.extend(as_leb128(section.len()));
            changed.extend(section);
        } else {
            changed.extend(whole);
        }
        rest = next;
    }
    assert!(change.is_none(), "the manifest was found");
    changed
}

/// Returns an unsigned number (WebAssembly's binary format, 5.2.2) and the bytes after it.
fn leb128(bytes: &[u8]) -> (usize, &[u8]) {
    let mut number = 0;
    for (index, byte) in bytes.iter().enumerate() {
        number |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return (number, &bytes[index + 1..]);
        }
    }
    panic!("no number ends here");
}

fn as_leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).expect("7 bits");
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[test]
fn a_manifest_is_shown() {
    let mut arena = Arena::new();
    let attacker = arena.setup.workspace().join("attacker.wasm");
    let component = fs::read(&attacker).expect("the plugin");
    let all = HOSTILE.concat();
    let hostile = with_manifest(&component, |manifest| {
        let properties: Map<String, Value> = HOSTILE
            .iter()
            .map(|text| {
                let property = json!({
                    "type": "string", "description": text, "default": text, "enum": [text],
                });
                ((*text).to_owned(), property)
            })
            .collect();
        manifest["name"] = all.clone().into();
        manifest["version"] = all.clone().into();
        manifest["description"] = all.clone().into();
        manifest["inputs"] = json!({ "type": "object", "properties": properties });
        manifest["outputs"] = json!({
            "type": "object", "properties": { "x": { "x-sidestep": all, "description": all } },
        });
        let requests = HOSTILE
            .iter()
            .map(|text| ((*text).to_owned(), Value::from(*text)));
        manifest["requests"] = Value::Object(requests.collect());
    });
    fs::write(arena.setup.workspace().join("hostile.wasm"), hostile).expect("written");
    let version = with_manifest(&component, |manifest| {
        manifest["apiVersion"] = HOSTILE.join("\n").into();
    });
    fs::write(arena.setup.workspace().join("version.wasm"), version).expect("written");
    let key = with_manifest(&component, |manifest| {
        manifest[HOSTILE.concat()] = HOSTILE.concat().into();
    });
    fs::write(arena.setup.workspace().join("key.wasm"), key).expect("written");
    for job in JOBS {
        let outcome = run(&mut arena, &["plugin", "inspect", "./hostile.wasm"], job);
        assert_eq!(outcome.code, Some(0), "{outcome}");
        assert_harmless(&outcome, Screen::Plain);
        assert!(
            outcome.stdout.contains(r"\u{1b}]52;c;cHduZWQ="),
            "{outcome}"
        );
        let inspect = ["plugin", "inspect", "./hostile.wasm", "--output", "json"];
        let outcome = run(&mut arena, &inspect, job);
        assert_exact(&assert_json(&outcome), &outcome);
        for file in ["./version.wasm", "./key.wasm"] {
            let outcome = run(&mut arena, &["plugin", "inspect", file], job);
            assert_harmless(&outcome, Screen::Plain);
        }
    }
    // Also as the plugin of a step.
    for file in ["hostile", "version", "key"] {
        arena.setup.write(
            "sidestep.yaml",
            &format!(
                "version: 1\nname: x\nsteps:\n  a:\n    uses: ./{file}.wasm\n    with: {{ b: 1 }}\n"
            ),
        );
        for command in [&["validate"][..], &["plan"], &["run"]] {
            let outcome = run(&mut arena, command, JOBS[1]);
            assert_ne!(outcome.code, Some(70), "{outcome}");
            assert_harmless(&outcome, Screen::Plain);
        }
        let exec = format!("./{file}.wasm");
        let outcome = run(&mut arena, &["exec", &exec, "-i", "b=1"], JOBS[1]);
        assert_harmless(&outcome, Screen::Plain);
    }
}

#[test]
fn a_build_s_log_is_shown() {
    let setup = Setup::with_application();
    let labels: String = HOSTILE
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let text = text.replace(['\n', '\r', '"', '\\'], " ");
            format!("LABEL l{index}=\"{text}\"\nRUN echo {text}\n")
        })
        .collect();
    setup.write(
        "Dockerfile",
        &format!("FROM scratch\nCOPY hello.txt /\n{labels}"),
    );
    let mut arena = Arena { setup };
    let bounds = Bounds {
        time: std::time::Duration::from_mins(3),
        ..Bounds::default()
    };
    let mut command = arena
        .setup
        .command(&["run", "--sandbox", "--run-id", "build"]);
    command.envs(JOBS[1].iter().copied());
    let outcome = arena.run_command(command, bounds);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert_harmless(&outcome, Screen::Log);
    assert!(outcome.said().contains(r"\u{202e}gnp.exe"), "{outcome}");
    let outcome = run(&mut arena, &["logs", "build", "build"], JOBS[1]);
    assert_harmless(&outcome, Screen::Log);
}
