//! Pod templates, as far as they decide anything: labels, volumes, and what betrays a quorum.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::facts::Voters;
use crate::{Labels, Text};

/// A template of which only labels and claims matter.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Template {
    metadata: Option<TemplateMeta>,
    spec: Option<Volumes>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct TemplateMeta {
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Volumes {
    volumes: Option<Vec<Volume>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Volume {
    persistent_volume_claim: Option<IgnoredAny>,
}

impl Template {
    pub(super) fn labels(&self) -> Labels {
        Labels::of(self.metadata.as_ref().and_then(|meta| meta.labels.as_ref()))
    }

    pub(super) fn has_claim(&self) -> bool {
        let volumes = self.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
        volumes.into_iter().any(|volume| volume.persistent_volume_claim.is_some())
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
