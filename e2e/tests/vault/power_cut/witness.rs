//! Who asks each pod all the time whose it is.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use holdfast_testkit::ServerKubelet;
use holdfast_testkit::vault::Endpoint;
use parking_lot::Mutex;
use serde_json::Value;

use super::{BLANK, PODS};

/// Asks each pod all the time whose it is.
pub(super) struct Witness {
    pods: Vec<(&'static str, Endpoint)>,
    cluster: Value,
    /// Who has to come back before anybody can let the blank pod in; empty as long as nothing is cut off.
    missing: Mutex<BTreeSet<&'static str>>,
}

impl Witness {
    pub(super) async fn of(kubelet: &ServerKubelet) -> Result<Self> {
        let endpoint = |pod| Ok((pod, kubelet.endpoint(pod)?.patience(Duration::from_secs(1))));
        let pods: Vec<_> = PODS.into_iter().map(endpoint).collect::<Result<_>>()?;
        let (_, health) = kubelet.endpoint(BLANK)?.request("GET", "sys/health", None, &Value::Null).await?;
        ensure!(health["cluster_id"].is_string(), "{health}");
        Ok(Self { pods, cluster: health["cluster_id"].clone(), missing: Mutex::default() })
    }

    pub(super) fn is_cut(&self) {
        self.missing.lock().extend(["A", PODS[1], PODS[2]]);
    }

    pub(super) fn comes(&self, who: &str) {
        self.missing.lock().retain(|missing| *missing != who);
    }

    /// Goes on until something is seen that must never be.
    pub(super) async fn watch(&self) -> anyhow::Error {
        loop {
            for (pod, endpoint) in &self.pods {
                if let Err(seen) = self.look(pod, endpoint).await {
                    return seen;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn look(&self, pod: &str, endpoint: &Endpoint) -> Result<()> {
        let missing = || self.missing.lock().clone();
        let before = missing();
        // Whoever isn't there says nothing.
        let Ok((_, health)) = endpoint.request("GET", "sys/health", None, &Value::Null).await else { return Ok(()) };
        // Who is missing on both sides of the answer was missing when it was given.
        let missing: Vec<_> = missing().intersection(&before).copied().collect();
        if pod == BLANK && health["initialized"] == true && !missing.is_empty() {
            bail!("{pod} is initialised, and {missing:?} isn't there: {health}");
        }
        match &health["cluster_id"] {
            Value::Null => Ok(()),
            cluster if *cluster == self.cluster => Ok(()),
            another => bail!("{pod} is in the cluster {another}, and not in {}: {health}", self.cluster),
        }
    }
}
