//! What Pod Security reads of a pod's spec, decoded along with the rest of it.

use std::mem::take;

use holdfast_pod_security::{PodFacts, shape};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::meta::Annotations;
use super::placement::{ClaimName, Container, EmptyDir, Mounted, PodSpec};
use super::probe::Probe;
use crate::Text;
use crate::facts::SharedFacts;

impl PodSpec {
    /// What Pod Security reads of a live pod; taken out.
    pub(super) fn take_security(&mut self, annotations: Option<&Annotations>) -> SharedFacts {
        SharedFacts::from(&self.facts(annotations))
    }

    /// The same of a template: of the pod that the API server makes of it, with the defaults that it fills in.
    pub(super) fn take_template_security(&mut self, annotations: Option<&Annotations>) -> SharedFacts {
        SharedFacts::from(&self.facts(annotations).defaulted())
    }

    pub(super) fn has_containers(&self) -> bool {
        self.containers.as_ref().is_some_and(|containers| !containers.is_empty())
    }

    fn facts(&mut self, annotations: Option<&Annotations>) -> PodFacts {
        let spec = shape::PodSpec {
            init_containers: containers(&mut self.init_containers),
            containers: containers(&mut self.containers),
            ephemeral_containers: containers(&mut self.ephemeral_containers),
            volumes: self.volumes.iter_mut().flatten().map(|mounted| take(&mut mounted.security)).collect(),
            security_context: self.security_context.take(),
            host_network: self.host_network.unwrap_or_default(),
            host_pid: self.host_pid.unwrap_or_default(),
            host_ipc: self.host_ipc.unwrap_or_default(),
            host_users: self.host_users,
            os: self.os.take(),
            runtime_class_name: self.runtime_class_name.take(),
        };
        PodFacts::of(annotations.into_iter().flat_map(Annotations::iter), spec)
    }
}

fn containers(list: &mut Option<Vec<Container>>) -> Vec<shape::Container> {
    list.iter_mut().flatten().map(Container::take_security).collect()
}

impl Container {
    fn take_security(&mut self) -> shape::Container {
        shape::Container {
            name: self.name.take().unwrap_or_default(),
            security_context: self.security_context.take(),
            ports: self.ports.take().unwrap_or_default(),
            liveness_probe: self.liveness_probe.take(),
            readiness_probe: self.readiness_probe.take().map(Probe::handler),
            startup_probe: self.startup_probe.take().map(Probe::handler),
            lifecycle: self.lifecycle.take(),
        }
    }
}

/// A volume is what its key says, whichever it is: which keys there are is Pod Security's to know.
impl<'de> Deserialize<'de> for Mounted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Volumes)
    }
}

struct Volumes;

impl<'de> Visitor<'de> for Volumes {
    type Value = Mounted;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a volume")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Mounted, A::Error> {
        let mut mounted = Mounted::default();
        let mut sources: Vec<String> = Vec::with_capacity(1);
        while let Some(key) = map.next_key::<String>()? {
            let is_set = match key.as_str() {
                "name" => {
                    mounted.name = map.next_value::<Option<Text>>()?;
                    false
                }
                "persistentVolumeClaim" => {
                    mounted.persistent_volume_claim = map.next_value::<Option<ClaimName>>()?;
                    mounted.persistent_volume_claim.is_some()
                }
                "emptyDir" => {
                    mounted.empty_dir = map.next_value::<Option<EmptyDir>>()?;
                    mounted.empty_dir.is_some()
                }
                "ephemeral" => {
                    mounted.ephemeral = map.next_value::<Option<IgnoredAny>>()?;
                    mounted.ephemeral.is_some()
                }
                _ => map.next_value::<Option<IgnoredAny>>()?.is_some(),
            };
            if is_set {
                sources.push(key);
            }
        }
        let name = mounted.name.as_deref().unwrap_or_default();
        mounted.security = shape::Volume::new(name, sources.iter().map(String::as_str));
        Ok(mounted)
    }
}
