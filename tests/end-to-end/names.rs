//! Google's own host names: clients with fixed endpoints, through the sandbox's proxy or straight
//! to its port.

use std::process::Command;

use crate::served::{Served, Shell};
use crate::setup::program;

const PROXY: &[&str] = &["--proxy"];
const IMAGE: &str = "docker://europe-docker.pkg.dev/demo/images/app:1";

/// Builds an image into an OCI folder, with the sandbox's own kaniko and without pushing it.
fn image(served: &mut Served) {
    served
        .setup
        .write("image/Dockerfile", "FROM scratch\nCOPY hello.txt /\n");
    served.setup.write("image/hello.txt", "hello\n");
    let built = served.setup.run(&[
        "sandbox",
        "kaniko",
        "--context=dir://image",
        "--no-push",
        "--destination=app:1",
        "--tar-path=image.tar",
    ]);
    assert!(built.status.success(), "{built:?}");
}

fn token(shell: &Shell<'_>) -> String {
    std::fs::read_to_string(shell.get("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")).unwrap()
}

#[test]
fn curl_reaches_them_with_and_without_the_proxy() {
    let Some(_) = program("curl") else { return };
    let mut served = Served::new();
    let shell = served.shell(PROXY);
    let token = token(&shell);
    let curl = |command: &mut Command, url: &str| {
        let header = format!("Authorization: Bearer {token}");
        let output = command
            .args(["-sS", "--max-time", "20", "-H", &header, url])
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    };
    let accounts = "https://iam.googleapis.com/v1/projects/demo/serviceAccounts";
    let (said, errors) = curl(&mut shell.command("curl"), accounts);
    assert!(said.contains("builder@demo"), "{said}{errors}");
    // The client continues at the address of an upload session.
    let session = "https://storage.googleapis.com/upload/storage/v1/b/demo-contexts/o?uploadType=resumable&name=x";
    let (said, errors) = curl(shell.command("curl").args(["-i", "-X", "POST"]), session);
    assert!(
        said.contains("https://storage.googleapis.com/upload/storage/v1/b/demo-contexts"),
        "{said}{errors}"
    );

    let port = shell.get("HTTPS_PROXY").strip_prefix("http://").unwrap();
    let straight = |url: &str| {
        let mut command = shell.command("curl");
        for name in [
            "HTTPS_PROXY",
            "https_proxy",
            "SSL_CERT_FILE",
            "CURL_CA_BUNDLE",
        ] {
            command.env_remove(name);
        }
        let authority = shell.get("SSL_CERT_FILE");
        command.args(["--connect-to", &format!("::{port}"), "--cacert", authority]);
        curl(&mut command, url)
    };
    let (said, errors) = straight("https://cloudresourcemanager.googleapis.com/v1/projects/demo");
    assert!(said.contains("123456789012"), "{said}{errors}");
    // Trust in the authority is limited to its own names.
    let (_, errors) = straight("https://example.com/");
    assert!(errors.contains("SSL"), "{errors}");

    // The proxy forwards to no other host, and says so.
    let (_, errors) = curl(&mut shell.command("curl"), "https://example.com/");
    assert!(errors.contains("403"), "{errors}");
    let (said, _) = curl(&mut shell.command("curl"), shell.get("HTTPS_PROXY"));
    assert!(said.contains("CONNECT as an HTTPS proxy"), "{said}");
    let (said, _) = curl(
        &mut shell.command("curl"),
        "https://compute.googleapis.com/compute/v1/projects/demo/zones",
    );
    assert!(said.contains("serves no API at host"), "{said}");
}

#[test]
fn gcloud_needs_no_endpoint() {
    let Some(_) = program("gcloud") else { return };
    let mut served = Served::new();
    let shell = served.shell(PROXY);
    let project = shell.json("gcloud projects describe demo");
    assert_eq!(project["projectNumber"], "123456789012");
    served.setup.write("note", "through the proxy\n");
    let shell = served.shell(PROXY);
    shell.ok("gcloud storage cp note gs://demo-contexts/note");
    let said = shell.ok("gcloud storage cat gs://demo-contexts/note");
    assert_eq!(said, "through the proxy\n");
}

#[test]
fn python_and_go_need_nothing_either() {
    let mut served = Served::new();
    let python = "import os, urllib.request\n\
        token = open(os.environ['CLOUDSDK_AUTH_ACCESS_TOKEN_FILE']).read()\n\
        def get(url):\n    \
            request = urllib.request.Request(url, headers={'Authorization': 'Bearer ' + token})\n    \
            return urllib.request.urlopen(request).read().decode()\n\
        print(get('https://secretmanager.googleapis.com/v1/projects/demo/secrets'))\n\
        try: get('https://example.com/')\n\
        except OSError as error: print(error)\n";
    let go = r#"package main
import ("fmt"; "io"; "net/http"; "os")
func get(url string) {
	token, _ := os.ReadFile(os.Getenv("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"))
	request, _ := http.NewRequest("GET", url, nil)
	request.Header.Set("Authorization", "Bearer "+string(token))
	answer, err := http.DefaultClient.Do(request)
	if err != nil { fmt.Println(err); return }
	body, _ := io.ReadAll(answer.Body)
	fmt.Println(answer.Proto, string(body))
}
func main() {
	get("https://secretmanager.googleapis.com/v1/projects/demo/secrets")
	get("https://example.com/")
}
"#;
    served.setup.write("names.py", python);
    served.setup.write("names.go", go);
    let shell = served.shell(PROXY);
    let refusal =
        "the sandbox's proxy reaches only Google's hosts on port 443, not example.com:443";
    for (name, line) in [("python3", "python3 names.py"), ("go", "go run names.go")] {
        if program(name).is_none() {
            continue;
        }
        let said = shell.ok(line);
        assert!(
            said.contains("projects/123456789012/secrets/greeting"),
            "{said}"
        );
        assert!(said.contains(refusal), "{said}");
        assert!(name != "go" || said.starts_with("HTTP/2.0 "), "{said}");
    }
}

#[test]
fn skopeo_pushes_to_and_pulls_from_googles_registries() {
    let Some(_) = program("skopeo") else { return };
    let mut served = Served::new();
    image(&mut served);
    let shell = served.shell(PROXY);
    let creds = format!("creds oauth2accesstoken:{}", token(&shell));
    shell.ok(&format!(
        "skopeo copy --insecure-policy --dest-{creds} docker-archive:image.tar {IMAGE}"
    ));
    let found = shell.ok(&format!("skopeo inspect --{creds} {IMAGE}"));
    assert!(
        found.contains("\"Name\": \"europe-docker.pkg.dev/demo/images/app\""),
        "{found}"
    );
    // A first push creates a gcr.io repository, if the caller has the permission.
    let gcr = "docker://eu.gcr.io/demo/app:1";
    shell.ok(&format!(
        "skopeo copy --insecure-policy --src-{creds} --dest-{creds} {IMAGE} {gcr}"
    ));
    shell.ok(&format!("skopeo inspect --{creds} {gcr}"));
    let refused = shell.refused(&format!("skopeo inspect --no-creds {IMAGE}"));
    assert!(refused.contains("Unauthenticated request."), "{refused}");
}
