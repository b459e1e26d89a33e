//! A controller with a token of its own, by which the audit log tells it from the others, and perhaps a way of its own to
//! the API server.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::{Cluster, NAMESPACE, PATIENCE, ServiceAccount};
use holdfast_testkit::{ControllerProcess, FaultProxy, eventually};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};

/// A controller that takes part in the election.
pub(super) struct Candidate {
    /// Its pod's name.
    pub(super) name: &'static str,
    /// Its process.
    pub(super) process: ControllerProcess,
    /// Its token, as the audit log names it.
    pub(super) credential: String,
}

impl Candidate {
    /// Starts one, and waits until it is ready.
    pub(super) async fn start(cluster: &Cluster, name: &'static str, others: &[&Self]) -> Result<Self> {
        let account = Self::account(cluster, name).await?;
        Self::start_as(cluster, account, name, others).await
    }

    /// The same, behind a proxy.
    pub(super) async fn start_behind(
        cluster: &Cluster,
        proxy: &FaultProxy,
        name: &'static str,
        others: &[&Self],
    ) -> Result<Self> {
        let account = proxy.kubeconfig(&Self::account(cluster, name).await?)?;
        Self::start_as(cluster, account, name, others).await
    }

    async fn start_as(cluster: &Cluster, account: PathBuf, name: &'static str, others: &[&Self]) -> Result<Self> {
        let (audit, mark) = (cluster.plane.audit(), cluster.plane.audit().mark()?);
        let process = ControllerProcess::builder(account).argument(format!("--pod={name}")).start()?;
        process.ready(PATIENCE).await?;
        let known = |credential: &str| others.iter().any(|other| other.credential == credential);
        let mut events = audit.since(mark)?.into_iter();
        let first = events.find(|event| event.user == ServiceAccount::USER && !known(&event.credential));
        Ok(Self { name, process, credential: first.context("it asked for nothing")?.credential })
    }

    async fn account(cluster: &Cluster, name: &str) -> Result<PathBuf> {
        let shared = cluster.account().await?;
        let own = cluster.plane.dir().join(format!("{name}.kubeconfig"));
        std::fs::copy(&shared, &own)?;
        Ok(own)
    }

    /// Waits until it says that it leads, or that it doesn't.
    pub(super) async fn says_that_it_leads(&self, leads: bool) -> Result<()> {
        eventually(&format!("{} to lead: {leads}", self.name), PATIENCE * 2, async || {
            let said = self.process.metrics().await?.sum("holdfast_leader", &[]);
            ensure!(said == Some(f64::from(u8::from(leads))), "{said:?}");
            Ok(())
        })
        .await
    }
}

/// Who holds the Lease.
pub(super) async fn holder(client: &Client) -> Result<String> {
    let leases: Api<Lease> = Api::namespaced(client.clone(), NAMESPACE);
    let spec = leases.get("holdfast").await?.spec.context("a Lease without a spec")?;
    Ok(spec.holder_identity.unwrap_or_default())
}
