//! Derived names: step instances, external objects, files of a run's folder, cache entries, and run
//! ids.
//!
//! Every name is made from typed parts in one of two ways, and both are injective. A readable name
//! quotes everything that could be read as another type or as a separator ([`instance_id`]). If a
//! limit on length or characters forbids that, a name ends with a digest of the whole [`Encoding`].

mod encoding;
mod file;
mod instance;
mod label;
mod object;
mod role;

pub use encoding::{Encoding, Kind};
pub use file::file_name;
pub use instance::instance_id;
pub use label::run_label;
pub use object::object_name;
pub use role::role_name;
