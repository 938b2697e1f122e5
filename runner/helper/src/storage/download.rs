//! Downloads an object to its end over any number of connections.

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use super::{Failed, Object, Storage};
use crate::metadata::token;
use crate::{Error, Reason};

/// The header with the generation of the content that an answer holds.
const GENERATION: &str = "x-goog-generation";

/// The part of an object that was read.
#[derive(Debug, Default)]
struct Read {
    bytes: u64,
    generation: Option<u64>,
}

impl Storage {
    /// Writes the object's stored bytes to a file, at most `limit` of them. Returns their number.
    /// An interrupted download is resumed, and only with the same generation.
    pub(crate) async fn download(
        &self,
        object: &Object,
        file: &mut File,
        limit: u64,
    ) -> Result<u64, Error> {
        let mut read = Read::default();
        let mut pauses = self.pauses.iter();
        loop {
            let before = read.bytes;
            match self.part(object, file, limit, &mut read).await {
                Ok(()) => return Ok(read.bytes),
                Err(Failed::Final(error)) => return Err(error),
                Err(Failed::ForNow(error)) => {
                    if read.bytes > before {
                        pauses = self.pauses.iter();
                    }
                    let Some(pause) = pauses.next() else {
                        return Err(error);
                    };
                    tokio::time::sleep(Duration::from_secs(*pause)).await;
                }
            }
        }
    }

    /// Reads as much as one connection brings.
    async fn part(
        &self,
        object: &Object,
        file: &mut File,
        limit: u64,
        read: &mut Read,
    ) -> Result<(), Failed> {
        let what = format!("read {object}");
        let token = token(&self.metadata, &self.host).await?;
        let mut url = format!("{}{}", self.base, object.media());
        if let Some(generation) = read.generation {
            url = format!("{url}&generation={generation}");
        }
        let mut request = self
            .http
            .get(url)
            .bearer_auth(token)
            // Without it, an object that is stored as gzip is sent decompressed (Cloud Storage,
            // "Transcoding of gzip-compressed files").
            .header("Accept-Encoding", "gzip");
        if read.bytes > 0 {
            request = request.header("Range", format!("bytes={}-", read.bytes));
        }
        let answer = request.send().await;
        let mut answer = answer.map_err(|error| Failed::unanswered(&what, error))?;
        let expected = if read.bytes > 0 { 206 } else { 200 };
        if answer.status() != expected {
            return Err(Failed::answered(&what, answer).await);
        }
        let generation = answer.headers().get(GENERATION);
        let generation = generation.and_then(|value| value.to_str().ok()?.parse().ok());
        read.generation = read.generation.or(generation);
        loop {
            let chunk = answer.chunk().await;
            let chunk = chunk.map_err(|error| Failed::unanswered(&what, error))?;
            let Some(chunk) = chunk else {
                return Ok(());
            };
            if read.bytes + chunk.len() as u64 > limit {
                return Err(Failed::Final(Error::wrong(format!(
                    "{object} has more bytes than the limit of {limit}"
                ))));
            }
            file.write_all(&chunk).map_err(|error| {
                Failed::Final(Error::new(
                    Reason::Disk,
                    format!("cannot write what was read of {object}: {error}"),
                ))
            })?;
            read.bytes += chunk.len() as u64;
        }
    }
}
