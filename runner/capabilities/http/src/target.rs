//! The target of a request, in the one spelling that is both checked and sent.
//!
//! Servers, proxies and URL libraries differ in how they treat `..%2f`, `//`, `;` and a host in
//! non-ASCII digits. Such spellings are refused and never decoded, so every server interprets the
//! remaining ones as the grant was checked.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use http::Method;
use percent_encoding::percent_decode_str;
use sidestep_events::Failure;
use url::Url;

use super::failure::wrong;

/// The maximum length of a host name (RFC 1035, section 2.3.4).
const LONGEST_HOST: usize = 253;
/// The maximum length of a path, in bytes.
const LONGEST_PATH: usize = 8 << 10;

/// The parsed method and URL of a request.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) host: String,
    /// The port's number.
    pub(super) port: String,
}

impl Target {
    /// Reads a method and a URL, `https://HOST[:PORT]/PATH`.
    ///
    /// # Errors
    /// `http.request` if it cannot be sent, or could be spelled in another way.
    pub(super) fn read(method: &str, url: &str) -> Result<Self, Failure> {
        let method = sidestep_policy::http::METHODS
            .iter()
            .find(|known| **known == method)
            .and_then(|known| Method::from_bytes(known.as_bytes()).ok())
            .ok_or_else(|| {
                wrong(format!(
                    "`{}` is not a supported method",
                    method.escape_debug()
                ))
            })?;
        // The URL may hold a secret.
        let no_url = || {
            wrong("its URL is not `https://HOST[:PORT]/PATH`, without a query or a user".to_owned())
        };
        let rest = url.strip_prefix("https://").ok_or_else(no_url)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') || rest.contains(['?', '#']) {
            return Err(no_url());
        }
        let (host, port) = split_port(authority).map_err(|why| wrong(why.to_owned()))?;
        check_host(host).map_err(|why| wrong(format!("its host {why}")))?;
        let path = if path.is_empty() { "/" } else { path };
        check_path(path).map_err(|why| wrong(format!("its path {why}")))?;
        // Compares with the URL that the client will send, in case the library parses it
        // differently.
        let parsed = Url::parse(url).map_err(|_| no_url())?;
        let same = parsed.host_str() == Some(host)
            && parsed.path() == path
            && parsed.port_or_known_default().map(|port| port.to_string()) == Some(port.to_owned());
        if !same {
            return Err(wrong("its URL can be read in several ways".to_owned()));
        }
        Ok(Self {
            method,
            host: host.to_owned(),
            port: port.to_owned(),
            url: parsed,
        })
    }

    /// Returns the request as a call that the policy judges.
    pub(super) fn call(&self) -> sidestep_policy::http::HttpCall<'_> {
        sidestep_policy::http::HttpCall {
            host: &self.host,
            port: &self.port,
            method: self.method.as_str(),
            path: self.url.path(),
        }
    }
}

fn split_port(authority: &str) -> Result<(&str, &str), &'static str> {
    let (host, port) = match authority.rsplit_once(':') {
        // The colon of an IPv6 address does not begin a port.
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, "443"),
    };
    let number = port.parse::<u16>().ok().filter(|number| *number > 0);
    if number.is_none_or(|number| number.to_string() != port) {
        return Err("its port is not a number from 1 to 65535");
    }
    Ok((host, port))
}

/// Checks that a host is written in its one accepted spelling.
fn check_host(host: &str) -> Result<(), &'static str> {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']').unwrap_or_default();
        let read: Ipv6Addr = address.parse().map_err(|_| "is not an IPv6 address")?;
        if read.to_ipv4().is_some() && !read.is_loopback() && !read.is_unspecified() {
            return Err("is an IPv4 address in IPv6: write `a.b.c.d`");
        }
        return if read.to_string() == address {
            Ok(())
        } else {
            Err("is an IPv6 address that is not in its shortest form (RFC 5952)")
        };
    }
    if !host.is_ascii() {
        return Err("has letters that are not ASCII: write it in Punycode (`xn--…`)");
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("has capital letters: write it in lower case");
    }
    if host.ends_with('.') {
        return Err("ends with a dot: leave it out");
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if host.len() > LONGEST_HOST || !host.split('.').all(is_label) {
        return Err("is not a host name");
    }
    // A name whose last part is a number is an address (URL Standard, "ends in a number").
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    if is_number
        && !host
            .parse::<Ipv4Addr>()
            .is_ok_and(|read| read.to_string() == host)
    {
        return Err("is an IPv4 address that is not written as `a.b.c.d`");
    }
    Ok(())
}

