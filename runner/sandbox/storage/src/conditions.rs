//! Preconditions (<https://cloud.google.com/storage/docs/request-preconditions>).

use crate::{error::ApiError, object::Object};
use serde::{Deserialize, Serialize};
use sidestep_sandbox_base::Query;

/// The preconditions of a request on an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conditions {
    /// The required generation.
    generation: Option<i64>,
    /// The generation that the object must not have.
    other_generation: Option<i64>,
    metageneration: Option<i64>,
    other_metageneration: Option<i64>,
}

/// The kind of request: a failed "not match" is a 304 for a read and a 412 for a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Write,
}

impl Conditions {
    pub(crate) fn read(query: &Query) -> Result<Self, ApiError> {
        Ok(Self {
            generation: query.number("ifGenerationMatch")?,
            other_generation: query.number("ifGenerationNotMatch")?,
            metageneration: query.number("ifMetagenerationMatch")?,
            other_metageneration: query.number("ifMetagenerationNotMatch")?,
        })
    }

    /// Returns the conditions on the source of a copy.
    pub(crate) fn of_source(query: &Query) -> Result<Self, ApiError> {
        Ok(Self {
            generation: query.number("ifSourceGenerationMatch")?,
            other_generation: query.number("ifSourceGenerationNotMatch")?,
            metageneration: query.number("ifSourceMetagenerationMatch")?,
            other_metageneration: query.number("ifSourceMetagenerationNotMatch")?,
        })
    }

    pub(crate) fn generation(generation: Option<i64>) -> Self {
        Self {
            generation,
            ..Self::default()
        }
    }

    pub(crate) fn both(generation: Option<i64>, metageneration: Option<i64>) -> Self {
        Self {
            generation,
            metageneration,
            ..Self::default()
        }
    }

    pub(crate) fn metageneration_only(self) -> Self {
        Self {
            generation: None,
            other_generation: None,
            ..self
        }
    }

    pub(crate) fn check(&self, object: Option<&Object>, purpose: Purpose) -> Result<(), ApiError> {
        self.check_numbers(object.map(|o| (o.generation, o.metageneration)), purpose)
    }

    /// Checks the generation conditions. `numbers` is the generation and metageneration of the
    /// existing object, if any.
    pub(crate) fn check_numbers(
        &self,
        numbers: Option<(i64, i64)>,
        purpose: Purpose,
    ) -> Result<(), ApiError> {
        // A missing object has generation 0 and no metageneration.
        let generation = numbers.map_or(0, |(generation, _)| generation);
        let metageneration = numbers.map(|(_, metageneration)| metageneration);
        let wants = |wanted: Option<i64>, is: Option<i64>| wanted.is_none() || wanted == is;
        let unwanted =
            |unwanted: Option<i64>, is: Option<i64>| unwanted.is_some() && unwanted == is;
        if !wants(self.generation, Some(generation)) || !wants(self.metageneration, metageneration)
        {
            return Err(ApiError::precondition("If-Match"));
        }
        if unwanted(self.other_generation, Some(generation))
            || unwanted(self.other_metageneration, metageneration)
        {
            return Err(match purpose {
                Purpose::Read => ApiError::not_modified(),
                Purpose::Write => ApiError::precondition("If-None-Match"),
            });
        }
        Ok(())
    }
}
