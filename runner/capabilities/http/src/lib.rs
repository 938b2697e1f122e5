//! `http`: requests to hosts that the grant names.

mod client;
mod failure;
mod send;
mod target;
#[cfg(test)]
mod tests;

pub use client::HttpClient;
pub use sidestep_transport::{NO_PROXIES, PROXIES};

use std::sync::Arc;

use sidestep_bindings::sidestep::host::types::Part;
use sidestep_bindings::sidestep::http::client as wit;
use sidestep_events::Evidence;
use sidestep_gate::functions::http as functions;
use sidestep_gate::{CallError, Capability, StepState};
use sidestep_policy::Capability as Key;
use wasmtime::component::Linker;

use send::{Body, Prepared};
use target::Target;

sidestep_gate::calls!();

/// Grant key and functions.
pub const CAPABILITY: Capability = Capability {
    key: Key::Http,
    link,
};

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasCalls>(linker, |state| Calls(state))
}

impl wit::Host for Calls<'_> {
    async fn send(&mut self, request: wit::Request) -> Result<wit::Response, CallError> {
        let gate = Arc::clone(&self.gate);
        let http = self.services.get::<HttpClient>("client for requests")?;
        // One handle may be used in any number of parts, so the request is measured before it is
        // built.
        let bytes = self.bytes_of(&request)?;
        let _room = gate.charge(functions::SEND.of(bytes)).await?;
        let target = Target::read(&request.method, &request.url);
        let prepared = Prepared {
            query: self.fields(request.query)?,
            headers: self.fields(request.headers)?,
            body: match request.body {
                None => Body::None,
                Some(wit::Body::Bytes(bytes)) => Body::Bytes(bytes),
                Some(wit::Body::Parts(parts)) => {
                    let mut text = String::new();
                    for part in &parts {
                        text.push_str(self.part(part)?);
                    }
                    Body::Bytes(text.into_bytes())
                }
                Some(wit::Body::Blob(blob)) => Body::Blob(self.table.get(&blob)?.clone()),
            },
            timeout: request.timeout,
            most: request.max_response,
        };
        let masks = Arc::clone(&self.step.masks);
        let call = match &target {
            Ok(target) => gate.call(functions::SEND.of(0_u64), &target.call()),
            Err(wrong) => gate
                .call_within(
                    functions::SEND.of(0_u64),
                    Key::Http,
                    "send a request".to_owned(),
                )
                .unless(Some(wrong.clone())),
        };
        let work = async { send::send(&http, &masks, target?, prepared).await };
        let answer = call.run(work).await?;
        match answer.status {
            401 | 403 => gate.shown().note(Evidence::Denied),
            408 | 425 | 429 | 500..=599 => gate.shown().note(Evidence::Unavailable),
            _ => {}
        }
        Ok(answer)
    }
}

impl Calls<'_> {
    /// Returns the maximum number of bytes of the request, with its secrets, and its answer.
    fn bytes_of(&self, request: &wit::Request) -> wasmtime::Result<usize> {
        let parts = match &request.body {
            Some(wit::Body::Parts(parts)) => &parts[..],
            _ => &[],
        };
        let fields = request.query.iter().chain(&request.headers);
        let most = usize::try_from(request.max_response).unwrap_or(send::LARGEST);
        let mut bytes = most.min(send::LARGEST);
        for part in fields.map(|field| &field.value).chain(parts) {
            bytes = bytes.saturating_add(self.part(part)?.len());
        }
        Ok(bytes)
    }

    fn part<'a>(&'a self, part: &'a Part) -> wasmtime::Result<&'a str> {
        Ok(match part {
            Part::Text(text) => text,
            Part::Secret(secret) => self.table.get(secret)?.expose(),
        })
    }

    /// Returns the names with their values, and whether a value is a secret.
    fn fields(&self, fields: Vec<wit::Field>) -> wasmtime::Result<Vec<send::Field>> {
        fields
            .into_iter()
            .map(|field| {
                Ok(send::Field {
                    value: self.part(&field.value)?.to_owned(),
                    secret: matches!(field.value, Part::Secret(_)),
                    name: field.name,
                })
            })
            .collect()
    }
}
