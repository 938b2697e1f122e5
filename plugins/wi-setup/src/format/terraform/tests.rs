use hcl_edit::expr::{Expression, TraversalOperator};
use hcl_edit::structure::{Block, Body};
use sidestep::serde_json::json;

use super::*;
use crate::format::terraform;
use crate::plan::tests::{acting, all, nothing};
use crate::plan::{changes, parts};
use crate::policy;

/// The resources and their arguments, from the providers' documentation. A name in parentheses is a
/// nested block.
const DOCUMENTED: &[(&str, &[&str])] = &[
    ("google_service_account", &["project", "account_id"]),
    (
        "google_service_account_iam_member",
        &[
            "service_account_id",
            "role",
            "member",
            "(condition)",
            "depends_on",
        ],
    ),
    (
        "google_storage_bucket_iam_member",
        &["bucket", "role", "member", "(condition)", "depends_on"],
    ),
    (
        "google_artifact_registry_repository_iam_member",
        &[
            "project",
            "location",
            "repository",
            "role",
            "member",
            "(condition)",
            "depends_on",
        ],
    ),
    (
        "google_secret_manager_secret_iam_member",
        &[
            "project",
            "secret_id",
            "role",
            "member",
            "(condition)",
            "depends_on",
        ],
    ),
    ("kubernetes_service_account_v1", &["(metadata)"]),
    ("(condition)", &["title", "expression"]),
    ("(metadata)", &["name", "namespace", "annotations"]),
];

fn documented(kind: &str, body: &Body) {
    let known = DOCUMENTED.iter().find(|(name, _)| *name == kind);
    let (_, arguments) = known.unwrap_or_else(|| panic!("{kind} is not in the table"));
    for structure in body {
        let name = match (structure.as_attribute(), structure.as_block()) {
            (Some(attribute), _) => attribute.key.as_str().to_owned(),
            (None, Some(block)) => {
                let name = format!("({})", block.ident.as_str());
                documented(&name, &block.body);
                name
            }
            (None, None) => unreachable!("a structure is one of the two"),
        };
        assert!(arguments.contains(&name.as_str()), "{name} of {kind}");
    }
}

fn texts(body: &Body, name: &str) -> String {
    let attribute = body.get_attribute(name);
    let value = attribute.and_then(|attribute| attribute.value.as_str());
    value.unwrap_or_default().to_owned()
}

fn parsed(lines: &[String]) -> Body {
    let text = lines.join("\n") + "\n";
    text.parse()
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn resources(body: &Body) -> Vec<&Block> {
    body.get_blocks("resource").collect()
}

#[test]
fn it_parses_and_uses_only_what_the_providers_document() {
    let mut more = acting();
    more["targets"] = json!([{ "secret": "projects/demo/secrets/npm" }]);
    let (identity, bindings) = all(&more);
    let parts = parts(&identity, &bindings, &nothing(&bindings));
    let body = parsed(&terraform::text(&identity.workload, &parts));
    let resources = resources(&body);
    assert_eq!(resources.len(), 2 + bindings.len());
    for block in &resources {
        let kind = block.labels[0].as_str();
        assert!(!kind.ends_with("_iam_binding") && !kind.ends_with("_iam_policy"));
        documented(kind, &block.body);
    }
    assert_eq!(body.get_blocks("import").count(), 0, "nothing exists");
}

#[test]
fn it_holds_the_same_bindings() {
    let (identity, bindings) = all(&acting());
    let parts = parts(&identity, &bindings, &nothing(&bindings));
    let body = parsed(&terraform::text(&identity.workload, &parts));
    let mut found: Vec<_> = resources(&body)
        .into_iter()
        .filter(|block| block.labels[0].as_str().ends_with("_iam_member"))
        .map(|block| {
            let condition = block.body.get_blocks("condition").next();
            (
                texts(&block.body, "role"),
                texts(&block.body, "member"),
                condition.map(|block| texts(&block.body, "expression")),
            )
        })
        .collect();
    let mut wanted: Vec<_> = bindings
        .iter()
        .map(|binding| {
            (
                binding.role.clone(),
                binding.member().to_owned(),
                binding.condition().map(|condition| condition.expression),
            )
        })
        .collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn what_exists_is_imported_with_its_title() {
    let (identity, bindings) = all(&acting());
    let mut present = nothing(&bindings);
    let expression = bindings[1].condition().expect("of the prefix").expression;
    present.policies[1] =
        policy::example(&[(&bindings[1].role, bindings[1].member(), Some(&expression))]);
    present.google = true;
    let parts = parts(&identity, &bindings, &present);
    let body = parsed(&terraform::text(&identity.workload, &parts));
    let imports: Vec<(String, String)> = body
        .get_blocks("import")
        .map(|block| {
            let to = block.body.get_attribute("to").expect("an address");
            let Expression::Traversal(to) = &to.value else {
                panic!("{to:?}");
            };
            let TraversalOperator::GetAttr(name) = to.operators[0].value() else {
                panic!("{to:?}");
            };
            (name.as_str().to_owned(), texts(&block.body, "id"))
        })
        .collect();
    assert_eq!(
        imports,
        [
            (
                "app_ci".to_owned(),
                "projects/demo/serviceAccounts/app-ci@demo.iam.gserviceaccount.com".to_owned()
            ),
            (
                "contexts_objectviewer".to_owned(),
                "b/contexts roles/storage.objectViewer serviceAccount:app-ci@demo.iam.gserviceaccount.com title".to_owned()
            ),
        ]
    );
    assert_eq!(changes(&parts).len(), 4);
}

#[test]
fn no_text_becomes_a_template() {
    assert_eq!(quoted("a${b}%{c}\"\\"), "\"a$${b}%%{c}\\\"\\\\\"");
}
