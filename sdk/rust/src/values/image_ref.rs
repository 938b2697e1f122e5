//! A reference to a container image.

use std::fmt;
use std::str::FromStr;

use sidestep_contract::Image;

use super::text::{ParseValueError, text_value};

/// A container image: `[HOST/]PATH[:TAG][@sha256:DIGEST]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    text: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

text_value!(ImageRef, "image-ref", None);

impl ImageRef {
    /// Returns the reference as it was written.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::ImageRef;
    ///
    /// # fn main() -> Result<(), sidestep::ParseValueError> {
    /// let image: ImageRef = "grafana/grafana:12".parse()?;
    /// assert_eq!(image.as_str(), "grafana/grafana:12");
    /// # Ok(())
    /// # }
    /// ```
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns `HOST/PATH`. A name without a host belongs to Docker Hub.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::ImageRef;
    ///
    /// # fn main() -> Result<(), sidestep::ParseValueError> {
    /// let image: ImageRef = "grafana/grafana:12".parse()?;
    /// assert_eq!(image.repository(), "docker.io/grafana/grafana");
    /// # Ok(())
    /// # }
    /// ```
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the host, with its port if it has one.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::ImageRef;
    ///
    /// # fn main() -> Result<(), sidestep::ParseValueError> {
    /// let image: ImageRef = "europe-docker.pkg.dev/demo/images/api".parse()?;
    /// assert_eq!(image.registry(), "europe-docker.pkg.dev");
    /// # Ok(())
    /// # }
    /// ```
    pub fn registry(&self) -> &str {
        self.repository.split('/').next().unwrap_or_default()
    }

    /// Returns the tag, if one was written.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::ImageRef;
    ///
    /// # fn main() -> Result<(), sidestep::ParseValueError> {
    /// let image: ImageRef = "grafana/grafana:12".parse()?;
    /// assert_eq!(image.tag(), Some("12"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest (`sha256:…`), if one was written.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::ImageRef;
    ///
    /// # fn main() -> Result<(), sidestep::ParseValueError> {
    /// let image: ImageRef = "grafana/grafana:12".parse()?;
    /// assert_eq!(image.digest(), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// Returns the name of the same image with only a digest.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::ImageRef;
    ///
    /// # fn main() -> Result<(), sidestep::ParseValueError> {
    /// let image: ImageRef = "europe-docker.pkg.dev/demo/images/api:1.4".parse()?;
    /// let digest = format!("sha256:{}", "0".repeat(64));
    /// assert!(image.with_digest(&digest).starts_with("europe-docker.pkg.dev/demo/images/api@sha256:"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_digest(&self, digest: &str) -> String {
        format!("{}@{digest}", self.repository)
    }
}

impl FromStr for ImageRef {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        let image = Image::read(text)
            .ok_or_else(|| ParseValueError::new("an image such as HOST/PATH:TAG", text))?;
        Ok(Self {
            text: text.to_owned(),
            repository: image.repository(),
            tag: image.tag.map(str::to_owned),
            digest: image.digest.map(str::to_owned),
        })
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn takes_references_apart() {
        let text = format!("localhost:5000/team/api:1.2@{DIGEST}");
        let image: ImageRef = text.parse().expect("a reference");
        assert_eq!(image.registry(), "localhost:5000");
        assert_eq!(image.repository(), "localhost:5000/team/api");
        assert_eq!((image.tag(), image.digest()), (Some("1.2"), Some(DIGEST)));
        assert_eq!(image.to_string(), text);
        assert_eq!(
            image.with_digest("sha256:1"),
            "localhost:5000/team/api@sha256:1"
        );
    }

    #[test]
    fn completes_docker_hub_s_names() {
        for (text, repository) in [
            ("python:3.13", "docker.io/library/python"),
            ("grafana/grafana", "docker.io/grafana/grafana"),
            (
                "europe-docker.pkg.dev/p/r/api",
                "europe-docker.pkg.dev/p/r/api",
            ),
        ] {
            assert_eq!(
                text.parse::<ImageRef>().expect(text).repository(),
                repository
            );
        }
    }

    #[test]
    fn refuses_what_no_registry_would_take() {
        for text in [
            "",
            ":tag",
            "a:",
            "A/b",
            "h.io/UP",
            "h.io//a",
            "a@sha256:12",
            "h.io/a:b c",
        ] {
            assert!(text.parse::<ImageRef>().is_err(), "{text}");
        }
    }
}
