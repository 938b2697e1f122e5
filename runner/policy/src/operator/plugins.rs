//! Matches plugins with a rule's `plugins`.

use sidestep_events::PluginRef;

use crate::pattern::Pattern;

/// The plugin to compute a ceiling for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PluginFacts<'a> {
    /// The reference in the pipeline.
    pub plugin: &'a PluginRef,
    /// `sha256:` of its bytes.
    pub digest: &'a str,
    /// The signer, if a signature was verified.
    pub signer: Option<&'a Signer>,
}

/// The signer of a plugin, from a verified certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The issuer of the identity: `https://token.actions.githubusercontent.com`.
    pub issuer: String,
    /// The signer's identity, as vouched for by the issuer.
    pub identity: String,
}

/// A rule's `plugins`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The line of the key.
    pub(super) line: u32,
    pub(super) entries: Vec<Entry>,
}

/// One entry of a rule's `plugins`. Each kind of plugin is a namespace of its own. All parts of an
/// entry must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// Built-in plugins.
    BuiltIn {
        /// A pattern of their names, with the collection.
        name: Pattern,
        digest: Option<String>,
    },
    /// Plugins from a registry.
    Oci {
        /// A pattern of the reference without its scheme.
        reference: Option<Pattern>,
        signer: Option<SignedBy>,
        digest: Option<String>,
    },
    /// Any plugin with this digest, whatever its source.
    Bytes(String),
}

/// The signers that an entry trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedBy {
    pub(super) issuer: Pattern,
    pub(super) identity: Pattern,
}

impl Listing {
    /// Returns whether an entry matches the plugin.
    pub(super) fn lists(&self, plugin: PluginFacts<'_>) -> bool {
        self.entries.iter().any(|entry| entry.lists(plugin))
    }
}

impl Entry {
    fn lists(&self, facts: PluginFacts<'_>) -> bool {
        let same =
            |digest: &Option<String>| digest.as_ref().is_none_or(|digest| digest == facts.digest);
        match (self, facts.plugin) {
            (Self::Bytes(digest), _) => digest == facts.digest,
            (Self::BuiltIn { name, digest }, PluginRef::BuiltIn(plugin)) => {
                name.matches(plugin.as_str()) && same(digest)
            }
            (
                Self::Oci {
                    reference,
                    signer,
                    digest,
                },
                PluginRef::Oci(oci),
            ) => {
                let named = reference.as_ref();
                let signed = signer.as_ref();
                named.is_none_or(|pattern| pattern.matches(oci.reference()))
                    && signed.is_none_or(|by| facts.signer.is_some_and(|signer| by.trusts(signer)))
                    && same(digest)
            }
            (Self::BuiltIn { .. } | Self::Oci { .. }, _) => false,
        }
    }
}

impl SignedBy {
    fn trusts(&self, signer: &Signer) -> bool {
        self.issuer.matches(&signer.issuer) && self.identity.matches(&signer.identity)
    }
}
