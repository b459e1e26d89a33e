//! Workloads: whatever makes pods from a template.

use super::{FluxHints, OptOut, Placement, SharedFacts};
use crate::selector::Selection;
use crate::{Labels, OwnerRef, Text, WorkloadRef};

/// A workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Its kind and name.
    pub id: WorkloadRef,
    /// Its UID; empty in files.
    pub uid: Box<str>,
    /// Its own labels, which policies and exceptions select by.
    pub labels: Labels,
    /// The labels of the pods it makes.
    pub template: Labels,
    /// Where the pods it makes may run.
    pub placement: Placement,
    /// What Pod Security reads of the pods it makes; none where the template has no containers. Only one that was inferred
    /// from the values of a chart has none, and what it doesn't say, the chart may.
    pub security: Option<SharedFacts>,
    /// Which pods it takes for its own.
    pub selection: Selection,
    /// `spec.replicas`; absent means 1.
    pub replicas: Option<u32>,
    /// Whether its pods come one after the other (a StatefulSet unless its `podManagementPolicy` is `Parallel`).
    pub ordered: bool,
    /// Its controller, else its first owner.
    pub owner: Option<OwnerRef>,
    /// What its labels and annotations say of a Flux owner.
    pub flux: FluxHints,
    /// What its owner asked not to be judged.
    pub opt_out: OptOut,
    /// What makes it a singleton.
    pub singleness: Singleness,
    /// Whether it was inferred by mere convention from the values of a chart that nobody read: what else that chart makes isn't known.
    pub guessed: bool,
    /// What few have.
    pub rare: Option<Box<Rare>>,
}

/// What few workloads have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rare {
    /// In what a quorum may show; only StatefulSets have it.
    pub voters: Option<Voters>,
    /// The value of its chart that takes the number of replicas, as a path; only what was inferred from a chart that is known
    /// tells.
    pub replicas_value: Option<Text>,
    /// The value of its chart that makes a budget over its pods, as a path; from the same source.
    pub budget_value: Option<Text>,
}

impl Rare {
    /// None when there is nothing.
    pub(crate) fn some(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// What makes a workload one that only one replica can run of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Singleness {
    /// `strategy.type: Recreate`.
    pub recreate: bool,
    /// It mounts a persistent volume claim.
    pub volume: bool,
    /// Its chart makes one replica whatever the values say; only what was inferred from a chart tells.
    pub fixed: bool,
    /// A second would say everything again that the first says; only what was inferred from a chart tells.
    pub repeats: bool,
}

/// In what the quorum of a StatefulSet may show. Kept only where an image or the annotation is a hint of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voters {
    /// Whether the annotation `holdfast.dev/quorum: "true"` says so.
    pub declared: bool,
    /// The images of its containers.
    pub images: Vec<Text>,
    /// Commands, arguments, and environment as `NAME=value`.
    pub words: Vec<Text>,
}

impl Voters {
    /// Software that may vote, by a word of its image's name. What votes is policy's to say; this only drops the
    /// arguments and environments of the thousands of workloads that certainly don't.
    const CANDIDATES: [&'static str; 7] = ["etcd", "zookeeper", "consul", "vault", "bao", "rabbitmq", "nats"];

    pub(crate) fn relevant(self) -> Option<Self> {
        let named = |image: &Text| Self::CANDIDATES.iter().any(|word| image.contains(word));
        (self.declared || self.images.iter().any(named)).then_some(self)
    }
}

impl Workload {
    /// In what its quorum may show.
    #[must_use]
    pub fn voters(&self) -> Option<&Voters> {
        self.rare.as_ref()?.voters.as_ref()
    }

    /// The value of its chart that takes the number of replicas.
    #[must_use]
    pub fn replicas_value(&self) -> Option<&Text> {
        self.rare.as_ref()?.replicas_value.as_ref()
    }

    /// The value of its chart that makes a budget over its pods.
    #[must_use]
    pub fn budget_value(&self) -> Option<&Text> {
        self.rare.as_ref()?.budget_value.as_ref()
    }
}
