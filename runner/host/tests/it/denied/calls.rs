//! Guests that make one call and answer with its failure. The layout of the call's result matches
//! the layout of the guest's own result, so the failure is at the expected position.

use crate::guest::{Guest, READ};

/// The address of a list's record.
const RECORD: usize = 2048;

/// Calls a function that takes a list with one record. `texts` are its texts by their offset, and
/// `some` the offsets of the options that are present. Everything else is zero. The failure is the
/// first item of the returned list.
pub(super) fn list(
    interface: &str,
    function: &str,
    key: &str,
    texts: &[(usize, &str)],
    some: &[usize],
) -> Guest {
    list_with(interface, function, key, texts, some, "", "")
}

/// Calls a function of the registry capability: its second list, of credentials, is empty.
pub(super) fn registry(function: &str, image: &str) -> Guest {
    let empty = "(i32.const 0) (i32.const 0)";
    let texts = [(0, image)];
    list_with(
        "registry/images",
        function,
        "registry",
        &texts,
        &[],
        empty,
        "i32 i32",
    )
}

/// Calls a function of a list and of more arguments, with these types.
fn list_with(
    interface: &str,
    function: &str,
    key: &str,
    texts: &[(usize, &str)],
    some: &[usize],
    arguments: &str,
    types: &str,
) -> Guest {
    let mut stores = String::new();
    let mut at = 1024;
    for (offset, text) in texts {
        stores.push_str(&store("i32.store", RECORD + offset, at));
        stores.push_str(&store("i32.store", RECORD + offset + 4, text.len()));
        at += text.len();
    }
    for offset in some {
        stores.push_str(&store("i32.store8", RECORD + offset, 1));
    }
    let data: String = texts.iter().map(|(_, text)| *text).collect();
    Guest::new(&format!(
        "{stores}
         (call $ask (i32.const {RECORD}) (i32.const 1) {arguments} (i32.const 512))
         (i32.load (i32.const 512))"
    ))
    .import(&format!(
        r#"(import "sidestep:{interface}@0.1.0" "{function}" (func $ask (param i32 i32 {types} i32)))"#
    ))
    .data(&data)
    .requests(key)
}

fn store(how: &str, at: usize, value: usize) -> String {
    format!("({how} (i32.const {at}) (i32.const {value}))\n")
}

pub(super) fn workspace(path: &str) -> Guest {
    Guest::new(&format!(
        "(call $read (i32.const 1024) (i32.const {}) (i64.const 1000) (i32.const 512)) (i32.const 512)",
        path.len()
    ))
    .import(READ)
    .data(path)
    .requests("workspace")
}

pub(super) fn secret(name: &str) -> Guest {
    Guest::new(&format!(
        "(call $get (i32.const 1024) (i32.const {}) (i32.const 512)) (i32.const 512)",
        name.len()
    ))
    .import(r#"(import "sidestep:secrets/names@0.1.0" "get" (func $get (param i32 i32 i32)))"#)
    .data(name)
    .requests("secrets")
}

/// Creates a service account with neither a display name nor a description.
pub(super) fn create_account(project: &str, id: &str) -> Guest {
    Guest::new(&format!(
        "(call $make (i32.const 1024) (i32.const {}) (i32.const {}) (i32.const {})
           (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
           (i32.const 512))
         (i32.const 512)",
        project.len(),
        1024 + project.len(),
        id.len(),
    ))
    .import(
        r#"(import "sidestep:gcp/iam-write@0.1.0" "create-service-account"
             (func $make (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#,
    )
    .data(project)
    .data(id)
    .requests("iamWrite")
}

/// Sends a request without parameters, headers, body or timeout, and accepts any answer.
pub(super) fn send(method: &str, url: &str) -> Guest {
    Guest::new(&format!(
        "(call $send (i32.const 1024) (i32.const {}) (i32.const {}) (i32.const {})
           (i32.const 8) (i32.const 0) (i32.const 8) (i32.const 0)
           (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
           (i32.const 0) (i64.const 0) (i64.const 1000)
           (i32.const 512))
         (i32.const 512)",
        method.len(),
        1024 + method.len(),
        url.len()
    ))
    .import(
        r#"(import "sidestep:http/client@0.1.0" "send" (func $send
             (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i64 i32)))"#,
    )
    .data(method)
    .data(url)
    .requests("http")
}
