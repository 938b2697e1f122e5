//! Conversions between the contract's records and the client's types.

use sidestep_bindings::sidestep::storage::objects as wit;

use sidestep_gate::convert;

use super::{Bucket, Object, Write, Written};

pub(super) fn write(options: wit::PutOptions) -> Write {
    Write {
        if_generation_match: options.preconditions.if_generation_match,
        if_metageneration_match: options.preconditions.if_metageneration_match,
        content_type: options.content_type,
        cache_control: options.cache_control,
        custom_time: options.custom_time.and_then(convert::time),
        metadata: options
            .metadata
            .into_iter()
            .map(|entry| (entry.key, entry.value))
            .collect(),
    }
}

pub(super) fn written(written: &Written) -> wit::Written {
    wit::Written {
        generation: written.generation,
        outcome: convert::creation(written.created),
        size: written.size,
    }
}

pub(super) fn object(object: Object) -> wit::Object {
    wit::Object {
        bucket: object.bucket,
        name: object.name,
        generation: object.generation,
        metageneration: object.metageneration,
        size: object.size,
        crc32c: object.crc32c,
        content_type: object.content_type,
        content_encoding: object.content_encoding,
        storage_class: object.storage_class,
        created: object
            .created
            .map(convert::milliseconds)
            .unwrap_or_default(),
        custom_time: object.custom_time.map(convert::milliseconds),
        metadata: object
            .metadata
            .into_iter()
            .map(|(key, value)| wit::MetadataEntry { key, value })
            .collect(),
    }
}

pub(super) fn bucket(bucket: Bucket) -> wit::Bucket {
    wit::Bucket {
        name: bucket.name,
        project_number: bucket.project_number,
        location: bucket.location,
        storage_class: bucket.storage_class,
        uniform_access: bucket.uniform_access,
        public_access_prevention: bucket.public_access_prevention,
        versioning: bucket.versioning,
        kms_key: bucket.kms_key,
        lifecycle: if bucket.lifecycle.is_array() {
            bucket.lifecycle.to_string()
        } else {
            "[]".to_owned()
        },
    }
}
