//! Talos: what its configuration pins and switches, and the upgrades that act on it.
//!
//! Configuration is in plain files, upgrades and backups are objects of clusters; the facts of both come together in the
//! checkout's `Repository`. A setting that is not here was not seen, which is no proof that it isn't made: what a
//! template or an encrypted file says stays unknown.

use std::sync::Arc;

use holdfast_pod_security::Level;

use super::{Identity, Version};
use crate::{Position, Subject, Text};

/// The facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Talos {
    /// Files that describe a whole cluster: a talconfig, a topf.yaml.
    pub clusters: Vec<TalosCluster>,
    /// Versions that configuration pins, in order of file and line.
    pub pinned: Vec<Pinned>,
    /// What configuration and patches set or take away.
    pub settings: Vec<Setting>,
    /// What configuration and patches say of the PodSecurity admission.
    pub admission: Vec<Admission>,
    /// What upgrades a cluster.
    pub upgrades: Vec<Upgrade>,
    /// What takes snapshots of etcd.
    pub backups: Vec<Identity>,
    /// Folders in which part of the configuration is in templates that aren't read.
    pub hidden: Vec<Arc<str>>,
    /// Files that configure one node each, by their place below `talos/nodes`, templates too.
    pub node_files: Vec<Arc<str>>,
    /// Where a template has the encryption of a system disk on a condition.
    pub encryption_in_template: Option<Position>,
    /// Whether the scheduler is told to spread the replicas of what says nothing itself over nodes.
    pub spreads: bool,
}

/// What has a version of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Product {
    Talos,
    Kubernetes,
}

impl Product {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Talos => "Talos",
            Self::Kubernetes => "Kubernetes",
        }
    }
}

/// A file that describes a whole cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TalosCluster {
    /// The file.
    pub file: Subject,
    /// Where its nodes are listed.
    pub at: Position,
    /// Its nodes.
    pub nodes: Vec<TalosNode>,
}

/// A node of such a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TalosNode {
    /// Its name or address.
    pub name: Text,
    /// Whether it belongs to the control plane.
    pub control_plane: bool,
    /// Whether it starts with SecureBoot; none when the file leaves that to something else.
    pub secure_boot: Option<bool>,
}

/// A version that configuration pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// The file.
    pub file: Subject,
    /// Where.
    pub at: Position,
    /// Of what.
    pub product: Product,
    /// The version.
    pub version: Version,
}

/// Something that configuration sets or takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The file.
    pub file: Subject,
    /// Where.
    pub at: Position,
    /// What.
    pub what: Switch,
}

/// What can be set or taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Switch {
    /// Machine configuration of any kind: that there is some.
    Configured,
    /// A system disk is encrypted.
    Encrypted,
    /// The PodSecurity admission that Talos configures is taken away.
    AdmissionRemoved,
    /// That admission enforces nothing.
    AdmissionPrivileged,
    /// The audit policy is taken away, or logs nothing.
    AuditOff,
    /// Pods that ask for no seccomp profile get none from the kubelet.
    SeccompOff,
}

/// Something that configuration says of the PodSecurity admission, which without a word enforces baseline but for kube-system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The file.
    pub file: Subject,
    /// What.
    pub says: AdmissionSays,
}

/// What can be said of the PodSecurity admission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdmissionSays {
    /// It isn't configured: then it enforces nothing in a namespace without labels.
    Removed,
    /// What it enforces in a namespace without labels.
    Enforces(Level),
    /// The same, but it can't be read, such as a variable.
    Unclear,
    /// A namespace in which it enforces nothing, whatever its labels.
    Exempts(Text),
}

impl AdmissionSays {
    /// What it says by the name of a level.
    #[must_use]
    pub fn enforces(level: &str) -> Self {
        level.parse().map_or(Self::Unclear, Self::Enforces)
    }
}

/// What upgrades a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The object.
    pub identity: Identity,
    /// What it upgrades.
    pub product: Product,
    /// To which version; none when it can't be read.
    pub version: Option<Version>,
    /// Where its version stands, or the object.
    pub version_at: Option<Position>,
    /// Where its health checks stand, or what skips them, or the object.
    pub health_at: Option<Position>,
    /// Where it begins.
    pub at: Option<Position>,
    /// What has to be healthy before each node.
    pub health: Health,
    /// Whether it skips the checks of etcd.
    pub force: bool,
}

/// What has to be healthy before each node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// The object can't say: its kind has no health checks.
    NoSuchField,
    /// So many checks.
    Checks(usize),
}
