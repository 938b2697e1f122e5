//! Reads a step's `with` by its plugin's input schema.

mod check;
mod clusters;
mod reader;

use indexmap::IndexMap;
use serde_json::Value;
use sidestep_policy::tree::Node;

use crate::expression::Values;
use crate::file::{Pipeline, Step, Written};
use crate::given::PlanInputs;
use crate::problems::Problems;
use crate::template::Template;
use crate::{outputs, schema};

pub(crate) use check::check;
pub(crate) use clusters::check_clusters;
pub(crate) use reader::Reader;

use check::check_keys;
use clusters::is_cluster;

/// Returns a step's `with` as a template, with the pipeline's default cluster and the operator's
/// helper image if they are left out. Reports errors, and then returns `None`.
pub(crate) fn of_step(
    problems: &mut Problems<'_>,
    pipeline: &Pipeline,
    given: &PlanInputs<'_>,
    step: &Step,
    root: &Value,
    values: &Values,
) -> Option<Template> {
    let before = problems.count();
    let top = schema::candidates(root, root);
    let mut reader = Reader::new(values, root);
    let mut map = IndexMap::new();
    for (key, node) in step.with.iter().flat_map(Node::entries) {
        let of = schema::property(root, &top, &key.text);
        map.insert(key.text.clone(), reader.read(problems, node, &of));
    }
    if let Some(Written { node: cluster, .. }) = &pipeline.defaults.cluster {
        for name in schema::property_names(&top) {
            let of = schema::property(root, &top, name);
            if !map.contains_key(name) && is_cluster(&of) {
                map.insert(name.to_owned(), reader.read(problems, cluster, &of));
            }
        }
    }
    if let Some(image) = &given.helper_image {
        for name in schema::property_names(&top) {
            let of = schema::property(root, &top, name);
            if !map.contains_key(name) && schema::mark(&of).as_deref() == Some("helper-image") {
                let image = Value::from(image.as_str());
                map.insert(name.to_owned(), Template::Literal(image));
            }
        }
    }
    for (expression, wanted) in &reader.wanted {
        outputs::types(problems, pipeline, given, Some(step), expression, wanted);
    }
    let read = problems.count() == before;
    let template = Template::Map(map).simplify();
    if !read {
        // Other errors are reported in the same pass: unknown and missing keys.
        let (known, _) = template.known(values);
        check_keys(problems, step, root, &known);
        check_clusters(problems, pipeline, step, root, &known);
        return None;
    }
    Some(template)
}
