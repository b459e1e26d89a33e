//! Facts: what is kept of an object once its shape has been read. Small, interned, comparable.

mod budget;
mod flux;
mod namespace;
mod node;
mod opt_out;
pub(crate) mod placement;
mod pod;
mod rejection;
mod scaler;
mod security;
mod unseal;
mod upgrade;
mod workload;

pub use budget::{Budget, BudgetStatus, Limit, LimitError, Managers, UnhealthyPods};
pub use flux::{FluxHints, FluxKind, FluxObject, FluxOwner, InventoryEntry};
pub use namespace::{Namespace, Writers};
pub use node::{CORDON, Claim, Node, Room, Taint, Volume};
pub use opt_out::OptOut;
pub use placement::{
    Apart, Constraints, Effect, HOSTNAME, NodeRequirement, NodeTerm, NodeTerms, Placement, Spread, Toleration,
};
pub use pod::{Moment, Phase, Pod};
pub use rejection::Rejection;
pub use scaler::{Scaler, ScalerSource};
pub use security::SharedFacts;
pub use unseal::{Prospect, Refusal, Unseal};
pub use upgrade::{Progress, Upgrade};
pub use workload::{Singleness, Voters, Workload};

use crate::Text;

/// What an object of any observed kind comes down to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A Namespace.
    Namespace(Box<Namespace>),
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
    /// An Event: that Pod Security refused pods, or nothing that is read.
    Rejection(Option<Rejection>),
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
    /// A VaultTransitUnseal.
    Unseal(Unseal),
}
