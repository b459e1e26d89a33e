//! What is known of upgrades in this process: looked at with every forecast, asked before a budget is withdrawn.
//!
//! What an upgrade is and what waits for one is decided in `policy::upgrade`; here is the one memory that its two askers share,
//! and what is announced of drains that are stuck: once while it lasts, by the leader.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Kind, Text};
use holdfast_policy::drain::NodeForecast;
use holdfast_policy::drain::gate::Settings;
use holdfast_policy::upgrade::{Freeze, Left, Look, Sight, StuckDrain, Watch};
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::status::Events;
use crate::view::{Facts, KnownReadiness, View};

/// The memory, and what the gauges show of it.
pub(crate) struct Upgrades {
    inner: Mutex<Inner>,
    events: Arc<Events>,
    /// Somebody has looked: what waits may go on.
    pub(crate) looked: Notify,
}

#[derive(Default)]
struct Inner {
    /// None until somebody has looked for the first time.
    watch: Option<Watch>,
    announced: BTreeSet<(Text, Text, Vec<Text>)>,
    in_progress: bool,
    stuck: usize,
}

/// The forecast, and by what it was made.
pub(crate) struct Forecasted<'a> {
    pub(crate) nodes: &'a [NodeForecast],
    pub(crate) settings: &'a Settings,
    /// The kinds of upgrades that haven't been seen for a while.
    pub(crate) unseen: &'a [Kind],
    /// Whether all others are in step.
    pub(crate) settled: bool,
}

impl Upgrades {
    pub(crate) fn new(events: Arc<Events>) -> Self {
        Self { inner: Mutex::default(), events, looked: Notify::new() }
    }

    /// Looks at all there is, and announces what is new if we lead.
    pub(crate) fn look(&self, facts: &Facts, forecasted: &Forecasted<'_>, leads: bool, now: Timestamp) -> Look {
        let mut inner = self.inner.lock();
        let sight = Sight {
            cluster: &facts.cluster,
            forecast: forecasted.nodes,
            settings: forecasted.settings,
            unseen: forecasted.unseen,
            settled: forecasted.settled,
        };
        let look = inner.watch.get_or_insert_with(|| Watch::left(left(facts))).look(sight, now);
        inner.in_progress = look.upgrade.is_some();
        inner.stuck = look.stuck.iter().map(|stuck| &stuck.node).collect::<BTreeSet<_>>().len();
        self.announce(&mut inner, &look.stuck, leads);
        drop(inner);
        self.looked.notify_one();
        look
    }

    /// Asks what has to wait now.
    pub(crate) fn ask<T>(&self, view: &View, now: Timestamp, asked: impl FnOnce(&Freeze<'_>) -> T) -> T {
        let unseen = view.unseen_upgrades(Duration::ZERO);
        view.read(|facts| {
            let mut inner = self.inner.lock();
            let watch = inner.watch.get_or_insert_with(|| Watch::left(left(facts)));
            asked(&watch.freeze(&facts.cluster, &unseen, now))
        })
    }

    /// Whether an upgrade is under way, and on how many nodes a drain is stuck.
    pub(crate) fn gauged(&self) -> (bool, usize) {
        let inner = self.inner.lock();
        (inner.in_progress, inner.stuck)
    }

    /// Whoever leads announces; on taking over it is told once more, under the same name.
    fn announce(&self, inner: &mut Inner, stuck: &[StuckDrain], leads: bool) {
        if !leads {
            inner.announced.clear();
            return;
        }
        let key = |stuck: &StuckDrain| (stuck.node.clone(), stuck.namespace.clone(), stuck.budgets.clone());
        let now = stuck.iter().map(key).collect();
        let before = std::mem::replace(&mut inner.announced, now);
        for new in stuck.iter().filter(|stuck| !before.contains(&key(stuck))) {
            tracing::info!(node = %new.node, namespace = %new.namespace, "a drain is stuck");
            self.events.stuck(new);
        }
    }
}

/// What our status says of an upgrade that nothing waits for any longer.
fn left(facts: &Facts) -> Option<Left> {
    match facts.readiness.get()? {
        KnownReadiness::Decoded { raw, .. } => {
            let upgrade = raw.status.as_ref()?.upgrade.clone().filter(|upgrade| !upgrade.frozen)?;
            Some(Left { kind: upgrade.kind, name: upgrade.name, phase: upgrade.phase, nodes: upgrade.nodes })
        }
        KnownReadiness::Unreadable { .. } => None,
    }
}
