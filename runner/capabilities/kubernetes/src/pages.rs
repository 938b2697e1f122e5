//! Lists of any length, page by page.

use std::collections::HashSet;

use kube::api::ListParams;
use serde_json::Value;
use sidestep_events::Failure;

use super::list::{PAGE, RESTARTS};
use super::objects::Objects;

/// The maximum size of one page, in bytes.
const BYTES: usize = 16 << 20;

/// A list of objects that is read page by page, so that its length is not limited. Each object is
/// returned once.
pub struct Pages<'a> {
    objects: &'a Objects,
    /// The parameters of the next page; `None` after the last one.
    next: Option<ListParams>,
    /// The number of objects that one request asks for.
    size: u32,
    /// The uids of the objects that were returned.
    seen: HashSet<String>,
    restarts: u32,
}

impl Objects {
    /// Lists all objects with these labels.
    pub fn pages(&self, labels: &str) -> Pages<'_> {
        Pages {
            objects: self,
            next: Some(ListParams::default().labels(labels)),
            size: PAGE,
            seen: HashSet::new(),
            restarts: 0,
        }
    }
}

impl Pages<'_> {
    /// Returns the next page, or `None` after the last one.
    pub async fn next(&mut self) -> Result<Option<Vec<Value>>, Failure> {
        let Some(mut parameters) = self.next.take() else {
            return Ok(None);
        };
        let list = loop {
            parameters.limit = Some(self.size);
            match self.objects.page(&parameters, BYTES).await {
                Ok(Some((list, _))) => break list,
                Ok(None) if self.size == 1 => return Err(self.objects.too_large(BYTES)),
                Ok(None) => self.size /= 2,
                // The continuation has expired, so the list begins again.
                Err(kube::Error::Api(status))
                    if status.code == 410
                        && parameters.continue_token.is_some()
                        && self.restarts < RESTARTS =>
                {
                    self.restarts += 1;
                    parameters.continue_token = None;
                }
                Err(error) => return Err(self.objects.failure("list", "", &error)),
            }
        };
        let token = list.metadata.continue_.filter(|token| !token.is_empty());
        self.next = token.map(|token| parameters.continue_token(&token));
        let mut page = Vec::new();
        for object in &list.items {
            let uid = object.metadata.uid.as_ref();
            if uid.is_none_or(|uid| self.seen.insert(uid.clone())) {
                page.push(self.objects.shown(object)?);
            }
        }
        Ok(Some(page))
    }
}
