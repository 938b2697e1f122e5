//! The API with plain requests: messages and codes match the real server's.

use serde_json::{Value, json};

use crate::support::{PODS, open, phase, pod};

#[tokio::test]
async fn callers_are_told_apart() {
    let cluster = open(|_| {}).await;
    let call = |token| cluster.call(token, "GET", PODS, "", Value::Null);
    let (code, body) = call(None).await;
    assert_eq!(code, 403);
    assert_eq!(
        body["message"],
        "pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \
         \"\" in the namespace \"builds\""
    );
    let (code, body) = call(Some("forged")).await;
    assert_eq!(
        (code, &body["message"], &body["reason"]),
        (401, &json!("Unauthorized"), &json!("Unauthorized"))
    );
    assert_eq!(call(Some("viewer")).await.0, 200);
    let (code, body) = cluster
        .call(
            Some("viewer"),
            "POST",
            PODS,
            "application/json",
            pod("a", &[]),
        )
        .await;
    assert_eq!(code, 403);
    assert_eq!(
        body["message"],
        "pods is forbidden: User \"viewer@example.com\" cannot create resource \"pods\" in API \
         group \"\" in the namespace \"builds\": requires one of [\"container.pods.create\"] \
         permission(s)."
    );
    let (code, _) = cluster.call(None, "GET", "/version", "", Value::Null).await;
    assert_eq!(code, 200);
    let (code, body) = cluster.call(None, "GET", "/api", "", Value::Null).await;
    assert_eq!(
        (code, &body["message"]),
        (
            403,
            &json!("forbidden: User \"system:anonymous\" cannot get path \"/api\"")
        )
    );
}

#[tokio::test]
async fn refusals_are_worded_like_the_real_ones() {
    let cluster = open(|_| {}).await;
    let mut hidden = pod("a", &["wait"]);
    hidden["spec"]["serviceAccountName"] = "nobody".into();
    let (code, body) = cluster.post(PODS, hidden).await;
    assert_eq!(code, 403);
    assert_eq!(
        body["message"],
        "pods \"a\" is forbidden: error looking up service account builds/nobody: serviceaccount \
         \"nobody\" not found"
    );
    assert_eq!(cluster.post(PODS, pod("a", &["wait"])).await.0, 201);
    let (code, body) = cluster.post(PODS, pod("a", &["wait"])).await;
    assert_eq!(
        (code, &body["message"]),
        (409, &json!("pods \"a\" already exists"))
    );
    assert_eq!(body["reason"], "AlreadyExists");
    let (code, body) = cluster.get(&format!("{PODS}/none")).await;
    assert_eq!(
        (code, &body["message"]),
        (404, &json!("pods \"none\" not found"))
    );
    let (code, body) = cluster
        .post("/api/v1/namespaces/none/pods", pod("a", &[]))
        .await;
    assert_eq!(
        (code, &body["message"]),
        (404, &json!("namespaces \"none\" not found"))
    );
    let (code, body) = cluster
        .get("/apis/apps/v1/namespaces/builds/deployments")
        .await;
    assert_eq!(
        (code, &body["message"]),
        (
            404,
            &json!("the server could not find the requested resource")
        )
    );
    let (_, seen) = cluster.get(&format!("{PODS}/a")).await;
    let mut stale = seen.clone();
    stale["metadata"]["resourceVersion"] = "1".into();
    let (code, body) = cluster
        .call(
            Some("developer"),
            "PUT",
            &format!("{PODS}/a"),
            "application/json",
            stale,
        )
        .await;
    assert_eq!(code, 409);
    assert_eq!(
        body["message"],
        "Operation cannot be fulfilled on pods \"a\": the object has been modified; please apply \
         your changes to the latest version and try again"
    );
    let delete = json!({ "preconditions": { "uid": "other" } });
    let (code, body) = cluster
        .call(
            Some("developer"),
            "DELETE",
            &format!("{PODS}/a"),
            "application/json",
            delete,
        )
        .await;
    assert_eq!(code, 409, "{body}");
    assert!(body["message"].as_str().is_some_and(|m| {
        m.contains("the UID in the precondition (other) does not match the UID in record")
    }));
}

