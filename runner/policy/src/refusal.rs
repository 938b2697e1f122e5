use sidestep_events::{Class, Diagnostic, Exit, Failure, Help, Owner, PluginRef, codes};

use crate::Capability;
use crate::scope::Scope;

/// A refusal by a grant or by a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The capability; `None` if the plugin itself is refused.
    pub capability: Option<Capability>,
    /// `grant.missing`, `grant.scope`, or `policy.refused`.
    pub code: &'static str,
    /// The refused request, and the grant or policy that refuses it.
    pub message: String,
    /// The fix, one step per entry.
    pub help: Vec<String>,
    /// The YAML to add to the step, if that helps.
    pub yaml: Option<String>,
    /// The file and line of the policy that refused.
    pub policy: Option<(String, u32)>,
}

impl Refusal {
    /// Creates a refusal of something that no grant covers.
    pub fn missing(
        capability: Capability,
        message: impl Into<String>,
        yaml: Option<String>,
    ) -> Self {
        let help = yaml
            .iter()
            .map(|yaml| format!("add to the step:\n{yaml}"))
            .collect();
        Self {
            capability: Some(capability),
            code: codes::grant::MISSING,
            message: message.into(),
            help,
            yaml,
            policy: None,
        }
    }

    /// Creates the refusal of a call that the step's grants do not cover. `call` describes the call
    /// in words; `granted` is the capability's grant.
    pub(crate) fn call(capability: Capability, call: &str, granted: &[Scope]) -> Self {
        let covered: Vec<String> = granted.iter().map(Scope::explain).collect();
        let (code, why, help) = if covered.is_empty() {
            (
                codes::grant::MISSING,
                format!("nothing is granted to it under `{capability}`"),
                vec![format!(
                    "if it should, add `{capability}` to the step's `grants`"
                )],
            )
        } else {
            (
                codes::grant::SCOPE,
                "that is outside what it is granted".to_owned(),
                vec![
                    format!("it may {}", covered.join("; ")),
                    format!("if it should, widen `{capability}` in the step's `grants`"),
                ],
            )
        };
        Self {
            capability: Some(capability),
            code,
            message: format!("the step may not {call}: {why}"),
            help,
            yaml: None,
            policy: None,
        }
    }

    /// Creates a refusal of something that a policy does not allow.
    pub fn policy(capability: Capability, message: &str, file: &str, line: u32) -> Self {
        Self {
            capability: Some(capability),
            code: codes::policy::REFUSED,
            message: format!("{message}: {file}:{line} does not allow it"),
            help: vec![
                "narrow the grant, or ask the operator of Sidestep to widen the policy".to_owned(),
            ],
            yaml: None,
            policy: Some((file.to_owned(), line)),
        }
    }

    /// Creates the refusal of a plugin that a policy does not list.
    pub(crate) fn unlisted(plugin: &PluginRef, digest: &str, file: &str, line: u32) -> Self {
        let name = plugin.as_str();
        let entry = match plugin {
            PluginRef::BuiltIn(_) => format!("name: {name}"),
            PluginRef::File(_) | PluginRef::Oci(_) => format!("digest: \"{digest}\""),
        };
        Self {
            capability: None,
            code: codes::policy::REFUSED,
            message: format!("the plugin {name}: {file}:{line} does not list it"),
            help: vec![format!(
                "an administrator of the policy can list it:\nplugins: [{{ {entry} }}]"
            )],
            yaml: None,
            policy: Some((file.to_owned(), line)),
        }
    }

    /// Returns the refusal as the failure of a call or a step: class `refused`.
    pub fn failure(&self) -> Failure {
        let owner = if self.policy.is_some() {
            Owner::Operator
        } else {
            Owner::Author
        };
        let mut failure = Failure::new(Class::Refused, self.code, owner, self.message.clone());
        failure.help = self.help.iter().map(Help::from).collect();
        if let Some(capability) = self.capability {
            failure = failure.with_detail("capability", capability.as_str());
        }
        if let Some((file, line)) = &self.policy {
            failure = failure
                .with_detail("policyFile", file.as_str())
                .with_detail("policyLine", *line);
        }
        if let Some(yaml) = &self.yaml {
            failure = failure.with_detail("grant", yaml.as_str());
        }
        failure
    }

    /// Returns the refusal as an error found before the run: exit code 3.
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic =
            Diagnostic::error(self.code, self.message.clone()).with_exit(Exit::Refused);
        if self.help.is_empty() {
            diagnostic
        } else {
            diagnostic.with_help(self.help.join("\n"))
        }
    }
}
