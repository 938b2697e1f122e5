use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::*;

#[test]
fn it_is_the_same_one_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = Authority::open(folder.path(), "one", &["example.com"]).unwrap();
    let second = Authority::open(folder.path(), "two", &[]).unwrap();
    assert_eq!(first.pem(), second.pem());
    assert!(second.acceptor(&["*.example.com"], &["h2"]).is_ok());
}

/// Connects to a server with a certificate for some names, under one of them.
async fn connect(authority: &Authority, names: &[&str], to: &str) -> io::Result<()> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let acceptor = authority.acceptor(names, &[]).unwrap();
    let (client, server) = tokio::io::duplex(1 << 16);
    let serve = async { acceptor.accept(server).await.map(drop) };
    let name = ServerName::try_from(to.to_owned()).unwrap();
    let call = async {
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, client)
            .await;
        stream.map(drop)
    };
    let (_, called) = tokio::join!(serve, call);
    called
}

#[tokio::test]
async fn only_names_in_its_domains_are_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open(folder.path(), "one", &["example.com"]).unwrap();
    for (name, trusted) in [
        ("example.com", true),
        ("storage.example.com", true),
        ("example.org", false),
        ("127.0.0.1", false),
        ("8.8.8.8", false),
        ("2001:db8::1", false),
    ] {
        let connected = connect(&authority, &[name], name).await;
        assert_eq!(connected.is_ok(), trusted, "{name}: {connected:?}");
    }
    // Without domains it is not limited.
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open(folder.path(), "two", &[]).unwrap();
    connect(&authority, &["127.0.0.1"], "127.0.0.1")
        .await
        .unwrap();
}

/// Writes a certificate of an authority for a name, PEM.
fn leaf(authority: &Authority, name: &str) -> String {
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let pair = KeyPair::generate().unwrap();
    params.signed_by(&pair, &authority.issuer).unwrap().pem()
}

#[test]
fn openssl_follows_its_constraints() {
    if Command::new("openssl").arg("version").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open(folder.path(), "one", &["example.com"]).unwrap();
    for (name, trusted) in [
        ("storage.example.com", true),
        ("example.org", false),
        ("127.0.0.1", false),
        ("2001:db8::1", false),
    ] {
        let file = folder.path().join("leaf.pem");
        std::fs::write(&file, leaf(&authority, name)).unwrap();
        let verified = Command::new("openssl")
            .args(["verify", "-CAfile"])
            .arg(folder.path().join("ca.crt"))
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&verified.stderr);
        assert_eq!(verified.status.success(), trusted, "{name}: {said}");
    }
}
