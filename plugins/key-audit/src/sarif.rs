//! Findings in SARIF 2.1.0, for code scanning.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html>

use std::collections::BTreeSet;

use sidestep::serde_json::{Value, json};

use crate::outputs::{Finding, Rule};

/// Returns the log of one run. A finding in a cluster has a logical location in place of a file.
pub(crate) fn log(findings: &[Finding]) -> Value {
    let rules: BTreeSet<Rule> = findings.iter().map(|finding| finding.rule).collect();
    let rules: Vec<Value> = rules
        .into_iter()
        .map(|rule| json!({ "id": rule.id(), "shortDescription": { "text": rule.about() } }))
        .collect();
    let results: Vec<Value> = findings.iter().map(result).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "key-audit", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "results": results,
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let mut text = finding.message.clone();
    for (number, step) in (1..).zip(&finding.migration) {
        text.push_str(&format!("\n{number}. {}", step.text));
        if let Some(command) = &step.command {
            text.push_str(&format!("\n   {command}"));
        }
    }
    let location = match finding.line {
        Some(line) => json!({ "physicalLocation": {
            "artifactLocation": { "uri": uri(&finding.place), "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": line },
        } }),
        None => json!({ "logicalLocations": [{ "fullyQualifiedName": finding.place }] }),
    };
    json!({
        "ruleId": finding.rule.id(),
        "level": finding.rule.level(),
        "message": { "text": text },
        "locations": [location],
        // The same key at the same place is the same alert, also when lines move.
        "partialFingerprints": { "keyAudit/v1": format!(
            "{}:{}:{}", finding.rule.id(), finding.place,
            finding.key_id.as_deref().unwrap_or_default(),
        ) },
    })
}

/// Returns a path as a relative reference (RFC 3986, section 3.3).
fn uri(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
