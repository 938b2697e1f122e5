use super::*;
use crate::bindings::sidestep::host::types::Failure;

#[test]
fn an_error_survives_the_way_to_the_host_and_back() {
    let error = Error::new(Class::Denied, "bucket.denied", Owner::Cloud, "no")
        .help("ask for it")
        .retry_after(std::time::Duration::from_millis(1500))
        .detail("bucket", "b");
    assert_eq!(Error::from(Failure::from(error.clone())), error);
}

#[test]
fn what_a_newer_host_says_is_read_as_far_as_it_goes() {
    let failure = Failure {
        class: "melted".into(),
        code: "core.melted".into(),
        owner: "nature".into(),
        message: "hot".into(),
        help: vec![],
        retry_after: None,
        details: "[1]".into(),
    };
    let error = Error::from(failure);
    assert_eq!((error.class, error.owner), (Class::Failed, Owner::Sidestep));
    assert_eq!(error.code, "core.melted");
    assert!(error.details.is_empty());
}

#[test]
fn context_goes_before_the_message() {
    let error = Error::failed("a.b", "file is empty").context("reading Dockerfile");
    assert_eq!(error.to_string(), "reading Dockerfile: file is empty (a.b)");
}
