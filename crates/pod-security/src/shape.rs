//! What is decoded of a pod or pod template: the API's own form, with only those fields that a check reads.
//!
//! Each type can be a field of somebody else's struct, so that whoever decodes whole objects anyway decodes them once
//! and builds a [`Pod`] from parts. Unknown fields are ignored, and `null` means what leaving it out means, as it does
//! to the server.

mod annotations;
mod container;
mod nulls;
mod security;
mod volume;

use serde::Deserialize;

pub use annotations::Annotations;
pub(crate) use annotations::{APP_ARMOR_ANNOTATION, SECCOMP_ANNOTATION, SECCOMP_POD_ANNOTATION, is_read};
pub use container::{Action, Container, Handler, Lifecycle, Port};
pub use security::{
    Capabilities, PodSecurityContext, Profile, SeLinuxOptions, SecurityContext, Sysctl, WindowsOptions,
};
pub(crate) use volume::ALLOWED as ALLOWED_SOURCES;
pub use volume::Volume;

/// A Pod or a PodTemplateSpec.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Pod {
    /// Only the annotations are read.
    #[serde(deserialize_with = "nulls::plain")]
    pub metadata: Metadata,
    /// What is to run.
    #[serde(deserialize_with = "nulls::plain")]
    pub spec: PodSpec,
}

/// The metadata of a pod or template.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// Those about AppArmor and seccomp are kept.
    #[serde(deserialize_with = "nulls::plain")]
    pub annotations: Annotations,
}

/// The specification of a pod.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodSpec {
    /// In the order of the manifest: violations name them in this order, and paths count them.
    #[serde(deserialize_with = "nulls::list")]
    pub init_containers: Vec<Container>,
    /// As above.
    #[serde(deserialize_with = "nulls::list")]
    pub containers: Vec<Container>,
    /// As above.
    #[serde(deserialize_with = "nulls::list")]
    pub ephemeral_containers: Vec<Container>,
    /// In the order of the manifest.
    #[serde(deserialize_with = "nulls::list")]
    pub volumes: Vec<Volume>,
    /// What holds for all containers.
    pub security_context: Option<Box<PodSecurityContext>>,
    /// Whether it uses the node's network.
    #[serde(deserialize_with = "nulls::plain")]
    pub host_network: bool,
    /// Whether it sees the node's processes.
    #[serde(rename = "hostPID", deserialize_with = "nulls::plain")]
    pub host_pid: bool,
    /// Whether it shares the node's memory segments and queues.
    #[serde(rename = "hostIPC", deserialize_with = "nulls::plain")]
    pub host_ipc: bool,
    /// `false` puts the pod into a user namespace of its own.
    pub host_users: Option<bool>,
    /// What it is made for.
    pub os: Option<Os>,
    /// Administrators can exempt a runtime class from all checks.
    pub runtime_class_name: Option<Box<str>>,
}

/// The operating system of a pod.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Os {
    /// `linux` or `windows`.
    #[serde(deserialize_with = "nulls::plain")]
    pub name: Box<str>,
}
