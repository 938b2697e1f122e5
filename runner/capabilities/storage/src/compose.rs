//! Composes objects.

use http::Method;
use serde_json::{Value, json};
use sidestep_events::Failure;
use sidestep_events::codes;

use super::client::object_path;
use super::{Object, Storage, Write, Written};

impl Storage {
    /// Composes at most 32 objects of a bucket into one (JSON API, `objects.compose`).
    pub async fn compose(
        &self,
        bucket: &str,
        name: &str,
        sources: &[(String, Option<u64>)],
        write: &Write,
    ) -> Result<Written, Failure> {
        let what = format!("compose gs://{bucket}/{name}");
        let sources: Vec<Value> = sources
            .iter()
            .map(|(name, generation)| match generation {
                Some(number) => json!({"name": name, "generation": number.to_string()}),
                None => json!({"name": name}),
            })
            .collect();
        let body = json!({
            "sourceObjects": sources,
            "destination": {
                "contentType": write.content_type,
                "cacheControl": write.cache_control,
                "metadata": write.metadata,
                "customTime": write.custom_time.map(|time| time.to_string()),
            },
        });
        let query = write
            .if_generation_match
            .map(|number| format!("?ifGenerationMatch={number}"))
            .unwrap_or_default();
        let path = format!("{}/compose{query}", object_path(bucket, name));
        match self.json(&what, Method::POST, &path, Some(&body)).await {
            Ok(json) => {
                let object = Object::of_json(&json);
                Ok(Written {
                    generation: object.generation,
                    created: true,
                    size: object.size,
                })
            }
            Err(failure) if failure.code == codes::google::PRECONDITION => {
                self.already_there(bucket, name, &what, write).await
            }
            Err(failure) => Err(failure),
        }
    }
}
