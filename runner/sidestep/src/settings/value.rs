//! The values of settings: how they are read and shown.

use std::fmt::Debug;
use std::num::NonZero;
use std::str::FromStr;

use clap::ValueEnum;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use sidestep_files::Patterns;

use super::{
    Color, GkeEndpoint, HelperImage, ImageNames, OnTerminate, Provider, ServiceAccount, Size,
    SizeFrom, Time,
};

/// The text for the default memory limit.
const HALF: &str = "half of the machine's or container's";

/// The value of a setting.
pub(super) trait SettingValue: Sized {
    /// The value in a file.
    type Written: Clone + Debug + DeserializeOwned;

    /// Returns the value for the one in a file.
    fn of_file(written: Self::Written) -> Self;

    /// Parses the value of an environment variable.
    ///
    /// # Errors
    /// Returns the expected form.
    fn of_variable(text: &str) -> Result<Self, String>;

    /// Returns the value for display.
    fn shown(&self) -> String;
}

/// Implements [`SettingValue`] for types whose values are written in files as in variables.
macro_rules! alike {
    ($($type:ty, $parse:expr, $shown:expr;)*) => {
        $(impl SettingValue for $type {
            type Written = Self;

            fn of_file(written: Self) -> Self {
                written
            }

            fn of_variable(text: &str) -> Result<Self, String> {
                $parse(text)
            }

            fn shown(&self) -> String {
                $shown(self)
            }
        })*
    };
}

alike! {
    Color, |text| Self::from_str(text, false), named;
    OnTerminate, |text| Self::from_str(text, false), named;
    GkeEndpoint, |text| Self::from_str(text, false), named;
    Time, FromStr::from_str, ToString::to_string;
}

impl<const LEAST: u64> SettingValue for SizeFrom<LEAST> {
    type Written = Self;

    fn of_file(written: Self) -> Self {
        written
    }

    fn of_variable(text: &str) -> Result<Self, String> {
        text.parse()
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

/// A count from 1.
impl SettingValue for usize {
    type Written = NonZero<Self>;

    fn of_file(written: NonZero<Self>) -> Self {
        written.get()
    }

    fn of_variable(text: &str) -> Result<Self, String> {
        match Self::from_str(text) {
            Ok(0) | Err(_) => Err("a whole number from 1".to_owned()),
            Ok(number) => Ok(number),
        }
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

/// The memory of all steps; without a value, half of the available memory.
impl SettingValue for Option<Size> {
    type Written = Size;

    fn of_file(written: Size) -> Self {
        Some(written)
    }

    fn of_variable(text: &str) -> Result<Self, String> {
        text.parse().map(Some)
    }

    fn shown(&self) -> String {
        self.map_or_else(|| HALF.to_owned(), |size| size.to_string())
    }
}

/// Implements [`SettingValue`] for names that are absent by default.
macro_rules! names {
    ($($type:ty)*) => {
        $(impl SettingValue for Option<$type> {
            type Written = $type;

            fn of_file(written: $type) -> Self {
                Some(written)
            }

            fn of_variable(text: &str) -> Result<Self, String> {
                text.parse().map(Some)
            }

            fn shown(&self) -> String {
                self.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
            }
        })*
    };
}

names! { HelperImage Provider ServiceAccount }

/// A list of file patterns in a file.
#[derive(Debug, Clone)]
pub(super) struct PatternList(Patterns);

impl<'de> Deserialize<'de> for PatternList {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let patterns = Patterns::parse(texts.iter().map(String::as_str));
        patterns.map(Self).map_err(D::Error::custom)
    }
}

impl SettingValue for Patterns {
    type Written = PatternList;

    fn of_file(written: PatternList) -> Self {
        written.0
    }

    fn of_variable(text: &str) -> Result<Self, String> {
        Self::parse(text.split(':')).map_err(|error| error.to_string())
    }

    fn shown(&self) -> String {
        let texts: Vec<_> = self.texts().collect();
        match &texts[..] {
            [] => "none".to_owned(),
            texts => texts.join(":"),
        }
    }
}

/// Names of images in a file.
impl<'de> Deserialize<'de> for ImageNames {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        Self::parse(texts).map_err(D::Error::custom)
    }
}

impl SettingValue for ImageNames {
    type Written = Self;

    fn of_file(written: Self) -> Self {
        written
    }

    fn of_variable(text: &str) -> Result<Self, String> {
        Self::parse(text.split(',').map(|name| name.trim().to_owned()))
    }

    fn shown(&self) -> String {
        match &self.0[..] {
            [] => "none".to_owned(),
            names => names.join(","),
        }
    }
}

fn named(value: &impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}
