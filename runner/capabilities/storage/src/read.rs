//! Reads objects.

use std::path::Path;

use bytes::Bytes;
use google_cloud_storage::read_object::ReadObjectResponse;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::{Blob, Space, disk_failure};
use tokio::io::AsyncWriteExt as _;

use super::Storage;
use super::client::resource;
use super::failure::generation_number;
use super::silence;

/// A running download of an object.
struct Download {
    /// Completes "cannot …".
    what: String,
    answer: ReadObjectResponse,
}

impl Download {
    async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        silence::chunk(&self.what, self.answer.next()).await
    }
}

impl Storage {
    /// Returns an object's bytes. More than `max` bytes are class `exhausted`.
    pub async fn read(
        &self,
        bucket: &str,
        name: &str,
        generation: Option<u64>,
        max: u64,
    ) -> Result<Vec<u8>, Failure> {
        let mut object = self.download(bucket, name, generation).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = object.chunk().await? {
            if (bytes.len() + chunk.len()) as u64 > max {
                return Err(Failure::new(
                    Class::Exhausted,
                    codes::storage::TOO_LARGE,
                    Owner::Author,
                    format!("cannot {}: it is larger than {max} bytes", object.what),
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Returns an object as a blob, kept in an unnamed file in `folder`. Each chunk takes its disk
    /// space before it is written.
    pub async fn open(
        &self,
        bucket: &str,
        name: &str,
        generation: Option<u64>,
        folder: &Path,
        mut space: Space,
    ) -> Result<Blob, Failure> {
        let mut object = self.download(bucket, name, generation).await?;
        let what = object.what.clone();
        let full = |error| disk_failure(&what, &error);
        let mut file = tokio::fs::File::from_std(tempfile::tempfile_in(folder).map_err(full)?);
        while let Some(chunk) = object.chunk().await? {
            let taken = space.take(chunk.len() as u64);
            taken.map_err(|full| full.failure(&what))?;
            file.write_all(&chunk).await.map_err(full)?;
        }
        file.flush().await.map_err(full)?;
        Blob::from_temporary(file.into_std().await, space).map_err(full)
    }

    async fn download(
        &self,
        bucket: &str,
        name: &str,
        generation: Option<u64>,
    ) -> Result<Download, Failure> {
        let what = format!("read gs://{bucket}/{name}");
        let mut request = self.official().await?.read_object(resource(bucket), name);
        if let Some(generation) = generation {
            request = request.set_generation(generation_number(generation)?);
        }
        let answer = silence::answer(&what, request.send()).await?;
        Ok(Download { what, answer })
    }
}
