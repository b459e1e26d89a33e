//! The checks by name, and what somebody needs to know of one who has never met it.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::level::Level;

/// A check of the standards. The order is that of the server's messages: baseline first, each level by ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each says what it is by `description`")]
pub enum Check {
    AppArmorProfile,
    CapabilitiesBaseline,
    HostNamespaces,
    HostPathVolumes,
    HostPorts,
    HostProbesAndHostLifecycle,
    Privileged,
    ProcMount,
    SeLinuxOptions,
    SeccompProfileBaseline,
    Sysctls,
    WindowsHostProcess,
    AllowPrivilegeEscalation,
    CapabilitiesRestricted,
    ProcMountRestricted,
    RestrictedVolumes,
    RunAsNonRoot,
    RunAsUser,
    SeccompProfileRestricted,
}

impl Check {
    /// All checks, in the order of the server's messages.
    pub const ALL: [Self; 19] = [
        Self::AppArmorProfile,
        Self::CapabilitiesBaseline,
        Self::HostNamespaces,
        Self::HostPathVolumes,
        Self::HostPorts,
        Self::HostProbesAndHostLifecycle,
        Self::Privileged,
        Self::ProcMount,
        Self::SeLinuxOptions,
        Self::SeccompProfileBaseline,
        Self::Sysctls,
        Self::WindowsHostProcess,
        Self::AllowPrivilegeEscalation,
        Self::CapabilitiesRestricted,
        Self::ProcMountRestricted,
        Self::RestrictedVolumes,
        Self::RunAsNonRoot,
        Self::RunAsUser,
        Self::SeccompProfileRestricted,
    ];