#[tokio::test]
async fn lists_select_and_continue() {
    let cluster = open(|_| {}).await;
    let maps = "/api/v1/namespaces/builds/configmaps";
    for n in 0..5 {
        let map =
            json!({ "metadata": { "name": format!("m{n}"), "labels": { "n": n.to_string() } } });
        assert_eq!(cluster.post(maps, map).await.0, 201);
    }
    let (_, list) = cluster
        .get(&format!("{maps}?labelSelector=n+in+(1,3)"))
        .await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(list["kind"], "ConfigMapList");
    let (mut path, mut names) = (format!("{maps}?limit=2"), Vec::new());
    loop {
        let (_, page) = cluster.get(&path).await;
        for item in page["items"].as_array().expect("items") {
            names.push(
                item["metadata"]["name"]
                    .as_str()
                    .expect("a name")
                    .to_owned(),
            );
        }
        match page["metadata"]["continue"].as_str() {
            Some(token) => path = format!("{maps}?limit=2&continue={token}"),
            None => break,
        }
    }
    assert_eq!(names, ["kube-root-ca.crt", "m0", "m1", "m2", "m3", "m4"]);
    let (code, _) = cluster.get(&format!("{maps}?fieldSelector=data=x")).await;
    assert_eq!(code, 400);
}

#[tokio::test]
async fn a_dry_run_keeps_nothing() {
    let cluster = open(|_| {}).await;
    let (code, made) = cluster
        .post(&format!("{PODS}?dryRun=All"), pod("a", &["wait"]))
        .await;
    assert_eq!(code, 201);
    assert!(made["metadata"]["uid"].is_string());
    assert_eq!(cluster.get(&format!("{PODS}/a")).await.0, 404);
    let spaces = "/api/v1/namespaces?dryRun=All";
    assert_eq!(
        cluster
            .post(spaces, json!({ "metadata": { "name": "x" } }))
            .await
            .0,
        201
    );
    assert_eq!(cluster.get("/api/v1/namespaces/x").await.0, 404);
    let (code, body) = cluster
        .post(&format!("{PODS}?dryRun=Some"), pod("a", &[]))
        .await;
    assert_eq!(code, 422, "{body}");
}

#[tokio::test]
async fn what_a_pod_owns_goes_with_it() {
    let cluster = open(|_| {}).await;
    let (_, owner) = cluster.post(PODS, pod("a", &["wait"])).await;
    let secret = json!({
        "metadata": { "name": "s", "ownerReferences": [{
            "apiVersion": "v1", "kind": "Pod", "name": "a", "uid": owner["metadata"]["uid"] }] },
        "stringData": { "k": "v" },
    });
    let secrets = "/api/v1/namespaces/builds/secrets";
    let (code, made) = cluster.post(secrets, secret).await;
    assert_eq!((code, &made["data"]["k"]), (201, &json!("dg==")));
    cluster.until("a", phase("Running")).await;
    let watch = format!(
        "{secrets}?watch=1&resourceVersion={}&timeoutSeconds=20",
        made["metadata"]["resourceVersion"]
            .as_str()
            .expect("version")
    );
    let (_, gone) = cluster.delete(&format!("{PODS}/a")).await;
    assert!(gone["metadata"]["deletionTimestamp"].is_string());
    cluster.until("a", Value::is_null).await;
    let events = tokio::time::timeout(
        std::time::Duration::from_secs(10),
        first_event(&cluster, &watch),
    )
    .await
    .expect("in time");
    assert_eq!(
        (&events["type"], &events["object"]["metadata"]["name"]),
        (&json!("DELETED"), &json!("s"))
    );
    assert_eq!(cluster.get(&format!("{secrets}/s")).await.0, 404);
}

async fn first_event(cluster: &crate::support::Cluster, path: &str) -> Value {
    use futures::StreamExt as _;
    use tower::ServiceExt as _;
    let request = http::Request::builder()
        .uri(path)
        .header("authorization", "Bearer developer")
        .body(axum::body::Body::empty())
        .expect("a request");
    let response = cluster
        .kubernetes
        .router()
        .oneshot(request)
        .await
        .expect("a watch");
    let chunk = response
        .into_body()
        .into_data_stream()
        .next()
        .await
        .expect("an event");
    serde_json::from_slice(&chunk.expect("bytes")).expect("JSON")
}

#[tokio::test]
async fn a_namespace_takes_everything_with_it() {
    let cluster = open(|_| {}).await;
    cluster.post(PODS, pod("a", &["wait"])).await;
    cluster.until("a", phase("Running")).await;
    let watch = "/api/v1/namespaces?watch=1&fieldSelector=metadata.name=builds";
    let (code, going) = cluster.delete("/api/v1/namespaces/builds").await;
    assert_eq!(
        (code, &going["status"]["phase"]),
        (200, &json!("Terminating"))
    );
    let (code, body) = cluster.post(PODS, pod("b", &[])).await;
    assert_eq!(code, 403);
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|m| m.ends_with("because it is being terminated")),
        "{body}"
    );
    let gone = async {
        while cluster.kubernetes.get("namespaces", "", "builds").is_some() {
            if first_event(&cluster, watch).await["type"] == "DELETED" {
                break;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), gone)
        .await
        .expect("it goes");
    assert!(
        cluster
            .kubernetes
            .get("serviceaccounts", "builds", "kaniko")
            .is_none()
    );
}

