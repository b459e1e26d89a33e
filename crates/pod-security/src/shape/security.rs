//! The security contexts of a pod and of a container.

use serde::Deserialize;

use super::nulls;

/// What holds for all containers of a pod.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodSecurityContext {
    /// Whether the runtime refuses to start it as root.
    pub run_as_non_root: Option<bool>,
    /// The user.
    pub run_as_user: Option<i64>,
    /// Which system calls it may make.
    pub seccomp_profile: Option<Profile>,
    /// Which files, capabilities and so on AppArmor lets it have.
    pub app_armor_profile: Option<Profile>,
    /// Its SELinux label.
    pub se_linux_options: Option<SeLinuxOptions>,
    /// Settings of Windows.
    pub windows_options: Option<WindowsOptions>,
    /// Settings of the kernel, in the order of the manifest.
    #[serde(deserialize_with = "nulls::list")]
    pub sysctls: Vec<Sysctl>,
}

/// What holds for one container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SecurityContext {
    /// Whether it is root on the node.
    pub privileged: Option<bool>,
    /// Whether a program in it can gain more rights than its parent.
    pub allow_privilege_escalation: Option<bool>,
    /// Parts of root's rights.
    pub capabilities: Option<Capabilities>,
    /// How much of `/proc` is masked.
    pub proc_mount: Option<Box<str>>,
    /// As for the pod, before which it goes.
    pub run_as_non_root: Option<bool>,
    /// As for the pod, before which it goes.
    pub run_as_user: Option<i64>,
    /// As for the pod, before which it goes.
    pub seccomp_profile: Option<Profile>,
    /// As for the pod, before which it goes.
    pub app_armor_profile: Option<Profile>,
    /// As for the pod, before which it goes.
    pub se_linux_options: Option<SeLinuxOptions>,
    /// As for the pod, before which it goes.
    pub windows_options: Option<WindowsOptions>,
}

/// A seccomp or AppArmor profile.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// `RuntimeDefault`, `Localhost` or `Unconfined`.
    #[serde(rename = "type", deserialize_with = "nulls::plain")]
    pub kind: Box<str>,
}

/// Parts of root's rights, as names without `CAP_`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// Beyond what the runtime gives.
    #[serde(deserialize_with = "nulls::list")]
    pub add: Vec<Box<str>>,
    /// Of what the runtime gives.
    #[serde(deserialize_with = "nulls::list")]
    pub drop: Vec<Box<str>>,
}

/// An SELinux label.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SeLinuxOptions {
    /// Empty is the runtime's.
    #[serde(rename = "type", deserialize_with = "nulls::plain")]
    pub kind: Box<str>,
    /// Empty is the runtime's.
    #[serde(deserialize_with = "nulls::plain")]
    pub user: Box<str>,
    /// Empty is the runtime's.
    #[serde(deserialize_with = "nulls::plain")]
    pub role: Box<str>,
}

/// Settings of Windows.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WindowsOptions {
    /// Whether it is a process of the node.
    pub host_process: Option<bool>,
}

/// A setting of the kernel.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Sysctl {
    /// What is set.
    #[serde(deserialize_with = "nulls::plain")]
    pub name: Box<str>,
}
