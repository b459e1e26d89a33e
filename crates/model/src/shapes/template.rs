//! Pod templates, as far as they decide anything: labels, where pods may run, and what betrays a quorum.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::meta::Annotations;
use super::placement::PodSpec;
use crate::facts::{Placement, SharedFacts, Voters};
use crate::{Labels, Text};

/// A template of which only labels and what says where its pods may run matter.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Template {
    metadata: Option<TemplateMeta>,
    spec: Option<PodSpec>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct TemplateMeta {
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<Annotations>,
}

impl Template {
    pub(super) fn labels(&self) -> Labels {
        Labels::of(self.metadata.as_ref().and_then(|meta| meta.labels.as_ref()))
    }

    pub(super) fn has_claim(&self) -> bool {
        self.spec.as_ref().is_some_and(PodSpec::has_claim)
    }

    pub(super) fn placement(&self) -> Placement {
        self.spec.as_ref().map(PodSpec::placement).unwrap_or_default()
    }

    /// What Pod Security reads of the pods it makes; taken out. None where there are no containers.
    pub(super) fn take_security(&mut self) -> Option<SharedFacts> {
        let annotations = self.metadata.as_ref().and_then(|meta| meta.annotations.as_ref());
        let spec = self.spec.as_mut().filter(|spec| spec.has_containers())?;
        Some(spec.take_template_security(annotations))
    }
}

/// The containers of a StatefulSet's template: images, and the words in which clustering shows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Containers {
    spec: Option<ContainerList>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ContainerList {
    containers: Option<Vec<Container>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    image: Option<String>,
    command: Option<Vec<String>>,
    args: Option<Vec<String>>,
    env: Option<Vec<Variable>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Variable {
    name: String,
    value: Option<String>,
}

impl Containers {
    pub(super) fn voters(&self) -> Voters {
        let mut voters = Voters::default();
        for container in self.spec.iter().flat_map(|spec| spec.containers.iter().flatten()) {
            container.add_to(&mut voters);
        }
        voters
    }
}

impl Container {
    fn add_to(&self, voters: &mut Voters) {
        voters.images.extend(self.image.as_ref().map(Text::from));
        let words = self.command.iter().chain(&self.args).flatten();
        voters.words.extend(words.map(Text::from));
        for variable in self.env.iter().flatten() {
            voters.words.push(format!("{}={}", variable.name, variable.value.as_deref().unwrap_or_default()).into());
        }
    }
}
