//! From a context of the kubeconfig to a client.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::error::ClusterError;

/// The timeout for a program of the kubeconfig that returns credentials.
const PROGRAM: Duration = Duration::from_mins(1);
/// The timeout for the first answer of the API server.
const FIRST: Duration = Duration::from_secs(15);
/// The maximum silence of a connection, which is longer than a watch.
const LONGEST_SILENCE: Duration = Duration::from_mins(1);

/// A connection to an API server.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) context: String,
    /// The host and port, and the path if there is one.
    pub(crate) server: String,
    /// The certificate authorities, PEM; empty if none are configured.
    pub(crate) authority: String,
    /// The version, such as `v1.36.3`.
    pub(crate) version: String,
}

/// Reads a kubeconfig from its files. Of the same name in two files, the first one counts. A file
/// that no longer exists has no contexts.
pub(crate) async fn kubeconfig_of(files: &[PathBuf]) -> Result<Kubeconfig, ClusterError> {
    let files = files.to_vec();
    let unreadable = |why: String| ClusterError::Kubeconfig(why);
    let read = tokio::task::spawn_blocking(move || {
        let mut files = files.iter().filter(|file| file.exists());
        files.try_fold(Kubeconfig::default(), |all, file| {
            all.merge(Kubeconfig::read_from(file)?)
        })
    });
    read.await
        .map_err(|error| unreadable(error.to_string()))?
        .map_err(|error| unreadable(causes(&error)))
}

/// Connects to the API server of a context, and asks for its version.
pub(crate) async fn connect(
    kubeconfig: Kubeconfig,
    context: &str,
) -> Result<Connection, ClusterError> {
    let unusable = |why: String| ClusterError::Context {
        context: context.to_owned(),
        why,
    };
    let names = kubeconfig.contexts.iter().map(|named| named.name.clone());
    let known: Vec<String> = names.collect();
    if !known.iter().any(|name| name == context) {
        return Err(ClusterError::UnknownContext {
            context: context.to_owned(),
            known,
        });
    }
    let options = KubeConfigOptions {
        context: Some(context.to_owned()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let mut config = config.map_err(|error| unusable(causes(&error)))?;
    config.connect_timeout = Some(Duration::from_secs(10));
    config.read_timeout = Some(LONGEST_SILENCE);
    let server = address(&config.cluster_url);
    let authority = config.root_cert.as_deref().map(pem).unwrap_or_default();
    // This runs the kubeconfig's program, and waits for it.
    let client = tokio::task::spawn_blocking(|| Client::try_from(config));
    let client = match tokio::time::timeout(PROGRAM, client).await {
        Ok(Ok(Ok(client))) => client,
        Ok(Ok(Err(error))) => return Err(unusable(causes(&error))),
        Ok(Err(error)) => return Err(unusable(error.to_string())),
        Err(_) => {
            return Err(unusable(format!(
                "the kubeconfig's program returned no credentials within {} s",
                PROGRAM.as_secs()
            )));
        }
    };
    let version = tokio::time::timeout(FIRST, client.apiserver_version()).await;
    let silent = |why: String| ClusterError::Unreachable {
        context: context.to_owned(),
        server: server.clone(),
        why,
    };
    let version = match version {
        Ok(Ok(version)) => version.git_version,
        Ok(Err(kube::Error::Api(status))) => {
            return Err(ClusterError::Refused {
                context: context.to_owned(),
                server,
                what: "report its version",
                why: status.message.clone(),
            });
        }
        Ok(Err(error)) => return Err(silent(causes(&error))),
        Err(_) => return Err(silent(format!("no answer within {} s", FIRST.as_secs()))),
    };
    Ok(Connection {
        client,
        context: context.to_owned(),
        server,
        authority,
        version,
    })
}

/// Returns an error with its causes, since kube's own text names none. A cause that the text before
/// it contains is left out.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}

fn address(url: &http::Uri) -> String {
    let authority = url.authority().map(http::uri::Authority::as_str);
    let path = url.path().trim_end_matches('/');
    format!("{}{path}", authority.unwrap_or_default())
}

/// Returns certificates as PEM (RFC 7468).
fn pem(certificates: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for certificate in certificates {
        text += "-----BEGIN CERTIFICATE-----\n";
        let encoded = base64::engine::general_purpose::STANDARD.encode(certificate);
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(64));
            text.push_str(line);
            text.push('\n');
            rest = more;
        }
        text += "-----END CERTIFICATE-----\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_port_and_path() {
        for (url, expected) in [
            ("https://127.0.0.1:6443", "127.0.0.1:6443"),
            ("https://[::1]:6443/", "[::1]:6443"),
            (
                "https://rancher.test/k8s/clusters/c-1",
                "rancher.test/k8s/clusters/c-1",
            ),
        ] {
            assert_eq!(address(&url.parse().unwrap()), expected);
        }
    }

    #[test]
    fn certificates_are_written_in_lines_of_64() {
        let text = pem(&[vec![0; 60], vec![1]]);
        let lengths: Vec<usize> = text.lines().map(str::len).collect();
        assert_eq!(lengths, [27, 64, 16, 25, 27, 4, 25]);
    }
}
