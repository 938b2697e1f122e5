//! Reads registries' answers.

use http::HeaderMap;
use http::header::LOCATION;
use reqwest::{Response, Url};
use sidestep_events::{Class, Failure, Owner, codes};

use super::failure::{of_answer, unreachable};

/// The maximum size of a token service's answer, and of the part of an error answer that is read,
/// in bytes.
pub(super) const LARGEST_TOKEN: usize = 64 << 10;

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Returns the URL that an answer redirects to; never from HTTPS to HTTP.
pub(super) fn elsewhere(answer: &Response) -> Option<Url> {
    target(answer).filter(|_| answer.status().is_redirection())
}

/// Returns the URL of a started upload, if it is at the same registry.
pub(super) fn upload(answer: &Response) -> Option<Url> {
    target(answer).filter(|url| url.origin() == answer.url().origin())
}

fn target(answer: &Response) -> Option<Url> {
    let location = answer.headers().get(LOCATION)?.to_str().ok()?;
    let url = answer.url().join(location).ok()?;
    (url.scheme() == "https" || answer.url().scheme() == "http").then_some(url)
}

pub(super) async fn refusal(what: &str, answer: Response) -> Failure {
    let status = answer.status().as_u16();
    match body(what, answer, LARGEST_TOKEN).await {
        Ok(bytes) => of_answer(what, status, &bytes),
        Err(_) => of_answer(what, status, b""),
    }
}

pub(super) async fn body(
    what: &str,
    mut answer: Response,
    most: usize,
) -> Result<Vec<u8>, Failure> {
    let host = answer.url().host_str().unwrap_or("the registry").to_owned();
    let mut bytes = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|error| unreachable(what, &host, &error))?
    {
        if bytes.len() + chunk.len() > most {
            return Err(Failure::new(
                Class::Exhausted,
                codes::http::TOO_LARGE,
                Owner::Cloud,
                format!("cannot {what}: the answer is larger than {most} bytes"),
            ));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
