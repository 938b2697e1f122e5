//! The `Authorization` header.

use http::{HeaderMap, header};

/// The challenge of Google's APIs in a 401 (`WWW-Authenticate`, RFC 6750).
pub const GOOGLE_CHALLENGE: &str = "Bearer realm=\"https://accounts.google.com/\"";

/// The parsed `Authorization` header of a request (RFC 9110, section 11.6.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Authorization<'a> {
    /// There is no such header.
    Absent,
    /// A scheme and its credential.
    Sent {
        /// The scheme as it was sent, such as `Bearer`.
        scheme: &'a str,
        /// The part after the scheme, without surrounding spaces.
        credential: &'a str,
    },
    /// The header has no scheme, or is not ASCII.
    Malformed,
}

impl<'a> Authorization<'a> {
    /// Reads the header.
    pub fn of(headers: &'a HeaderMap) -> Self {
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            return Self::Absent;
        };
        match value.to_str().ok().and_then(|value| value.split_once(' ')) {
            Some((scheme, credential)) => Self::Sent {
                scheme,
                credential: credential.trim(),
            },
            None => Self::Malformed,
        }
    }

    /// Returns the credential, if it has this scheme (in any case).
    pub fn with_scheme(self, wanted: &str) -> Option<&'a str> {
        match self {
            Self::Sent { scheme, credential } if scheme.eq_ignore_ascii_case(wanted) => {
                Some(credential)
            }
            _ => None,
        }
    }

    /// Returns the bearer token, or `None` without a header.
    ///
    /// Another kind of credential gives an empty token, which nobody issued, so that it is rejected
    /// and not treated as a missing one.
    pub fn bearer(self) -> Option<&'a str> {
        match self {
            Self::Absent => None,
            sent => Some(sent.with_scheme("bearer").unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_header_is_no_credential() {
        let bearer = |value: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert("authorization", value.parse().unwrap());
            }
            Authorization::of(&headers).bearer().map(str::to_owned)
        };
        assert_eq!(bearer(None), None);
        assert_eq!(bearer(Some("Bearer t1 ")).as_deref(), Some("t1"));
        assert_eq!(bearer(Some("bearer  t1")).as_deref(), Some("t1"));
        for other in ["Basic dTpw", "t1", "", "Bearer", "Bearer ü"] {
            assert_eq!(bearer(Some(other)).as_deref(), Some(""), "{other}");
        }
    }
}
