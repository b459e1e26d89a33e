//! What the API server makes of a pod before it judges it.

use crate::shape::APP_ARMOR_ANNOTATION;

use super::{PodFacts, Profile};

impl PodFacts {
    /// The pod as a server of 1.30 or newer judges it once it is created. The checks see what the server filled in.
    ///
    /// * In the node's network, a container's ports are ports of the node.
    /// * An AppArmor annotation becomes the profile of a container that has none, unless the pod has the same. Older
    ///   servers don't do this.
    ///
    /// The server warns about a *template* without any of this.
    #[must_use]
    pub fn defaulted(mut self) -> Self {
        self.fill_in_host_ports();
        if !self.is_windows {
            self.fill_in_app_armor();
        }
        self
    }

    fn fill_in_host_ports(&mut self) {
        if !self.host_network {
            return;
        }
        let created = self.containers.len() - self.ephemeral as usize;
        let reaches = self.containers[..created].iter_mut().filter_map(|container| container.reach.as_mut());
        for port in reaches.flat_map(|reach| &mut reach.ports).filter(|port| port.host == 0) {
            port.host = port.inside;
        }
    }

    fn fill_in_app_armor(&mut self) {
        let Some(rare) = &self.rare else { return };
        let pod = self.security.as_ref().and_then(|security| security.app_armor.as_ref());
        for container in self.containers.iter_mut().filter(|container| container.security().app_armor.is_none()) {
            let key = [APP_ARMOR_ANNOTATION, &container.name].concat();
            let value = rare.annotations.iter().find(|(other, _)| **other == *key).map(|(_, value)| value);
            let profile = value.and_then(|value| profile(value)).filter(|profile| Some(profile) != pod);
            if profile.is_some() {
                container.security.get_or_insert_default().app_armor = profile;
            }
        }
    }
}

/// The profile that an annotation means.
fn profile(annotation: &str) -> Option<Profile> {
    match annotation {
        "unconfined" => Some(Profile::Other("Unconfined".into())),
        "runtime/default" => Some(Profile::RuntimeDefault),
        _ => annotation.strip_prefix("localhost/").filter(|name| !name.is_empty()).map(|_| Profile::Localhost),
    }
}
