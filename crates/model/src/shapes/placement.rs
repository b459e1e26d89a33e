//! What a pod's spec says about where it may run, and how soon it can be Ready there: read from pods and from templates alike.
//!
//! A quantity that is none counts as nothing asked for, since only a file can hold one.

use std::collections::BTreeMap;

use holdfast_pod_security::shape;
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny};

use super::probe::Probe;
use crate::facts::{
    Apart, Constraints, Effect, NodeRequirement, NodeTerm, NodeTerms, Placement, Room, Spread, Toleration,
};
use crate::quantity::Milli;
use crate::selector::{RawRequirement, RawSelector, Requirement, Selection};
use crate::{Labels, Slice, Text};

/// The parts of a pod's spec that say where it may run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodSpec {
    pub(super) node_name: Option<Text>,
    node_selector: Option<BTreeMap<String, String>>,
    affinity: Option<Box<Affinity>>,
    tolerations: Option<Vec<RawToleration>>,
    topology_spread_constraints: Option<Vec<RawSpread>>,
    pub(super) containers: Option<Vec<Container>>,
    pub(super) init_containers: Option<Vec<Container>>,
    pub(super) ephemeral_containers: Option<Vec<Container>>,
    resources: Option<Resources>,
    overhead: Option<Amounts>,
    pub(super) volumes: Option<Vec<Mounted>>,
    pub(super) security_context: Option<Box<shape::PodSecurityContext>>,
    pub(super) host_network: Option<bool>,
    #[serde(rename = "hostPID")]
    pub(super) host_pid: Option<bool>,
    #[serde(rename = "hostIPC")]
    pub(super) host_ipc: Option<bool>,
    pub(super) host_users: Option<bool>,
    pub(super) os: Option<shape::Os>,
    pub(super) runtime_class_name: Option<Box<str>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Affinity {
    node_affinity: Option<NodeAffinity>,
    pod_affinity: Option<PodAffinity>,
    pod_anti_affinity: Option<PodAffinity>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NodeAffinity {
    required_during_scheduling_ignored_during_execution: Option<RawTerms>,
}

/// A NodeSelector, as in the affinity of a pod or of a volume.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawTerms {
    node_selector_terms: Vec<RawTerm>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawTerm {
    match_expressions: Option<Vec<RawRequirement>>,
    match_fields: Option<Vec<RawRequirement>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodAffinity {
    required_during_scheduling_ignored_during_execution: Option<Vec<RawApart>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawApart {
    label_selector: Option<RawSelector>,
    namespaces: Option<Vec<IgnoredAny>>,
    namespace_selector: Option<IgnoredAny>,
    topology_key: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawToleration {
    key: Option<Text>,
    operator: Option<Text>,
    value: Option<Text>,
    effect: Option<Text>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSpread {
    max_skew: i32,
    topology_key: Text,
    when_unsatisfiable: Option<Text>,
    label_selector: Option<RawSelector>,
    node_taints_policy: Option<Text>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Container {
    resources: Resources,
    restart_policy: Option<Text>,
    pub(super) name: Option<Box<str>>,
    pub(super) security_context: Option<Box<shape::SecurityContext>>,
    pub(super) ports: Option<Vec<shape::Port>>,
    pub(super) liveness_probe: Option<shape::Handler>,
    pub(super) readiness_probe: Option<Probe>,
    pub(super) startup_probe: Option<Probe>,
    pub(super) lifecycle: Option<Box<shape::Lifecycle>>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Resources {
    requests: Option<Amounts>,
    limits: Option<Amounts>,
}

/// As much of a list of resources as is counted.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Amounts {
    cpu: Quantity,
    memory: Quantity,
    pods: Quantity,
}

/// A quantity; in files it may be a plain number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quantity(Option<Milli>);

/// A volume; decoded in `security`.
#[derive(Clone, Debug, Default)]
pub(super) struct Mounted {
    pub(super) persistent_volume_claim: Option<ClaimName>,
    pub(super) empty_dir: Option<EmptyDir>,
    pub(super) ephemeral: Option<IgnoredAny>,
    pub(super) name: Option<Text>,
    pub(super) security: shape::Volume,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ClaimName {
    claim_name: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EmptyDir {
    medium: Option<Text>,
}

impl PodSpec {
    /// Where it may run.
    pub(super) fn placement(&self) -> Placement {
        let affinity = self.affinity.as_deref();
        let apart = affinity.and_then(|affinity| affinity.pod_anti_affinity.as_ref());
        let near = affinity.and_then(|affinity| affinity.pod_affinity.as_ref());
        let terms = affinity.and_then(|affinity| affinity.node_affinity.as_ref());
        let terms = terms.and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
        let spread = self.topology_spread_constraints.iter().flatten();
        Placement::new(Constraints {
            selector: Labels::of(self.node_selector.as_ref()),
            nodes: terms.map(RawTerms::terms).unwrap_or_default(),
            tolerations: self.tolerations.iter().flatten().map(RawToleration::fact).collect(),
            apart: apart.into_iter().flat_map(PodAffinity::required).map(RawApart::fact).collect(),
            spread: spread.filter_map(RawSpread::fact).collect(),
            near_others: near.into_iter().flat_map(PodAffinity::required).next().is_some(),
            requests: self.requests(),
            empty_dir: self.volumes.iter().flatten().any(Mounted::loses_data),
            ready_after: self.containers.iter().flatten().map(Container::ready_after).max().unwrap_or_default(),
        })
    }

    /// The claims it mounts; those of ephemeral volumes have the name of the pod before their own.
    pub(super) fn claims(&self, pod: &str) -> Slice<Text> {
        let claim = |volume: &Mounted| match (&volume.persistent_volume_claim, &volume.ephemeral, &volume.name) {
            (Some(claim), _, _) => Some(claim.claim_name.clone()),
            (None, Some(_), Some(name)) => Some(format!("{pod}-{name}").into()),
            (None, _, _) => None,
        };
        self.volumes.iter().flatten().filter_map(claim).collect()
    }

    /// Whether it mounts a claim that others may mount too.
    pub(super) fn has_claim(&self) -> bool {
        self.volumes.iter().flatten().any(|volume| volume.persistent_volume_claim.is_some())
    }

    /// The most that it ever needs at once (`k8s.io/component-helpers/resource`, `PodRequests`): all containers together
    /// with the init containers that go on running, or one init container with those started before it.
    fn requests(&self) -> Room {
        let mut running = Room::default();
        let mut most = Room::default();
        for container in self.init_containers.iter().flatten() {
            let asked = container.resources.asked();
            if container.restart_policy.as_deref() == Some("Always") {
                running = running.plus(asked);
                most = larger(most, running);
            } else {
                most = larger(most, running.plus(asked));
            }
        }
        let containers = self.containers.iter().flatten();
        let together = containers.fold(running, |sum, container| sum.plus(container.resources.asked()));
        let of_pod = self.resources.map(Resources::asked).unwrap_or_default();
        let counted = larger(larger(most, together), of_pod);
        Room { pods: 1, ..counted.plus(self.overhead.unwrap_or_default().room()) }
    }
}

impl Container {
    /// How many seconds after its start it is ready at the earliest. Both probes wait from the start of the container, and the
    /// one for readiness is asked only when the other has said yes.
    fn ready_after(&self) -> u32 {
        let delay = |probe: &Option<Probe>| probe.as_ref().map_or(0, Probe::delay);
        let again = self.readiness_probe.as_ref().map_or(0, Probe::again);
        delay(&self.startup_probe).max(delay(&self.readiness_probe)).saturating_add(again)
    }
}

fn larger(one: Room, other: Room) -> Room {
    Room { cpu: one.cpu.max(other.cpu), memory: one.memory.max(other.memory), pods: one.pods.max(other.pods) }
}

impl Resources {
    /// What isn't asked for but limited counts as asked for, as the API server fills it in.
    fn asked(self) -> Room {
        let (requests, limits) = (self.requests.unwrap_or_default(), self.limits.unwrap_or_default());
        let or = |asked: Quantity, limit: Quantity| Quantity(asked.0.or(limit.0));
        let amounts = Amounts {
            cpu: or(requests.cpu, limits.cpu),
            memory: or(requests.memory, limits.memory),
            pods: Quantity::default(),
        };
        amounts.room()
    }
}

impl Amounts {
    pub(super) fn room(self) -> Room {
        Room {
            cpu: self.cpu.0.unwrap_or_default(),
            memory: self.memory.0.unwrap_or_default(),
            pods: self.pods.whole().unwrap_or(0),
        }
    }
}

impl Quantity {
    /// Without its fraction; what is below zero counts as zero.
    pub(super) fn whole(self) -> Option<u32> {
        self.0.map(|milli| u32::try_from((milli.0 / 1_000).max(0)).unwrap_or(u32::MAX))
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityVisitor)
    }
}

struct QuantityVisitor;

impl de::Visitor<'_> for QuantityVisitor {
    type Value = Quantity;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a quantity")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
        Ok(Quantity(Milli::parse(text).ok()))
    }

    fn visit_i64<E: de::Error>(self, count: i64) -> Result<Quantity, E> {
        Ok(Quantity(Some(Milli::whole(count))))
    }

    fn visit_u64<E: de::Error>(self, count: u64) -> Result<Quantity, E> {
        Ok(Quantity(Some(Milli::whole(i64::try_from(count).unwrap_or(i64::MAX)))))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Quantity, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Quantity, E> {
        Ok(Quantity(None))
    }
}

impl RawTerms {
    pub(super) fn terms(&self) -> NodeTerms {
        let requirements = |raw: &Option<Vec<RawRequirement>>| raw.iter().flatten().map(requirement).collect();
        let term = |raw: &RawTerm| NodeTerm {
            labels: requirements(&raw.match_expressions),
            names: requirements(&raw.match_fields),
        };
        // A list without terms matches no node, unlike no list.
        let mut terms: Vec<NodeTerm> = self.node_selector_terms.iter().map(term).collect();
        if terms.is_empty() {
            terms.push(NodeTerm::default());
        }
        NodeTerms(terms.into())
    }
}

/// `Gt` and `Lt` are for nodes only.
fn requirement(raw: &RawRequirement) -> NodeRequirement {
    let number = || raw.values.as_deref().and_then(|values| values.first()?.parse::<i64>().ok());
    let compared = |by: fn(Text, i64) -> NodeRequirement| {
        number().map_or(NodeRequirement::Unknown, |bound| by(Text::from(&raw.key), bound))
    };
    match raw.operator.as_str() {
        "Gt" => compared(NodeRequirement::Above),
        "Lt" => compared(NodeRequirement::Below),
        _ => Requirement::try_from(raw).map_or(NodeRequirement::Unknown, NodeRequirement::Label),
    }
}

impl PodAffinity {
    fn required(&self) -> impl Iterator<Item = &RawApart> {
        self.required_during_scheduling_ignored_during_execution.iter().flatten()
    }
}

impl RawApart {
    fn fact(&self) -> Apart {
        let elsewhere =
            self.namespace_selector.is_some() || self.namespaces.as_ref().is_some_and(|names| !names.is_empty());
        let pods = (!elsewhere).then(|| Selection::parse(self.label_selector.as_ref()));
        Apart { topology: self.topology_key.clone(), pods }
    }
}

impl RawToleration {
    fn fact(&self) -> Toleration {
        let exists = self.operator.as_deref() == Some("Exists");
        let effect = match self.effect.as_deref() {
            None | Some("") => Effect::Any,
            Some("NoSchedule") => Effect::NoSchedule,
            Some("NoExecute") => Effect::NoExecute,
            Some(_) => Effect::Other,
        };
        let key = self.key.clone().filter(|key| !key.is_empty());
        Toleration { key, value: (!exists).then(|| self.value.clone().unwrap_or_default()), effect }
    }
}

impl RawSpread {
    fn fact(&self) -> Option<Spread> {
        // The default is DoNotSchedule in no version: the field is required; what isn't known counts as the strict one.
        if self.when_unsatisfiable.as_deref() == Some("ScheduleAnyway") {
            return None;
        }
        Some(Spread {
            topology: self.topology_key.clone(),
            skew: u32::try_from(self.max_skew).unwrap_or(1).max(1),
            pods: Selection::parse(self.label_selector.as_ref()),
            honors_taints: self.node_taints_policy.as_deref() == Some("Honor"),
        })
    }
}

impl Mounted {
    /// Memory is no place to keep anything.
    fn loses_data(&self) -> bool {
        self.empty_dir.as_ref().is_some_and(|dir| dir.medium.as_deref() != Some("Memory"))
    }
}
