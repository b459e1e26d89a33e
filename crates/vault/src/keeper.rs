//! Keeps one resource: looks, decides, acts, tells, and waits for the next look.
//!
//! There is one for each resource, as a task that only the leader runs. A pass is the only place where the steps meet. A
//! resource that is well is glanced at; anything else is looked at as a whole, so that a cause that is gone is seen at the
//! next pass.

mod initialisation;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use holdfast_api::{REQUESTED_AT, VaultTransitUnseal, VaultTransitUnsealStatus};
use holdfast_runtime::lease::Leadership;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ObjectReference, Pod};
use kube::api::{Patch, PatchParams};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Resource as _, ResourceExt as _};
use parking_lot::Mutex;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::cause::{Cause, Gravity};
use crate::circle::circle;
use crate::claim::{Birth, Phase};
use crate::conflict::{Identity, older_rival};
use crate::diagnose::Diagnosis;
use crate::execute::{Done, Hands};
use crate::finalizer::{self, FINALIZER, Leave, Left, Remains};
use crate::init::order::Order;
use crate::init::{self, Initialiser, Sighting};
use crate::metrics::{Ended, Gauges};
use crate::next_step::{Memory, Step, Wait, next_step, renewal_due, with_hindrance};
use crate::observe::{Eyes, Look, Seen};
use crate::settings::{Invalid, Settings};
use crate::status::{self, Pass};
use crate::view::between;
use crate::wake::{Asked, Wakes, asked};

/// A resource that is well is looked at as a whole about this often: what a glance doesn't see is its role, its key, its Secret.
const WHOLE: Duration = Duration::from_secs(60);
/// After something was done the next look comes after this.
const SOON: Duration = Duration::from_millis(500);
/// How long a write of the status may take.
const ANSWER: Duration = Duration::from_secs(5);
/// Whose fields of a status are ours.
const MANAGER: &str = "holdfast/vault-status";

/// A resource, by namespace and name.
pub(crate) type Key = (String, String);

/// What all keepers have in common.
pub(crate) struct Shared {
    pub(crate) eyes: Eyes,
    pub(crate) hands: Hands,
    /// One for each namespace, as below.
    pub(crate) pods: Vec<Store<Pod>>,
    pub(crate) resources: Vec<Store<VaultTransitUnseal>>,
    pub(crate) leadership: Leadership,
    /// `None` without a spool.
    pub(crate) initialiser: Option<Initialiser>,
    pub(crate) wakes: Arc<Wakes>,
    /// What each resource that is kept stands for, whether it was looked at yet or not.
    pub(crate) identities: Mutex<BTreeMap<Key, Identity>>,
    /// What the metrics show of each.
    pub(crate) gauges: Mutex<BTreeMap<Key, Gauges>>,
}

/// Keeps one resource.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    key: Key,
    seen: Seen,
    memory: Memory,
    /// The status as it was written last, which the watch may not show yet.
    written: Option<VaultTransitUnsealStatus>,
    /// When the next whole look is due; until then a glance is enough.
    next_whole: Option<Instant>,
    last: Option<Option<Diagnosis>>,
    /// How far its initialisation had come, and why it didn't go on.
    initialisation: (Option<&'static str>, Option<String>),
    /// What a person changed last: the spec, or the annotation that asks for a look.
    asked: Option<Asked>,
}

impl Keeper {
    pub(crate) fn new(shared: Arc<Shared>, key: Key) -> Self {
        Self {
            shared,
            key,
            seen: Seen::default(),
            memory: Memory::default(),
            written: None,
            next_whole: None,
            last: None,
            initialisation: (None, None),
            asked: None,
        }
    }

