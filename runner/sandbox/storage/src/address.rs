//! Addresses: the caller's address for this server, and names inside a path.

use http::{HeaderMap, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A request extension for requests over TLS, so that the addresses in responses (upload sessions,
/// media links) begin with `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverTls;

const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Returns a name as one path segment: all characters except unreserved ones are escaped.
pub(crate) fn escaped(name: &str) -> String {
    utf8_percent_encode(name, PATH).to_string()
}

/// Returns `scheme://host[:port]` as the caller wrote it. Google's Rust clients omit the port in
/// `Host`; over plain HTTP it is added again.
pub(crate) fn base(uri: &Uri, headers: &HeaderMap, tls: bool, port: Option<u16>) -> String {
    let scheme = uri
        .scheme_str()
        .unwrap_or(if tls { "https" } else { "http" });
    let authority = uri.authority().cloned().or_else(|| {
        let host = headers.get(header::HOST)?.to_str().ok()?;
        host.parse::<http::uri::Authority>().ok()
    });
    let Some(authority) = authority else {
        return format!("{scheme}://storage.googleapis.com");
    };
    match port {
        Some(port) if scheme == "http" && authority.port().is_none() => {
            format!("http://{authority}:{port}")
        }
        _ => format!("{scheme}://{authority}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_port_is_put_in_over_plain_http_only() {
        let base = |host: &str, tls| {
            let mut headers = HeaderMap::new();
            headers.insert("host", host.parse().unwrap());
            super::base(
                &Uri::from_static("/storage/v1/b"),
                &headers,
                tls,
                Some(8080),
            )
        };
        assert_eq!(base("127.0.0.1", false), "http://127.0.0.1:8080");
        assert_eq!(base("127.0.0.1:9", false), "http://127.0.0.1:9");
        assert_eq!(base("[::1]", false), "http://[::1]:8080");
        assert_eq!(
            base("storage.googleapis.com", true),
            "https://storage.googleapis.com"
        );
        assert_eq!(base("a b", false), "http://storage.googleapis.com");
    }
}
