use schemars::schema_for;
use sidestep_events::{Envelope, Exit};
use sidestep_pipeline::Manifest;

use crate::cli::{Schema, SchemaOf};
use crate::output::json;

pub(crate) fn run(args: &Schema) -> Exit {
    let schema = match args.of {
        SchemaOf::Events => schema_for!(Envelope),
        SchemaOf::PluginManifest => schema_for!(Manifest),
    };
    json(&schema);
    Exit::Success
}
