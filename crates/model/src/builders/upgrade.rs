//! Upgrades.

use serde_json::Value;

use super::{Manifest, object};
use crate::Kind;

/// What carries an upgrade out.
#[derive(Clone, Debug)]
pub struct UpgradeBuilder(Value);

impl Manifest for UpgradeBuilder {
    fn json(&mut self) -> &mut Value {
        &mut self.0
    }
}

/// A TalosUpgrade of tuppr that hasn't begun.
#[must_use]
pub fn talos_upgrade(name: &str) -> UpgradeBuilder {
    UpgradeBuilder(object(Kind::TalosUpgrade, name))
}

/// A KubernetesUpgrade of tuppr that hasn't begun.
#[must_use]
pub fn kubernetes_upgrade(name: &str) -> UpgradeBuilder {
    UpgradeBuilder(object(Kind::KubernetesUpgrade, name))
}

/// A Plan of system-upgrade-controller that isn't being applied.
#[must_use]
pub fn upgrade_plan(path: &str) -> UpgradeBuilder {
    UpgradeBuilder(object(Kind::Plan, path))
}

/// A TalosControlPlane without machines.
#[must_use]
pub fn talos_control_plane(path: &str) -> UpgradeBuilder {
    UpgradeBuilder(object(Kind::TalosControlPlane, path))
}

impl UpgradeBuilder {
    /// tuppr's phase.
    #[must_use]
    pub fn phase(self, phase: &str) -> Self {
        self.with("/status/phase", phase)
    }

    /// The nodes that tuppr does now.
    #[must_use]
    pub fn doing<const N: usize>(self, nodes: [&str; N]) -> Self {
        self.with("/status/currentNodes", nodes.to_vec())
    }

    /// The nodes that a Plan is applied on.
    #[must_use]
    pub fn applying<const N: usize>(self, nodes: [&str; N]) -> Self {
        self.with("/status/applying", nodes.to_vec())
    }

    /// A control plane that should have so many machines, and has so many.
    #[must_use]
    pub fn machines(self, wanted: i64, there: i64) -> Self {
        self.with("/spec/replicas", wanted).with("/status/replicas", there).with("/status/readyReplicas", there)
    }
}
