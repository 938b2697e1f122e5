//! Runs guests in a small test host: inputs, outputs, errors and panics pass through the SDK as the
//! contract specifies.

use futures::executor::block_on;
use wasmtime::component::{Component, HasSelf, Linker, Resource};
use wasmtime::{Engine, Store};

use crate::guests::guest;
use crate::host_bindings::All;
use crate::host_bindings::exports::sidestep::step::plugin::Diagnostic;
use crate::host_bindings::sidestep::host::types::{
    self, Blob, Encoding, Failure, Follow, Part, Secret, Update,
};
use crate::host_bindings::sidestep::step::runtime::{self, Field, Level, ProgressReport};
use crate::host_bindings::sidestep::workspace::files;

/// Records what a guest reports.
#[derive(Default)]
struct Host {
    lines: Vec<String>,
    slept: Vec<u64>,
    panics: Vec<(String, String)>,
}

impl runtime::Host for Host {
    async fn log(
        &mut self,
        level: Level,
        message: String,
        fields: Vec<Field>,
    ) -> wasmtime::Result<()> {
        let mut line = format!("{level:?}: {message}");
        for field in fields {
            line = format!("{line} {}={}", field.name, field.value);
        }
        self.lines.push(line);
        Ok(())
    }

    async fn group(&mut self, _: String) -> wasmtime::Result<()> {
        Ok(())
    }

    async fn end_group(&mut self) -> wasmtime::Result<()> {
        Ok(())
    }

    async fn progress(&mut self, _: ProgressReport) -> wasmtime::Result<()> {
        Ok(())
    }

    async fn annotate(&mut self, _: Diagnostic) -> wasmtime::Result<()> {
        Ok(())
    }

    async fn sleep(&mut self, milliseconds: u64) -> wasmtime::Result<Result<(), Failure>> {
        self.slept.push(milliseconds);
        Ok(Ok(()))
    }

    async fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    async fn deadline(&mut self) -> wasmtime::Result<Option<u64>> {
        Ok(None)
    }

    async fn random(&mut self, length: u32) -> wasmtime::Result<Vec<u8>> {
        Ok(vec![4; length as usize])
    }

    async fn is_cancelled(&mut self) -> wasmtime::Result<bool> {
        Ok(false)
    }

    async fn attempt(&mut self) -> wasmtime::Result<u32> {
        Ok(3)
    }

    async fn resumed(&mut self) -> wasmtime::Result<bool> {
        Ok(false)
    }

    async fn checkpoint(&mut self, _: String) -> wasmtime::Result<Result<(), Failure>> {
        Ok(Ok(()))
    }

    async fn last_checkpoint(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(None)
    }

    async fn object_name(&mut self, purpose: String) -> wasmtime::Result<String> {
        Ok(purpose)
    }

    async fn panicked(&mut self, message: String, place: String) -> wasmtime::Result<()> {
        self.panics.push((message, place));
        Ok(())
    }
}

fn not_here<T>() -> wasmtime::Result<T> {
    Err(wasmtime::Error::msg(
        "the guests of the tests do not call this",
    ))
}

impl types::Host for Host {
    async fn compose(
        &mut self,
        _: Vec<Part>,
        _: Encoding,
    ) -> wasmtime::Result<Result<Resource<Secret>, Failure>> {
        not_here()
    }
}

impl types::HostBlob for Host {
    async fn digest(&mut self, _: Resource<Blob>) -> wasmtime::Result<Option<String>> {
        not_here()
    }

    async fn size(&mut self, _: Resource<Blob>) -> wasmtime::Result<Option<u64>> {
        not_here()
    }

