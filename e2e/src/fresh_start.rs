//! What a controller that starts now, knowing nothing but the cluster, would want: the judge after any story.
//!
//! Every kind is listed once and decided on by the same pure functions that the controller calls, twice. As things are,
//! there must be nothing left to write. And as if there were no budgets of ours, the budgets it would make must be those
//! that are there, field by field, so that none of them is there for what was before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write as _};

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{DisruptionPolicy, PolicyException};
use holdfast_model::facts::Budget;
use holdfast_model::shapes::{self, Shape, WORKLOAD};
use holdfast_model::{Cluster, Kind, NamespaceView, ObjectKey, Text};
use holdfast_policy::disruption::{Settings, Wanted, Write};
use holdfast_policy::{Exception, Policies, plan_namespace};
use jiff::Timestamp;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::serde::de::DeserializeOwned;
use kube::api::{Api, ListParams};
use kube::{Client, Resource, ResourceExt as _};
use serde_json::{Value, json};

/// Everything that decides, as it was when it was listed.
pub struct FreshStart {
    cluster: Cluster,
    policies: Policies,
    budgets: BTreeMap<ObjectKey, PodDisruptionBudget>,
    /// The UIDs of the DisruptionPolicies that are there.
    policy_uids: BTreeSet<String>,
    now: Timestamp,
}

/// What is compared of a budget; its name is apart.
#[derive(Clone, Debug, PartialEq)]
struct Portrait {
    name: Text,
    content: Value,
}

impl FreshStart {
    /// Lists everything.
    pub async fn of(client: &Client) -> Result<Self> {
        let mut cluster = Cluster::default();
        fill::<shapes::Namespace>(client, &mut cluster).await?;
        fill::<shapes::Deployment>(client, &mut cluster).await?;
        fill::<shapes::StatefulSet>(client, &mut cluster).await?;
        fill::<shapes::DaemonSet>(client, &mut cluster).await?;
        fill::<shapes::ReplicaSet>(client, &mut cluster).await?;
        fill::<shapes::Job>(client, &mut cluster).await?;
        fill::<shapes::CronJob>(client, &mut cluster).await?;
        fill::<shapes::Pod>(client, &mut cluster).await?;
        fill::<shapes::HorizontalPodAutoscaler>(client, &mut cluster).await?;
        fill::<shapes::ScaledObject>(client, &mut cluster).await?;
        fill::<shapes::HelmRelease>(client, &mut cluster).await?;
        fill::<shapes::Kustomization>(client, &mut cluster).await?;
        fill::<shapes::PodDisruptionBudget>(client, &mut cluster).await?;
        let now = Timestamp::now();
        let policies = list::<DisruptionPolicy>(client).await?;
        let policy_uids = policies.iter().filter_map(|policy| policy.uid()).collect();
        let policies = parsed(client, &policies, now).await?;
        let budgets = list::<PodDisruptionBudget>(client).await?.into_iter().map(|budget| (key(&budget), budget));
        Ok(Self { cluster, policies, budgets: budgets.collect(), policy_uids, now })
    }

    /// How many budgets of ours there are.
    #[must_use]
    pub fn ours(&self) -> usize {
        self.held().count()
    }

    /// Fails unless everything is exactly as a fresh start would have it.
    pub fn finds_everything_done(&self) -> Result<()> {
        self.has_nothing_to_write()?;
        self.has_nothing_to_collect()?;
        self.would_make_what_is_there()?;
        self.finds_none_twice()
    }

    /// Nothing that the plan of any namespace would write. What is going has no plan, so nothing may be going.
    fn has_nothing_to_write(&self) -> Result<()> {
        for view in self.namespaces() {
            let namespace = view.namespace().with_context(|| format!("{} has no Namespace", view.name()))?;
            ensure!(!namespace.terminating, "{} is still being deleted", view.name());
            let plan = plan_namespace(view, &self.policies, self.now);
            ensure!(plan.writes.is_empty(), "{} has to be written: {:#?}", view.name(), plan.writes);
        }
        Ok(())
    }

    /// A budget that somebody edited keeps its policy as an owner and goes with it, whenever the garbage collector comes to it.
    fn has_nothing_to_collect(&self) -> Result<()> {
        for (key, budget) in &self.budgets {
            let owners = budget.owner_references().iter().filter(|owner| owner.kind == DisruptionPolicy::kind(&()));
            let gone = owners.filter(|owner| !self.policy_uids.contains(&owner.uid)).count();
            ensure!(gone == 0, "{key:?} is garbage that will be collected");
        }
        Ok(())
    }

    /// Without ours, the plan would make ours.
    fn would_make_what_is_there(&self) -> Result<()> {
        let found: Vec<_> = self.held().map(|key| (key.namespace.clone(), self.portrait(&key))).collect();
        let found = by_workload(found)?;
        let mut cluster = self.cluster.clone();
        for key in self.held() {
            cluster.delete(Kind::PodDisruptionBudget, &key);
        }
        let views = cluster.namespace_names().filter_map(|name| cluster.namespace(name));
        let writes = views.flat_map(|view| plan_namespace(view, &self.policies, self.now).writes);
        let wanted = writes.map(|write| match write {
            Write::Create(wanted) => Ok((wanted.key.namespace.clone(), portrait_of(&wanted))),
            other @ (Write::Update { .. } | Write::Withdraw { .. }) => anyhow::bail!("without ours: {other:?}"),
        });
        let wanted = by_workload(wanted.collect::<Result<Vec<_>>>()?)?;
        compare(&wanted, &found)
    }

