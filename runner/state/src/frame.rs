//! Encodes and decodes frames. A frame is the payload's length (u32, little endian), the crc32c of
//! those four bytes and the payload (u32, little endian), then the payload. The checksum covers the
//! length, so that a damaged length is detected.

/// The maximum size of a record's payload. A checkpoint may have 64 KiB, and an event's texts are
/// bounded.
pub(crate) const MAX_PAYLOAD: usize = 16 * 1024 * 1024;

const HEAD: usize = 8;

/// Encodes the payload as a frame in one buffer, so that a single `write` appends all of it.
///
/// Returns `None` when the payload is larger than [`MAX_PAYLOAD`].
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

/// Returns the payload of the frame at the start of `bytes`, and the frame's length. Returns `None`
/// if there is no whole, undamaged frame.
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

/// Returns the length of the frame at the start of `bytes`, according to its header. Returns `None`
/// if the header is incomplete or the length is above the maximum.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    let size = usize::try_from(u32::from_le_bytes(*bytes.first_chunk()?)).ok()?;
    (bytes.len() >= HEAD && size <= MAX_PAYLOAD).then_some(HEAD + size)
}

/// Returns the offset of the next whole frame after damaged bytes, if there is one.
///
/// No text in a record can look like a frame: a length below [`MAX_PAYLOAD`] has a zero byte, which
/// JSON escapes.
pub(crate) fn find(bytes: &[u8]) -> Option<usize> {
    (1..bytes.len()).find(|at| {
        let rest = &bytes[*at..];
        // A record is a JSON object. The cheap test comes first, since these bytes can be anything.
        rest.get(HEAD) == Some(&b'{')
            && length(rest).is_some_and(|length| rest.get(length - 1) == Some(&b'}'))
            && decode(rest).is_some()
    })
}

/// Returns whether the bytes after the last whole frame are an incomplete write: the beginning of a
/// frame, followed by zeros if the machine crashed before the file system had stored the rest.
///
/// A frame that once was whole and is damaged now does not count, because its content may have been
/// acted on.
pub(crate) fn is_torn(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return true;
    };
    let Some((crc, payload)) = rest.split_first_chunk::<4>() else {
        return true;
    };
    if bytes.ends_with(&[0; HEAD]) {
        return true;
    }
    // If the payload's actual length gives the right checksum, the frame is whole and only its
    // length is damaged.
    let whole = u32::try_from(payload.len())
        .is_ok_and(|size| checksum(size.to_le_bytes(), payload) == u32::from_le_bytes(*crc));
    let size = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    !whole && payload.len() < size && size <= MAX_PAYLOAD
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
    fn a_frame_that_was_whole_is_not_torn_and_its_beginning_is() {
        let frame = encode(br#"{"record":"x"}"#).expect("small");
        for cut in 0..frame.len() {
            assert!(is_torn(&frame[..cut]), "cut at {cut}");
            let mut zeros = frame[..cut].to_vec();
            zeros.resize(cut + 4096, 0);
            assert!(is_torn(&zeros), "zeros from {cut}");
        }
        for bit in 0..frame.len() * 8 {
            let mut damaged = frame.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_torn(&damaged), "bit {bit}");
        }
    }

    #[test]
    fn the_next_whole_frame_is_found_behind_anything() {
        let frame = encode(br#"{"record":"x"}"#).expect("small");
        for between in [&b"x"[..], &[0; 100], &frame[..frame.len() - 1], &[0xff; 9]] {
            let all = [&frame[1..], between, &frame].concat();
            assert_eq!(find(&all), Some(frame.len() - 1 + between.len()));
        }
        assert_eq!(find(&[0; 4096]), None);
    }

    #[test]
    fn zeros_are_no_frame() {
        assert_eq!(decode(&[0; 64]), None);
    }
}
