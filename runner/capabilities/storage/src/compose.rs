//! Composes objects.

use serde_json::{Value, json};
use sidestep_events::codes;
use sidestep_gate::NotCreated;

use super::client::object_path;
use super::{Object, Storage, Write, Written};

impl Storage {
    /// Composes at most 32 objects of a bucket into one (JSON API, `objects.compose`).
    ///
    /// Without a precondition on the generation the request is sent once: a second one could
    /// replace an object that another client wrote in between.
    pub async fn compose(
        &self,
        bucket: &str,
        name: &str,
        sources: &[(String, Option<u64>)],
        write: &Write,
    ) -> Result<Written, NotCreated> {
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
        let preconditions = [
            ("ifGenerationMatch", write.if_generation_match),
            ("ifMetagenerationMatch", write.if_metageneration_match),
        ];
        let preconditions = preconditions.into_iter();
        let query: Vec<String> = preconditions
            .filter_map(|(name, number)| Some(format!("{name}={}", number?)))
            .collect();
        let path = format!("{}/compose?{}", object_path(bucket, name), query.join("&"));
        let repeatable = write.if_generation_match.is_some();
        match self.create(&what, &path, &body, repeatable).await {
            Ok(json) => {
                let object = Object::of_json(&json);
                Ok(Written {
                    generation: object.generation,
                    created: true,
                    size: object.size,
                })
            }
            Err(refused) if refused.failure.code == codes::google::PRECONDITION => {
                let there = self.already_there(bucket, name, &what, write).await;
                there.map_err(|failure| refused.or(failure))
            }
            Err(not_created) => Err(not_created),
        }
    }
}