/// Checks that all servers interpret a path in the same way.
fn check_path(path: &str) -> Result<(), &'static str> {
    if path.len() > LONGEST_PATH {
        return Err("is longer than 8 KiB");
    }
    let mut segments = path[1..].split('/').peekable();
    while let Some(segment) = segments.next() {
        let decoded = decoded(segment)?;
        if decoded.bytes().any(|byte| byte.is_ascii_control()) {
            return Err("has an encoded control character");
        }
        if let Some(encoded) = encoded_separator(segment) {
            return Err(encoded);
        }
        // Some servers drop the text after a semicolon before they evaluate dots.
        let name = decoded.split(';').next().unwrap_or_default();
        let is_last = segments.peek().is_none();
        match name {
            "." | ".." => return Err("has a `.` or `..` segment"),
            "" if !(is_last && segment.is_empty()) => return Err("has an empty segment"),
            _ => {}
        }
    }
    Ok(())
}

/// Decodes a segment. Its characters are those that RFC 3986, section 3.3, allows.
fn decoded(segment: &str) -> Result<Cow<'_, str>, &'static str> {
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next(), rest.next()];
                if !digits.iter().flatten().all(u8::is_ascii_hexdigit) || digits[1].is_none() {
                    return Err("has a `%` without two hexadecimal digits");
                }
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => {}
            _ if b"-._~!$&'()*+,;=:@".contains(&byte) => {}
            b'\\' => return Err("has a backslash"),
            _ => return Err("has a character that must be percent-encoded"),
        }
    }
    let decoded = percent_decode_str(segment).decode_utf8();
    decoded.map_err(|_| "has encoded bytes that are not UTF-8")
}

