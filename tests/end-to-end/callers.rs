//! `--as`: the sandbox, called by another principal than its developer.

use crate::served::Served;
use crate::setup::{BUILD_ALONE, Setup, program};

const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";

#[test]
fn whoever_has_no_role_is_refused_in_googles_words() {
    let (Some(_), Some(_)) = (program("gcloud"), program("kubectl")) else {
        return;
    };
    let mut served = Served::new();
    let shell = served.shell(&["--as", "nobody"]);
    let refused = shell.refused("gcloud storage ls gs://demo-contexts");
    assert!(
        refused.contains("nobody@example.com does not have storage.objects.list access"),
        "{refused}"
    );
    let refused = shell.refused("gcloud container clusters list");
    assert!(
        refused.contains("Required \"container.clusters.list\" permission(s)"),
        "{refused}"
    );
    // Without role bindings of its own, the cluster asks IAM, as GKE does.
    let refused = shell.refused("kubectl get pods");
    assert_eq!(
        refused,
        "Error from server (Forbidden): pods is forbidden: User \"nobody@example.com\" cannot list resource \"pods\" in API group \"\" in the namespace \"builds\": requires one of [\"container.pods.list\"] permission(s).\n"
    );
    let output = shell.run("kubectl auth can-i create pods");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("no"));

    // The token from ADC also belongs to that caller.
    let shell = served.shell(&["--as", BUILDER]);
    let listed = shell.run("gcloud storage ls gs://demo-contexts");
    assert!(listed.status.success(), "{listed:?}");
    let me = shell.ok("kubectl auth whoami");
    assert!(me.contains(BUILDER), "{me}");
    let token = shell.ok("gcloud auth application-default print-access-token");
    std::fs::write(served.setup.workspace().join("adc"), token.trim()).unwrap();
    let mut shell = served.shell(&[]);
    shell.set("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", "adc");
    let refused = shell.refused("gcloud projects describe demo");
    assert!(refused.contains("does not have permission"), "{refused}");
}

#[test]
fn a_run_is_that_callers() {
    let mut setup = Setup::with_application();
    let (exit, events) = setup.events(&["run", "--sandbox", "--as", "nobody"]);
    assert_eq!(exit, 4, "{events:#?}");
    let text = serde_json::to_string(&events).unwrap();
    assert!(text.contains("nobody@example.com"), "{text}");
    let (exit, _) = setup.events(&["run", "--sandbox", "--as", "developer"]);
    assert_eq!(exit, 0);
}

#[test]
fn strangers_are_told_who_is_known() {
    let mut served = Served::with(Setup::with_application(), &["sandbox", "--as", BUILDER]);
    assert!(
        served
            .exports
            .contains(&format!("/callers/{BUILDER}/kubeconfig'")),
        "{}",
        served.exports
    );
    let names = "its callers are developer, 123456789012-compute@developer.gserviceaccount.com, builder@demo.iam.gserviceaccount.com, ci-runner@demo.iam.gserviceaccount.com, builder@shared.iam.gserviceaccount.com";
    let status = ["sandbox", "status", "--as", "mallory"];
    for arguments in [&status[..], &["run", "--sandbox", "--as", "mallory"]] {
        let output = served.setup.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("has no caller `mallory`"), "{said}");
        assert!(said.contains(names), "{said}");
        assert_eq!(output.status.code(), Some(2), "{said}");
    }
    served.setup.write("sidestep.yaml", BUILD_ALONE);
    let output = served.setup.run(&["run", "--as", "nobody"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("`--as` selects the caller of the sandbox"),
        "{said}"
    );
}

#[test]
fn whoever_goes_on_with_a_run_is_who_began_it() {
    let mut setup = Setup::with_application();
    let run = ["run", "--sandbox", "--run-id", "mine", "--as", "nobody"];
    let (exit, _) = setup.events(&run);
    assert_eq!(exit, 4);
    let (exit, events) = setup.events(&["resume", "mine"]);
    let text = serde_json::to_string(&events).unwrap();
    assert_eq!(exit, 4, "{text}");
    assert!(text.contains("nobody@example.com"), "{text}");

    // Killed before the journal recorded its end, and started again with the same id.
    let journal = setup.folder().join("state/sidestep/runs/mine/journal");
    let bytes = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, &bytes[..bytes.len() - 1]).unwrap();
    let output = setup.run(&["run", "--sandbox", "--run-id", "mine"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("was started as nobody"), "{told}");
    assert!(told.contains("sidestep resume mine"), "{told}");
    let (exit, _) = setup.events(&run);
    assert_eq!(exit, 4, "as nobody it goes on");
    // A different caller has to be requested explicitly.
    let (exit, events) = setup.events(&["resume", "mine", "--as", "developer"]);
    assert_eq!(exit, 0, "{:#?}", events.last());
}
