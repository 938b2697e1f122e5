//! The grant of a step for one capability.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use sidestep_events::GrantSource;

use crate::Capability;
use crate::field::Reading;
use crate::grants;
use crate::scope::Scope;
use crate::workspace::{Link, explain_links};

/// The grant of a step for one capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepGrant {
    /// The capability.
    pub capability: Capability,
    /// The source of the grant.
    pub source: GrantSource,
    /// The granted scopes.
    pub granted: Vec<Scope>,
    /// The requested scopes; `None` until they are known.
    pub requested: Option<Vec<Scope>>,
    /// The links that the plan followed; their targets are requested as well.
    pub links: Vec<Link>,
}

impl StepGrant {
    /// Returns the effective scopes: the requested ones once they are known, since grants cover
    /// them.
    pub fn scopes(&self) -> &[Scope] {
        self.requested.as_deref().unwrap_or(&self.granted)
    }

    /// Describes the effective scopes in words, one line each.
    pub fn explain(&self) -> Vec<String> {
        let scopes = self.scopes().iter();
        let line = |scope: &Scope| match self.capability {
            Capability::Workspace => explain_links(scope.limits(), &self.links),
            _ => scope.explain(),
        };
        scopes.map(line).collect()
    }
}

impl Serialize for StepGrant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut written = json!({
            "capability": self.capability.as_str(),
            "source": self.source,
            "granted": grants::to_json(&self.granted),
            "requested": self.requested.as_deref().map(grants::to_json),
        });
        if !self.links.is_empty() {
            written["links"] = json!(self.links);
        }
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for StepGrant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Written {
            capability: String,
            source: GrantSource,
            granted: Value,
            requested: Option<Value>,
            #[serde(default)]
            links: Vec<Link>,
        }
        let written = Written::deserialize(deserializer)?;
        let capability = Capability::from_name(&written.capability).ok_or_else(|| {
            serde::de::Error::custom(format!("unknown capability {}", written.capability))
        })?;
        let read = |value: &Value| {
            grants::scopes(capability, value, Reading::Ceiling)
                .map_err(|problems| serde::de::Error::custom(problems[0].to_string()))
        };
        Ok(Self {
            capability,
            source: written.source,
            granted: read(&written.granted)?,
            requested: written.requested.as_ref().map(read).transpose()?,
            links: written.links,
        })
    }
}
