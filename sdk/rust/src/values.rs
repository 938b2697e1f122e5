//! Values whose meaning the runner knows: their schema contains `x-sidestep`, so
//! that the runner can complete, check and show them.

mod artifact;
mod bucket;
mod byte_size;
mod cluster;
mod code;
mod duration;
mod helper_image;
mod image_ref;
mod text;

pub use artifact::Artifact;
pub use bucket::Bucket;
pub use byte_size::ByteSize;
pub use cluster::Cluster;
pub use code::Code;
pub use duration::Duration;
pub use helper_image::HelperImage;
pub use image_ref::ImageRef;
pub use text::ParseValueError;

#[cfg(test)]
mod tests {
    use schemars::{JsonSchema, SchemaGenerator};

    use super::*;

    fn kind<T: JsonSchema>() -> (bool, serde_json::Value) {
        let schema = T::json_schema(&mut SchemaGenerator::default());
        (
            T::inline_schema(),
            schema.get("x-sidestep").cloned().unwrap_or_default(),
        )
    }

    #[test]
    fn every_value_says_what_it_is_where_it_stands() {
        assert_eq!(kind::<Artifact>(), (true, "artifact".into()));
        assert_eq!(kind::<Bucket>(), (true, "bucket".into()));
        assert_eq!(kind::<ByteSize>(), (true, "byte-size".into()));
        assert_eq!(kind::<Cluster>(), (true, "cluster".into()));
        assert_eq!(kind::<Code>(), (true, "code".into()));
        assert_eq!(kind::<Duration>(), (true, "duration".into()));
        assert_eq!(kind::<HelperImage>(), (true, "helper-image".into()));
        assert_eq!(kind::<ImageRef>(), (true, "image-ref".into()));
    }
}
