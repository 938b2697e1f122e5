//! Lists objects page by page, within limits of their number and their bytes.

use futures::AsyncReadExt as _;
use kube::api::{DynamicObject, ListParams, ObjectList};
use kube::core::Request;
use serde_json::Value;
use sidestep_events::{Class, Failure, Owner, codes};

use super::bounds::Reads;
use super::objects::Objects;
use super::tries::tried;

/// The number of objects that one request asks for at first.
pub(super) const PAGE: u32 = 100;
/// The maximum number of times that a list is started again because its continuation expired.
pub(super) const RESTARTS: u32 = 2;

/// The limits of a list.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// The number of objects.
    pub objects: u32,
    /// The number of bytes of the API server's answers.
    pub bytes: usize,
}

impl Objects {
    /// Lists objects within limits, and returns whether there are more. Never reads more of an
    /// answer than the limit leaves: a page that is too large is requested again with fewer
    /// objects.
    pub async fn list(
        &self,
        labels: Option<&str>,
        fields: Option<&str>,
        most: Most,
    ) -> Result<(Vec<Value>, bool), Failure> {
        let mut parameters = ListParams {
            label_selector: labels.map(str::to_owned),
            field_selector: fields.map(str::to_owned),
            ..ListParams::default()
        };
        let (mut items, mut bytes) = (Vec::new(), 0);
        let (mut page, mut restarts) = (PAGE, 0);
        loop {
            let listed = u32::try_from(items.len()).unwrap_or(u32::MAX);
            let limit = page.min(most.objects.saturating_sub(listed)).max(1);
            parameters.limit = Some(limit);
            let answer = match self.page(&parameters, most.bytes - bytes).await {
                Ok(answer) => answer,
                // A continuation is valid for some minutes (Kubernetes, "Retrieving large results
                // sets in chunks").
                Err(kube::Error::Api(status))
                    if status.code == 410
                        && parameters.continue_token.is_some()
                        && restarts < RESTARTS =>
                {
                    restarts += 1;
                    parameters.continue_token = None;
                    (items, bytes) = (Vec::new(), 0);
                    continue;
                }
                Err(error) => return Err(self.failure("list", "", &error)),
            };
            let Some((list, read)) = answer else {
                match limit {
                    1 if items.is_empty() => return Err(self.too_large(most.bytes)),
                    1 => return Ok((items, true)),
                    _ => page = limit / 2,
                }
                continue;
            };
            bytes += read;
            for object in &list.items {
                items.push(self.shown(object)?);
            }
            let next = list.metadata.continue_.filter(|token| !token.is_empty());
            let full = items.len() >= most.objects as usize || bytes >= most.bytes;
            match next {
                None => return Ok((items, false)),
                Some(_) if full => return Ok((items, true)),
                next => parameters.continue_token = next,
            }
        }
    }

    /// Requests one page; returns it with its size, or `None` if it has more than `most` bytes.
    pub(super) async fn page(
        &self,
        parameters: &ListParams,
        most: usize,
    ) -> Result<Option<(ObjectList<DynamicObject>, usize)>, kube::Error> {
        let mut request = Request::new(self.api.resource_url())
            .list(parameters)
            .map_err(kube::Error::BuildRequest)?;
        request.extensions_mut().insert(Reads::Part);
        let client = self.api.clone().into_client();
        tried(|| async {
            let answer = client.request_stream(request.clone()).await?;
            let mut bytes = Vec::new();
            std::pin::pin!(answer)
                .take(most as u64 + 1)
                .read_to_end(&mut bytes)
                .await
                .map_err(|error| kube::Error::Service(error.into()))?;
            if bytes.len() > most {
                return Ok(None);
            }
            let list = serde_json::from_slice(&bytes).map_err(kube::Error::SerdeError)?;
            Ok(Some((list, bytes.len())))
        })
        .await
    }

    pub(super) fn too_large(&self, most: usize) -> Failure {
        Failure::new(
            Class::Exhausted,
            codes::http::TOO_LARGE,
            Owner::Cluster,
            format!(
                "cannot list {}: an object has more than {most} bytes",
                self.named("")
            ),
        )
    }
}
