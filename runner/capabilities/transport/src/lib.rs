//! The HTTP clients of the runner's own: what is the same for all of them, and what lies behind an
//! error.

pub mod causes;

use std::time::Duration;

use sidestep_events::{Class, Failure, Owner, codes};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// A client that follows no redirect: credentials go where the operator said, and not on from
/// there. The trust store is the system's, and `HTTPS_PROXY` and `NO_PROXY` are heard.
pub fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
}

/// Makes a client.
///
/// # Errors
/// `http.setup` when the machine's trust store can't be read.
pub fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Failure> {
    builder.build().map_err(|error| {
        Failure::new(
            Class::Failed,
            codes::http::SETUP,
            Owner::Operator,
            format!("no HTTP client can be made on this machine: {error}"),
        )
    })
}
