//! Query strings.

use std::str::FromStr;

/// A decoded query string. The first of repeated names applies, except in [`Query::all`].
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

/// The error for a parameter that is not a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid value at '{name}': \"{value}\"")]
pub struct InvalidNumber {
    /// The parameter.
    pub name: String,
    /// The parameter's value.
    pub value: String,
}

impl Query {
    /// Decodes a query string; `None` is an empty one.
    pub fn parse(query: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// Returns the first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns all values of a parameter.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Returns all parameters.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Returns whether a parameter is `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// Returns a parameter as a number; `None` if it is absent.
    ///
    /// # Errors
    /// If the value is not a number of this type.
    pub fn number<N: FromStr>(&self, name: &str) -> Result<Option<N>, InvalidNumber> {
        let invalid = |value: &str| InvalidNumber {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        self.get(name)
            .map(|value| value.parse().map_err(|_| invalid(value)))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_the_first_applies() {
        let query = Query::parse(Some("a=x%2Fy&a=+2&watch=true&n=7&bad=7b"));
        assert_eq!(query.get("a"), Some("x/y"));
        assert_eq!(query.all("a").collect::<Vec<_>>(), ["x/y", " 2"]);
        assert!(query.flag("watch") && !query.flag("a"));
        assert_eq!(query.number("n"), Ok(Some(7_i64)));
        assert_eq!(query.number::<i64>("absent"), Ok(None));
        let error = query.number::<i64>("bad").unwrap_err();
        assert_eq!(error.to_string(), "Invalid value at 'bad': \"7b\"");
        assert_eq!(Query::parse(None).get("a"), None);
    }
}