    /// No workload has two budgets of ours, and no pod that ours covers is covered by another.
    fn finds_none_twice(&self) -> Result<()> {
        for view in self.namespaces() {
            let mut served = BTreeSet::new();
            for (name, budget) in view.budgets().filter(|(_, budget)| budget.is_held()) {
                ensure!(served.insert(&budget.workload), "{}/{name}: another is for it too", view.name());
            }
            for (name, pod) in view.pods().filter(|(_, pod)| !pod.phase.is_finished()) {
                let covers = |(_, budget): &(&Text, &Budget)| budget.selection.matches(&pod.labels);
                let covering: Vec<_> = view.budgets().filter(covers).collect();
                let ours = covering.iter().any(|(_, budget)| budget.is_held());
                let names: Vec<_> = covering.iter().map(|(name, _)| name.as_str()).collect();
                ensure!(!ours || covering.len() == 1, "pod {}/{name} is covered by {names:?}", view.name());
            }
        }
        Ok(())
    }

    fn namespaces(&self) -> impl Iterator<Item = NamespaceView<'_>> {
        self.cluster.namespace_names().filter_map(|name| self.cluster.namespace(name))
    }

    fn held(&self) -> impl Iterator<Item = ObjectKey> {
        self.namespaces().flat_map(|view| {
            let held = view.budgets().filter(|(_, budget)| budget.is_held());
            held.map(move |(name, _)| ObjectKey::new(view.name().clone(), name.clone()))
        })
    }

    fn portrait(&self, key: &ObjectKey) -> Portrait {
        let content = self.budgets.get(key).map(content).unwrap_or_default();
        Portrait { name: key.name.clone(), content }
    }
}

fn compare(wanted: &BTreeMap<String, Portrait>, found: &BTreeMap<String, Portrait>) -> Result<()> {
    let mut differences = String::new();
    for workload in wanted.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
        match (wanted.get(workload), found.get(workload)) {
            (Some(wanted), Some(found)) if is_same(wanted, found) => {}
            (wanted, found) => writeln!(differences, "{workload}: wanted {wanted:#?}, found {found:#?}")?,
        }
    }
    ensure!(differences.is_empty(), "a fresh start would have made others:\n{differences}");
    Ok(())
}

/// A name that somebody had when ours was made may be free by now; ours isn't renamed.
fn is_same(wanted: &Portrait, found: &Portrait) -> bool {
    let renamed = found.name.len() == wanted.name.len() + "-00000000".len() && found.name.starts_with(&*wanted.name);
    wanted.content == found.content && (wanted.name == found.name || renamed)
}

fn by_workload(portraits: Vec<(Text, Portrait)>) -> Result<BTreeMap<String, Portrait>> {
    let mut found = BTreeMap::new();
    for (namespace, portrait) in portraits {
        let workload = portrait.content["annotations"][WORKLOAD].as_str().unwrap_or_default();
        let workload = format!("{namespace}/{workload}");
        let before = found.insert(workload.clone(), portrait);
        ensure!(before.is_none(), "{workload} has two: {before:?}");
    }
    Ok(found)
}

fn portrait_of(wanted: &Wanted) -> Portrait {
    Portrait { name: wanted.key.name.clone(), content: content(&wanted.manifest()) }
}

fn content(budget: &PodDisruptionBudget) -> Value {
    let meta = &budget.metadata;
    json!({
        "spec": budget.spec, "labels": meta.labels, "annotations": meta.annotations, "owners": meta.owner_references,
    })
}

async fn fill<S: Shape + Clone + Debug>(client: &Client, cluster: &mut Cluster) -> Result<()> {
    for object in list::<S>(client).await? {
        cluster.apply(object);
    }
    Ok(())
}

/// Fails while an exception is going to end: what is right now would be wrong then.
async fn parsed(client: &Client, policies: &[DisruptionPolicy], now: Timestamp) -> Result<Policies> {
    let staying = policies.iter().filter(|policy| policy.metadata.deletion_timestamp.is_none());
    let settings = staying.map(|policy| Ok(Settings::try_from(policy)?)).collect::<Result<Vec<_>>>()?;
    let exceptions = list::<PolicyException>(client).await?;
    let exceptions = exceptions.iter().map(|exception| {
        let ends = exception.spec.expires_at.as_ref().map(|end| end.0);
        ensure!(ends.is_none_or(|end| end <= now), "{} ends soon, which changes everything", exception.name_any());
        let namespace = Text::from(exception.namespace().unwrap_or_default());
        Ok((namespace, Exception::try_from(exception)?))
    });
    Ok(Policies::new(settings, [], exceptions.collect::<Result<Vec<_>>>()?))
}

/// Of a kind that isn't installed there are none.
async fn list<K>(client: &Client) -> Result<Vec<K>>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    match Api::<K>::all(client.clone()).list(&ListParams::default()).await {
        Ok(list) => Ok(list.items),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("listing {}", K::plural(&()))),
    }
}

fn key(budget: &PodDisruptionBudget) -> ObjectKey {
    ObjectKey::new(budget.namespace().unwrap_or_default(), budget.name_any())
}
