//! A cluster at one moment: read as the controller reads it, decided by the same functions, and asked about evictions.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use holdfast_api::{DisruptionPolicy, PolicyException};
use holdfast_model::facts::{Limit, Phase};
use holdfast_model::shapes::{self, Shape};
use holdfast_model::{Cluster, ObjectKey, PodOwner, Text, WorkloadRef};
use holdfast_policy::disruption::Settings;
use holdfast_policy::drain::{self, Drainer, Forecast};
use holdfast_policy::{Exception, NamespacePlan, Policies, plan_namespace};
use holdfast_testkit::Manifests;
use jiff::Timestamp;
use kube::Client;
use kube::api::{Api, EvictParams, ListParams, PostParams};
use serde_json::Value;

/// What is known of a cluster, what is decided about it, and what its eviction API answers.
pub(crate) struct Picture {
    pub(crate) cluster: Cluster,
    pub(crate) plans: Vec<NamespacePlan>,
    /// Ready pods by workload, and of these how many an eviction would be refused for.
    pub(crate) refused: BTreeMap<(Text, WorkloadRef), Evictions>,
    /// What draining each node would do.
    pub(crate) forecast: Forecast,
}

/// What the eviction API answers for the ready pods of a workload.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Evictions {
    pub(crate) ready: usize,
    pub(crate) refused: usize,
}

impl Picture {
    /// Reads everything and asks, without evicting, whether each ready pod could be.
    pub(crate) async fn take(client: &Client) -> Result<Self> {
        let cluster = read(client).await?;
        let policies = policies(client).await;
        let plans = plans(&cluster, &policies);
        let refused = ask(client, &cluster).await?;
        let forecast = drain::forecast(&cluster, Drainer::default(), Timestamp::now());
        Ok(Self { cluster, plans, refused, forecast })
    }

    /// What the same functions say of manifests that nobody has applied yet.
    pub(crate) fn of_files(folder: &Path) -> Result<Self> {
        let mut cluster = Cluster::default();
        for object in Manifests::read(folder)?.objects() {
            apply(&mut cluster, serde_json::to_value(object)?)?;
        }
        let plans = plans(&cluster, &Policies::default());
        Ok(Self { cluster, plans, refused: BTreeMap::new(), forecast: Forecast::default() })
    }

    /// The budgets that cover a workload, as they are written.
    pub(crate) fn budgets_of(&self, namespace: &Text, workload: &WorkloadRef) -> Vec<(Text, String, bool)> {
        let Some(view) = self.cluster.namespace(namespace) else { return Vec::new() };
        let Some(workload) = view.workload(workload) else { return Vec::new() };
        let covers = |budget: &holdfast_model::facts::Budget| budget.selection.matches(&workload.template);
        let budgets = view.budgets().filter(|(_, budget)| covers(budget));
        budgets.map(|(name, budget)| (name.clone(), written(budget.limit.as_ref().ok()), budget.is_ours())).collect()
    }

    /// All ready pods, and how many of them can't be evicted.
    pub(crate) fn evictions(&self) -> Evictions {
        let add = |sum: Evictions, one: &Evictions| Evictions {
            ready: sum.ready + one.ready,
            refused: sum.refused + one.refused,
        };
        self.refused.values().fold(Evictions::default(), add)
    }
}

fn plans(cluster: &Cluster, policies: &Policies) -> Vec<NamespacePlan> {
    let now = Timestamp::now();
    let views = cluster.namespace_names().filter_map(|name| cluster.namespace(name));
    views.map(|view| plan_namespace(view, policies, now)).collect()
}

/// Takes a manifest in, if it is of a kind that is read.
fn apply(cluster: &mut Cluster, object: Value) -> Result<()> {
    match object["kind"].as_str().unwrap_or_default() {
        "Namespace" => observe::<shapes::Namespace>(cluster, object),
        "Deployment" => observe::<shapes::Deployment>(cluster, object),
        "StatefulSet" => observe::<shapes::StatefulSet>(cluster, object),
        "DaemonSet" => observe::<shapes::DaemonSet>(cluster, object),
        "Job" => observe::<shapes::Job>(cluster, object),
        "CronJob" => observe::<shapes::CronJob>(cluster, object),
        "Pod" => observe::<shapes::Pod>(cluster, object),
        "PodDisruptionBudget" => observe::<shapes::PodDisruptionBudget>(cluster, object),
        "HorizontalPodAutoscaler" => observe::<shapes::HorizontalPodAutoscaler>(cluster, object),
        "ScaledObject" => observe::<shapes::ScaledObject>(cluster, object),
        "HelmRelease" => observe::<shapes::HelmRelease>(cluster, object),
        _ => Ok(()),
    }
}

