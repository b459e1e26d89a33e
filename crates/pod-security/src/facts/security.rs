//! What is kept of a security context, the pod's and a container's alike.

use crate::shape;

/// A security context. What only the pod or only a container has is empty in the other's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Security {
    pub(crate) privileged: bool,
    pub(crate) allow_privilege_escalation: Option<bool>,
    pub(crate) run_as_non_root: Option<bool>,
    /// `runAsUser`, as far as it matters.
    pub(crate) user: Option<User>,
    pub(crate) host_process: bool,
    pub(crate) seccomp: Option<Profile>,
    pub(crate) app_armor: Option<Profile>,
    pub(crate) se_linux: Option<Box<SeLinux>>,
    pub(crate) proc_mount: Option<Box<str>>,
    pub(crate) capabilities: Option<Box<Capabilities>>,
    pub(crate) sysctls: Option<Box<[Box<str>]>>,
}

/// Whose rights a container starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum User {
    Root,
    Other,
}

/// The type of a seccomp or AppArmor profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Profile {
    RuntimeDefault,
    Localhost,
    Other(Box<str>),
}

/// An SELinux label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct SeLinux {
    pub(crate) kind: Box<str>,
    pub(crate) user: Box<str>,
    pub(crate) role: Box<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Capabilities {
    pub(crate) add: Box<[Box<str>]>,
    pub(crate) drop: Drop,
}

/// The capabilities that are dropped: what else they are doesn't matter where all are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Drop {
    All,
    Some(Box<[Box<str>]>),
}

impl Security {
    pub(crate) const NONE: Self = Self {
        privileged: false,
        allow_privilege_escalation: None,
        run_as_non_root: None,
        user: None,
        host_process: false,
        seccomp: None,
        app_armor: None,
        se_linux: None,
        proc_mount: None,
        capabilities: None,
        sysctls: None,
    };

    pub(super) fn of_pod(shape: shape::PodSecurityContext) -> Self {
        let sysctls: Box<[_]> = shape.sysctls.into_iter().map(|sysctl| sysctl.name).collect();
        Self {
            run_as_non_root: shape.run_as_non_root,
            user: shape.run_as_user.map(User::of),
            host_process: is_host_process(shape.windows_options),
            seccomp: shape.seccomp_profile.map(Profile::from),
            app_armor: shape.app_armor_profile.map(Profile::from),
            se_linux: shape.se_linux_options.and_then(SeLinux::kept),
            sysctls: (!sysctls.is_empty()).then_some(sysctls),
            ..Self::NONE
        }
    }

    pub(super) fn of_container(shape: shape::SecurityContext) -> Self {
        Self {
            privileged: shape.privileged == Some(true),
            allow_privilege_escalation: shape.allow_privilege_escalation,
            run_as_non_root: shape.run_as_non_root,
            user: shape.run_as_user.map(User::of),
            host_process: is_host_process(shape.windows_options),
            seccomp: shape.seccomp_profile.map(Profile::from),
            app_armor: shape.app_armor_profile.map(Profile::from),
            se_linux: shape.se_linux_options.and_then(SeLinux::kept),
            proc_mount: shape.proc_mount.filter(|kind| &**kind != "Default"),
            capabilities: shape
                .capabilities
                .map(Capabilities::from)
                .filter(|kept| *kept != Capabilities::default())
                .map(Box::new),
            ..Self::NONE
        }
    }

    /// Unless it says nothing.
    pub(super) fn kept(self) -> Option<Box<Self>> {
        (self != Self::NONE).then(|| Box::new(self))
    }
}

impl User {
    fn of(number: i64) -> Self {
        if number == 0 { Self::Root } else { Self::Other }
    }
}

fn is_host_process(options: Option<shape::WindowsOptions>) -> bool {
    options.is_some_and(|options| options.host_process == Some(true))
}

impl Profile {
    /// What may be set at baseline and has to be at restricted.
    pub(crate) const fn is_confined(&self) -> bool {
        match self {
            Self::RuntimeDefault | Self::Localhost => true,
            Self::Other(_) => false,
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::RuntimeDefault => "RuntimeDefault",
            Self::Localhost => "Localhost",
            Self::Other(name) => name,
        }
    }
}

impl From<shape::Profile> for Profile {
    fn from(shape: shape::Profile) -> Self {
        match &*shape.kind {
            "RuntimeDefault" => Self::RuntimeDefault,
            "Localhost" => Self::Localhost,
            _ => Self::Other(shape.kind),
        }
    }
}

impl SeLinux {
    fn kept(shape: shape::SeLinuxOptions) -> Option<Box<Self>> {
        let kept = Self { kind: shape.kind, user: shape.user, role: shape.role };
        (kept != Self::default()).then(|| Box::new(kept))
    }
}

impl From<shape::Capabilities> for Capabilities {
    fn from(shape: shape::Capabilities) -> Self {
        let drops_all = shape.drop.iter().any(|name| &**name == "ALL");
        Self { add: shape.add.into(), drop: if drops_all { Drop::All } else { Drop::Some(shape.drop.into()) } }
    }
}

impl Default for Drop {
    fn default() -> Self {
        Self::Some(Box::default())
    }
}
