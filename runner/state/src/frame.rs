//! A frame is the payload's length (u32, little endian), the crc32c of those four bytes and the
//! payload (u32, little endian), then the payload. The length is covered, so that a damaged one
//! is not believed.

/// No record is larger: a checkpoint may have 64 KiB, and an event's texts are bounded.
pub(crate) const MAX_PAYLOAD: usize = 16 * 1024 * 1024;

const HEAD: usize = 8;

/// Frames the payload into one buffer, so that one `write` appends it whole.
///
/// Returns `None` when it is larger than [`MAX_PAYLOAD`].
pub(crate) fn encode(payload: &[u8]) -> Option<Vec<u8>> {
    if payload.len() > MAX_PAYLOAD {
        return None;
    }
    let length = u32::try_from(payload.len()).ok()?.to_le_bytes();
    let mut frame = Vec::with_capacity(HEAD + payload.len());
    frame.extend_from_slice(&length);
    frame.extend_from_slice(&checksum(length, payload).to_le_bytes());
    frame.extend_from_slice(payload);
    Some(frame)
}

/// The payload of the frame that `bytes` begin with, and the frame's length; `None` where no
/// whole, undamaged frame stands.
pub(crate) fn decode(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let size = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    if size > MAX_PAYLOAD {
        return None;
    }
    let payload = rest.get(..size)?;
    (checksum(*length, payload) == u32::from_le_bytes(*crc)).then_some((payload, HEAD + size))
}

fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length), payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let frame = encode(b"payload").expect("small");
        assert_eq!(decode(&frame), Some((&b"payload"[..], frame.len())));
        for bit in 0..frame.len() * 8 {
            let mut damaged = frame.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn zeros_are_no_frame() {
        assert_eq!(decode(&[0; 64]), None);
    }
}
