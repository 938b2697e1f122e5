//! Derived names: step instances, outside objects, files of a run's folder, cache entries, run ids.
//!
//! Every name is made from typed parts in one of two ways, and both are injective. A readable name
//! quotes whatever could be read as another type or as a separator ([`instance_id`]). Where a limit
//! on length or letters forbids that, a name ends with a digest over the whole [`Encoding`].

mod encoding;
mod file;
mod instance;
mod label;
mod object;

pub use encoding::{Encoding, Kind};
pub use file::file_name;
pub use instance::instance_id;
pub use label::run_label;
pub use object::object_name;
