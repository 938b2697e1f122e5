use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::schema_for;
use sidestep_events::{Envelope, Exit, PluginRef};
use sidestep_launch::{Error, catalog};
use sidestep_pipeline::{Manifest, schema_pipeline};
use sidestep_policy::schema_policy;

use crate::built_in::BUILT_IN;
use crate::cli::{Schema, SchemaOf};
use crate::output::json;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &Schema) -> Result<Exit, Error> {
    match args.of {
        SchemaOf::Pipeline => json(&schema_pipeline(&manifests(session)?)),
        SchemaOf::Policy => json(&schema_policy()),
        SchemaOf::Events => json(&schema_for!(Envelope)),
        SchemaOf::PluginManifest => json(&schema_for!(Manifest)),
    }
    Ok(Exit::Success)
}

/// Returns the built-in plugins' manifests by plugin reference.
fn manifests(session: &Session) -> Result<BTreeMap<PluginRef, Arc<Manifest>>, Error> {
    let catalog = catalog(&session.site);
    let mut manifests = BTreeMap::new();
    for uses in BUILT_IN
        .iter()
        .filter_map(|own| PluginRef::built_in(own.name))
    {
        let package = catalog.find(&uses).map_err(|error| error.failure())?;
        manifests.insert(uses, package.component.manifest);
    }
    Ok(manifests)
}