fn encoded_separator(segment: &str) -> Option<&'static str> {
    let encoded = segment.split('%').skip(1);
    encoded
        .filter_map(|after| after.get(..2))
        .find_map(|digits| match digits.to_ascii_lowercase().as_str() {
            "2f" => Some("has an encoded slash, which servers read differently"),
            "5c" => Some("has an encoded backslash, which servers read differently"),
            "2e" => Some("has an encoded dot, which servers read differently"),
            "25" => Some("has an encoded percent sign, which servers read differently"),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_spelling_passes_as_it_is() {
        for (url, host, port, path) in [
            (
                "https://hooks.example.com/a/b",
                "hooks.example.com",
                "443",
                "/a/b",
            ),
            ("https://hooks.example.com", "hooks.example.com", "443", "/"),
            (
                "https://hooks.example.com:443/",
                "hooks.example.com",
                "443",
                "/",
            ),
            ("https://a_b.example:8443/a/", "a_b.example", "8443", "/a/"),
            (
                "https://xn--bcher-kva.example/%C3%A9%20x",
                "xn--bcher-kva.example",
                "443",
                "/%C3%A9%20x",
            ),
            ("https://1.1.1.1/", "1.1.1.1", "443", "/"),
            (
                "https://[2606:4700::1111]:99/a;b=c",
                "[2606:4700::1111]",
                "99",
                "/a;b=c",
            ),
            (
                "https://h.example/a...b/..c/~!$&'()*+,=:@",
                "h.example",
                "443",
                "/a...b/..c/~!$&'()*+,=:@",
            ),
        ] {
            let target = Target::read("GET", url).expect(url);
            assert_eq!(
                (&*target.host, &*target.port, target.url.path()),
                (host, port, path)
            );
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for url in [
            "",
            "https:",
            "https://",
            "https:///a",
            "HTTPS://h.example/",
            "https:\\\\h.example/",
            "http://h.example/",
            "https://u@h.example/",
            "https://u:p@h.example/",
            "https://h.example/?a=b",
            "https://h.example?a",
            "https://h.example/#a",
            " https://h.example/",
            "https://h.example/ ",
            "https://h.exa\tmple/",
            "https://h.example/a\nb",
            // Hosts.
            "https://H.example/",
            "https://h.example./",
            "https://h.example../",
            "https://.h.example/",
            "https://h..example/",
            "https://bücher.example/",
            "https://h\u{3002}example/",
            "https://ℎ.example/",
            "https://h%2eexample/",
            "https://-h.example/",
            "https://h-.example/",
            "https://127.1/",
            "https://0x7f.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://127.0.0.1./",
            "https://1.2.3.4.5/",
            "https://256.1.1.1/",
            "https://h.0x1/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::127.0.0.1]/",
            "https://[2606:4700:0::1111]/",
            "https://[2606:4700::1111%25eth0]/",
            "https://[2606:4700::ABCD]/",
            "https://[::1/",
            "https://::1/",
            "https://h.example\\@evil.example/",
            // Ports.
            "https://h.example:/",
            "https://h.example:0/",
            "https://h.example:0443/",
            "https://h.example:+443/",
            "https://h.example:65536/",
            "https://h.example:443:1/",
            "https://h.example: 443/",
            // Paths.
            "https://h.example/ok/..%2fadmin",
            "https://h.example/ok/..%2Fadmin",
            "https://h.example/ok%2f..%2fadmin",
            "https://h.example/ok/%2e%2e/admin",
            "https://h.example/ok/.%2E/admin",
            "https://h.example/ok/../admin",
            "https://h.example/./a",
            "https://h.example/a/.",
            "https://h.example/a/..",
            "https://h.example//a",
            "https://h.example/a//b",
            "https://h.example/a//",
            "https://h.example/ok\\..\\admin",
            "https://h.example/ok/..%5cadmin",
            "https://h.example/ok/%252e%252e/admin",
            "https://h.example/a%25",
            "https://h.example/..;/admin",
            "https://h.example/ok/..;x=y/admin",
            "https://h.example/ok/..%3b/admin",
            "https://h.example/ok/;/admin",
            "https://h.example/;",
            "https://h.example/ok/%c0%ae%c0%ae/admin",
            "https://h.example/%c0%af",
            "https://h.example/%ff",
            "https://h.example/a%00",
            "https://h.example/a%0d%0ab",
            "https://h.example/a%7f",
            "https://h.example/%",
            "https://h.example/%4",
            "https://h.example/%zz",
            "https://h.example/%u002e",
            "https://h.example/é",
            "https://h.example/a b",
            "https://h.example/<a>",
            "https://h.example/a|b",
        ] {
            let failure = Target::read("GET", url).expect_err(url);
            assert_eq!(failure.code, "http.request", "{url}");
            assert!(!failure.message.contains("u:p"), "{failure:?}");
        }
        for method in ["get", "CONNECT", "TRACE", "", "GET /x HTTP/1.1\r\n", "GET "] {
            let failure = Target::read(method, "https://h.example/").expect_err(method);
            assert_eq!(failure.code, "http.request", "{failure:?}");
        }
    }

    proptest! {
        /// An accepted URL is sent character by character, and has no segment that a server could
        /// interpret as a parent folder.
        #[test]
        fn what_passes_is_what_is_sent(
            host in "([a-c0-9]{1,3}|0x1|xn--a|[A-Z]|é|-)(\\.([a-c0-9]{1,3}|0x1|)){0,3}",
            port in "(|:443|:0443|:8443|:0)",
            path in "(/(a|\\.|\\.\\.|%2e|%2f|%41|;|%3b|\\\\|%25|é|%c3%a9|%00| |)){0,4}",
        ) {
            let url = format!("https://{host}{port}{path}");
            if let Ok(target) = Target::read("GET", &url) {
                let sent = format!("https://{host}{port}{}", if path.is_empty() { "/" } else { &path });
                prop_assert_eq!(target.url.as_str(), sent.replacen(":443/", "/", 1));
                let decoded = percent_decode_str(target.url.path());
                let decoded = decoded.decode_utf8().expect("text");
                let inner = decoded.trim_start_matches('/');
                prop_assert!(!inner.split('/').any(|part| part.starts_with("..")), "{}", decoded);
                prop_assert_eq!(decoded.matches('/').count(), path.matches('/').count().max(1));
            }
        }
    }
}
