//! Writes an object: retries while the outcome is unknown, and writes only once.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use google_cloud_gax::error::Error;
use google_cloud_gax::retry_policy::RetryPolicyExt as _;
use google_cloud_storage::model::Object as Model;
use google_cloud_storage::retry_policy::RetryableErrors;
use sidestep_events::Failure;
use sidestep_gate::{Blob, NotCreated, Sends, blob_failure, disk_failure};
use sidestep_google::{Noting, of_client_error};

use super::client::resource;
use super::failure::generation_number;
use super::silence::while_moving;
use super::source::BlobSource;
use super::{Storage, Write, Written};

/// The pauses between three attempts to send an object if the answers are lost.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(1))
    .with_max_times(2)
    .with_jitter();
/// The time for which the client itself retries when a server refuses: its own default.
const RETRIES: Duration = Duration::from_mins(5);

/// The object of all attempts.
struct Sending<'a> {
    bucket: &'a str,
    name: &'a str,
    blob: Blob,
    size: u64,
    checksum: u32,
    /// Grows with every piece that is read for sending.
    moved: Arc<AtomicU64>,
    heard: Arc<dyn Fn(u64, u64) + Send + Sync>,
    sends: Sends,
}

impl Storage {
    /// Writes a blob's bytes; large ones in a session that survives lost connections. `heard` gets
    /// the number of bytes read for sending so far, and the total.
    pub async fn put(
        &self,
        bucket: &str,
        name: &str,
        blob: Blob,
        write: &Write,
        heard: impl Fn(u64, u64) + Send + Sync + 'static,
    ) -> Result<Written, NotCreated> {
        let what = format!("write gs://{bucket}/{name}");
        // Creating the bytes (packing, compressing) belongs on a thread that may block. With the
        // checksum known beforehand, the server refuses bytes that were damaged in transit; if it
        // is sent after the bytes, some servers interpret it as part of them.
        let made = blob.clone();
        let (size, checksum) = tokio::task::spawn_blocking(move || checksum(&made))
            .await
            .map_err(|error| {
                NotCreated::certainly(Failure::bug(format!(
                    "the task that creates a blob's bytes failed: {error}"
                )))
            })?
            .map_err(|error| NotCreated::certainly(disk_failure(&what, &error)))?;
        let sending = Sending {
            bucket,
            name,
            blob,
            size,
            checksum,
            moved: Arc::default(),
            heard: Arc::new(heard),
            sends: Sends::default(),
        };
        // The client retries when a server refuses, but not when half of an answer is lost. Only
        // with a precondition can a retry overwrite nothing.
        let may_retry =
            |error: &Error| error.is_deserialization() && write.if_generation_match.is_some();
        let mut pauses = PAUSES.build();
        loop {
            let result = self.send(&what, &sending, write).await?;
            let lost = result.as_ref().err().filter(|error| may_retry(error));
            let Some((error, pause)) = lost.zip(pauses.next()) else {
                return self.written(result, &sending, &what, write).await;
            };
            tracing::debug!(%error, ?pause, what, "an answer was lost; the object is sent again");
            sending.sends.lost();
            tokio::time::sleep(pause).await;
        }
    }

    async fn send(
        &self,
        what: &str,
        sending: &Sending<'_>,
        write: &Write,
    ) -> Result<Result<Model, Error>, NotCreated> {
        let sends = &sending.sends;
        let before = |failure| sends.not_sent(failure);
        let (size, moved) = (sending.size, Arc::clone(&sending.moved));
        let heard = Arc::clone(&sending.heard);
        let heard = move |done| {
            moved.fetch_add(1, Ordering::Relaxed);
            heard(done, size);
        };
        let source = BlobSource::new(sending.blob.clone(), size, Box::new(heard));
        let client = self.official().await.map_err(before)?;
        let retries = Noting::new(sends, RetryableErrors.with_time_limit(RETRIES));
        let mut request = client
            .write_object(resource(sending.bucket), sending.name, source)
            .with_retry_policy(retries);
        if let Some(generation) = write.if_generation_match {
            // With a precondition the client may retry a write whose outcome is unknown.
            request =
                request.set_if_generation_match(generation_number(generation).map_err(before)?);
        }
        if let Some(number) = write.if_metageneration_match {
            request =
                request.set_if_metageneration_match(generation_number(number).map_err(before)?);
        }
        if let Some(content_type) = &write.content_type {
            request = request.set_content_type(content_type);
        }
        if let Some(cache_control) = &write.cache_control {
            request = request.set_cache_control(cache_control);
        }
        if let Some(time) = write.custom_time {
            let time = google_cloud_wkt::Timestamp::new(time.as_second(), time.subsec_nanosecond())
                .map_err(|error| before(Failure::bug(format!("a time out of range: {error}"))))?;
            request = request.set_custom_time(time);
        }
        request = request
            .set_metadata(write.metadata.clone())
            .with_known_crc32c(sending.checksum);
        while_moving(what, &sending.moved, request.send_unbuffered())
            .await
            .map_err(|silent| sends.not_created(silent))
    }

    async fn written(
        &self,
        result: Result<Model, Error>,
        sending: &Sending<'_>,
        what: &str,
        write: &Write,
    ) -> Result<Written, NotCreated> {
        match result {
            Ok(object) => Ok(Written {
                generation: u64::try_from(object.generation).unwrap_or_default(),
                created: true,
                size: u64::try_from(object.size).unwrap_or_default(),
            }),
            Err(error) if error.http_status_code() == Some(412) => {
                let there = self.already_there(sending.bucket, sending.name, what, write);
                there
                    .await
                    .map_err(|failure| sending.sends.not_created(failure))
            }
            Err(error) => {
                let own = blob_failure(what, &error);
                let failure = own.unwrap_or_else(|| of_client_error(what, &error));
                Err(sending.sends.not_created(failure))
            }
        }
    }
}

/// Returns the number of a blob's bytes, and their CRC32C. Blocks.
fn checksum(blob: &Blob) -> std::io::Result<(u64, u32)> {
    let mut reader = blob.reader()?;
    let mut buffer = vec![0; 256 * 1024];
    let (mut size, mut checksum) = (0, 0);
    loop {
        let length = reader.read(&mut buffer)?;
        if length == 0 {
            return Ok((size, checksum));
        }
        size += length as u64;
        checksum = crc32c::crc32c_append(checksum, &buffer[..length]);
    }
}
