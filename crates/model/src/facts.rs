//! Facts: what is kept of an object once its shape has been read. Small, interned, comparable.

mod budget;
mod flux;
mod node;
mod opt_out;
pub(crate) mod placement;
mod pod;
mod scaler;
mod upgrade;
mod workload;

pub use budget::{Budget, BudgetStatus, Limit, LimitError, Managers, UnhealthyPods};
pub use flux::{FluxHints, FluxKind, FluxObject, FluxOwner, InventoryEntry};
pub use node::{CORDON, Claim, Node, Room, Taint, Volume};
pub use opt_out::OptOut;
pub use placement::{Apart, Constraints, Effect, NodeRequirement, NodeTerm, NodeTerms, Placement, Spread, Toleration};
pub use pod::{Phase, Pod};
pub use scaler::{Scaler, ScalerSource};
pub use upgrade::{Progress, Upgrade};
pub use workload::{Singleness, Voters, Workload};

use crate::{Labels, Text};

/// What an object of any observed kind comes down to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A Namespace.
    Namespace(Namespace),
    /// Anything that makes pods.
    Workload(Workload),
    /// A ReplicaSet that a Deployment made: just the link.
    ReplicaOf {
        /// The Deployment's name.
        deployment: Text,
    },
    /// A Pod.
    Pod(Pod),
    /// A PodDisruptionBudget.
    Budget(Budget),
    /// An autoscaler of either kind.
    Scaler(Scaler),
    /// A HelmRelease or a Kustomization of Flux.
    Flux(FluxObject),
    /// A Node.
    Node(Node),
    /// A PersistentVolume.
    Volume(Volume),
    /// A PersistentVolumeClaim.
    Claim(Claim),
    /// An upgrade of nodes, of whichever kind.
    Upgrade(Upgrade),
}

/// A Namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its labels, which policies select by.
    pub labels: Labels,
    /// Whether it is being deleted: nothing new can be created in it then.
    pub terminating: bool,
    /// What its owner asked not to be judged.
    pub opt_out: OptOut,
}
