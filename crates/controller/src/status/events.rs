//! Events on the objects that people look at: the workload, the budget, and the HelmRelease or Kustomization behind it.
//!
//! What is said, and about which object; how it is sent is in `holdfast_runtime::events`. The UID of an object is looked up
//! when its event is sent. Never with anything but names and numbers in it.

use std::convert::Infallible;
use std::sync::Arc;

use holdfast_model::facts::{FluxKind, FluxOwner};
use holdfast_model::{Kind, ObjectKey, Text, WorkloadRef};
use holdfast_policy::disruption::{Outcome, Write};
use holdfast_policy::upgrade::StuckDrain;
use holdfast_policy::{Finding, Severity};
use holdfast_runtime::events;
use holdfast_runtime::lease::Leadership;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use prometheus_client::metrics::counter::Counter;
use tokio_util::sync::CancellationToken;

use super::Act;
use crate::act::Queue;
use crate::view::View;

/// Who reports.
const REPORTER: &str = "holdfast.dev/controller";
/// The events that wait.
pub(crate) struct Events(events::Events<About>);

/// What sending them needs.
pub(crate) struct Teller {
    pub(crate) client: Client,
    pub(crate) view: Arc<View>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) leadership: Leadership,
    /// The name of this replica.
    pub(crate) instance: String,
    pub(crate) stop: CancellationToken,
}

type Announcement = events::Announcement<About>;

/// The object; its UID is looked up when the event is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
enum About {
    Workload(Text, WorkloadRef),
    Budget(ObjectKey),
    Flux(FluxOwner),
    Node(Text),
    Namespace(Text),
}

impl Events {
    /// `dropped` counts what can't be delivered.
    pub(crate) fn new(dropped: Counter) -> Self {
        Self(events::Events::new(dropped))
    }

    /// A finding that wasn't there before.
    pub(super) fn found(&self, finding: &Finding, outcomes: &[Outcome]) {
        let namespace = &finding.subject.namespace;
        let note = format!("{}: {}", finding.subject, finding.sentence());
        let say = |about| Announcement {
            about,
            reason: finding.rule.reason(),
            action: "Judge",
            warning: Severity::Low < finding.severity,
            note: note.clone(),
        };
        let mut owners: Vec<FluxOwner> = finding.owner.iter().cloned().collect();
        for workload in &finding.workloads {
            self.0.push(say(About::Workload(namespace.clone(), workload.clone())));
            let outcome = outcomes.iter().find(|outcome| outcome.workload == *workload);
            owners.extend(outcome.and_then(|outcome| outcome.owner.clone()));
        }
        if finding.subject.kind == Kind::PodDisruptionBudget.as_str() {
            self.0.push(say(About::Budget(ObjectKey::new(namespace.clone(), finding.subject.name.clone()))));
        }
        if finding.subject.kind == Kind::Namespace.as_str() {
            self.0.push(say(About::Namespace(finding.subject.name.clone())));
        }
        owners.sort();
        owners.dedup();
        owners.into_iter().for_each(|owner| self.0.push(say(About::Flux(owner))));
    }

    /// Something was done about the level of a namespace.
    pub(crate) fn level(&self, namespace: &Text, reason: &'static str, note: String) {
        let about = About::Namespace(namespace.clone());
        self.0.push(Announcement { about, reason, action: "Label", warning: false, note });
    }

    /// A drain that doesn't get on: told on the node, on the budgets, and where a person mends it.
    pub(crate) fn stuck(&self, stuck: &StuckDrain) {
        let node = std::iter::once(About::Node(stuck.node.clone()));
        let flux = stuck.flux.iter().cloned().map(About::Flux);
        for about in node.chain(stuck.budget_keys().map(About::Budget)).chain(flux) {
            let (reason, action, note) = ("DrainStuck", "Drain", stuck.message.clone());
            self.0.push(Announcement { about, reason, action, warning: true, note });
        }
    }

    /// What was done about a budget, said on its workload.
    pub(super) fn wrote(&self, act: Act, write: &Write) {
        let (reason, action) = match act {
            Act::Created => ("BudgetCreated", "Create"),
            Act::Updated => ("BudgetUpdated", "Update"),
            Act::Withdrawn => ("BudgetWithdrawn", "Withdraw"),
        };
        let (about, note) = match write {
            Write::Create(wanted) | Write::Update { wanted, .. } => {
                let about = About::Workload(wanted.key.namespace.clone(), wanted.workload.clone());
                (
                    about,
                    format!(
                        "disruption budget {} with {}, by DisruptionPolicy {}",
                        wanted.key.name, wanted.limit, wanted.policy.0
                    ),
                )
            }
            Write::Withdraw { key, reason, workload, .. } => {
                let about = match workload {
                    Some(workload) => About::Workload(key.namespace.clone(), workload.clone()),
                    None => About::Budget(key.clone()),
                };
                (about, format!("disruption budget {} withdrawn: {}", key.name, reason.sentence()))
            }
        };
        self.0.push(Announcement { about, reason, action, warning: false, note });
    }

    /// Sends what waits, until told to stop.
    pub(crate) async fn run(&self, teller: Teller) -> Result<(), Infallible> {
        let Teller { client, view, queue, leadership, instance, stop } = teller;
        let teller = events::Teller { client, leadership, reporter: REPORTER, instance, stop };
        let find = move |about: &About| view.read(|facts| about.reference(&facts.cluster));
        self.0.run(teller, find, || queue.idle()).await
    }
}

impl About {
    fn reference(&self, cluster: &holdfast_model::Cluster) -> Option<ObjectReference> {
        let (kind, key, uid) = match self {
            Self::Workload(namespace, id) => {
                let uid = cluster.namespace(namespace)?.workload(id)?.uid.clone();
                (id.kind.kind(), ObjectKey::new(namespace.clone(), id.name.clone()), uid)
            }
            Self::Budget(key) => (
                Kind::PodDisruptionBudget,
                key.clone(),
                cluster.namespace(&key.namespace)?.budget(&key.name)?.uid.clone(),
            ),
            Self::Flux(FluxOwner { kind: kind @ (FluxKind::HelmRelease | FluxKind::Kustomization), key }) => {
                (kind.kind(), key.clone(), cluster.flux_object(*kind, key)?.uid.clone())
            }
            Self::Namespace(name) => {
                let uid = cluster.namespace(name)?.namespace()?.uid.clone();
                (Kind::Namespace, ObjectKey::new("", name.clone()), uid)
            }
            // As the kubelet does it: by its name in the place of its UID, which `kubectl describe node` looks for too.
            Self::Node(name) => {
                cluster.node(name)?;
                (Kind::Node, ObjectKey::new("", name.clone()), name.as_str().into())
            }
        };
        Some(ObjectReference {
            api_version: Some(kind.api_version().to_owned()),
            kind: Some(kind.as_str().to_owned()),
            namespace: Some(key.namespace.to_string()).filter(|namespace| !namespace.is_empty()),
            name: Some(key.name.to_string()),
            uid: Some(uid.into()),
            ..ObjectReference::default()
        })
    }
}