    async fn drop(&mut self, _: Resource<Blob>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl types::HostSecret for Host {
    async fn drop(&mut self, _: Resource<Secret>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl types::HostFollow for Host {
    async fn next(
        &mut self,
        _: Resource<Follow>,
        _: u64,
    ) -> wasmtime::Result<Result<Option<Update>, Failure>> {
        not_here()
    }

    async fn tail(
        &mut self,
        _: Resource<Follow>,
        _: String,
        _: u32,
    ) -> wasmtime::Result<Result<String, Failure>> {
        not_here()
    }

    async fn drop(&mut self, _: Resource<Follow>) -> wasmtime::Result<()> {
        Ok(())
    }
}

fn not_found(path: &str) -> Failure {
    Failure {
        class: "not-found".into(),
        code: "workspace.not-found".into(),
        owner: "author".into(),
        message: format!("there is no {path}"),
        help: vec![],
        retry_after: None,
        details: "{}".into(),
    }
}

impl files::Host for Host {
    async fn list(
        &mut self,
        _: Vec<String>,
        _: u32,
    ) -> wasmtime::Result<Result<files::Listing, Failure>> {
        not_here()
    }

    async fn stat(&mut self, path: String) -> wasmtime::Result<Result<files::Entry, Failure>> {
        Ok(Err(not_found(&path)))
    }

    async fn read(&mut self, path: String, _: u64) -> wasmtime::Result<Result<Vec<u8>, Failure>> {
        Ok(if path == "two.txt" {
            Ok(b"a\nb\n".to_vec())
        } else {
            Err(not_found(&path))
        })
    }

    async fn key_facts(
        &mut self,
        _: Vec<String>,
    ) -> wasmtime::Result<Result<files::FileKeys, Failure>> {
        not_here()
    }

    async fn manifests(
        &mut self,
        _: Vec<String>,
    ) -> wasmtime::Result<Result<files::ManifestObjects, Failure>> {
        not_here()
    }

    async fn open(&mut self, _: String) -> wasmtime::Result<Result<Resource<Blob>, Failure>> {
        not_here()
    }

    async fn pack(
        &mut self,
        _: files::PackOptions,
    ) -> wasmtime::Result<Result<files::Packed, Failure>> {
        not_here()
    }
}

/// A guest that is ready to be called.
struct Ready {
    store: Store<Host>,
    plugin: All,
}

impl Ready {
    fn run(&mut self, inputs: &str) -> wasmtime::Result<Result<String, Failure>> {
        block_on(
            self.plugin
                .sidestep_step_plugin()
                .call_run(&mut self.store, inputs),
        )
    }

    fn check(&mut self, inputs: &str) -> Vec<Diagnostic> {
        block_on(
            self.plugin
                .sidestep_step_plugin()
                .call_check(&mut self.store, inputs),
        )
        .expect("a check")
    }
}

fn ready(package: &str) -> Option<Ready> {
    let component = sidestep_componentize::componentize(&guest(package)?).expect("a component");
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    types::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host).expect("links");
    runtime::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host).expect("links");
    files::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host).expect("links");
    let component = Component::new(&engine, &component.bytes).expect("compiles");
    let mut store = Store::new(&engine, Host::default());
    let plugin =
        block_on(All::instantiate_async(&mut store, &component, &linker)).expect("instantiates");
    Some(Ready { store, plugin })
}

#[test]
fn inputs_go_in_and_outputs_come_out() {
    let Some(mut noop) = ready("sidestep-guest-noop") else {
        return;
    };
    let outputs = noop
        .run(r#"{"message":"hello","wait":"1m30s"}"#)
        .expect("runs");
    assert_eq!(
        outputs.expect("succeeds"),
        r#"{"attempt":3,"message":"hello"}"#
    );
    assert_eq!(noop.store.data().lines, ["Level::Info: hello"]);
    assert_eq!(noop.store.data().slept, [90_000]);
    assert!(noop.check("{}").is_empty());
}

#[test]
fn errors_arrive_whole() {
    let Some(mut noop) = ready("sidestep-guest-noop") else {
        return;
    };
    let failure = noop
        .run(r#"{"fail":"as asked"}"#)
        .expect("runs")
        .expect_err("fails");
    assert_eq!((&*failure.class, &*failure.code), ("failed", "noop.failed"));
    assert_eq!((&*failure.owner, &*failure.message), ("author", "as asked"));
    let [types::Help::Text(help)] = &failure.help[..] else {
        panic!("{:?}", failure.help);
    };
    assert_eq!((&**help, &*failure.details), ("leave `fail` out", "{}"));

    let failure = noop
        .run(r#"{"unknown":1}"#)
        .expect("runs")
        .expect_err("refuses");
    assert_eq!(
        (&*failure.class, &*failure.code),
        ("invalid-input", "inputs.invalid")
    );
    assert!(
        failure.message.contains("unknown field `unknown`"),
        "{}",
        failure.message
    );
}

#[test]
fn a_panic_leaves_its_message_and_place_before_the_trap() {
    let Some(mut noop) = ready("sidestep-guest-noop") else {
        return;
    };
    noop.run(r#"{"panic":"oh no"}"#).expect_err("traps");
    let [(message, place)] = &noop.store.data().panics[..] else {
        panic!("one panic")
    };
    assert_eq!(message, "oh no");
    assert!(place.contains("guests/noop/src/lib.rs:"), "{place}");
}

#[test]
fn the_host_s_failures_pass_through_a_plugin() {
    let Some(mut reader) = ready("sidestep-guest-reader") else {
        return;
    };
    let outputs = reader
        .run(r#"{"path":"two.txt"}"#)
        .expect("runs")
        .expect("succeeds");
    assert_eq!(outputs, r#"{"lines":2}"#);
    assert_eq!(
        reader.store.data().lines,
        ["Level::Debug: read 4 bytes path=two.txt"]
    );
    let failure = reader
        .run(r#"{"path":"none"}"#)
        .expect("runs")
        .expect_err("fails");
    assert_eq!(failure.code, "workspace.not-found");
}

#[test]
fn a_check_says_what_it_finds_and_nothing_of_what_it_can_t_know() {
    let Some(mut reader) = ready("sidestep-guest-reader") else {
        return;
    };
    let [found] = &reader.check(r#"{"path":"none"}"#)[..] else {
        panic!("one diagnostic")
    };
    assert_eq!(
        (&*found.code, found.file.as_deref()),
        ("reader.unreadable", Some("none"))
    );
    assert!(reader.check("{}").is_empty());
}