    /// Runs until told to stop, or the resource is gone or another one.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let Some(resource) = self.resource() else { return };
        self.recall(&resource);
        let changed = self.shared.wakes.join(&resource);
        drop(resource);
        loop {
            let wait = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                wait = self.pass() => wait,
            };
            let Some(wait) = wait else { break };
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(wait) => {}
                () = changed.notified() => {}
            }
        }
        self.shared.wakes.leave(&self.key);
        self.shared.identities.lock().remove(&self.key);
        self.shared.gauges.lock().remove(&self.key);
    }

    /// What the process before this one knew stands in the status.
    fn recall(&mut self, resource: &VaultTransitUnseal) {
        let Some(known) = &resource.status else { return };
        self.seen.ledger = status::ledger(known);
        self.seen.unsealed = status::unsealed(known);
        self.memory.deleted = status::deleted(known);
        self.initialisation.0 = known.initialization.as_ref().and_then(|known| Some(known.phase?.as_str()));
    }

    fn resource(&self) -> Option<Arc<VaultTransitUnseal>> {
        let (namespace, name) = &self.key;
        let object = ObjectRef::new(name).within(namespace);
        self.shared.resources.iter().find_map(|store| store.get(&object))
    }

    /// One pass: how long to wait for the next; `None` when the resource is gone, or another one.
    async fn pass(&mut self) -> Option<Duration> {
        let resource = self.resource()?;
        let asked = Some(asked(&resource));
        if self.asked != asked {
            // Another resource of this name has no status yet, and whoever keeps it begins without what is known of this one.
            if self.asked.as_ref().zip(asked.as_ref()).is_some_and(|(before, now)| before.uid != now.uid) {
                return None;
            }
            self.asked = asked;
            self.next_whole = None;
        }
        let parsed = Settings::try_from(&*resource);
        if let Some(going) = &resource.metadata.deletion_timestamp {
            return Some(self.let_go(&resource, parsed.ok(), going.0).await);
        }
        let settings = match parsed {
            Ok(settings) => settings,
            Err(why) => {
                self.shared.identities.lock().insert(self.key.clone(), Identity::of(&resource));
                return Some(self.refuse(&resource, &why).await);
            }
        };
        if finalizer::is_wanted(&settings) != is_held(&resource) {
            self.shared.hands.finalizer(&resource, finalizer::is_wanted(&settings)).await;
        }
        let order = Order::from(&*resource);
        let (look, sight) = self.look(&settings, &order).await;
        let rival = self.rival(&resource, &settings, &look);
        let init = match rival {
            Some(_) => None,
            None => self.initialise(&settings, &order, &look, &sight).await,
        };
        let diagnosis = rival.clone().or_else(|| initialisation::found(&look.view, &settings, init.as_ref()));
        let cause = diagnosis.as_ref().map(|found| found.cause);
        let step = match rival {
            Some(_) => Step::Wait(Wait::ForPerson),
            None => next_step(&look.view, cause, &settings.allowed, &self.memory),
        };
        let diagnosis = with_hindrance(diagnosis, &step);
        let cause = diagnosis.as_ref().map(|found| found.cause);
        self.remember(&step, look.view.now);
        let about = resource.object_ref(&());
        self.tell(&about, diagnosis.as_ref());
        self.tell_initialisation(&about, &look.view, init.as_ref());
        let init = init.and_then(|progress| progress.step);
        self.report(&resource, &settings, &look, diagnosis.as_ref(), (&step, init.as_ref())).await;
        self.show(&settings, &look, cause);
        let done = self.shared.hands.execute(&step, &settings, &look, &mut self.seen, &mut self.memory, &about).await;
        // Nothing is only glanced at before its initialisation is through.
        let unread = matches!(look.view.birth.claim, Some(Phase::Unreadable { .. }));
        let begun = init.is_some_and(|step| step != init::Step::Rest);
        if unread || begun || done == Done::Something {
            self.next_whole = None;
        }
        Some(if done == Done::Something { SOON } else { wait(&settings, &look) })
    }

    /// The resource is going: what is ours on A is taken back first where the spec asks for it.
    async fn let_go(
        &mut self,
        resource: &VaultTransitUnseal,
        settings: Option<Settings>,
        going: Timestamp,
    ) -> Duration {
        if !is_held(resource) {
            return WHOLE;
        }
        let wanted = settings.as_ref().is_some_and(finalizer::is_wanted);
        let remains = match &settings {
            Some(settings) if wanted => self.shared.hands.remains(settings).await,
            Some(_) | None => Remains::Unseen,
        };
        let about = resource.object_ref(&());
        match (finalizer::leave(wanted, remains, between(going, Timestamp::now())), settings) {
            (Leave::TakeBack, Some(settings)) => {
                let look = self.shared.eyes.look(&settings, &mut self.seen, &[], Birth::default()).await;
                let (Some(a), Some(login)) = (&look.a, self.seen.session.token().cloned()) else { return SOON * 4 };
                if self.shared.hands.take_back(&settings, a, &login, &about).await == Done::Nothing {
                    return SOON * 4;
                }
            }
            (Leave::LetGo(left), _) => self.tell_left(&about, left),
            (Leave::Wait | Leave::TakeBack, _) => return SOON * 4,
        }
        self.shared.hands.finalizer(resource, false).await;
        SOON
    }

    fn tell_left(&self, about: &ObjectReference, left: Left) {
        let note = match left {
            Left::AsAsked => return,
            Left::ForTheServer => "the token isn't revoked: the StatefulSet or a volume of it is still there",
            Left::TooLate => {
                "the transit server couldn't be asked within a minute: a token, a policy and a role may be left there"
            }
        };
        self.shared.hands.announce(about, "NotRevoked", "Revoke", true, note.to_owned());
    }

    /// A glance when everything was well a short time ago, else a whole look.
    async fn look(&mut self, settings: &Settings, order: &Order) -> (Look, Sight) {
        let pods = self.shared.pods.iter().flat_map(Store::state);
        let pods: Vec<_> = pods.filter(|pod| pod.namespace().as_deref() == Some(&settings.namespace)).collect();
        let well = self.last == Some(None) && self.next_whole.is_some_and(|due| Instant::now() < due);
        if well && let Some(look) = Eyes::glance(settings, &self.seen, &pods).await {
            return (look, Sight::Glance);
        }
        let (birth, sighting) = self.birth(settings, order).await;
        let look = self.shared.eyes.look(settings, &mut self.seen, &pods, birth).await;
        self.next_whole = Some(Instant::now() + jittered(WHOLE, 0.25));
        if let Some(minted) = look.minted {
            self.memory.minted = Some(minted);
        }
        (look, Sight::Whole(sighting.map(Box::new)))
    }

    /// Whom this resource gives way to.
    fn rival(&self, resource: &VaultTransitUnseal, settings: &Settings, look: &Look) -> Option<Diagnosis> {
        let known = self.before(resource);
        // A sealed server doesn't tell its cluster: what it said last holds.
        let a = look.view.transit.facts.as_ref().and_then(|facts| facts.cluster_id.clone());
        let a = a.or_else(|| known.transit.and_then(|transit| transit.cluster_id));
        let cluster = look.view.target.server().and_then(|facts| facts.cluster_id.clone());
        let identity = Identity {
            cluster: cluster.or_else(|| known.server.and_then(|server| server.cluster_id)),
            key: a.map(|a| (a, settings.transit.mount.clone(), settings.transit.key.clone())),
            ..Identity::of(resource)
        };
        let mut identities = self.shared.identities.lock();
        identities.insert(self.key.clone(), identity);
        let ((namespace, name), what) = older_rival(&identities, &self.key)?;
        let message = format!("{namespace}/{name} is older and stands for {what}");
        Some(Diagnosis { cause: Cause::Conflict, message })
    }

    /// A deletion is remembered before it happens: the status that says so is written first.
    fn remember(&mut self, step: &Step, now: Timestamp) {
        if let Step::Delete { pod, .. } = step {
            self.memory.deleted.insert(pod.clone(), now);
        }
        self.memory.deleted.retain(|_, at| between(*at, now) < crate::next_step::ONCE_IN * 2);
    }

    /// A cause that is new, or gone, is an event.
    fn tell(&mut self, about: &ObjectReference, diagnosis: Option<&Diagnosis>) {
        let before = self.last.replace(diagnosis.cloned());
        if before.as_ref().map(Option::as_ref) == Some(diagnosis) {
            return;
        }
        let hands = &self.shared.hands;
        match diagnosis {
            Some(found) => {
                let warning = found.cause.gravity() != Gravity::Advice;
                let note = format!("{}. {}", found.message, found.cause.remedy());
                hands.announce(about, found.cause.as_str(), "Diagnose", warning, note);
            }
            None if before.flatten().is_some() => {
                hands.announce(about, "Cured", "Diagnose", false, "what was wrong is gone".to_owned());
            }
            None => {}
        }
    }

    async fn report(
        &mut self,
        resource: &VaultTransitUnseal,
        settings: &Settings,
        look: &Look,
        diagnosis: Option<&Diagnosis>,
        (step, init): (&Step, Option<&init::Step>),
    ) {
        let before = self.before(resource);
        let transit_seal = before.transit.as_ref().and_then(|transit| transit.seal_type.as_deref());
        let circle = circle(&self.shared.identities.lock(), &self.key);
        let requested_at = resource.annotations().get(REQUESTED_AT).map(String::as_str);
        let pass = Pass {
            settings,
            view: &look.view,
            diagnosis,
            step,
            init,
            circle: circle.as_deref(),
            ledger: &self.seen.ledger,
            memory: &self.memory,
            transit_seal,
            requested_at,
        };
        let after = status::status(&pass, &before);
        self.write(&before, after).await;
    }

    fn before(&self, resource: &VaultTransitUnseal) -> VaultTransitUnsealStatus {
        self.written.clone().or_else(|| resource.status.clone()).unwrap_or_default()
    }

    async fn refuse(&mut self, resource: &VaultTransitUnseal, why: &Invalid) -> Duration {
        let before = self.before(resource);
        let after = status::invalid(why, resource.metadata.generation, &before, Timestamp::now());
        self.write(&before, after).await;
        WHOLE
    }

    async fn write(&mut self, before: &VaultTransitUnsealStatus, after: VaultTransitUnsealStatus) {
        if *before == after || !self.shared.leadership.is_leader() {
            self.written.get_or_insert_with(|| before.clone());
            return;
        }
        let (namespace, name) = &self.key;
        let hands = &self.shared.hands;
        let api: Api<VaultTransitUnseal> = Api::namespaced(hands.kube.clone(), namespace);
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let patch = Patch::Merge(json!({ "status": replaced(before, &after) }));
        match timeout(ANSWER, api.patch_status(name, &params, &patch)).await {
            Ok(Ok(_)) => {
                hands.metrics.written(Ended::Well);
                self.written = Some(after);
            }
            Ok(Err(error)) => {
                hands.metrics.written(Ended::Badly);
                tracing::warn!(namespace, name, %error, "a status couldn't be written");
                self.written = None;
            }
            Err(_) => {
                hands.metrics.written(Ended::Unknown);
                self.written = None;
            }
        }
    }

    fn show(&self, settings: &Settings, look: &Look, cause: Option<Cause>) {
        let gauges = crate::board::gauges(settings, &look.view, self.written.as_ref(), cause);
        self.shared.gauges.lock().insert(self.key.clone(), gauges);
    }
}

