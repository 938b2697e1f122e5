//! Whether an API server stores objects of a kind (Kubernetes, "The Kubernetes API", discovery).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIResourceList;
use kube::Client;

use super::objects::Objects;
use super::tries::tried;

impl Objects {
    /// Returns whether the API server stores objects of this kind, in whatever version. It does not
    /// store reviews and bindings, which only have an answer, nor objects of a kind whose definition
    /// was removed: they were removed with it.
    ///
    /// For an answer that does not show it: a 404 that names no object is also that of a version
    /// that is no longer served.
    pub(super) async fn are_stored(&self) -> Result<bool, kube::Error> {
        let client = self.api.clone().into_client();
        let Some((group, _)) = self.target.api_version.split_once('/') else {
            let version = &self.target.api_version;
            let served = tried(|| client.list_core_api_resources(version)).await?;
            return Ok(self.can_be_read(&served));
        };
        for version in versions(&client, group).await? {
            let served = tried(|| client.list_api_group_resources(&version)).await?;
            if self.can_be_read(&served) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn can_be_read(&self, served: &APIResourceList) -> bool {
        let mut resources = served.resources.iter();
        resources.any(|known| {
            known.name == self.target.resource && known.verbs.iter().any(|verb| verb == "get")
        })
    }
}

/// Returns the versions of a group, `GROUP/VERSION`; none if the group is not served.
async fn versions(client: &Client, group: &str) -> Result<Vec<String>, kube::Error> {
    let groups = tried(|| client.list_api_groups()).await?.groups;
    let versions = groups.into_iter().filter(|known| known.name == group);
    Ok(versions
        .flat_map(|known| known.versions)
        .map(|version| version.group_version)
        .collect())
}
