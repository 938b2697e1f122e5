use std::error::Error as _;

/// Returns the message of a failed request, with its innermost cause: a name that is not found, or a
/// certificate that is not trusted. The URL is left out.
pub(crate) fn message(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    match cause {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    #[tokio::test]
    async fn the_innermost_cause_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/secret", listener.local_addr().unwrap());
        drop(listener);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let said = super::message(client.get(url).send().await.unwrap_err());
        assert!(said.starts_with("error sending request: "), "{said}");
        assert!(said.contains("Connection refused"), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}
