//! Whether the server has a kind in other versions than the one that is watched.
//!
//! Asked of discovery, which everybody may read, and only where the kind isn't served: a newer form of what carries upgrades
//! out must not look like nothing that does.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroup, APIResourceList};
use kube::Client;
use kube::api::GetParams;
use kube::core::Request;
use serde::de::DeserializeOwned;

use super::{Interruption, answer};

/// At most so many versions of a group are looked at.
const MOST: usize = 8;

/// Another version in which the group has this resource.
pub(super) async fn other(
    client: &Client,
    group: &str,
    version: &str,
    plural: &str,
) -> Result<Option<String>, Interruption> {
    let known: APIGroup = get(client, "/apis", group).await?;
    for other in known.versions.into_iter().map(|known| known.version).filter(|other| other != version).take(MOST) {
        let list: APIResourceList = get(client, &format!("/apis/{group}"), &other).await?;
        if list.resources.iter().any(|resource| resource.name == plural) {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

async fn get<T: DeserializeOwned>(client: &Client, path: &str, name: &str) -> Result<T, Interruption> {
    let request = Request::new(path).get(name, &GetParams::default());
    let request = request.map_err(|error| Interruption::of(&kube::Error::BuildRequest(error)))?;
    answer(client.request(request)).await
}
