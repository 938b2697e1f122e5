//! A pipeline's secrets from Secret Manager.

use crate::setup::Setup;

fn pipeline(secret: &str) -> String {
    format!(
        "version: 1\nname: greet\nsecrets:\n  greeting: {{ secretManager: \"{secret}\" }}\nsteps:\n  context:\n    uses: sidestep/context-upload\n    with: {{ path: \".\", bucket: demo-contexts }}\n"
    )
}

#[test]
fn secret_manager_is_asked_before_anything_starts() {
    let mut setup = Setup::with_application();
    let secret = "projects/demo/secrets/greeting/versions/latest";
    setup.write("sidestep.yaml", &pipeline(secret));
    let (exit, events) = setup.events(&["run", "--sandbox"]);
    assert_eq!(exit, 0, "{events:#?}");
    setup.write("sidestep.yaml", &pipeline(&secret.replace("latest", "9")));
    let output = setup.run(&["run", "--sandbox"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_ne!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("the secret greeting: cannot read projects/demo/secrets/greeting/versions/9: Secret Version ["), "{said}");
}
