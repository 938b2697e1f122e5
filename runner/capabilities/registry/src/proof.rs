//! The answer to a registry's challenge: the credentials that are sent, or none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use reqwest::{Client, Response};
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::Login;

use super::answer::{LARGEST_TOKEN, body, refusal};
use super::call::{Call, Caller};
use super::challenge::{Bearer, Challenge, header};

/// The name of this client at token services
/// (<https://distribution.github.io/distribution/spec/auth/oauth/>).
const CLIENT: &str = "sidestep";

/// The credentials for a call.
#[derive(Debug, Clone)]
pub(super) enum Proof {
    /// None were found. Holds the failure of this machine's configuration, if it has one.
    Nobody(Option<Box<Failure>>),
    /// Credentials that the step gave.
    Given(Login),
    /// Credentials of this machine, with their origin.
    Machine(Login, String),
}

impl Proof {
    fn login(&self) -> Option<&Login> {
        match self {
            Self::Nobody(_) => None,
            Self::Given(login) | Self::Machine(login, _) => Some(login),
        }
    }

    /// Returns the failure of a registry that rejects these credentials, or that wants some.
    pub(super) async fn refused(&self, what: &str, call: &Call<'_>, answer: Response) -> Failure {
        self.rejected(what, call, refusal(what, answer).await)
    }

    /// Adds to a registry's refusal which credentials it got.
    fn rejected(&self, what: &str, call: &Call<'_>, refused: Failure) -> Failure {
        let host = &call.repository.host;
        let denials = [codes::registry::UNAUTHENTICATED, codes::registry::DENIED];
        if !denials.iter().any(|code| refused.code == *code) {
            return refused;
        }
        let said = refused.message.exact().to_owned();
        let rejects = |owner, whose: &str| {
            Failure::new(
                Class::Denied,
                codes::registry::LOGIN_REFUSED,
                owner,
                format!("cannot {what}: {host} rejects {whose}: {said}"),
            )
        };
        match self {
            Self::Nobody(Some(broken)) => Failure::clone(broken),
            Self::Nobody(None) => refused
                .with_help(format!("no credentials for {host} were found on the runner's machine"))
                .with_help("log in there with `docker login`, or give the step a Secret or a secret with them"),
            Self::Given(_) => rejects(Owner::Author, "the credentials that the step gave")
                .with_help("renew the password in the Secret or the secret of the step, and check that its user may access the repository"),
            Self::Machine(_, from) => rejects(Owner::Operator, from)
                .with_help("log in again with `docker login`, and check that the user may access the repository"),
        }
    }
}

impl Caller {
    /// Returns the credentials for a call whose registry wants some: those that the step gave, then
    /// those of this machine. The address that an operator set gets neither.
    pub(super) async fn proof(&self, call: &Call<'_>) -> Result<Proof, Failure> {
        if self.is_moved(call) {
            return Ok(Proof::Nobody(None));
        }
        if let Some(login) = call.keyring.given(call.repository) {
            return Ok(Proof::Given(login.clone()));
        }
        let Some(docker) = &self.docker else {
            return Ok(Proof::Nobody(None));
        };
        match docker.find(call.repository).await {
            Ok(None) => Ok(Proof::Nobody(None)),
            Ok(Some(found)) => {
                call.keyring.mask(&found)?;
                Ok(Proof::Machine(found.login, found.from))
            }
            // The image may be public.
            Err(broken) => Ok(Proof::Nobody(Some(Box::new(broken)))),
        }
    }

    /// Returns the headers that meet a challenge; none if there are no credentials for it.
    pub(super) async fn answer(
        &self,
        what: &str,
        call: &Call<'_>,
        proof: &Proof,
        challenge: &Challenge,
        answer: &Response,
    ) -> Result<HeaderMap, Failure> {
        match (challenge, proof.login()) {
            (_, Some(Login::Bearer(token))) => sendable(what, header("Bearer", token)),
            (Challenge::Basic, Some(Login::Password { user, password })) => {
                sendable(what, header("Basic", &basic(user, password)))
            }
            (Challenge::Basic, _) => Ok(HeaderMap::new()),
            (Challenge::Bearer(bearer), _) => {
                let token = self.token(what, call, proof, bearer, answer).await?;
                sendable(what, header("Bearer", &token))
            }
        }
    }

    /// Returns a token of the token service that a registry names.
    async fn token(
        &self,
        what: &str,
        call: &Call<'_>,
        proof: &Proof,
        bearer: &Bearer,
        answer: &Response,
    ) -> Result<String, Failure> {
        let (host, login) = (&call.repository.host, proof.login());
        let service = bearer.service(self.insecure(call));
        let mut url = service.ok_or_else(|| {
            Failure::new(
                Class::Denied,
                codes::registry::DENIED,
                Owner::Cloud,
                format!(
                    "cannot {what}: {host} requires credentials, but names no token service that uses \
                     HTTPS"
                ),
            )
        })?;
        let parameters = bearer.parameters(&call.repository.path);
        let form = match login {
            Some(Login::Identity(token)) => Some(of_identity(&parameters, token)),
            _ => {
                url.query_pairs_mut().extend_pairs(&parameters);
                None
            }
        };
        let password = match login {
            Some(Login::Password { user, password }) => {
                sendable(what, header("Basic", &basic(user, password)))?
            }
            _ => HeaderMap::new(),
        };
        let request = |http: &Client| match form {
            Some(form) => http
                .post(url.clone())
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form),
            None => http.get(url.clone()).headers(password),
        };
        let answer = self.elsewhere(what, call, answer, &url, request).await?;
        if !answer.status().is_success() {
            let refused = refusal(what, answer).await;
            return Err(proof.rejected(what, call, refused));
        }
        let answer = body(what, answer, LARGEST_TOKEN).await?;
        Bearer::token(&answer).ok_or_else(|| {
            Failure::new(
                Class::Failed,
                codes::http::UNEXPECTED,
                Owner::Cloud,
                format!("cannot {what}: the registry's token service returned no token"),
            )
        })
    }
}

/// Returns the form that exchanges a refresh token.
fn of_identity(parameters: &[(&'static str, String)], token: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", CLIENT)
        .append_pair("refresh_token", token)
        .finish()
}

fn basic(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

fn sendable(what: &str, headers: Option<HeaderMap>) -> Result<HeaderMap, Failure> {
    headers.ok_or_else(|| {
        Failure::new(
            Class::InvalidInput,
            codes::registry::SECRET_UNUSABLE,
            Owner::Author,
            format!("cannot {what}: the credentials have characters that no header can hold"),
        )
    })
}
