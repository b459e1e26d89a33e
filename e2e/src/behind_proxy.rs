//! A cluster whose controller reaches the API server through the proxy that makes things go wrong; the test itself doesn't.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use holdfast_testkit::fault_proxy::{Mark, Which};
use holdfast_testkit::{ControlPlane, ControllerProcess, FaultProxy, Metrics, eventually};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::{ListParams, PostParams};
use serde_json::json;

use crate::{Cluster, PATIENCE, ServiceAccount, Tenant, deployment, set};

/// The budgets, as the API spells them.
pub const BUDGETS: &str = "poddisruptionbudgets";

/// The cluster, without nodes: what is decided follows from specs alone, so the servers aren't busy with pods.
pub struct BehindProxy {
    /// The cluster with the chart.
    pub cluster: Cluster,
    /// The way of the controller to it.
    pub proxy: FaultProxy,
    /// The controller, ready and leading.
    pub controller: ControllerProcess,
    /// The namespace that it governs.
    pub tenant: Tenant,
    /// The Deployments there that are to have budgets, and no others.
    pub apps: BTreeSet<String>,
}

impl BehindProxy {
    /// Starts everything, with an Enforce policy for a namespace of this name.
    pub async fn start(name: &str) -> Result<Self> {
        let cluster = Cluster::on(ControlPlane::builder().start().await?).await?;
        cluster.install(&json!({})).await?;
        let proxy = FaultProxy::before(&cluster.plane).await?;
        let controller = start(&cluster, &proxy).await?;
        let tenant = Tenant::move_in(cluster.admin(), name).await?;
        tenant.govern(json!({})).await?;
        Ok(Self { cluster, proxy, controller, tenant, apps: BTreeSet::new() })
    }

    /// Ends the controller and starts another, which is ready.
    pub async fn restart_controller(&mut self) -> Result<()> {
        self.controller.terminate(PATIENCE).await?;
        self.controller = start(&self.cluster, &self.proxy).await?;
        Ok(())
    }

    /// Deployments of three that are to have budgets from now on, and have no pods.
    pub async fn deploy(&mut self, names: &[impl AsRef<str> + Sync]) -> Result<()> {
        self.deploy_unseen(names).await?;
        self.apps.extend(names.iter().map(|name| name.as_ref().to_owned()));
        Ok(())
    }

    /// The same of which nobody can expect a budget yet.
    pub async fn deploy_unseen(&self, names: &[impl AsRef<str> + Sync]) -> Result<()> {
        let apps: Api<Deployment> = Api::namespaced(self.tenant.client.clone(), &self.tenant.name);
        let create = async |name: &str| {
            let app = set(deployment(&self.tenant.name, name, 3), "/spec/paused", json!(true));
            apps.create(&PostParams::default(), &serde_json::from_value(app)?).await?;
            Ok(())
        };
        stream::iter(names).map(|name| create(name.as_ref())).buffer_unordered(8).try_collect().await
    }

    /// Waits until exactly those Deployments have budgets, and no server refuses to say so.
    pub async fn settled(&self, patience: Duration) -> Result<()> {
        let expected: BTreeSet<String> = self.apps.iter().map(|app| format!("{app}-deployment")).collect();
        eventually(&format!("{} budgets", expected.len()), patience, async || {
            let found = self.tenant.budgets().list(&ListParams::default()).await?;
            let found: BTreeSet<String> = found.into_iter().filter_map(|budget| budget.metadata.name).collect();
            let (missing, surplus): (Vec<_>, Vec<_>) =
                (expected.difference(&found).collect(), found.difference(&expected).collect());
            ensure!(missing.is_empty() && surplus.is_empty(), "missing {missing:?}, too many {surplus:?}");
            Ok(())
        })
        .await
    }

    /// Waits until a metric is what the probe wants.
    pub async fn measured(
        &self,
        what: &str,
        patience: Duration,
        probe: impl Fn(&Metrics) -> Result<()>,
    ) -> Result<Metrics> {
        eventually(what, patience, async || {
            let metrics = self.controller.metrics().await?;
            probe(&metrics)?;
            Ok(metrics)
        })
        .await
    }

    /// Waits until the metric has at least this value.
    pub async fn reaches(&self, name: &str, labels: &[(&str, &str)], least: f64) -> Result<()> {
        let probe = |metrics: &Metrics| {
            let found = metrics.sum(name, labels).unwrap_or_default();
            ensure!(least <= found, "{found}");
            Ok(())
        };
        self.measured(&format!("{name}{labels:?} of {least} or more"), PATIENCE * 2, probe).await.map(drop)
    }

    /// What a metric says now.
    pub async fn metric(&self, name: &str, labels: &[(&str, &str)]) -> Result<f64> {
        Ok(self.controller.metrics().await?.sum(name, labels).unwrap_or_default())
    }

    /// How many writes of the budget of a Deployment were tried.
    pub fn tries(&self, mark: Mark, app: &str) -> usize {
        self.proxy.since(mark).count(&budget_of(app))
    }

    /// A controller that starts now finds nothing to do about the budgets: what there is is what a fresh look wants.
    pub async fn a_fresh_look_agrees(&mut self) -> Result<()> {
        let mark = self.proxy.mark();
        self.restart_controller().await?;
        // Judged after everything else was seen.
        self.deploy(&["canary"]).await?;
        self.settled(PATIENCE).await?;
        let requests = self.proxy.since(mark);
        let others = requests.count(&Which::writes().of(BUDGETS)) - requests.count(&budget_of("canary"));
        ensure!(others == 0, "a fresh look wrote {others} times: {:?}", requests.summary());
        Ok(())
    }

    /// Every budget of ours was created once only, unless it was `removed` by hand: by the audit log, which counts what
    /// took effect.
    pub fn none_was_made_twice(&self, removed: &[&str]) -> Result<()> {
        let mut made = BTreeSet::new();
        for event in self.cluster.plane.audit().events()? {
            let creates = event.user == ServiceAccount::USER && event.code == 201 && event.resource == BUDGETS;
            let again = removed.iter().any(|app| event.name == format!("{app}-deployment"));
            if creates && !again {
                ensure!(made.insert((event.namespace.clone(), event.name.clone())), "made twice: {event:?}");
            }
        }
        Ok(())
    }
}

/// The writes of the budget of a Deployment.
pub fn budget_of(app: &str) -> Which {
    Which::writes().of(BUDGETS).named(&format!("{app}-deployment"))
}

async fn start(cluster: &Cluster, proxy: &FaultProxy) -> Result<ControllerProcess> {
    let account = proxy.kubeconfig(&cluster.account().await?)?;
    let controller = ControllerProcess::builder(account).start()?;
    controller.ready(PATIENCE * 2).await?;
    controller.leads(PATIENCE).await?;
    Ok(controller)
}
