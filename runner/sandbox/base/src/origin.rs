//! The address to which a request was sent.

use http::{header, request::Parts, uri::Authority};

/// A request extension for requests over TLS, so that addresses in responses begin with `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverTls;

/// The address to which a request was sent, as the client wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The host, with its port if it has one.
    pub authority: String,
}

impl Origin {
    /// Reads a request's address. `host` stands in for one without a valid host.
    ///
    /// `http_port` is the server's port of plain HTTP: Google's Rust clients omit the port in
    /// `Host`, so it is added again.
    pub fn of(parts: &Parts, http_port: Option<u16>, host: &str) -> Self {
        let over_tls = parts.extensions.get::<OverTls>().is_some();
        let tls = over_tls || parts.uri.scheme_str() == Some("https");
        let named = parts.uri.authority().cloned().or_else(|| {
            let host = parts.headers.get(header::HOST)?.to_str().ok()?;
            host.parse::<Authority>().ok()
        });
        let authority = match (named, http_port) {
            (Some(named), Some(port)) if !tls && named.port().is_none() => {
                format!("{named}:{port}")
            }
            (Some(named), _) => named.to_string(),
            (None, _) => host.to_owned(),
        };
        Self {
            scheme: if tls { "https" } else { "http" },
            authority,
        }
    }

    /// Returns the host without its port.
    pub fn host(&self) -> &str {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.authority,
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_port_is_put_in_over_plain_http_only() {
        let origin = |host: &str, tls| {
            let mut request = http::Request::get("/storage/v1/b").header("host", host);
            if tls {
                request = request.extension(OverTls);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            Origin::of(&parts, Some(8080), "storage.googleapis.com")
        };
        let base = |host: &str, tls| origin(host, tls).to_string();
        assert_eq!(base("127.0.0.1", false), "http://127.0.0.1:8080");
        assert_eq!(base("127.0.0.1:9", false), "http://127.0.0.1:9");
        assert_eq!(base("[::1]", false), "http://[::1]:8080");
        assert_eq!(
            base("storage.googleapis.com", true),
            "https://storage.googleapis.com"
        );
        assert_eq!(base("a b", false), "http://storage.googleapis.com");
        assert_eq!(origin("127.0.0.1:9", false).host(), "127.0.0.1");
        assert_eq!(origin("[::1]", false).host(), "[::1]");
        assert_eq!(
            origin("europe-docker.pkg.dev", true).host(),
            "europe-docker.pkg.dev"
        );
    }
}
