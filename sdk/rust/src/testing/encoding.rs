//! Composes secrets as the host does.

use sidestep_contract::codes;

use super::{secret, text};
use crate::bindings::sidestep::host::types::{Encoding, Part};
use crate::{Error, Result, Secret};

/// The letters of standard base64 (RFC 4648, section 4).
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Composes a secret. An HMAC is not computed: its text names the key and the message.
pub(super) fn compose(parts: &[Part<'_>], encoding: Encoding) -> Result<Secret> {
    let parts: Vec<&str> = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => text.as_str(),
            Part::Secret(secret) => text(secret),
        })
        .collect();
    let composed = match (encoding, &parts[..]) {
        (Encoding::Plain, _) => parts.concat(),
        (Encoding::Base64, _) => base64(parts.concat().as_bytes()),
        (Encoding::JsonString, _) => serde_json::to_string(&parts.concat())?,
        (Encoding::Basic, [user, password]) => {
            format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
        }
        (Encoding::HmacSha256, [key, message @ ..]) => {
            format!("hmac-sha256({key}, {})", message.concat())
        }
        (Encoding::Basic | Encoding::HmacSha256, _) => {
            let message = "the parts do not fit the encoding";
            return Err(Error::invalid_input(codes::inputs::INVALID, message));
        }
    };
    Ok(secret(composed))
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * index)) as usize & 63];
            text.push(if index <= chunk.len() {
                letter.into()
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_encoded() {
        let composed = |parts: &[&str], encoding| {
            let parts: Vec<Part<'_>> = parts.iter().map(|part| (*part).into()).collect();
            compose(&parts, encoding).map(|secret| text(&secret).to_owned())
        };
        // RFC 4648, section 10.
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(composed(&[plain], Encoding::Base64).expect("text"), encoded);
        }
        // RFC 7617, section 2.
        let basic = composed(&["Aladdin", "open sesame"], Encoding::Basic);
        assert_eq!(basic.expect("text"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        composed(&["one"], Encoding::Basic).expect_err("no password");
        let json = composed(&["a\"", "b"], Encoding::JsonString).expect("text");
        assert_eq!(json, r#""a\"b""#);
        let hmac = composed(&["key", "a", "b"], Encoding::HmacSha256).expect("text");
        assert_eq!(hmac, "hmac-sha256(key, ab)");
    }
}