#[tokio::test]
async fn tokens_are_issued_and_judged() {
    let cluster = open(|_| {}).await;
    let path = "/api/v1/namespaces/builds/serviceaccounts/kaniko/token";
    let request =
        json!({ "spec": { "audiences": ["demo.svc.id.goog"], "expirationSeconds": 3600 } });
    let (code, answer) = cluster.post(path, request).await;
    assert_eq!(code, 201, "{answer}");
    let token = answer["status"]["token"].as_str().expect("a token");
    let subject = cluster
        .kubernetes
        .verify_token(token, "demo.svc.id.goog")
        .expect("valid");
    assert_eq!((&*subject.namespace, &*subject.name), ("builds", "kaniko"));
    let error = cluster
        .kubernetes
        .verify_token(token, "other")
        .expect_err("other audience");
    assert!(
        error.to_string().contains("do not include \"other\""),
        "{error}"
    );
    let (code, _) = cluster
        .call(Some(token), "GET", PODS, "", Value::Null)
        .await;
    assert_eq!(code, 401, "its audience is not this server");
    let (_, answer) = cluster.post(path, json!({ "spec": {} })).await;
    let own = answer["status"]["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let (code, body) = cluster.call(Some(&own), "GET", PODS, "", Value::Null).await;
    assert_eq!(code, 403);
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|m| m.contains("system:serviceaccount:builds:kaniko")),
        "{body}"
    );
    let review = json!({ "spec": { "token": own } });
    let (_, review) = cluster
        .post("/apis/authentication.k8s.io/v1/tokenreviews", review)
        .await;
    assert_eq!(review["status"]["authenticated"], true);
    assert_eq!(
        review["status"]["user"]["username"],
        "system:serviceaccount:builds:kaniko"
    );
    let (code, body) = cluster
        .post(path, json!({ "spec": { "expirationSeconds": 5 } }))
        .await;
    assert_eq!(code, 422, "{body}");
    let annotations = cluster
        .kubernetes
        .service_account("builds", "kaniko")
        .expect("there");
    assert_eq!(
        annotations["iam.gke.io/gcp-service-account"],
        "builder@demo.iam.gserviceaccount.com"
    );
    cluster
        .delete("/api/v1/namespaces/builds/serviceaccounts/kaniko")
        .await;
    assert!(
        cluster
            .kubernetes
            .verify_token(token, "demo.svc.id.goog")
            .is_err()
    );
    let (code, jwks) = cluster
        .call(None, "GET", "/openid/v1/jwks", "", Value::Null)
        .await;
    assert_eq!((code, &jwks["keys"][0]["kty"]), (200, &json!("EC")));
}

#[tokio::test]
async fn every_kind_of_patch() {
    let cluster = open(|_| {}).await;
    let maps = "/api/v1/namespaces/builds/configmaps";
    let one = format!("{maps}/m");
    cluster
        .post(
            maps,
            json!({ "metadata": { "name": "m" }, "data": { "a": "1" } }),
        )
        .await;
    let (code, _) = cluster
        .patch(&one, "merge-patch+json", json!({ "data": { "b": "2" } }))
        .await;
    assert_eq!(code, 200);
    let operations = json!([{ "op": "remove", "path": "/data/a" }]);
    let (_, map) = cluster.patch(&one, "json-patch+json", operations).await;
    assert_eq!(map["data"], json!({ "b": "2" }));
    let wish = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m" }, "data": { "b": "3" } });
    let (code, body) = cluster
        .patch(
            &format!("{one}?fieldManager=x"),
            "apply-patch+yaml",
            wish.clone(),
        )
        .await;
    assert_eq!(code, 409);
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|m| m.starts_with("Apply failed with 1 conflict")),
        "{body}"
    );
    let (code, map) = cluster
        .patch(
            &format!("{one}?fieldManager=x&force=true"),
            "apply-patch+yaml",
            wish,
        )
        .await;
    assert_eq!((code, &map["data"]["b"]), (200, &json!("3")));
    assert_eq!(
        cluster.patch(&one, "apply-patch+yaml", json!({})).await.0,
        422
    );
    let (code, body) = cluster
        .patch(
            &format!("{one}?fieldValidation=Strict"),
            "merge-patch+json",
            json!({ "colour": 1 }),
        )
        .await;
    assert_eq!(code, 400);
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|m| m.contains("unknown field \"colour\"")),
        "{body}"
    );
    assert_eq!(cluster.patch(&one, "json", json!({})).await.0, 415);
}
