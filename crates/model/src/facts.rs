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
pub use namespace::{Namespace, OfFiles, Writers};
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
pub use workload::{Rare, Singleness, Voters, Workload};

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

#[cfg(test)]
mod tests {
    use super::{Pod, Workload};
    use crate::{Labels, selector::Selection};

    /// A byte in each is 40 KiB in a cluster of 30,000 pods. Whoever adds a field that few have puts it behind a box.
    #[test]
    fn what_there_are_thousands_of_is_small() {
        assert_eq!((size_of::<Labels>(), size_of::<Selection>()), (24, 16));
        assert!(size_of::<Pod>() <= 88, "a Pod takes {} bytes", size_of::<Pod>());
        assert!(size_of::<Workload>() <= 176, "a Workload takes {} bytes", size_of::<Workload>());
    }
}
