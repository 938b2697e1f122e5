use sidestep_events::{Place, PluginRef, Position, codes};
use sidestep_policy::tree::{Node, NodeKind};

use crate::context::{self, IN_CONDITION, IN_GRANTS, IN_STEP};
use crate::file::{Expression, Step};
use crate::problems::Problems;
use crate::{matrix, read, retry};

const KEYS: &[&str] = &[
    "uses",
    "description",
    "with",
    "if",
    "needs",
    "timeout",
    "retry",
    "matrix",
    "failFast",
    "maxParallel",
    "grants",
    "secrets",
];

/// Reads `steps` or `finally`.
pub(crate) fn steps(problems: &mut Problems<'_>, node: &Node, finally: bool) -> Vec<Step> {
    let what = if finally { "`finally`" } else { "`steps`" };
    let is_empty = node.is_null() || matches!(&node.kind, NodeKind::Map(all) if all.is_empty());
    if is_empty && !finally {
        problems.add_help(
            codes::pipeline::MISSING,
            node.at,
            "there are no steps",
            "a pipeline has at least one: `steps: { NAME: { uses: PLUGIN } }`",
        );
        return Vec::new();
    }
    read::named(problems, node, what)
        .into_iter()
        .filter_map(|(id, at, node)| step(problems, id, at, node, finally))
        .collect()
}

fn step(
    problems: &mut Problems<'_>,
    id: &str,
    at: Place,
    node: &Node,
    finally: bool,
) -> Option<Step> {
    if !read::keys(problems, node, "a step", KEYS) {
        return None;
    }
    let uses_at = node.get("uses").map_or(at, |uses| uses.at);
    let uses = uses(problems, id, at, node.get("uses"));
    if let Some(node) = node.get("description") {
        read::text(problems, node, "`description`");
    }
    let mut found: Vec<Expression> = Vec::new();
    let with = node.get("with").filter(|with| !with.is_null());
    let with_at = node
        .entries()
        .iter()
        .find(|(key, _)| key.text == "with")
        .map_or(at, |(key, _)| key.at);
    if let Some(with) = with {
        if !matches!(with.kind, NodeKind::Map(_)) {
            problems.add(
                codes::pipeline::TYPE,
                with.at,
                format!("`with` must be a map, not {}", with.describe()),
            );
        }
        context::collect(problems, IN_STEP, with, &mut found);
    }
    let condition = node.get("if").and_then(|node| condition(problems, node));
    found.extend(condition.clone());
    let grants = node
        .entries()
        .iter()
        .find(|(key, _)| key.text == "grants")
        .map(|(key, value)| (key.at, value.clone()));
    let mut granted: Vec<Expression> = Vec::new();
    if let Some((_, grants)) = &grants {
        context::collect(problems, IN_GRANTS, grants, &mut granted);
    }
    let mut needs = Vec::new();
    if let Some(node) = node.get("needs") {
        needs.extend(read::texts(problems, node, "`needs`"));
    }
    let secrets_node = node.get("secrets");
    let secrets = secrets_node
        .map(|node| read::texts(problems, node, "`secrets`"))
        .unwrap_or_default();
    let timeout = node.get("timeout");
    let retry = node.get("retry");
    let matrix_node = node.get("matrix");
    let matrix = matrix_node.and_then(|node| matrix::read(problems, node));
    let fail_fast = node
        .get("failFast")
        .and_then(|node| read::boolean(problems, node, "`failFast`"));
    Some(Step {
        id: id.to_owned(),
        at,
        finally,
        uses,
        uses_at,
        with: with.cloned(),
        with_at,
        condition,
        needs_at: needs.iter().map(|(need, at)| (need.clone(), *at)).collect(),
        needs: needs.into_iter().map(|(need, _)| need).collect(),
        reads: found,
        timeout_ms: timeout.and_then(|node| read::duration(problems, node, "`timeout`")),
        retry: retry.and_then(|node| retry::read(problems, node)),
        broken_matrix: matrix_node.is_some() && matrix.is_none(),
        matrix,
        fail_fast: fail_fast.unwrap_or(true),
        max_parallel: node
            .get("maxParallel")
            .and_then(|node| read::count(problems, node, "`maxParallel`", 10_000)),
        grants,
        granted,
        secrets,
    })
}

/// Reads `uses`. The rest of a step without a valid plugin is checked as well.
fn uses(
    problems: &mut Problems<'_>,
    id: &str,
    at: Place,
    node: Option<&Node>,
) -> Option<PluginRef> {
    let Some(node) = node else {
        problems.add_help(
            codes::pipeline::MISSING,
            at,
            format!("the step `{id}` does not say which plugin it uses"),
            "add `uses: sidestep/NAME`, `uses: ./FILE.wasm` or `uses: oci://…`",
        );
        return None;
    };
    let text = read::text(problems, node, "`uses`")?;
    PluginRef::parse(&text)
        .map_err(|wrong| problems.push(wrong.diagnostic(), node.at))
        .ok()
}

fn condition(problems: &mut Problems<'_>, node: &Node) -> Option<Expression> {
    let Some(scalar) = node.scalar() else {
        problems.add(
            codes::pipeline::TYPE,
            node.at,
            format!("`if` must be an expression, not {}", node.describe()),
        );
        return None;
    };
    if scalar.text.contains("${{") {
        let bare = scalar.text.replace("${{", "").replace("}}", "");
        problems.add_help(
            codes::expression::PLACE,
            node.at,
            "`if` takes a bare expression, without `${{ }}`",
            format!("write `if: \"{}\"`", bare.trim()),
        );
        return None;
    }
    let at = scalar.verbatim.map_or(node.at, |at| Place {
        at: Position {
            length: u32::try_from(scalar.text.chars().count()).unwrap_or(0),
            ..at
        },
        used: node.at.used,
    });
    context::expression(problems, IN_CONDITION, &scalar.text, at)
}
