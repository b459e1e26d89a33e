//! What the checks read of a pod, kept small: many thousands of these are held at once, and equal ones are shared.
//!
//! Invariants: two pods about which every check says the same in the same words are equal wherever that is cheap to
//! see; a part that is empty is not kept. The containers stand in the order in which violations name them.

mod container;
mod defaulted;
mod security;

use serde::{Deserialize, Deserializer};

use crate::path::{Place, Slot};
use crate::shape::{self, Volume};

pub(crate) use container::Container;
pub(crate) use security::{Drop, Profile, SeLinux, Security, User};

/// What the checks read of one pod or pod template, and nothing else.
///
/// Decoded from a whole Pod or PodTemplateSpec (`{metadata, spec}`), or made from the parts in [`shape`]
/// that somebody else decoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PodFacts {
    /// Init containers, containers, ephemeral containers.
    containers: Box<[Container]>,
    init: u32,
    ephemeral: u32,
    /// With their positions; those that every level allows aren't kept: the one that the server adds for the token of the
    /// service account has another name in every replica.
    pub(crate) volumes: Box<[(u32, Volume)]>,
    security: Option<Box<Security>>,
    rare: Option<Box<Rare>>,
    pub(crate) host_network: bool,
    pub(crate) host_pid: bool,
    pub(crate) host_ipc: bool,
    /// `hostUsers: false`.
    pub(crate) own_users: bool,
    pub(crate) is_windows: bool,
}

/// What few pods have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Rare {
    /// Sorted by key.
    annotations: Box<[(Box<str>, Box<str>)]>,
    runtime_class: Option<Box<str>>,
}

impl PodFacts {
    /// The facts of a pod or template that was decoded elsewhere. Annotations that no check reads are left out.
    pub fn of<'a>(annotations: impl IntoIterator<Item = (&'a str, &'a str)>, spec: shape::PodSpec) -> Self {
        let count = |list: &[shape::Container]| u32::try_from(list.len()).unwrap_or(u32::MAX);
        let (init, ephemeral) = (count(&spec.init_containers), count(&spec.ephemeral_containers));
        let lists = spec.init_containers.into_iter().chain(spec.containers).chain(spec.ephemeral_containers);
        let rare = Rare {
            annotations: read(annotations),
            runtime_class: spec.runtime_class_name.filter(|name| !name.is_empty()),
        };
        Self {
            containers: lists.map(|container| Container::of(container, spec.host_network)).collect(),
            init,
            ephemeral,
            volumes: (0..).zip(spec.volumes).filter(|(_, volume)| !volume.sources.is_harmless()).collect(),
            security: spec.security_context.and_then(|context| Security::of_pod(*context).kept()),
            rare: (rare != Rare::default()).then(|| Box::new(rare)),
            host_network: spec.host_network,
            host_pid: spec.host_pid,
            host_ipc: spec.host_ipc,
            own_users: spec.host_users == Some(false),
            is_windows: spec.os.is_some_and(|os| &*os.name == "windows"),
        }
    }

    /// The runtime class, which administrators can exempt from all checks.
    pub fn runtime_class_name(&self) -> Option<&str> {
        self.rare.as_ref()?.runtime_class.as_deref()
    }

    pub(crate) fn containers(&self) -> &[Container] {
        &self.containers
    }

    /// All containers with their places, in the order in which violations name them.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (Place, &Container)> {
        let last = self.containers.len() - self.ephemeral as usize;
        self.containers.iter().enumerate().map(move |(at, container)| {
            let (list, first) = match at {
                _ if at < self.init as usize => ("initContainers", 0),
                _ if at < last => ("containers", self.init as usize),
                _ => ("ephemeralContainers", last),
            };
            let index = u32::try_from(at - first).unwrap_or(u32::MAX);
            (Place::Container(Slot { list, index }), container)
        })
    }

    /// Whether every container is told to start as a user who isn't root.
    pub fn is_never_root(&self) -> bool {
        let of_pod = self.security().user;
        self.containers.iter().all(|container| container.security().user.or(of_pod) == Some(User::Other))
    }

    /// Whether somebody wrote out that root isn't refused (`runAsNonRoot: false`).
    pub fn allows_root_outright(&self) -> bool {
        self.securities().any(|security| security.run_as_non_root == Some(false))
    }

    /// Whether no container starts as root, nor may a program in one gain more rights than it had: neither a set-user-ID bit nor
    /// capabilities of a file mean anything there (`no_new_privs`).
    pub fn never_gains(&self) -> bool {
        self.is_never_root()
            && self.containers.iter().all(|container| container.security().allow_privilege_escalation == Some(false))
    }

    /// Whether every container is told a user, so that no image decides.
    pub fn states_users(&self) -> bool {
        self.security().user.is_some() || self.containers.iter().all(|container| container.security().user.is_some())
    }

    /// The security context of the pod.
    pub(crate) fn security(&self) -> &Security {
        self.security.as_deref().unwrap_or(&Security::NONE)
    }

    /// The security contexts of the pod and of its containers.
    pub(crate) fn securities(&self) -> impl Iterator<Item = &Security> {
        std::iter::once(self.security()).chain(self.containers.iter().map(Container::security))
    }

    /// As [`PodFacts::securities`], with their places.
    pub(crate) fn placed_securities(&self) -> impl Iterator<Item = (Place, &Security)> {
        let containers = self.placed().map(|(place, container)| (place, container.security()));
        std::iter::once((Place::Pod, self.security())).chain(containers)
    }

    /// Those that a check reads, by key.
    pub(crate) fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        let kept = self.rare.as_ref().map_or(&[][..], |rare| &rare.annotations);
        kept.iter().map(|(key, value)| (&**key, &**value))
    }
}

fn read<'a>(annotations: impl IntoIterator<Item = (&'a str, &'a str)>) -> Box<[(Box<str>, Box<str>)]> {
    let kept = annotations.into_iter().filter(|(key, _)| shape::is_read(key));
    let mut kept: Vec<(Box<str>, Box<str>)> = kept.map(|(key, value)| (key.into(), value.into())).collect();
    kept.sort_unstable();
    kept.into()
}

impl From<shape::Pod> for PodFacts {
    fn from(pod: shape::Pod) -> Self {
        Self::of(pod.metadata.annotations.iter(), pod.spec)
    }
}

impl<'de> Deserialize<'de> for PodFacts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        shape::Pod::deserialize(from).map(Self::from)
    }
}
