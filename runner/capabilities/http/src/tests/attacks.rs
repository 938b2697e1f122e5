//! Ways around a scope: other spellings, other ports, other addresses, other steps' connections.

use super::*;

fn to(url: &str) -> wit::Request {
    wit::Request {
        url: url.into(),
        ..request("GET", "/")
    }
}

#[tokio::test]
async fn what_was_judged_is_what_is_sent() {
    let internet = Internet::new(&[HOST]);
    let (address, heard) = internet.listen_closely().await;
    let port = address.port();
    let internet = internet.named(HOST, &[PUBLIC]).routed(PUBLIC, address);
    let client = client_in(&internet);
    let granted = json!([{ "host": HOST, "ports": [443, port], "paths": "/ok/**" }]);
    let (mut state, kept) = step_in(&Arc::new(client), &granted);
    for (url, line, host) in [
        (
            "https://hooks.example.com/ok/a;b=c/%C3%a9%20~!$&'()*+,=:@".to_owned(),
            "GET /ok/a;b=c/%C3%a9%20~!$&'()*+,=:@ HTTP/1.1\r\n",
            "\r\nhost: hooks.example.com\r\n".to_owned(),
        ),
        (
            format!("https://hooks.example.com:{port}/ok/%41/"),
            "GET /ok/%41/ HTTP/1.1\r\n",
            format!("\r\nhost: hooks.example.com:{port}\r\n"),
        ),
    ] {
        let answer = state.send(to(&url)).await.expect(&url);
        assert_eq!(answer.body, b"ok");
        let sent = heard
            .lock()
            .expect("not poisoned")
            .last()
            .cloned()
            .expect("a request");
        assert!(sent.head.starts_with(line), "{}", sent.head);
        assert!(sent.head.contains(&host), "{}", sent.head);
        assert_eq!(
            kept.calls().last().expect("a call").target,
            format!("GET {url}")
        );
    }
    for url in [
        "https://hooks.example.com/ok/..%2fadmin",
        "https://hooks.example.com/ok/..;/admin",
        "https://hooks.example.com/ok//admin",
        "https://hooks.example.com./ok/a",
        "https://HOOKS.example.com/ok/a",
        "https://hooks.example.com:08443/ok/a",
    ] {
        let failure = failed(state.send(to(url)).await);
        assert_eq!(failure.code, "http.request", "{url}: {failure:?}");
        assert!(!kept.calls().last().expect("a call").allowed);
    }
    assert_eq!(heard.lock().expect("not poisoned").len(), 2);
}

#[tokio::test]
async fn another_port_is_another_scope() {
    let internet = Internet::new(&[HOST]);
    let (address, heard) = internet.listen_closely().await;
    let port = address.port();
    let with_port = format!("https://hooks.example.com:{port}/");
    let internet = internet.named(HOST, &[PUBLIC]).routed(PUBLIC, address);
    let client = client_in(&internet);
    let client = Arc::new(client);
    let (mut usual, _) = step_in(&client, &json!([{ "host": HOST }]));
    let failure = failed(usual.send(to(&with_port)).await);
    assert_eq!(failure.code, "grant.scope");
    assert_eq!(
        failure.message,
        format!("the step may not GET {with_port}: that is outside what it is granted")
    );
    usual
        .send(to("https://hooks.example.com:443/"))
        .await
        .expect("the usual port");
    let (mut other, _) = step_in(&client, &json!([{ "host": HOST, "ports": port }]));
    let failure = failed(other.send(to("https://hooks.example.com/")).await);
    assert_eq!(failure.code, "grant.scope");
    assert_eq!(
        failure.help[0],
        format!("it may send any request to hooks.example.com on port {port}")
    );
    other.send(to(&with_port)).await.expect("its own port");
    let (mut every, _) = step_in(&client, &json!([{ "host": HOST, "ports": "*" }]));
    every.send(to(&with_port)).await.expect("every port");
    let connections: Vec<_> = heard
        .lock()
        .expect("not poisoned")
        .iter()
        .map(|heard| heard.connection)
        .collect();
    assert_eq!(connections, [0, 1, 1], "a port has a connection of its own");
}

