//! `secretManager`: versions of secrets, as handles.

use std::sync::Arc;

use sidestep_bindings::sidestep::gcp::secret_manager as wit;
use sidestep_bindings::sidestep::host::types::Failure as WitFailure;
use sidestep_control_plane::ControlPlane;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::functions::secret_manager as functions;
use sidestep_gate::{Capability, Secret, StepState};
use sidestep_google::Name;
use sidestep_policy::Capability as Key;
use sidestep_policy::secret_manager::SecretManagerCall;
use wasmtime::component::{Linker, Resource};

use crate::{Calls, HasCalls};

/// Grant key and functions.
pub const CAPABILITY: Capability = Capability {
    key: Key::SecretManager,
    link,
};

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasCalls>(linker, |state| Calls(state))
}

impl wit::Host for Calls<'_> {
    async fn access(
        &mut self,
        versions: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<Resource<Secret>, WitFailure>>> {
        let google = self.google();
        let masks = Arc::clone(&self.step.masks);
        let ask = self.each(google, versions, |gate, google, version| {
            let masks = Arc::clone(&masks);
            async move {
                // Without a version, the gate checks the whole text.
                let secret = version
                    .rsplit_once("/versions/")
                    .map_or(version.as_str(), |(secret, _)| secret);
                gate.call(functions::ACCESS, &SecretManagerCall { secret })
                    .run(async {
                        let secret = access_secret(&google, &version).await?;
                        let known = masks.add(secret.expose());
                        known.map_err(|why| why.failure(&version, Owner::Operator))?;
                        Ok(secret)
                    })
                    .await
            }
        });
        let found = ask.await?;
        let mut handles = Vec::with_capacity(found.len());
        for found in found {
            handles.push(match found {
                Ok(secret) => match self
                    .gate
                    .charge(functions::SECRET.of(secret.expose().len()))
                    .await
                {
                    Ok(room) => Ok(self.table.push(secret.keeping(room.of_handle()))?),
                    Err(failure) => Err(self.failure(failure)),
                },
                Err(failure) => Err(failure),
            });
        }
        Ok(handles)
    }
}

/// Reads a version of a secret, `projects/P/secrets/S/versions/V`, where V is a number, an alias or
/// `latest`. The caller adds it to the run's masks.
///
/// # Errors
/// The failure that Secret Manager answered with; `secret.damaged` if the bytes differ from the
/// stored ones; `secret.not-text` if the bytes are not UTF-8, which no header or text file can
/// hold.
pub async fn access_secret(google: &ControlPlane, version: &str) -> Result<Secret, Failure> {
    let name = Name::read("secret version", "projects/P/secrets/S/versions/V", version)?;
    let what = format!("read {name}");
    let found = google.secret_version(&what, &name).await?;
    let payload = found.payload.unwrap_or_default();
    let wrong = |class, code, owner, why: &str| {
        Failure::new(class, code, owner, format!("cannot {what}: {why}"))
    };
    if let Some(sum) = payload.data_crc32c
        && sum != i64::from(crc32c::crc32c(&payload.data))
    {
        return Err(wrong(
            Class::Unavailable,
            codes::secret::DAMAGED,
            Owner::Cloud,
            "the received bytes do not match the stored checksum",
        )
        .with_help("try again"));
    }
    let text = String::from_utf8(payload.data.into()).map_err(|_| {
        wrong(
            Class::InvalidInput,
            codes::secret::NOT_TEXT,
            Owner::Author,
            "its bytes are not UTF-8 text",
        )
        .with_help("store binary secrets in base64")
    })?;
    Ok(Secret::new(text))
}
