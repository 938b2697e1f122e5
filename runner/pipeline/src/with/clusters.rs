//! Checks the names of clusters among a step's inputs.

use serde_json::Value;
use sidestep_contract::google::Cluster;
use sidestep_events::codes;

use crate::file::{Pipeline, Step};
use crate::problems::Problems;
use crate::schema;

/// Returns whether the schemas of an input mark it as a cluster.
pub(super) fn is_cluster(of: &[&Value]) -> bool {
    schema::mark(of).as_deref() == Some("cluster")
}

/// Reports the known inputs that cannot name a cluster. Returns whether there are none.
///
/// The plugin reads such a name as well, but only if all its inputs are right.
pub(crate) fn check_clusters(
    problems: &mut Problems<'_>,
    pipeline: &Pipeline,
    step: &Step,
    root: &Value,
    known: &Value,
) -> bool {
    let before = problems.count();
    let top = schema::candidates(root, root);
    for name in schema::property_names(&top) {
        let Some(text) = known[name].as_str() else {
            continue;
        };
        if !is_cluster(&schema::property(root, &top, name)) || Cluster::is_named_by(text) {
            continue;
        }
        let written = step.with.as_ref().and_then(|with| with.get(name));
        let default = pipeline.defaults.cluster.as_ref().map(|set| &set.node);
        let at = written.or(default).map_or(step.with_at, |node| node.at);
        let help = match Cluster::read_link(text) {
            Some(cluster) => {
                let Cluster {
                    project,
                    location,
                    name,
                } = cluster;
                format!("write `projects/{project}/locations/{location}/clusters/{name}`")
            }
            None => "write projects/PROJECT/locations/LOCATION/clusters/CLUSTER, or a name that \
                     the setting `clusters` maps"
                .to_owned(),
        };
        let message = format!(
            "`{name}` of `{}`: `{text}` does not name a cluster",
            step.plugin()
        );
        problems.add_help(codes::input::WRONG, at, message, help);
    }
    problems.count() == before
}
