use serde_json::{Value, json};
use sidestep_events::Exit;
use sidestep_policy::{Capability, scope_keys};

use crate::cli::{self, Format};
use crate::limits;
use crate::output::{self, table};

/// Prints all limits, or what the scope of each grant key may contain.
pub(crate) fn run(args: &cli::Limits) -> Exit {
    match (args.grants, args.output.output) {
        (false, Format::Json) => output::json(&limits_as_json()),
        (false, Format::Human) => table(
            limits::all()
                .iter()
                .map(|limit| {
                    let setting = limit.setting.unwrap_or("-");
                    [limit.what, &limit.default, setting, limit.code].map(str::to_owned)
                })
                .collect(),
        ),
        (true, Format::Json) => output::json(&grants_as_json()),
        (true, Format::Human) => {
            for capability in Capability::ALL {
                output::line(&format!("{capability}: {}", capability.about()));
                table(
                    scope_keys(*capability)
                        .into_iter()
                        .map(|key| [format!("  {}", key.name), key.absent, key.holds])
                        .collect(),
                );
            }
        }
    }
    Exit::Success
}

fn limits_as_json() -> Value {
    let limit = |limit: limits::Limit| {
        json!({
            "what": limit.what,
            "default": limit.default,
            "setting": limit.setting,
            "code": limit.code,
        })
    };
    limits::all().into_iter().map(limit).collect()
}

fn grants_as_json() -> Value {
    let grant = |capability: &Capability| {
        let keys: Value = scope_keys(*capability)
            .into_iter()
            .map(|key| json!({ "name": key.name, "absent": key.absent, "holds": key.holds }))
            .collect();
        json!({ "grant": capability.as_str(), "about": capability.about(), "keys": keys })
    };
    Capability::ALL.iter().map(grant).collect()
}
