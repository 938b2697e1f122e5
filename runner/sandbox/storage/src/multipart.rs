//! `multipart/related` bodies (RFC 2387, RFC 2046 section 5.1), read as a stream, part by part.

use crate::error::ApiError;
use axum::body::{Body, BodyDataStream};
use bytes::{Buf as _, Bytes, BytesMut};
use futures::StreamExt as _;
use memchr::memmem;

/// The maximum size of a preamble or of a part's headers, in bytes.
const HEAD: usize = 16 * 1024;

/// A multipart body being read.
pub(crate) struct Parts {
    body: BodyDataStream,
    buffer: BytesMut,
    /// `--BOUNDARY`.
    boundary: Vec<u8>,
    /// The line ending: RFC 2046 requires CRLF; Python's generators write LF.
    newline: &'static [u8],
    started: bool,
}

impl Parts {
    /// Starts reading a body. `content_type` is the request's header, which names the boundary.
    pub(crate) fn new(body: Body, content_type: &str) -> Result<Self, ApiError> {
        let boundary = content_type
            .split(';')
            .filter_map(|parameter| parameter.trim().split_once('='))
            .find(|(key, _)| key.trim().eq_ignore_ascii_case("boundary"))
            .map(|(_, value)| value.trim().trim_matches(['"', '\'']))
            .filter(|boundary| (1..=200).contains(&boundary.len()))
            .ok_or_else(|| {
                ApiError::invalid(
                    "A multipart upload needs Content-Type: multipart/related; boundary=…",
                )
            })?;
        Ok(Self {
            body: body.into_data_stream(),
            buffer: BytesMut::new(),
            boundary: format!("--{boundary}").into_bytes(),
            newline: b"\r\n",
            started: false,
        })
    }

    async fn fill(&mut self) -> Result<(), ApiError> {
        match self.body.next().await {
            Some(Ok(bytes)) => {
                self.buffer.extend_from_slice(&bytes);
                Ok(())
            }
            Some(Err(_)) | None => Err(ApiError::invalid(
                "The multipart body ended before its closing boundary.",
            )),
        }
    }

    /// Reads until `needle`. Returns the bytes before it, and drops both.
    async fn until(&mut self, needle: &[u8]) -> Result<BytesMut, ApiError> {
        loop {
            if let Some(at) = memmem::find(&self.buffer, needle) {
                let before = self.buffer.split_to(at);
                self.buffer.advance(needle.len());
                return Ok(before);
            }
            if self.buffer.len() > HEAD {
                return Err(ApiError::invalid(
                    "The multipart body has no boundary where one is required.",
                ));
            }
            self.fill().await?;
        }
    }

    /// Returns the content type of the next part; `None` after the last part.
    pub(crate) async fn next(&mut self) -> Result<Option<String>, ApiError> {
        if !self.started {
            let boundary = self.boundary.clone();
            self.until(&boundary).await?;
            self.started = true;
        }
        while self.buffer.len() < 2 {
            self.fill().await?;
        }
        if self.buffer.starts_with(b"--") {
            // The epilogue is read so that the connection can be reused.
            while self.body.next().await.is_some_and(|frame| frame.is_ok()) {}
            return Ok(None);
        }
        let rest = self.until(b"\n").await?;
        self.newline = if rest.ends_with(b"\r") {
            b"\r\n"
        } else {
            b"\n"
        };
        let mut content_type = String::new();
        loop {
            let line = self.until(self.newline).await?;
            if line.is_empty() {
                return Ok(Some(content_type));
            }
            let line = String::from_utf8_lossy(&line);
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-type")
            {
                value.trim().clone_into(&mut content_type);
            }
        }
    }

    /// Returns the next bytes of the current part; `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, ApiError> {
        let delimiter = [self.newline, &self.boundary].concat();
        loop {
            if let Some(at) = memmem::find(&self.buffer, &delimiter) {
                if at == 0 {
                    self.buffer.advance(delimiter.len());
                    return Ok(None);
                }
                return Ok(Some(self.buffer.split_to(at).freeze()));
            }
            // The end of the buffer may be the start of the delimiter.
            let safe = self.buffer.len().saturating_sub(delimiter.len() - 1);
            if safe > 0 {
                return Ok(Some(self.buffer.split_to(safe).freeze()));
            }
            self.fill().await?;
        }
    }

    /// Returns all of a part, whose size is limited.
    pub(crate) async fn small(&mut self, limit: usize) -> Result<Vec<u8>, ApiError> {
        let mut whole = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if whole.len() + chunk.len() > limit {
                return Err(ApiError::too_large("The metadata part is too large."));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &str, step: usize) -> Result<Vec<(String, Vec<u8>)>, ApiError> {
        let frames: Vec<_> = text
            .as_bytes()
            .chunks(step)
            .map(|frame| Ok::<_, std::io::Error>(Bytes::copy_from_slice(frame)))
            .collect();
        let body = Body::from_stream(futures::stream::iter(frames));
        let mut parts = Parts::new(body, "multipart/related; boundary=\"b1\"")?;
        let mut read = Vec::new();
        while let Some(kind) = parts.next().await? {
            read.push((kind, parts.small(1000).await?));
        }
        Ok(read)
    }

    #[tokio::test]
    async fn parts_are_the_same_however_the_network_cuts_them() {
        let crlf = "\r\n--b1\r\nContent-Type: application/json\r\n\r\n{}\r\n--b1\r\ncontent-type: text/plain\r\n\r\na\r\n--b\r\nc\r\n--b1--\r\n";
        let lf = "--b1\nContent-Type: application/json\n\n{}\n--b1\ncontent-type: text/plain\n\na\r\n--b\r\nc\n--b1--";
        let want = vec![
            ("application/json".to_owned(), b"{}".to_vec()),
            ("text/plain".to_owned(), b"a\r\n--b\r\nc".to_vec()),
        ];
        for text in [crlf, lf] {
            for step in 1..text.len() {
                assert_eq!(read(text, step).await.unwrap(), want, "{text:?} by {step}");
            }
        }
    }

    #[tokio::test]
    async fn a_body_cut_short_is_refused() {
        for text in ["", "--b1", "--b1\r\n\r\nabc", "--b1\r\n\r\nabc\r\n--b1"] {
            assert!(read(text, 3).await.is_err(), "{text:?}");
        }
        let endless = "x".repeat(100_000);
        assert!(read(&endless, 1000).await.is_err());
    }
}
