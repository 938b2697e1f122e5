//! Compiling in a separate process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sidestep_catalog::PluginError;
use sidestep_host::{Apart, CompileLimits, Compiler, HostConfig, Notice, PluginHost};

use crate::forge;
use crate::guest::{echo, with_manifest};
use crate::sink::{Step, config};

/// Returns a host that compiles in a separate process, and the number of its reports that compiling
/// takes long.
fn apart(limits: CompileLimits, silent: Duration) -> (PluginHost, Arc<AtomicUsize>) {
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let host = PluginHost::new(HostConfig {
        compiler: Compiler::Apart(Apart {
            program: env!("CARGO_BIN_EXE_sidestep-precompile").into(),
            limits,
            notice: Notice::new(move |_| {
                count.fetch_add(1, Ordering::Relaxed);
            }),
            silent,
        }),
        ..config()
    });
    (host.expect("a host"), told)
}

fn refused(component: &[u8], limits: CompileLimits) -> PluginError {
    let (host, _) = apart(limits, Duration::MAX);
    host.load(component).expect_err("it is refused")
}

#[tokio::test]
async fn a_plugin_compiled_apart_runs() {
    let (host, told) = apart(CompileLimits::default(), Duration::MAX);
    let plugin = host.load(&echo().build()).expect("it loads");
    Step::new().run(&plugin).await.expect("it runs");
    assert_eq!(told.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_component_as_large_as_javascript_s_passes_the_default_limits() {
    let mut component = echo().bare();
    forge::append(&mut component, 17_000, &forge::busy(1_000));
    assert!(component.len() > 12 << 20, "{} bytes", component.len());
    let (host, told) = apart(CompileLimits::default(), Duration::ZERO);
    let plugin = host
        .load(&with_manifest(component, &echo().manifest()))
        .expect("it loads");
    Step::new().run(&plugin).await.expect("it runs");
    assert_eq!(told.load(Ordering::Relaxed), 1);
}

#[test]
fn too_much_time_names_the_limit() {
    let limits = CompileLimits {
        time: Duration::from_secs(1),
        ..CompileLimits::default()
    };
    let error = refused(&forge::functions(100, &forge::busy(100_000)), limits);
    assert_eq!(error.code, "plugin.compile-limit", "{error}");
    assert_eq!(
        error.message,
        "plugin `forged`: compiling it takes more than 1 s of CPU time"
    );
}

#[test]
fn too_much_memory_names_the_limit() {
    let limits = CompileLimits {
        memory: 192 << 20,
        ..CompileLimits::default()
    };
    let error = refused(&forge::functions(100_000, &forge::shortest()), limits);
    assert_eq!(error.code, "plugin.compile-limit", "{error}");
    assert_eq!(
        error.message,
        "plugin `forged`: compiling it takes more than 192 MiB of memory"
    );
}

#[test]
fn types_nested_to_overflow_the_stack_end_the_process_alone() {
    let error = refused(&forge::nested_types(1_000_000), CompileLimits::default());
    assert_eq!(error.code, "plugin.compile-crashed", "{error}");
}

#[test]
fn what_is_not_valid_is_said_to_be_malformed() {
    let error = refused(
        &forge::functions(1, &forge::invalid()),
        CompileLimits::default(),
    );
    assert_eq!(error.code, "plugin.malformed", "{error}");
    assert!(error.message.contains("type mismatch"), "{error}");
}

#[test]
fn a_program_that_is_not_there_is_the_operator_s_matter() {
    let host = PluginHost::new(HostConfig {
        compiler: Compiler::Apart(Apart {
            program: "/nonexistent".into(),
            limits: CompileLimits::default(),
            notice: Notice::new(|_| {}),
            silent: Duration::MAX,
        }),
        ..config()
    })
    .expect("a host");
    let error = host.load(&echo().build()).expect_err("nothing compiles it");
    assert_eq!(error.code, "plugin.host");
}
