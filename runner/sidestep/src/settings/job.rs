//! The identity of a CI job.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use sidestep_contract::google::Account;

/// The name of a workload identity provider.
///
/// Only its characters are checked: Google and `wi-verify` say what is wrong with a name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Provider(String);

/// The address of a service account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ServiceAccount(String);

impl Provider {
    /// Returns the name, without `//iam.googleapis.com/`.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl ServiceAccount {
    /// Returns the address.
    pub fn address(&self) -> &str {
        &self.0
    }
}

impl FromStr for Provider {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.strip_prefix("https:").unwrap_or(text);
        let name = name.strip_prefix("//iam.googleapis.com/").unwrap_or(name);
        let is_path = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/._-:".contains(&byte));
        if name.starts_with("projects/") && is_path {
            Ok(Self(name.to_owned()))
        } else {
            Err(
                "write projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER"
                    .to_owned(),
            )
        }
    }
}

impl FromStr for ServiceAccount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match Account::read(text) {
            Some(account) => Ok(Self(account.address().to_owned())),
            None => Err("write NAME@PROJECT.iam.gserviceaccount.com".to_owned()),
        }
    }
}

/// Implements reading from a file, and display.
macro_rules! texts {
    ($($type:ty)*) => {
        $(
            impl TryFrom<String> for $type {
                type Error = String;

                fn try_from(text: String) -> Result<Self, String> {
                    text.parse()
                }
            }

            impl fmt::Display for $type {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }
        )*
    };
}

texts! { Provider ServiceAccount }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_may_be_written_as_an_audience() {
        let name = "projects/1/locations/global/workloadIdentityPools/p/providers/q";
        for text in [
            name.to_owned(),
            format!("//iam.googleapis.com/{name}"),
            format!("https://iam.googleapis.com/{name}"),
        ] {
            assert_eq!(text.parse::<Provider>().expect(&text).name(), name);
        }
        for text in ["", "p", "projects/$(id)", "https://evil.example/projects/1"] {
            assert!(text.parse::<Provider>().is_err(), "{text}");
        }
        assert!("a@b".parse::<ServiceAccount>().is_err());
        assert!(
            "ci@demo.iam.gserviceaccount.com"
                .parse::<ServiceAccount>()
                .is_ok()
        );
    }
}
