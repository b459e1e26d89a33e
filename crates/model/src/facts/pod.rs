//! Pods.

use std::num::NonZeroU32;

use jiff::Timestamp;

use super::{Placement, SharedFacts};
use crate::{Labels, OwnerRef, Slice, Text};

/// A Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its labels, which budgets select by.
    pub labels: Labels,
    /// Its controller, else its first owner. The owner of a mirror pod is its Node.
    pub owner: Option<OwnerRef>,
    /// Its phase.
    pub phase: Phase,
    /// Whether its condition `Ready` is true.
    pub ready: bool,
    /// Since when it is ready, where it is and that is told.
    pub ready_since: Option<Moment>,
    /// Whether it is being deleted.
    pub terminating: bool,
    /// The node it runs on, once scheduled.
    pub node: Option<Text>,
    /// Where it may run.
    pub placement: Placement,
    /// What Pod Security reads of it.
    pub security: SharedFacts,
    /// The claims it mounts.
    pub claims: Slice<Text>,
}

/// A time to the second, in four bytes: there are many pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment(NonZeroU32);

impl Moment {
    /// That second; none before 1970 and after 2106, when nothing runs that is watched here.
    #[must_use]
    pub fn of(time: Timestamp) -> Option<Self> {
        u32::try_from(time.as_second()).ok().and_then(NonZeroU32::new).map(Self)
    }

    /// Its beginning.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_second(self.0.get().into()).unwrap_or(Timestamp::MAX)
    }
}

/// The phase of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Not all containers have started.
    Pending,
    /// At least one container runs.
    Running,
    /// All containers ended well.
    Succeeded,
    /// All containers ended, one of them badly.
    Failed,
    /// Anything else, such as `Unknown`.
    Unknown,
}

impl Phase {
    pub(crate) fn of(phase: Option<&str>) -> Self {
        match phase {
            None | Some("Pending") => Self::Pending,
            Some("Running") => Self::Running,
            Some("Succeeded") => Self::Succeeded,
            Some("Failed") => Self::Failed,
            Some(_) => Self::Unknown,
        }
    }

    /// Whether the pod hasn't begun.
    #[must_use]
    pub fn is_pending(self) -> bool {
        match self {
            Self::Pending => true,
            Self::Running | Self::Succeeded | Self::Failed | Self::Unknown => false,
        }
    }

    /// Whether the pod has ended for good.
    #[must_use]
    pub fn is_finished(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed => true,
            Self::Pending | Self::Running | Self::Unknown => false,
        }
    }
}
