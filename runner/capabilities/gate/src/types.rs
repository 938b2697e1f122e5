//! `sidestep:host/types`: handles that grant nothing.

use std::sync::Arc;
use std::time::Duration;

use sidestep_events::{Failure, Owner};
use wasmtime::component::{HasSelf, Linker, Resource};

use crate::bindings::sidestep::host::types as wit;
use crate::convert::{failure_from_wit, failure_to_wit};
use crate::gate::functions::types as functions;
use crate::{Blob, CallError, Encoding, Follow, Secret, StepState, Update, compose};

/// The maximum length of the text of a plugin's failure, in bytes.
const MAX_TEXT: usize = 16 << 10;
/// The maximum number of bytes that `tail` returns.
const MAX_TAIL: usize = 64 << 10;
/// The minimum price of a secret, in bytes: its handle and its masks take more than its text.
const SMALLEST: usize = 64;
/// The maximum time that one `next` waits; a plugin that wants to wait longer calls again.
const MAX_WAIT: Duration = Duration::from_hours(1);

pub(crate) fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasSelf<StepState>>(linker, |state| state)
}

impl wit::Host for StepState {
    async fn compose(
        &mut self,
        parts: Vec<wit::Part>,
        encoding: wit::Encoding,
    ) -> Result<Resource<Secret>, CallError> {
        let gate = Arc::clone(&self.gate);
        let masked = parts
            .iter()
            .any(|part| matches!(part, wit::Part::Secret(_)));
        let function = if masked {
            functions::COMPOSE_MASKED
        } else {
            functions::COMPOSE
        };
        let room = gate.enter(function.of(self.length(&parts)?)).await?;
        let mut texts = Vec::with_capacity(parts.len());
        for part in &parts {
            texts.push(self.text(part)?);
        }
        let composed = compose(
            &texts,
            match encoding {
                wit::Encoding::Plain => Encoding::Plain,
                wit::Encoding::Basic => Encoding::Basic,
                wit::Encoding::Base64 => Encoding::Base64,
                wit::Encoding::JsonString => Encoding::JsonString,
                wit::Encoding::HmacSha256 => Encoding::HmacSha256,
            },
        )?;
        // Plain text is not a secret: masking it would let a plugin hide any word of the log.
        if masked {
            self.step
                .masks
                .add(composed.expose())
                .map_err(|why| why.failure("the composed secret", Owner::Plugin))?;
        }
        // The run's masks keep a secret to the end; a plain text ends with its handle.
        let composed = if masked {
            room.keep();
            composed
        } else {
            composed.keeping(room.of_handle())
        };
        Ok(self.table.push(composed)?)
    }

    fn convert_failure(&mut self, error: CallError) -> wasmtime::Result<wit::Failure> {
        match error {
            CallError::Failure(failure) => Ok(self.failure(*failure)),
            CallError::Trap(error) => Err(error),
        }
    }
}

impl StepState {
    fn text<'a>(&'a self, part: &'a wit::Part) -> wasmtime::Result<&'a str> {
        Ok(match part {
            wit::Part::Text(text) => text,
            wit::Part::Secret(handle) => self.table.get(handle)?.expose(),
        })
    }

    /// Returns the total size of the parts in bytes. One handle may be used in several parts.
    fn length(&self, parts: &[wit::Part]) -> wasmtime::Result<usize> {
        let mut bytes = SMALLEST;
        for part in parts {
            bytes = bytes.saturating_add(self.text(part)?.len());
        }
        Ok(bytes)
    }

    /// Returns a failure in the contract's form, masked. All failures leave the host here, so the
    /// gate knows every failure that the plugin can pass on.
    pub fn failure(&self, failure: Failure) -> wit::Failure {
        let failure = self.step.masks.failure(failure);
        self.gate.shown().handed_out(&failure);
        failure_to_wit(failure)
    }

    /// Returns the failure that the plugin ended with: masked, bounded, and capped by the evidence
    /// of its calls.
    pub fn claimed(&self, failure: wit::Failure) -> Failure {
        let failure = self.step.masks.failure(failure_from_wit(failure));
        self.gate.claimed(failure.cut(MAX_TEXT))
    }
}

impl wit::HostBlob for StepState {
    async fn digest(&mut self, blob: Resource<Blob>) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&blob)?.digest().map(str::to_owned))
    }

    async fn size(&mut self, blob: Resource<Blob>) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&blob)?.size())
    }

    async fn drop(&mut self, blob: Resource<Blob>) -> wasmtime::Result<()> {
        self.table.delete(blob)?;
        Ok(())
    }
}

impl wit::HostSecret for StepState {
    async fn drop(&mut self, secret: Resource<Secret>) -> wasmtime::Result<()> {
        self.table.delete(secret)?;
        Ok(())
    }
}

impl wit::HostFollow for StepState {
    async fn next(
        &mut self,
        follow: Resource<Follow>,
        timeout: u64,
    ) -> Result<Option<wit::Update>, CallError> {
        let gate = Arc::clone(&self.gate);
        let _room = gate.enter(functions::NEXT).await?;
        let timeout = Duration::from_millis(timeout).min(MAX_WAIT);
        let following = self.table.get_mut(&follow)?.following();
        let update = gate.unless_cancelled(following.next(timeout)).await?;
        Ok(update.map(|update| match update {
            Update::Status(status) => wit::Update::Status(status.to_string()),
            Update::Event(event) => wit::Update::Event(event.to_string()),
            Update::Matched {
                pattern,
                container,
                text,
            } => wit::Update::Matched(wit::Matched {
                pattern,
                container,
                text,
            }),
            Update::Ended(status) => wit::Update::Ended(status.to_string()),
        }))
    }

    async fn tail(
        &mut self,
        follow: Resource<Follow>,
        container: String,
        max: u32,
    ) -> Result<String, CallError> {
        let gate = Arc::clone(&self.gate);
        let _room = gate.enter(functions::TAIL).await?;
        let max = usize::try_from(max).unwrap_or(MAX_TAIL).min(MAX_TAIL);
        // Also in the grace period after a cancel: the last lines show what was running.
        Ok(self
            .table
            .get_mut(&follow)?
            .following()
            .tail(&container, max)
            .await?)
    }

    async fn drop(&mut self, follow: Resource<Follow>) -> wasmtime::Result<()> {
        self.table.delete(follow)?;
        Ok(())
    }
}
