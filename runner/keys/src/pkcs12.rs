//! PKCS #12 archives (RFC 7292, section 4).

/// Returns whether bytes are a PKCS #12 archive: a sequence in DER or BER whose first element is the
/// integer 3, followed by a sequence.
pub(crate) fn is_archive(bytes: &[u8]) -> bool {
    let [0x30, length, rest @ ..] = bytes else {
        return false;
    };
    // The long form has that many bytes of length (X.690, 8.1.3.5); 0x80 is the indefinite form.
    let more = match length {
        0x00..=0x7f => 0,
        0x80..=0x84 => usize::from(length & 0x7f),
        _ => return false,
    };
    rest.get(more..)
        .is_some_and(|content| content.starts_with(&[0x02, 0x01, 0x03, 0x30]))
}