/// How a pass looked.
enum Sight {
    /// Only whether everything is as before.
    Glance,
    /// At everything; with what was seen of an initialisation, where that could be.
    Whole(Option<Box<Sighting>>),
}

fn is_held(resource: &VaultTransitUnseal) -> bool {
    resource.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
}

/// The interval, jittered; less when the token has to be renewed before.
fn wait(settings: &Settings, look: &Look) -> Duration {
    let interval = jittered(settings.interval, 0.1);
    let due = renewal_due(&look.view, settings.allowed.limits.renew_at).map(|due| between(look.view.now, due));
    // One that is due already was tried a moment ago, and waits.
    due.filter(|due| !due.is_zero()).map_or(interval, |due| interval.min(due.max(SOON)))
}

/// A time that is longer or shorter by up to this part of it: those who began together don't ask together for long.
fn jittered(time: Duration, part: f64) -> Duration {
    time.mul_f64(1.0 - part + 2.0 * part * fastrand::f64())
}

/// A merge patch by which `before` becomes `after`: what is no longer there is taken away.
fn replaced(before: &VaultTransitUnsealStatus, after: &VaultTransitUnsealStatus) -> serde_json::Value {
    let (before, mut after) = (json!(before), json!(after));
    nulls(&before, &mut after);
    after
}

fn nulls(before: &serde_json::Value, after: &mut serde_json::Value) {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object_mut()) else { return };
    for (key, value) in before {
        match after.get_mut(key) {
            Some(now) => nulls(value, now),
            None => {
                after.insert(key.clone(), serde_json::Value::Null);
            }
        }
    }
}
