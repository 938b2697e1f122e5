use sidestep::serde_json::json;
use sidestep::storage::Written;
use sidestep::testing::{Host, blob_of};

use super::*;

#[test]
fn sizes_are_written_for_people() {
    assert_eq!(bytes(0), "0 B");
    assert_eq!(bytes(1023), "1023 B");
    assert_eq!(bytes(1536), "1.5 KiB");
    assert_eq!(bytes(10 << 20), "10.0 MiB");
    assert_eq!(bytes(u64::MAX), "16777215.9 TiB");
}

fn help(message: &str, prefix: &str) -> Vec<String> {
    let code = "google.permission-denied";
    let error = Error::new(Class::Denied, code, Owner::Cloud, message);
    let error = unsent(error, "b", prefix);
    error.help.iter().map(ToString::to_string).collect()
}

fn said(who: &str) -> String {
    format!(
        "cannot put gs://b/o: {who} does not have storage.objects.create access to the Google Cloud Storage object."
    )
}

#[test]
fn a_grant_is_for_the_prefix_and_for_whom_the_bucket_refused() {
    for (who, member) in [
        ("dev@example.com", "user:dev@example.com"),
        (
            "up@demo.iam.gserviceaccount.com",
            "serviceAccount:up@demo.iam.gserviceaccount.com",
        ),
    ] {
        let help = help(&said(who), "contexts/");
        assert_eq!(help[0], "an administrator of gs://b can grant it:");
        assert_eq!(
            help[1],
            format!(
                "gcloud storage buckets add-iam-policy-binding gs://b --member {member} --role roles/storage.objectCreator '--condition=expression=resource.name.startsWith(\"projects/_/buckets/b/objects/contexts/\"),title=objects-of-a-prefix'"
            )
        );
    }
    for nobody in ["Caller", "allUsers", "Anonymous caller"] {
        assert_eq!(
            help(&said(nobody), "contexts/"),
            ["the caller needs roles/storage.objectCreator on gs://b/contexts/*"]
        );
    }
}

#[test]
fn a_refusal_for_another_reason_is_not_the_bucket_s() {
    for reason in [
        "Cloud Storage JSON API has not been used in project 1 before or it is disabled.",
        "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x1Y-2z",
        "The billing account for the owning project is disabled in state absent",
        "Object 'b/o' is under active Temporary hold and cannot be deleted, overwritten or archived until hold is removed.",
    ] {
        assert_eq!(help(reason, "contexts/"), [""; 0], "{reason}");
    }
}

const DIGEST: &str = "sha256:0123";

/// Returns a host whose workspace holds one file, and whose bucket is empty.
fn host() -> Host {
    let host = Host::new();
    host.workspace().pack(|options| {
        assert_eq!(options.dockerfile.as_deref(), Some("Dockerfile"));
        Ok(Packed {
            blob: blob_of(None, None),
            digest: DIGEST.to_owned(),
            name: "ctx1-0123-1.tar.gz".to_owned(),
            packer: "1".to_owned(),
            entries: 1,
            size: 3,
            ignored: 0,
            skipped: vec![],
            modes: vec![],
            largest: vec![],
        })
    });
    host.storage().stat(|_| Err(missing()));
    host
}

fn missing() -> Error {
    let code = "google.not-found";
    Error::new(Class::NotFound, code, Owner::Author, "no such object")
}

fn uploaded(host: &Host) -> Result<Outputs> {
    host.run(run, json!({ "bucket": "demo-contexts" }))
}

#[test]
fn a_new_context_is_sent_with_its_digest() {
    let host = host();
    host.storage().put(|_, _, _, options| {
        assert_eq!(options.preconditions.if_generation_match, Some(0));
        assert_eq!(options.metadata[0].value, DIGEST);
        Ok(Written {
            generation: 7,
            outcome: Creation::Created,
            size: 100,
        })
    });
    let outputs = uploaded(&host).expect("it is sent");
    assert!(outputs.sent);
    assert_eq!(
        outputs.uri,
        "gs://demo-contexts/contexts/ctx1-0123-1.tar.gz"
    );
    let calls = host.calls();
    let names: Vec<&str> = calls
        .iter()
        .filter_map(|call| call.split('(').next())
        .collect();
    assert_eq!(names, ["workspace::pack", "storage::stat", "storage::put"]);
    assert_eq!(
        host.log(),
        [
            "info: folder .: 1 entry, 3 B; 0 left out by ignore rules",
            "info: sent 100 B to gs://demo-contexts/contexts/ctx1-0123-1.tar.gz",
        ]
    );
}

#[test]
fn a_bucket_that_is_not_available_is_named_without_a_grant() {
    let host = host();
    host.storage().put(|bucket, _, _, _| {
        let message = format!("cannot put gs://{bucket}: HTTP 503");
        let code = "google.unavailable";
        Err(Error::new(Class::Unavailable, code, Owner::Cloud, message)
            .retry_after(std::time::Duration::from_secs(30)))
    });
    let error = uploaded(&host).expect_err("it is not sent");
    assert_eq!(
        error.message,
        "the context was not uploaded: cannot put gs://demo-contexts: HTTP 503"
    );
    assert_eq!(
        (error.class, error.owner),
        (Class::Unavailable, Owner::Cloud)
    );
    assert_eq!(error.retry_after, Some(std::time::Duration::from_secs(30)));
    assert!(error.help.is_empty());
}
