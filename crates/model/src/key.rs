//! Names of things: kinds, keys, references.

use std::fmt;

use crate::Text;

/// The kinds that are observed. The order is that of reading: namespaces first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is the API's own name of the kind")]
pub enum Kind {
    Namespace,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Deployment,
    StatefulSet,
    DaemonSet,
    ReplicaSet,
    Job,
    CronJob,
    Pod,
    PodDisruptionBudget,
    Event,
    HorizontalPodAutoscaler,
    ScaledObject,
    HelmRelease,
    Kustomization,
    TalosUpgrade,
    KubernetesUpgrade,
    Plan,
    TalosControlPlane,
    VaultTransitUnseal,
}

impl Kind {
    /// Every kind, in the order of reading.
    pub const ALL: [Self; 22] = [
        Self::Namespace,
        Self::Node,
        Self::PersistentVolume,
        Self::PersistentVolumeClaim,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::ReplicaSet,
        Self::Job,
        Self::CronJob,
        Self::Pod,
        Self::PodDisruptionBudget,
        Self::Event,
        Self::HorizontalPodAutoscaler,
        Self::ScaledObject,
        Self::HelmRelease,
        Self::Kustomization,
        Self::TalosUpgrade,
        Self::KubernetesUpgrade,
        Self::Plan,
        Self::TalosControlPlane,
        Self::VaultTransitUnseal,
    ];

    /// The kinds that carry upgrades of nodes out. The order is that of importance: a Plan may be about more than nodes.
    pub const UPGRADES: [Self; 4] = [Self::TalosUpgrade, Self::KubernetesUpgrade, Self::Plan, Self::TalosControlPlane];

    /// The API's name of the kind.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "Namespace",
            Self::Node => "Node",
            Self::PersistentVolume => "PersistentVolume",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::Pod => "Pod",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::Event => "Event",
            Self::HorizontalPodAutoscaler => "HorizontalPodAutoscaler",
            Self::ScaledObject => "ScaledObject",
            Self::HelmRelease => "HelmRelease",
            Self::Kustomization => "Kustomization",
            Self::TalosUpgrade => "TalosUpgrade",
            Self::KubernetesUpgrade => "KubernetesUpgrade",
            Self::Plan => "Plan",
            Self::TalosControlPlane => "TalosControlPlane",
            Self::VaultTransitUnseal => "VaultTransitUnseal",
        }
    }

    /// The API group of the kind; empty for the core group.
    #[must_use]
    pub const fn group(self) -> &'static str {
        match self {
            Self::Namespace
            | Self::Node
            | Self::PersistentVolume
            | Self::PersistentVolumeClaim
            | Self::Pod
            | Self::Event => "",
            Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::ReplicaSet => "apps",
            Self::Job | Self::CronJob => "batch",
            Self::PodDisruptionBudget => "policy",
            Self::HorizontalPodAutoscaler => "autoscaling",
            Self::ScaledObject => "keda.sh",
            Self::HelmRelease => "helm.toolkit.fluxcd.io",
            Self::Kustomization => "kustomize.toolkit.fluxcd.io",
            Self::TalosUpgrade | Self::KubernetesUpgrade => "tuppr.home-operations.com",
            Self::Plan => "upgrade.cattle.io",
            Self::TalosControlPlane => "controlplane.cluster.x-k8s.io",
            Self::VaultTransitUnseal => "holdfast.dev",
        }
    }

    /// The group and version that is read.
    #[must_use]
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::Namespace
            | Self::Node
            | Self::PersistentVolume
            | Self::PersistentVolumeClaim
            | Self::Pod
            | Self::Event => "v1",
            Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::ReplicaSet => "apps/v1",
            Self::Job | Self::CronJob => "batch/v1",
            Self::PodDisruptionBudget => "policy/v1",
            Self::HorizontalPodAutoscaler => "autoscaling/v2",
            Self::ScaledObject => "keda.sh/v1alpha1",
            Self::HelmRelease => "helm.toolkit.fluxcd.io/v2",
            Self::Kustomization => "kustomize.toolkit.fluxcd.io/v1",
            Self::TalosUpgrade | Self::KubernetesUpgrade => "tuppr.home-operations.com/v1alpha1",
            Self::Plan => "upgrade.cattle.io/v1",
            Self::TalosControlPlane => "controlplane.cluster.x-k8s.io/v1alpha3",
            Self::VaultTransitUnseal => "holdfast.dev/v1alpha1",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The kinds that make pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is the API's own name of the kind")]
pub enum WorkloadKind {
    Deployment,
    StatefulSet,
    DaemonSet,
    ReplicaSet,
    Job,
    CronJob,
}

impl WorkloadKind {
    /// The same kind among all that are observed.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Deployment => Kind::Deployment,
            Self::StatefulSet => Kind::StatefulSet,
            Self::DaemonSet => Kind::DaemonSet,
            Self::ReplicaSet => Kind::ReplicaSet,
            Self::Job => Kind::Job,
            Self::CronJob => Kind::CronJob,
        }
    }
}

impl WorkloadKind {
    /// With what the path of a field of its pods begins.
    #[must_use]
    pub const fn template(self) -> &'static str {
        match self {
            Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::ReplicaSet | Self::Job => "spec.template.",
            Self::CronJob => "spec.jobTemplate.spec.template.",
        }
    }
}

impl fmt::Display for WorkloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().as_str())
    }
}

/// Namespace and name; the namespace is empty for what has none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    /// The namespace.
    pub namespace: Text,
    /// The name.
    pub name: Text,
}

impl ObjectKey {
    /// A key of its two parts.
    pub fn new(namespace: impl Into<Text>, name: impl Into<Text>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            return f.write_str(&self.name);
        }
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A workload within its namespace; ordered by kind, then name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkloadRef {
    /// Its kind.
    pub kind: WorkloadKind,
    /// Its name.
    pub name: Text,
}

impl fmt::Display for WorkloadRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// A reference to an owner in the same namespace, by what its `ownerReferences` entry says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnerRef {
    /// The API group, without the version.
    pub group: Text,
    /// The kind.
    pub kind: Text,
    /// The name.
    pub name: Text,
}

impl OwnerRef {
    /// Whether it is of one of our kinds.
    #[must_use]
    pub fn is(&self, kind: Kind) -> bool {
        self.kind == kind.as_str() && self.group == kind.group()
    }

    /// The workload it names, when it is of a kind that we read.
    #[must_use]
    pub fn workload(&self) -> Option<WorkloadRef> {
        let kinds = [
            WorkloadKind::Deployment,
            WorkloadKind::StatefulSet,
            WorkloadKind::DaemonSet,
            WorkloadKind::ReplicaSet,
            WorkloadKind::Job,
            WorkloadKind::CronJob,
        ];
        let kind = kinds.into_iter().find(|kind| self.is(kind.kind()))?;
        Some(WorkloadRef { kind, name: self.name.clone() })
    }
}

impl fmt::Display for OwnerRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}
