//! `secretManager`: versions of secrets, as handles.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sidestep_events::{Class, Failure, Owner};
use sidestep_policy::Capability as Key;
use sidestep_policy::secret_manager::Request;
use wasmtime::component::{HasSelf, Linker, Resource};

use crate::bindings::sidestep::gcp::secret_manager as wit;
use crate::bindings::sidestep::host::types::Failure as WitFailure;
use crate::google::{Name, Rest, Service};
use crate::{Capability, Secret, StepState};

pub(crate) const CAPABILITY: Capability = Capability {
    key: Key::SecretManager,
    interface: "sidestep:gcp/secret-manager",
    version: "0.1.0",
    link,
};

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasSelf<StepState>>(linker, |state| state)
}

impl wit::Host for StepState {
    async fn access(
        &mut self,
        versions: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<Resource<Secret>, WitFailure>>> {
        let found = self
            .ask_each(versions, |gate, google, version| async move {
                // What has no version has the whole text for the gate to judge.
                let secret = version
                    .rsplit_once("/versions/")
                    .map_or(version.as_str(), |(secret, _)| secret);
                gate.call("access", &Request { secret })
                    .run(access_secret(&google, &version))
                    .await
            })
            .await?;
        let mut handles = Vec::with_capacity(found.len());
        for found in found {
            handles.push(match found {
                Ok(secret) => {
                    self.step.masks.add(secret.expose());
                    Ok(self.table.push(secret)?)
                }
                Err(failure) => Err(failure),
            });
        }
        Ok(handles)
    }
}

/// What Secret Manager (v1) answers.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Version {
    payload: Payload,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Payload {
    data: String,
    /// A number as text.
    data_crc32c: Option<String>,
}

/// Reads a version of a secret, `projects/P/secrets/S/versions/V`, where V is a number, an alias
/// or `latest`. The caller makes it known to the run's masks.
///
/// # Errors
/// What Secret Manager says; `secret.damaged` for bytes that are not those that were stored;
/// `secret.not-text` for bytes that are no text (UTF-8), which no header or file of text can hold.
pub async fn access_secret(google: &Rest, version: &str) -> Result<Secret, Failure> {
    let name = Name::read("secret version", "projects/P/secrets/S/versions/V", version)?;
    let what = format!("read {}", name.as_str());
    let path = format!("/v1/{}:access", name.as_str());
    let found: Version = google.get(&what, Service::SecretManager, &path).await?;
    let wrong = |class, code, owner, why: &str| {
        Failure::new(class, code, owner, format!("cannot {what}: {why}"))
    };
    let damaged = || {
        wrong(
            Class::Unavailable,
            "secret.damaged",
            Owner::Cloud,
            "what arrived is not what was stored",
        )
    };
    let bytes = STANDARD
        .decode(&found.payload.data)
        .map_err(|_| damaged())?;
    if let Some(sum) = &found.payload.data_crc32c
        && sum.parse() != Ok(crc32c::crc32c(&bytes))
    {
        return Err(damaged());
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        wrong(
            Class::InvalidInput,
            "secret.not-text",
            Owner::Author,
            "its bytes are no text (UTF-8)",
        )
        .with_help("store binary secrets in base64")
    })?;
    Ok(Secret::new(text))
}
