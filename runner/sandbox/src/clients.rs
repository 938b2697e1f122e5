//! The check of clients: the sandbox serves programs on this machine, but never a page in a
//! browser.
//!
//! Loopback is not a boundary for a browser. A page of any site can send requests to a loopback
//! port, and by DNS rebinding can read the responses under its own host name. The sandbox holds
//! tokens and starts processes, so a request must name a host that the sandbox serves, and must not
//! come from a page (`Origin`: Fetch Standard, section 3.1; `Sec-Fetch-Site`: Fetch Metadata
//! Request Headers, section 2.3).

use axum::Router;
use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};

use sidestep_sandbox_base::names::{METADATA, METADATA_ADDRESS, is_googles};

/// Host names of this machine and of the sandbox's servers, besides Google's domains: the metadata
/// server, and the API server inside a cluster.
const OWN_NAMES: [&str; 9] = [
    "127.0.0.1",
    "[::1]",
    "localhost",
    METADATA[0],
    METADATA[1],
    METADATA_ADDRESS,
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// Wraps a router in the check of clients, which every server of the sandbox uses.
pub(crate) fn programs_only(router: Router) -> Router {
    router.layer(middleware::from_fn(
        |request: Request, next: Next| async move {
            match judge(request.uri(), request.headers()) {
                Ok(()) => next.run(request).await,
                Err(refused) => refused.into_response(),
            }
        },
    ))
}

/// The reason why a request is rejected.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    NoHost,
    ForeignHost(String),
    Page,
}

impl Refused {
    fn into_response(self) -> Response {
        match self {
            Self::NoHost => (
                StatusCode::BAD_REQUEST,
                "the sandbox answers only requests that name a host\n".to_owned(),
            ),
            // RFC 9110, section 15.5.20.
            Self::ForeignHost(host) => (
                StatusCode::MISDIRECTED_REQUEST,
                format!(
                    "the sandbox does not serve the host {host:?}; use localhost, 127.0.0.1, or \
                     one of Google's host names\n"
                ),
            ),
            Self::Page => (
                StatusCode::FORBIDDEN,
                "the sandbox answers programs, not pages in a browser\n".to_owned(),
            ),
        }
        .into_response()
    }
}

fn judge(uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
    let hosts: Vec<_> = headers.get_all(HOST).iter().collect();
    let named = match (uri.authority(), hosts.as_slice()) {
        // HTTP/2 has it in the request target. RFC 9113, section 8.3.1: an additional `Host` must
        // agree.
        (Some(authority), []) => Some(authority.clone()),
        (Some(authority), [host]) => {
            if host.as_bytes() != authority.as_str().as_bytes() {
                return Err(foreign(host.as_bytes()));
            }
            Some(authority.clone())
        }
        (None, [host]) => {
            let Ok(authority) = Authority::try_from(host.as_bytes()) else {
                return Err(foreign(host.as_bytes()));
            };
            Some(authority)
        }
        _ => None,
    };
    let authority = named.ok_or(Refused::NoHost)?;
    if !is_own(authority.host()) || authority.as_str().contains('@') {
        return Err(foreign(authority.as_str().as_bytes()));
    }
    let of_another_site = headers
        .get_all("sec-fetch-site")
        .iter()
        .any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"));
    let of_another_origin = headers.get_all(ORIGIN).iter().any(|origin| {
        let origin = origin.as_bytes();
        let own = |scheme: &str| origin == format!("{scheme}://{authority}").as_bytes();
        !own("http") && !own("https")
    });
    if of_another_site || of_another_origin {
        return Err(Refused::Page);
    }
    Ok(())
}

fn foreign(host: &[u8]) -> Refused {
    Refused::ForeignHost(String::from_utf8_lossy(host).into_owned())
}

fn is_own(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    OWN_NAMES.iter().any(|own| name.eq_ignore_ascii_case(own)) || is_googles(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(uri: &str, headers: &[(&'static str, &str)]) -> Result<(), Refused> {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(*name, value.parse().unwrap());
        }
        judge(&uri.parse().unwrap(), &all)
    }

    #[test]
    fn programs_are_answered_by_every_name_of_the_sandbox() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "localhost:8080",
            "LOCALHOST.:1",
            "[::1]:8080",
            "metadata.google.internal",
            "169.254.169.254",
            "kubernetes.default.svc",
            "storage.googleapis.com",
            "europe-docker.pkg.dev",
            "eu.gcr.io",
        ] {
            assert_eq!(verdict("/", &[("host", host)]), Ok(()), "{host}");
        }
        assert_eq!(verdict("http://localhost:1/", &[]), Ok(()));
        let same = [("host", "localhost:1"), ("origin", "http://localhost:1")];
        assert_eq!(verdict("/", &same), Ok(()));
    }

    #[test]
    fn a_name_that_was_rebound_to_loopback_is_not_answered() {
        for host in [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "googleapis.com.evil.example",
            "evil.example@127.0.0.1",
            "127.0.0.2",
            "0.0.0.0",
            "a b",
        ] {
            let refused = verdict("/", &[("host", host)]);
            assert!(matches!(refused, Err(Refused::ForeignHost(_))), "{host}");
        }
        assert_eq!(verdict("/", &[]), Err(Refused::NoHost));
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(verdict("/", &two), Err(Refused::NoHost));
        let other = verdict("http://localhost/", &[("host", "evil.example")]);
        assert!(matches!(other, Err(Refused::ForeignHost(_))));
    }

    #[test]
    fn a_page_of_another_origin_is_not_answered() {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://localhost:2"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let headers = [("host", "localhost:1"), (name, value)];
            assert_eq!(verdict("/", &headers), Err(Refused::Page), "{name} {value}");
        }
    }
}
