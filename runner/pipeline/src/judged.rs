//! Judges a stored plan by today's policies.

use std::collections::BTreeMap;

use sidestep_events::{Diagnostic, GrantSource, PluginRef, codes};
use sidestep_policy::{Ceiling, Origin, Policy, Refusal, secrets};

use crate::given::PluginInfo;
use crate::plan::{Instance, Plan};

impl Plan {
    /// Judges a stored plan by today's policies, as if it were made now with the same grants. A
    /// policy that capped the plan when it was made stays, unless `policies` has a file of that
    /// name. `plugins` are the plugins that its steps use, as they are today.
    ///
    /// # Errors
    /// Returns every refusal; each exits with 3.
    pub fn judged(
        mut self,
        plugins: &BTreeMap<PluginRef, PluginInfo>,
        policies: &[Policy],
        origin: &Origin,
    ) -> Result<Self, Vec<Diagnostic>> {
        self.warnings.retain(|warning| warning.code != AUDIT);
        let mut refused = Vec::new();
        for instance in &mut self.instances {
            let Some(info) = plugins.get(&instance.uses) else {
                continue;
            };
            let facts = info.facts(&instance.uses);
            let ceilings: Vec<Ceiling> = policies
                .iter()
                .map(|policy| policy.ceiling(origin, facts))
                .collect();
            match instance.judge(&ceilings) {
                Ok(audited) => self.warnings.extend(audited),
                Err(refusals) => refused.extend(refusals.iter().map(|refusal| {
                    let mut found = refusal.diagnostic();
                    found.message = found
                        .message
                        .rewrite(|message| format!("step `{}`: {message}", instance.id));
                    found
                })),
            }
        }
        for policy in policies {
            if !self.policies.iter().any(|known| *known == policy.file) {
                self.policies.push(policy.file.as_str().into());
            }
        }
        if refused.is_empty() {
            Ok(self)
        } else {
            Err(refused)
        }
    }
}

/// The code of warnings about refusals of a policy in audit mode.
pub const AUDIT: &str = codes::policy::AUDIT;

/// The help of these warnings.
pub(crate) const AUDIT_HELP: &str = "the policy is in audit mode, so this only warns; change the \
                                     pipeline or the policy before the policy is enforced";

impl Instance {
    /// Caps the step's grants. Returns the refusals of policies in audit mode as warnings.
    fn judge(&mut self, ceilings: &[Ceiling]) -> Result<Vec<Diagnostic>, Vec<Refusal>> {
        let mut refusals: Vec<Refusal> = Vec::new();
        // A stored plan cannot claim that a plugin is built in and therefore granted automatically.
        let automatic = self.scopes.grants().filter(|grant| {
            grant.source == GrantSource::BuiltIn
                && !grant.granted.is_empty()
                && !self.uses.is_built_in()
        });
        refusals.extend(automatic.map(|grant| {
            let message = format!(
                "`{}` of {} is not granted explicitly, and the plugin is not built in",
                grant.capability,
                self.uses.as_str()
            );
            Refusal::missing(grant.capability, message, None)
        }));
        match self.scopes.clone().capped(ceilings) {
            Ok(capped) => self.scopes = capped,
            Err(more) => refusals.extend(more),
        }
        let names = self.secrets.iter();
        refusals.extend(
            names.filter_map(|name| self.scopes.allows(&secrets::SecretsCall { name }).err()),
        );
        if refusals.is_empty() {
            let audited = self.scopes.audited().iter();
            Ok(audited
                .map(|line| Diagnostic::warning(AUDIT, line.clone()).with_help(AUDIT_HELP))
                .collect())
        } else {
            Err(refusals)
        }
    }
}
