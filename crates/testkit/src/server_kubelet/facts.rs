//! What the test is told of a pod when it writes the configuration of its server.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};

use super::Shared;
use super::mounts::Mounts;
use crate::vault::ServerConfig;

/// A pod whose server is about to be started.
pub struct PodFacts {
    /// Its name, such as `vault-0`.
    pub name: String,
    /// The number at the end of its name.
    pub ordinal: u32,
    /// Its address.
    pub ip: Ipv4Addr,
    /// The folder of the first of its claims that is mounted; without one, a folder that goes with the pod.
    pub data: PathBuf,
    /// The variables of the container, as the server will see them.
    pub environment: BTreeMap<String, String>,
    pub(super) mounts: Mounts,
    pub(super) shared: Arc<Shared>,
}

impl PodFacts {
    /// What is behind a path in the container, such as a file of a mounted ConfigMap.
    pub fn behind(&self, path: &str) -> Option<PathBuf> {
        self.mounts.behind(path)
    }

    /// The address for clients of another pod, which need not exist yet.
    pub fn url_of(&self, pod: &str) -> Result<String> {
        Ok(self.shared.endpoint(self.shared.seat(pod)?.ip())?.url())
    }

    /// A configuration with this pod's name, address and data folder: raft, Shamir-sealed, plain HTTP.
    pub fn config(&self) -> ServerConfig {
        ServerConfig::new(self.shared.product, self.ip, &self.name, &self.data)
    }

    /// The same, which asks all others of a StatefulSet with this many replicas to be let in.
    pub fn config_of_raft(&self, replicas: u32) -> Result<ServerConfig> {
        let set = self.name.rsplit_once('-').context("a pod without an ordinal")?.0;
        let others = (0..replicas).filter(|other| *other != self.ordinal);
        let join = others.map(|other| self.url_of(&format!("{set}-{other}"))).collect::<Result<_>>()?;
        Ok(ServerConfig { join, ..self.config() })
    }
}
