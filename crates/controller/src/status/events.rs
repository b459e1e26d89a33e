//! Events on the objects that people look at: the workload, the budget, and the HelmRelease or Kustomization behind it.
//!
//! Best effort: a bounded queue, a bounded rate, dropped and counted beyond that and when another leads. An event's name comes from what it says
//! about which object, so that saying it again (after a restart, by the next leader) is answered with 409 and changes
//! nothing. Never with anything but names and numbers in it.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use holdfast_model::facts::{FluxKind, FluxOwner};
use holdfast_model::{Kind, ObjectKey, Text, WorkloadRef};
use holdfast_policy::disruption::{Outcome, Write};
use holdfast_policy::upgrade::StuckDrain;
use holdfast_policy::{Finding, Severity};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Client;
use kube::api::{Api, PostParams};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Act;
use crate::act::Queue;
use crate::lease::Leadership;
use crate::metrics::Metrics;
use crate::view::View;

/// Who reports.
const REPORTER: &str = "holdfast.dev/controller";
/// At most so many events wait.
const CAPACITY: usize = 2_000;
/// So many events a second, after a burst.
const RATE: NonZeroU32 = NonZeroU32::new(20).expect("invariant: twenty isn't zero");
const BURST: NonZeroU32 = NonZeroU32::new(100).expect("invariant: a hundred isn't zero");
/// How long one event may take.
const ANSWER: Duration = Duration::from_secs(5);
/// Where events about what has no namespace are kept (`kubernetes/pkg/apis/core/validation/events.go`).
const NOWHERE: &str = "default";
/// The longest note that the API server accepts, in bytes.
const LONGEST_NOTE: usize = 1024;

/// For how long an event lets the writes go first.
const COURTESY: Duration = Duration::from_secs(5);

/// The events that wait.
pub(crate) struct Events {
    waiting: Mutex<VecDeque<Announcement>>,
    more: Notify,
    metrics: Metrics,
}

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

/// Something to be said about an object.
#[derive(Debug, Clone)]
pub(super) struct Announcement {
    about: About,
    reason: &'static str,
    action: &'static str,
    warning: bool,
    note: String,
}

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
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { waiting: Mutex::default(), more: Notify::new(), metrics }
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
            self.push(say(About::Workload(namespace.clone(), workload.clone())));
            let outcome = outcomes.iter().find(|outcome| outcome.workload == *workload);
            owners.extend(outcome.and_then(|outcome| outcome.owner.clone()));
        }
        if finding.subject.kind == Kind::PodDisruptionBudget.as_str() {
            self.push(say(About::Budget(ObjectKey::new(namespace.clone(), finding.subject.name.clone()))));
        }
        if finding.subject.kind == Kind::Namespace.as_str() {
            self.push(say(About::Namespace(finding.subject.name.clone())));
        }
        owners.sort();
        owners.dedup();
        owners.into_iter().for_each(|owner| self.push(say(About::Flux(owner))));
    }

    /// Something was done about the level of a namespace.
    pub(crate) fn level(&self, namespace: &Text, reason: &'static str, note: String) {
        let about = About::Namespace(namespace.clone());
        self.push(Announcement { about, reason, action: "Label", warning: false, note });
    }

    /// A drain that doesn't get on: told on the node, on the budgets, and where a person mends it.
    pub(crate) fn stuck(&self, stuck: &StuckDrain) {
        let node = std::iter::once(About::Node(stuck.node.clone()));
        let flux = stuck.flux.iter().cloned().map(About::Flux);
        for about in node.chain(stuck.budget_keys().map(About::Budget)).chain(flux) {
            let (reason, action, note) = ("DrainStuck", "Drain", stuck.message.clone());
            self.push(Announcement { about, reason, action, warning: true, note });
        }
    }

    /// Adds one, unless too many wait.
    pub(super) fn push(&self, announcement: Announcement) {
        let mut waiting = self.waiting.lock();
        if CAPACITY <= waiting.len() {
            self.metrics.dropped_event();
            return;
        }
        waiting.push_back(announcement);
        drop(waiting);
        self.more.notify_one();
    }

    /// Sends what waits, until told to stop. What is to be written comes before what is told of it: both take the same
    /// server's time.
    pub(crate) async fn run(&self, teller: Teller) -> Result<(), std::convert::Infallible> {
        let limiter: DefaultDirectRateLimiter = RateLimiter::direct(Quota::per_second(RATE).allow_burst(BURST));
        loop {
            let announcement = tokio::select! {
                biased;
                () = teller.stop.cancelled() => return Ok(()),
                announcement = self.next() => announcement,
            };
            tokio::select! {
                () = teller.stop.cancelled() => return Ok(()),
                _ = timeout(COURTESY, teller.queue.idle()) => {}
            }
            // What the next leader finds it tells by itself.
            if !teller.leadership.is_leader() {
                self.metrics.dropped_event();
                continue;
            }
            limiter.until_ready().await;
            self.send(&teller, announcement).await;
        }
    }

    async fn next(&self) -> Announcement {
        loop {
            let more = self.more.notified();
            if let Some(announcement) = self.waiting.lock().pop_front() {
                return announcement;
            }
            more.await;
        }
    }

    async fn send(&self, teller: &Teller, announcement: Announcement) {
        // What is gone by now needs no event.
        let Some(regarding) = teller.view.read(|facts| announcement.about.reference(&facts.cluster)) else { return };
        let namespace = regarding.namespace.clone().unwrap_or_else(|| NOWHERE.to_owned());
        let event = announcement.event(regarding, &namespace, &teller.instance);
        let api: Api<Event> = Api::namespaced(teller.client.clone(), &namespace);
        let params = PostParams::default();
        match timeout(ANSWER, api.create(&params, &event)).await {
            Ok(Ok(_)) => {}
            // Said already.
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => {}
            Ok(Err(error)) => {
                self.metrics.dropped_event();
                tracing::debug!(%error, namespace, "an event could not be sent");
            }
            Err(_) => self.metrics.dropped_event(),
        }
    }
}

impl Announcement {
    /// What was done about a budget, said on its workload.
    pub(super) fn of_write(act: Act, write: &Write) -> Self {
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
        Self { about, reason, action, warning: false, note }
    }

    fn event(self, regarding: ObjectReference, namespace: &str, instance: &str) -> Event {
        let said = format!("{:?}{}{}", regarding.uid, self.reason, self.note);
        let name = regarding.name.as_deref().unwrap_or_default();
        let cut: String = name.chars().take(200).collect();
        let now = Timestamp::now();
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{}.{:016x}", cut.trim_end_matches(['.', '-']), fnv1a(said.as_bytes()))),
                namespace: Some(namespace.to_owned()),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(now)),
            type_: Some(if self.warning { "Warning" } else { "Normal" }.to_owned()),
            reason: Some(self.reason.to_owned()),
            action: Some(self.action.to_owned()),
            note: Some(shortened(self.note)),
            reporting_controller: Some(REPORTER.to_owned()),
            reporting_instance: Some(instance.chars().take(128).collect()),
            regarding: Some(regarding),
            ..Event::default()
        }
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

fn shortened(mut note: String) -> String {
    let mut end = LONGEST_NOTE.min(note.len());
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    note.truncate(end);
    note
}

/// FNV-1a (RFC 9923), 64 bits: the same in every replica and every build.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
