use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sidestep_events::{Diagnostic, Foreign, Help, Severity};

/// The characters that a path of unreserved characters (RFC 3986, section 2.3) and slashes escapes.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Returns a log in the Static Analysis Results Interchange Format, version 2.1.0 (OASIS), for code
/// scanning. `version` is the runner's. Files are relative to the workspace, which `%SRCROOT%`
/// stands for.
pub fn sarif(found: &[Diagnostic], version: &str) -> Value {
    let codes: BTreeSet<&Foreign> = found.iter().map(|found| &found.code).collect();
    let rules = codes.iter().map(|code| json!({ "id": code }));
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "sidestep",
                "semanticVersion": version,
                "rules": rules.collect::<Vec<_>>(),
            } },
            // Columns are counted in characters.
            "columnKind": "unicodeCodePoints",
            "results": found.iter().map(|found| result(found, &codes)).collect::<Vec<_>>(),
        }],
    })
}

fn result(found: &Diagnostic, codes: &BTreeSet<&Foreign>) -> Value {
    // The log contains the exact texts; `show::json` writes it.
    let mut text = found.message.clone();
    if !found.help.is_empty() {
        let help: Vec<String> = found.help.iter().map(Help::exact).collect();
        text = text.rewrite(|text| format!("{text}\n\n{}", help.join("\n")));
    }
    let mut result = json!({
        "ruleId": found.code,
        "ruleIndex": codes.iter().position(|code| **code == found.code),
        "level": match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        "message": { "text": text },
    });
    if let Some(file) = &found.file {
        let location = || {
            if file.starts_with("/") {
                json!({ "uri": format!("file://{}", uri(file.exact())) })
            } else {
                json!({ "uri": uri(file.exact()), "uriBaseId": "%SRCROOT%" })
            }
        };
        let mut place = json!({ "artifactLocation": location() });
        if let Some(at) = found.at.filter(|at| at.line > 0) {
            let mut region = json!({ "startLine": at.line, "startColumn": at.column.max(1) });
            if at.length > 0 {
                region["endColumn"] = at.column.max(1).saturating_add(at.length).into();
            }
            place["region"] = region;
        }
        if let Some(used) = found.used {
            let region = json!({ "startLine": used.line, "startColumn": used.column.max(1) });
            result["relatedLocations"] = json!([{
                "physicalLocation": { "artifactLocation": location(), "region": region },
                "message": { "text": "the value is used here" },
            }]);
        }
        result["locations"] = json!([{ "physicalLocation": place }]);
    }
    result
}

/// Returns a relative path as a URI reference (RFC 3986, section 4.2).
fn uri(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

#[cfg(test)]
mod tests {
    use sidestep_events::Position;

    use super::*;

    #[test]
    fn results_name_their_rule_and_their_place() {
        let at = Position {
            line: 3,
            column: 5,
            length: 4,
        };
        let found = [
            Diagnostic::warning("b.x", "beware"),
            Diagnostic::error("a.x", "wrong")
                .with_help("repair")
                .at("a b.yaml", at),
        ];
        let log = sarif(&found, "0.1.0");
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "a.x");
        let [first, second] = run["results"].as_array().expect("a list").as_slice() else {
            panic!("two results");
        };
        assert_eq!(
            (&first["ruleIndex"], &first["level"]),
            (&json!(1), &json!("warning"))
        );
        assert!(first.get("locations").is_none());
        let place = &second["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b.yaml");
        assert_eq!(
            place["region"],
            json!({ "startLine": 3, "startColumn": 5, "endColumn": 9 })
        );
        assert_eq!(second["message"]["text"], "wrong\n\nrepair");
    }
}
