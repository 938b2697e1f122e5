use crate::{
    Environment,
    access_token::{NoToken, Token},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Google's token endpoint, which a sandbox serves at its STS's address.
const GOOGLES: &str = "https://oauth2.googleapis.com/token";
/// The lifetime of a signed request, in seconds: the maximum that Google accepts.
const LIFE: u64 = 3600;
const PATIENCE: Duration = Duration::from_secs(30);

/// The file that `GOOGLE_APPLICATION_CREDENTIALS` names, which takes precedence over the metadata
/// server.
pub(crate) enum Credentials {
    /// `service_account`: a key of the account.
    Key(Key),
    /// `external_account` with a subject token in a file.
    Federated(Federated),
}

#[derive(Deserialize)]
pub(crate) struct Key {
    #[serde(default)]
    private_key_id: String,
    private_key: String,
    client_email: String,
    #[serde(default)]
    token_uri: String,
}

#[derive(Deserialize)]
pub(crate) struct Federated {
    audience: String,
    subject_token_type: String,
    token_url: String,
    credential_source: Source,
    /// The files of the container, of which the source is one.
    #[serde(skip)]
    environment: Environment,
}

#[derive(Deserialize)]
struct Source {
    file: String,
}

impl Credentials {
    /// Reads the credentials file that the environment names; `None` if it names none. The error is
    /// that of the library that kaniko uses.
    pub(crate) fn of(environment: &Environment) -> Option<Result<Self, String>> {
        let path = environment.get("GOOGLE_APPLICATION_CREDENTIALS")?;
        Some(Self::read(environment, path))
    }

    fn read(environment: &Environment, path: &str) -> Result<Self, String> {
        let text = environment.read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("open {path}: no such file or directory"),
            io::ErrorKind::PermissionDenied => format!("open {path}: permission denied"),
            _ => format!("open {path}: {error}"),
        })?;
        // A parser's error could contain parts of the file.
        let unreadable = || format!("credentials: {path} holds no credentials that can be read");
        let file: Value = serde_json::from_slice(&text).map_err(|_| unreadable())?;
        match file["type"].as_str().unwrap_or_default() {
            "service_account" => {
                let mut key: Key = serde_json::from_value(file).map_err(|_| unreadable())?;
                if key.token_uri.is_empty() {
                    GOOGLES.clone_into(&mut key.token_uri);
                }
                if let Some(sts) = environment.endpoint("SIDESTEP_ENDPOINT_STS")
                    && key.token_uri == GOOGLES
                {
                    key.token_uri = format!("{sts}/token");
                }
                Ok(Self::Key(key))
            }
            "external_account" => {
                let mut federated: Federated =
                    serde_json::from_value(file).map_err(|_| unreadable())?;
                federated.environment = environment.clone();
                Ok(Self::Federated(federated))
            }
            other => Err(format!("credentials: unsupported filetype {other:?}")),
        }
    }

    /// Returns a token with these scopes, separated by spaces.
    pub(crate) async fn token(&self, scopes: &str) -> Result<Token, NoToken> {
        let (url, form) = match self {
            Self::Key(key) => (&key.token_uri, key.request(scopes)),
            Self::Federated(federated) => (&federated.token_url, federated.request(scopes)),
        };
        let answer = fetch(url, &form.map_err(NoToken::Refused)?).await;
        let body =
            answer.map_err(|why| NoToken::Refused(format!("auth: cannot fetch token: {why}")))?;
        serde_json::from_str(&body)
            .map_err(|_| NoToken::Refused("auth: the token's answer is not JSON".into()))
    }
}

type Form = Vec<(&'static str, String)>;

impl Key {
    /// Builds the RFC 7523 request, with a signed JWT as the proof.
    fn request(&self, scopes: &str) -> Result<Form, String> {
        let pair = EncodingKey::from_rsa_pem(self.private_key.as_bytes())
            .map_err(|_| "auth: private key should be a PEM or plain PKCS1 or PKCS8")?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let claims = json!({
            "iss": self.client_email,
            "scope": scopes,
            "aud": self.token_uri,
            "iat": now,
            "exp": now + LIFE,
        });
        let header = Header {
            kid: Some(self.private_key_id.clone()),
            ..Header::new(Algorithm::RS256)
        };
        let assertion = jsonwebtoken::encode(&header, &claims, &pair)
            .map_err(|_| "auth: the request for a token can't be signed")?;
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        Ok(vec![
            ("grant_type", grant.to_owned()),
            ("assertion", assertion),
        ])
    }
}

impl Federated {
    /// Builds the RFC 8693 request, with an external token as the proof.
    fn request(&self, scopes: &str) -> Result<Form, String> {
        let file = &self.credential_source.file;
        let subject = self.environment.read(file);
        let subject = subject.map_err(|error| format!("credentials: open {file}: {error}"))?;
        let subject = String::from_utf8(subject)
            .map_err(|_| format!("credentials: {file} is not valid UTF-8"))?;
        let own = [
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            (
                "requested_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
            ("audience", &self.audience),
            ("subject_token_type", &self.subject_token_type),
            ("subject_token", subject.trim()),
            ("scope", scopes),
        ];
        Ok(own.map(|(name, value)| (name, value.to_owned())).into())
    }
}

/// Posts a form and returns the body of a successful response.
async fn fetch(url: &str, form: &Form) -> Result<String, String> {
    let text = |error: reqwest::Error| error.to_string();
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let http = Client::builder().timeout(PATIENCE).build().map_err(text)?;
    let answer = http
        .post(url)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .map_err(text)?;
    let status = answer.status();
    let body = answer.text().await.map_err(text)?;
    if status.is_success() {
        Ok(body)
    } else {
        Err(format!("{}\nResponse: {body}", status.as_u16()))
    }
}