fn observe<S: Shape>(cluster: &mut Cluster, object: Value) -> Result<()> {
    cluster.apply(serde_json::from_value::<S>(object)?);
    Ok(())
}

fn written(limit: Option<&Limit>) -> String {
    limit.map_or_else(|| "without a limit".to_owned(), ToString::to_string)
}

async fn read(client: &Client) -> Result<Cluster> {
    let mut cluster = Cluster::default();
    list::<shapes::Namespace>(client, &mut cluster).await?;
    list::<shapes::Node>(client, &mut cluster).await?;
    list::<shapes::PersistentVolume>(client, &mut cluster).await?;
    list::<shapes::PersistentVolumeClaim>(client, &mut cluster).await?;
    list::<shapes::Deployment>(client, &mut cluster).await?;
    list::<shapes::StatefulSet>(client, &mut cluster).await?;
    list::<shapes::DaemonSet>(client, &mut cluster).await?;
    list::<shapes::ReplicaSet>(client, &mut cluster).await?;
    list::<shapes::Job>(client, &mut cluster).await?;
    list::<shapes::CronJob>(client, &mut cluster).await?;
    list::<shapes::Pod>(client, &mut cluster).await?;
    list::<shapes::PodDisruptionBudget>(client, &mut cluster).await?;
    list::<shapes::HorizontalPodAutoscaler>(client, &mut cluster).await?;
    list::<shapes::ScaledObject>(client, &mut cluster).await?;
    list::<shapes::HelmRelease>(client, &mut cluster).await?;
    list::<shapes::Kustomization>(client, &mut cluster).await?;
    list::<shapes::VaultTransitUnseal>(client, &mut cluster).await?;
    Ok(cluster)
}

/// A kind that the server doesn't know has no objects.
async fn list<S: Shape + Clone + std::fmt::Debug>(client: &Client, cluster: &mut Cluster) -> Result<()> {
    match Api::<S>::all(client.clone()).list(&ListParams::default()).await {
        Ok(found) => found.into_iter().for_each(|object| drop(cluster.apply(object))),
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Without our definitions there are no policies.
async fn policies(client: &Client) -> Policies {
    let all = ListParams::default();
    let policies =
        Api::<DisruptionPolicy>::all(client.clone()).list(&all).await.map(|list| list.items).unwrap_or_default();
    let exceptions =
        Api::<PolicyException>::all(client.clone()).list(&all).await.map(|list| list.items).unwrap_or_default();
    let settings = policies.iter().filter_map(|policy| Settings::try_from(policy).ok());
    let exceptions = exceptions.iter().filter_map(|exception| {
        let namespace = exception.metadata.namespace.as_deref().unwrap_or_default();
        Some((Text::from(namespace), Exception::try_from(exception).ok()?))
    });
    Policies::new(settings, [], exceptions)
}

async fn ask(client: &Client, cluster: &Cluster) -> Result<BTreeMap<(Text, WorkloadRef), Evictions>> {
    let mut answers: BTreeMap<(Text, WorkloadRef), Evictions> = BTreeMap::new();
    let dry_run =
        EvictParams { post_options: PostParams { dry_run: true, field_manager: None }, ..EvictParams::default() };
    for view in cluster.namespace_names().filter_map(|name| cluster.namespace(name)) {
        for (name, pod) in view.pods().filter(|(_, pod)| pod.phase == Phase::Running && !pod.terminating) {
            let PodOwner::Workload(workload) = view.owner_of(pod) else { continue };
            // A drain leaves these alone.
            if workload.kind == holdfast_model::WorkloadKind::DaemonSet {
                continue;
            }
            let key = ObjectKey::new(view.name().clone(), name.clone());
            let pods: Api<k8s_openapi::api::core::v1::Pod> = Api::namespaced(client.clone(), &key.namespace);
            let refused = pods.evict(&key.name, &dry_run).await.is_err();
            let entry = answers.entry((key.namespace, workload)).or_default();
            entry.ready += 1;
            entry.refused += usize::from(refused);
        }
    }
    Ok(answers)
}
