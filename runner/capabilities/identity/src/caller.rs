//! The runner's identity, as far as it is known without using its credentials (link C0).

use serde_json::{Map, Value};
use sidestep_events::{Failure, WarningRaised, codes};
use sidestep_gate::Masks;
use sidestep_google::{IdToken, Origin};

use super::{Identity, metadata};

/// The result of the search.
#[derive(Debug)]
pub(super) struct CallerFacts {
    pub(super) origin: Origin,
    /// The claims of the CI's id token.
    pub(super) claims: Option<Map<String, Value>>,
    /// The warning if an id token is offered but cannot be obtained.
    pub(super) warning: Option<WarningRaised>,
}

impl Identity {
    /// Returns the origin of the runner's credentials, and the CI's claims about the job.
    ///
    /// # Errors
    /// When a named credentials file cannot be read.
    pub(super) async fn who_am_i(&self, masks: &Masks) -> Result<CallerFacts, Failure> {
        let variables = &self.variables;
        let found = match self.credentials.origin() {
            Some(origin) => Some(origin.clone()),
            None => Origin::find(|name| variables.get(name).map(str::to_owned))?,
        };
        let mut origin = match found {
            Some(origin) => origin,
            None => metadata::ask(variables, self.google.rest().endpoints())
                .await
                .unwrap_or_else(Origin::anonymous),
        };
        if origin.project.is_none() {
            origin.project = ["GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"]
                .iter()
                .find_map(|name| variables.get(name))
                .map(str::to_owned);
        }
        let (claims, warning) = match IdToken::of_the_job(variables, &origin, masks).await {
            Ok(found) => (found.map(|found| found.claims), None),
            Err(why) => (
                None,
                Some(WarningRaised {
                    code: codes::identity::NO_ID_TOKEN.into(),
                    message: format!(
                        "the CI offers this job an id token, but it can't be obtained: {why}"
                    )
                    .into(),
                    help: Vec::new(),
                }),
            ),
        };
        Ok(CallerFacts {
            origin,
            claims,
            warning,
        })
    }
}