#[tokio::test]
async fn a_connection_of_another_step_is_used_for_its_own_host_alone() {
    const OTHER: &str = "other.example.com";
    let internet = Internet::new(&[HOST, OTHER]);
    let (address, heard) = internet.listen_closely().await;
    // Both names resolve to one address, whose certificate is valid for both.
    let internet = internet.named(HOST, &[PUBLIC]).named(OTHER, &[PUBLIC]);
    let client = Arc::new(client_in(&internet.routed(PUBLIC, address)));
    let (mut first, _) = step_in(&client, &json!([{ "host": HOST, "paths": "/a" }]));
    let (mut second, _) = step_in(&client, &json!([{ "host": OTHER, "paths": "/b" }]));
    let token = secret(&mut first, "Bearer hunter22");
    let mut signed = to("https://hooks.example.com/a");
    signed.headers.push(wit::Field {
        name: "authorization".into(),
        value: token,
    });
    first.send(signed).await.expect("granted");
    second
        .send(to("https://other.example.com/b"))
        .await
        .expect("granted");
    first
        .send(to("https://hooks.example.com/a"))
        .await
        .expect("granted");
    for (step, url) in [
        (&mut first, "https://other.example.com/b"),
        (&mut second, "https://hooks.example.com/a"),
    ] {
        let failure = failed(step.send(to(url)).await);
        assert_eq!(failure.code, "grant.scope");
    }
    let heard = heard.lock().expect("not poisoned").clone();
    let by: Vec<_> = heard
        .iter()
        .map(|heard| (heard.connection, heard.name.as_deref()))
        .collect();
    // The third request reuses the first one's connection, and carries nothing from the first.
    assert_eq!(by, [(0, Some(HOST)), (1, Some(OTHER)), (0, Some(HOST))]);
    assert!(heard[0].head.contains("hunter22"));
    assert!(
        heard[1..]
            .iter()
            .all(|heard| !heard.head.contains("hunter22"))
    );
}

#[tokio::test]
async fn a_name_that_moves_to_a_private_address_is_not_followed() {
    let internet = Internet::new(&[HOST]);
    let (address, heard) = internet.listen_closely().await;
    // The private address has a server that would answer.
    let internet = internet.routed(PUBLIC, address).routed("10.0.0.7", address);
    let internet = internet
        .named(HOST, &["10.0.0.7", "::ffff:169.254.169.254", PUBLIC])
        .named(HOST, &["10.0.0.7"]);
    let client = client_in(&internet);
    let (mut state, _) = step_in(&Arc::new(client), &everything());
    state
        .send(to("https://hooks.example.com/"))
        .await
        .expect("it is public");
    // Another port needs another connection, and therefore another lookup.
    let failure = failed(state.send(to("https://hooks.example.com:8443/")).await);
    assert_eq!(
        (failure.class, failure.code.exact(), failure.message.exact()),
        (
            sidestep_events::Class::Refused,
            "http.address",
            "the request is not sent: hooks.example.com has no public address"
        )
    );
    assert_eq!(heard.lock().expect("not poisoned").len(), 1);
}

#[tokio::test]
async fn no_fallback_goes_to_a_private_address() {
    let internet = Internet::new(&[HOST]);
    let (address, heard) = internet.listen_closely().await;
    // No server listens at the public address. The private ones would answer.
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let nobody = closed.local_addr().expect("an address");
    drop(closed);
    let internet = internet.routed(PUBLIC, nobody).routed("10.0.0.7", address);
    let client = client_in(&internet.named(HOST, &[PUBLIC, "10.0.0.7"]));
    let (mut state, _) = step_in(&Arc::new(client), &everything());
    let failure = failed(state.send(to("https://hooks.example.com/")).await);
    assert_eq!(failure.code, "http.unreachable");
    for mapped in [
        "::ffff:10.0.0.7",
        "64:ff9b::a00:7",
        "2002:a00:7::",
        "::ffff:127.0.0.1",
    ] {
        let internet = Internet::new(&[HOST]).routed(mapped, address);
        let client = client_in(&internet.named(HOST, &[mapped]));
        let (mut state, _) = step_in(&Arc::new(client), &everything());
        let failure = failed(state.send(to("https://hooks.example.com/")).await);
        assert_eq!(failure.code, "http.address", "{mapped}");
    }
    assert!(heard.lock().expect("not poisoned").is_empty());
}

#[tokio::test]
async fn a_cancel_ends_a_blocked_call() {
    let asked = Arc::new(tokio::sync::Notify::new());
    let silent = {
        let asked = Arc::clone(&asked);
        || async move {
            asked.notify_one();
            std::future::pending::<()>().await;
        }
    };
    let (mut state, kept) = state(Router::new().fallback(any(silent)), &everything()).await;
    let cancel = state.step.cancel.clone();
    let (answer, ()) = tokio::join!(state.send(request("GET", "/")), async {
        asked.notified().await;
        cancel.cancel();
    });
    let failure = failed(answer);
    assert_eq!(
        (failure.class, failure.code.exact()),
        (sidestep_events::Class::Cancelled, "run.cancelled")
    );
    assert_eq!(kept.calls()[0].code, Some("run.cancelled".into()));
}
