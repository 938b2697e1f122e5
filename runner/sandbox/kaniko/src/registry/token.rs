//! The authorization of registry calls.

use super::answer::{RegistryError, Result, answer, bounded, transport};
use super::{Purpose, Registry, scheme};
use crate::name::Reference;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{Method, StatusCode, Url, header};
use serde_json::Value;

impl Registry<'_> {
    /// Performs the token flow: sends a request, is referred to a realm, and authenticates there as
    /// the pod.
    pub(super) async fn authorize(
        &self,
        image: &Reference,
        purpose: Purpose,
    ) -> Result<Option<String>> {
        let (base, repository) = self.place(image, purpose);
        let actions = purpose.actions();
        let key = format!("{base} {repository}:{actions}");
        let mut known = self.authorizations.lock().await;
        if let Some(known) = known.get(&key) {
            return Ok(known.clone());
        }
        // The sandbox's tokens are only for its own registry.
        let is_ours = self.endpoint.as_ref() == Some(&base);
        let outside = self.pull && !self.owns(image) && !is_ours;
        let token = if image.is_googles() && !outside {
            self.identity.for_registry().await
        } else {
            None
        };
        let basic = token
            .map(|token| BASE64_STANDARD.encode(format!("_token:{}", token.secret())))
            .map(|basic| format!("Basic {basic}"));
        let basic = basic.or_else(|| self.docker.basic(image).filter(|_| self.is_direct(image)));
        let shown = format!("{}://{}/v2/", scheme(image), image.registry);
        let ping = self.http.get(format!("{base}/v2/")).send().await;
        let ping = ping.map_err(|error| transport(&Method::GET, &shown, error))?;
        let challenge = ping.headers().get(header::WWW_AUTHENTICATE);
        let challenge = challenge
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let authorization = if ping.status() != StatusCode::UNAUTHORIZED {
            None
        } else if let Some(fields) = challenge.strip_prefix("Bearer ") {
            let scope = format!("repository:{repository}:{actions}");
            Some(self.bearer(fields, &scope, basic).await?)
        } else {
            basic
        };
        known.insert(key, authorization.clone());
        Ok(authorization)
    }

    async fn bearer(&self, fields: &str, scope: &str, basic: Option<String>) -> Result<String> {
        let field = |name: &str| {
            fields.split(',').find_map(|field| {
                let (key, value) = field.trim().split_once('=')?;
                (key == name).then(|| value.trim_matches('"').to_owned())
            })
        };
        let refused = |message: String| RegistryError::plain(message);
        let realm = field("realm").unwrap_or_default();
        let mut url = Url::parse(&realm)
            .map_err(|_| refused(format!("malformed www-authenticate, bad realm: {realm}")))?;
        url.query_pairs_mut().append_pair("scope", scope);
        if let Some(service) = field("service") {
            url.query_pairs_mut().append_pair("service", &service);
        }
        let mut request = self.http.get(url.clone());
        if let Some(basic) = basic {
            request = request.header(header::AUTHORIZATION, basic);
        }
        let body = bounded(
            answer(request, &Method::GET, url.as_str()).await?,
            url.as_str(),
        )
        .await?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let token = body["token"]
            .as_str()
            .or_else(|| body["access_token"].as_str());
        let token =
            token.ok_or_else(|| refused(format!("no token in bearer response from {realm}")))?;
        Ok(format!("Bearer {token}"))
    }
}