    /// As in the server's source.
    pub const fn id(self) -> &'static str {
        match self {
            Self::AppArmorProfile => "appArmorProfile",
            Self::CapabilitiesBaseline => "capabilities_baseline",
            Self::HostNamespaces => "hostNamespaces",
            Self::HostPathVolumes => "hostPathVolumes",
            Self::HostPorts => "hostPorts",
            Self::HostProbesAndHostLifecycle => "hostProbesAndHostLifecycle",
            Self::Privileged => "privileged",
            Self::ProcMount => "procMount",
            Self::SeLinuxOptions => "seLinuxOptions",
            Self::SeccompProfileBaseline => "seccompProfile_baseline",
            Self::Sysctls => "sysctls",
            Self::WindowsHostProcess => "windowsHostProcess",
            Self::AllowPrivilegeEscalation => "allowPrivilegeEscalation",
            Self::CapabilitiesRestricted => "capabilities_restricted",
            Self::ProcMountRestricted => "procMount_restricted",
            Self::RestrictedVolumes => "restrictedVolumes",
            Self::RunAsNonRoot => "runAsNonRoot",
            Self::RunAsUser => "runAsUser",
            Self::SeccompProfileRestricted => "seccompProfile_restricted",
        }
    }

    /// The level that it belongs to. Those of baseline are also made at restricted.
    pub const fn level(self) -> Level {
        match self {
            Self::AppArmorProfile
            | Self::CapabilitiesBaseline
            | Self::HostNamespaces
            | Self::HostPathVolumes
            | Self::HostPorts
            | Self::HostProbesAndHostLifecycle
            | Self::Privileged
            | Self::ProcMount
            | Self::SeLinuxOptions
            | Self::SeccompProfileBaseline
            | Self::Sysctls
            | Self::WindowsHostProcess => Level::Baseline,
            Self::AllowPrivilegeEscalation
            | Self::CapabilitiesRestricted
            | Self::ProcMountRestricted
            | Self::RestrictedVolumes
            | Self::RunAsNonRoot
            | Self::RunAsUser
            | Self::SeccompProfileRestricted => Level::Restricted,
        }
    }

    /// What it demands, in a sentence.
    pub const fn description(self) -> &'static str {
        match self {
            Self::AppArmorProfile => "AppArmor stays on, with the runtime's profile or one of the node",
            Self::CapabilitiesBaseline => "no capability is added beyond those that a runtime gives by default",
            Self::HostNamespaces => "the pod doesn't share network, processes or memory with the node",
            Self::HostPathVolumes => "no volume is a path of the node",
            Self::HostPorts => "no port is opened on the node",
            Self::HostProbesAndHostLifecycle => "probes and hooks go to the pod itself, not to another host",
            Self::Privileged => "no container is privileged",
            Self::ProcMount | Self::ProcMountRestricted => "/proc stays masked",
            Self::SeLinuxOptions => "the SELinux type is one for containers, user and role are the runtime's",
            Self::SeccompProfileBaseline => "a seccomp profile, where there is one, confines",
            Self::Sysctls => "only settings of the kernel that concern nobody else are changed",
            Self::WindowsHostProcess => "no container is a process of a Windows node",
            Self::AllowPrivilegeEscalation => "no program gains more rights than the one that started it",
            Self::CapabilitiesRestricted => "all capabilities are dropped, and only NET_BIND_SERVICE is added",
            Self::RestrictedVolumes => "volumes are of a kind that says nothing about nodes or storage servers",
            Self::RunAsNonRoot => "the runtime refuses to start a container as root",
            Self::RunAsUser => "no user is root by number",
            Self::SeccompProfileRestricted => "every container has a seccomp profile that confines",
        }
    }

    /// What the owner of the pod has to think of before a [`Fix`](crate::Fix) of this check is applied.
    pub const fn caution(self) -> &'static str {
        match self {
            Self::HostNamespaces => {
                "the pod gets an address and processes of its own: who reached it at the node's address needs a \
                 Service, and it no longer sees the node"
            }
            Self::HostPathVolumes => {
                "the program finds an empty folder instead of the node's: data that must stay needs a persistent \
                 volume claim, and a program that reads the node can't be restricted"
            }
            Self::RestrictedVolumes => {
                "the program finds an empty folder instead of its data: define the storage as a persistent volume \
                 and claim that"
            }
            Self::HostPorts => "it is no longer reached at the node's port: use a Service",
            Self::HostProbesAndHostLifecycle => "the pod itself is asked instead of that host",
            Self::Privileged | Self::CapabilitiesBaseline => {
                "what the program does with these rights fails: try it before"
            }
            Self::CapabilitiesRestricted => {
                "root without them can't take another user (s6-overlay, gosu, Apache: SETUID, SETGID) nor change or write what \
                 belongs to others (chown, chmod, a restored volume: CHOWN, FOWNER, DAC_OVERRIDE): add back what it needs, though \
                 restricted takes no such pod"
            }
            Self::RunAsNonRoot | Self::RunAsUser => {
                "the container doesn't start unless runAsUser, or the image by a number, names another user, to whom the files must \
                 belong: a name such as nobody isn't enough; one that has to begin as root stays as it is"
            }
            Self::AppArmorProfile => "what the runtime's profile forbids fails, such as writing a file: try it before",
            Self::SeccompProfileBaseline | Self::SeccompProfileRestricted => {
                "a system call that the runtime's profile forbids fails: try it before"
            }
            Self::AllowPrivilegeEscalation => {
                "sudo, and files with the set-user-ID bit, no longer give rights: an image that begins with one, such as the \
                 /init of s6-overlay under another user than root, no longer starts"
            }
            Self::ProcMount | Self::ProcMountRestricted => "containers within the container may no longer start",
            Self::SeLinuxOptions => "what the runtime's label may not touch fails: try it before",
            Self::Sysctls => "the node's own value holds",
            Self::WindowsHostProcess => "it no longer sees or administers the node",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_baseline_first_and_each_level_by_id() {
        assert!(Check::ALL.is_sorted());
        assert!(Check::ALL.is_sorted_by_key(|check| (check.level(), check.id())));
    }
}
