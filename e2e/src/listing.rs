//! Everything that evictions and drains depend on, as it is listed at one time, read by the shapes of the controller.
//!
//! A list isn't a moment: what was compared with it was in the same state only if a second list is the same
//! ([`Listing::is_as_in`]).

use std::collections::BTreeMap;
use std::fmt::Debug;

use anyhow::{Context as _, Result};
use holdfast_model::shapes::{self, Shape};
use holdfast_model::{Cluster, Kind, ObjectKey};
use kube::Client;
use kube::api::{Api, ListParams};

/// What was listed.
pub struct Listing {
    /// The facts.
    pub cluster: Cluster,
    /// The versions of the objects that change while controllers work.
    versions: BTreeMap<(Kind, ObjectKey), String>,
}

impl Listing {
    /// Lists everything.
    pub async fn of(client: &Client) -> Result<Self> {
        let mut listing = Self { cluster: Cluster::default(), versions: BTreeMap::new() };
        listing.fill::<shapes::Namespace>(client).await?;
        listing.fill::<shapes::Node>(client).await?;
        listing.fill::<shapes::PersistentVolume>(client).await?;
        listing.fill::<shapes::PersistentVolumeClaim>(client).await?;
        listing.fill::<shapes::Deployment>(client).await?;
        listing.fill::<shapes::StatefulSet>(client).await?;
        listing.fill::<shapes::DaemonSet>(client).await?;
        listing.fill::<shapes::ReplicaSet>(client).await?;
        listing.fill::<shapes::Job>(client).await?;
        listing.fill::<shapes::Pod>(client).await?;
        listing.fill::<shapes::PodDisruptionBudget>(client).await?;
        Ok(listing)
    }

    /// Whether pods and budgets are what they are in the other one.
    #[must_use]
    pub fn is_as_in(&self, other: &Self) -> bool {
        self.versions == other.versions
    }

    async fn fill<S: Shape + Clone + Debug>(&mut self, client: &Client) -> Result<()> {
        let listed = Api::<S>::all(client.clone()).list(&ListParams::default()).await;
        for object in listed.with_context(|| format!("listing kind {}", S::KIND))? {
            match S::KIND {
                Kind::Pod | Kind::PodDisruptionBudget => {
                    let version = object.meta().resource_version.clone().context("no resourceVersion")?;
                    self.versions.insert((S::KIND, object.key()), version);
                }
                _ => {}
            }
            self.cluster.apply(object);
        }
        Ok(())
    }
}
