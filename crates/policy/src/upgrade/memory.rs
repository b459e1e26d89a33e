//! What is remembered of one upgrade: how it looked, and when it last moved.

use holdfast_model::facts::{Progress, Upgrade};
use holdfast_model::{Kind, Text};
use jiff::{SignedDuration, Timestamp};

use super::Upgrader;

/// For how long an upgrade may stand still and keep others waiting.
const PATIENCE: SignedDuration = SignedDuration::from_hours(6);

/// How an upgrade looks. Whatever of it is different has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// What it says; none for a node, and for what can't be read.
    pub(super) upgrade: Option<Upgrade>,
    /// Pods that are still to be evicted from its nodes, those that are cordoned; none until somebody has counted.
    pub(super) left: Option<usize>,
    pub(super) is_node: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Memory {
    pub(super) form: Form,
    /// Since when its nodes are being done.
    pub(super) since: Timestamp,
    moved: Timestamp,
}

impl Memory {
    pub(super) fn of(form: Form, before: Option<Self>, now: Timestamp) -> Self {
        let Some(before) = before else { return Self { form, since: now, moved: now } };
        // Counting for the first time is no movement.
        let counted = before.form.left.is_some();
        let same = before.form.upgrade == form.upgrade && (before.form.left == form.left || !counted);
        let same_nodes = nodes(&before.form) == nodes(&form);
        Self { since: if same_nodes { before.since } else { now }, moved: if same { before.moved } else { now }, form }
    }

    /// Whether it has moved within the time that others wait for it.
    pub(super) fn moves(&self, now: Timestamp) -> bool {
        now < self.end()
    }

    /// When it will have stood still for too long, if it moves now.
    pub(super) fn stalls_at(&self, now: Timestamp) -> Option<Timestamp> {
        Some(self.end()).filter(|end| now < *end)
    }

    /// It has stood still for too long already.
    pub(super) fn stall(&mut self, now: Timestamp) {
        self.moved = now.checked_sub(PATIENCE).unwrap_or(Timestamp::MIN);
    }

    /// Whether others wait for it. A node of which nobody has counted the pods may be one that is being emptied.
    pub(super) fn is_under_way(&self, now: Timestamp) -> bool {
        self.moves(now) && !(self.form.is_node && self.form.left == Some(0))
    }

    /// Whether it is an upgrade at all: a node that is empty or that nothing moves on is only cordoned.
    pub(super) fn is_told(&self, now: Timestamp) -> bool {
        !self.form.is_node || (self.moves(now) && self.form.left.is_some_and(|left| 0 < left))
    }

    pub(super) fn nodes(&self) -> &[Text] {
        nodes(&self.form)
    }

    /// Its phase; of our own making where it has none.
    pub(super) fn phase(&self) -> Text {
        match &self.form.upgrade {
            Some(upgrade) => upgrade.phase.clone(),
            None if self.form.is_node => "Draining".into(),
            None => "Unknown".into(),
        }
    }

    /// Why it isn't known how far it is.
    pub(super) fn unknown(&self, upgrader: &Upgrader) -> Option<&'static str> {
        match (&self.form.upgrade, upgrader.kind) {
            (Some(Upgrade { progress: Progress::Unknown, .. }), _) => {
                Some("its phase isn't known here, so it may be under way")
            }
            (Some(Upgrade { progress: Progress::Active | Progress::Idle, .. }), _) | (None, Kind::Node) => None,
            (None, _) if upgrader.key.name.is_empty() => Some("the kind can't be watched, so one may be under way"),
            (None, _) => Some("it can't be read, so it may be under way"),
        }
    }

    fn end(&self) -> Timestamp {
        self.moved.checked_add(PATIENCE).unwrap_or(Timestamp::MAX)
    }
}

fn nodes(form: &Form) -> &[Text] {
    form.upgrade.as_ref().map_or(&[], |upgrade| &upgrade.nodes)
}
