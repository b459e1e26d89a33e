//! What carries upgrades of nodes out. Kept apart: whether one is under way concerns no namespace more than another.

use std::collections::BTreeMap;

use crate::facts::Upgrade;
use crate::{Kind, ObjectKey, Touched};

/// All of them, by kind and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Upgrades(BTreeMap<(Kind, ObjectKey), Upgrade>);

impl Upgrades {
    /// No namespace is planned anew for an upgrade: what waits for one is asked again when it ends.
    pub(super) fn insert(&mut self, kind: Kind, key: &ObjectKey, upgrade: Upgrade) -> Touched {
        let changed = self.0.get(&(kind, key.clone())) != Some(&upgrade);
        self.0.insert((kind, key.clone()), upgrade);
        if changed { Touched::Upgrades } else { Touched::Nothing }
    }

    pub(super) fn remove(&mut self, kind: Kind, key: &ObjectKey) -> Touched {
        if self.0.remove(&(kind, key.clone())).is_some() { Touched::Upgrades } else { Touched::Nothing }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Kind, &ObjectKey, &Upgrade)> {
        self.0.iter().map(|((kind, key), upgrade)| (*kind, key, upgrade))
    }

    pub(super) fn keys(&self, kind: Kind) -> impl Iterator<Item = &ObjectKey> {
        self.0.keys().filter(move |(known, _)| *known == kind).map(|(_, key)| key)
    }
}
