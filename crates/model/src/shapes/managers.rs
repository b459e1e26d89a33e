//! Who wrote a budget, or the Pod Security labels of a namespace, by `managedFields`.
//!
//! Read without the trees of fields that they consist of: of each entry all that matters is who it is and whether it owns
//! something that decides.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::budget::{FIELD_MANAGER, MANAGED_BY, POLICY, WORKLOAD};
use crate::Text;
use crate::facts::{Managers, Writers};

/// The entries of `managedFields`.
#[derive(Deserialize, Default)]
pub(super) struct Entries(Vec<Entry>);

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Entry {
    manager: Option<String>,
    operation: Option<String>,
    subresource: Option<String>,
    fields_v1: Option<Fields>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Fields {
    #[serde(rename = "f:spec")]
    spec: Option<IgnoredAny>,
    #[serde(rename = "f:metadata")]
    metadata: Option<MetadataFields>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MetadataFields {
    #[serde(rename = "f:labels")]
    labels: Option<BTreeMap<String, IgnoredAny>>,
    #[serde(rename = "f:annotations")]
    annotations: Option<BTreeMap<String, IgnoredAny>>,
}

impl Entries {
    /// Whether we applied the budget, and who else owns a field that decides something.
    pub(super) fn managers(self) -> Managers {
        let is_ours = |entry: &Entry| entry.is_applied_by(FIELD_MANAGER);
        let ours = self.0.iter().any(is_ours);
        let others = self.0.iter().filter(|entry| !is_ours(entry) && entry.decides());
        let others = others.filter_map(|entry| entry.manager.as_deref()).map(Text::from).collect();
        Managers { ours, others }
    }

    /// The labels with this prefix that `manager` applied, and those that somebody else owns.
    pub(super) fn writers(self, manager: &str, prefix: &str) -> Writers {
        let (ours, others): (Vec<_>, Vec<_>) = self.0.iter().partition(|entry| entry.is_applied_by(manager));
        let of_another = |entry: &&Entry| {
            let manager = Text::from(entry.manager.as_deref().unwrap_or_default());
            entry.labels(prefix).map(move |label| (label, manager.clone())).collect::<Vec<_>>()
        };
        Writers {
            ours: ours.iter().flat_map(|entry| entry.labels(prefix)).collect(),
            others: others.iter().flat_map(of_another).collect(),
        }
    }
}

impl Entry {
    fn is_applied_by(&self, manager: &str) -> bool {
        self.manager.as_deref() == Some(manager) && self.operation.as_deref() == Some("Apply")
    }

    /// The labels with this prefix that it owns.
    fn labels(&self, prefix: &str) -> impl Iterator<Item = Text> {
        let metadata = self.fields_v1.as_ref().and_then(|fields| fields.metadata.as_ref());
        let labels = metadata.and_then(|metadata| metadata.labels.as_ref());
        let keys = labels.into_iter().flat_map(BTreeMap::keys).filter_map(|field| field.strip_prefix("f:"));
        keys.filter(move |label| label.starts_with(prefix)).map(Text::from)
    }

    /// Whether it owns a field of the spec, or one of those by which we know our own: an apply of ours would conflict.
    fn decides(&self) -> bool {
        let fields = self.fields_v1.as_ref();
        self.subresource.as_deref().unwrap_or_default().is_empty() && fields.is_some_and(Fields::decide)
    }
}

impl Fields {
    fn decide(&self) -> bool {
        let owns = |map: &Option<BTreeMap<String, IgnoredAny>>, key: &str| {
            map.as_ref().is_some_and(|map| map.keys().any(|field| field.strip_prefix("f:") == Some(key)))
        };
        let marked = self.metadata.as_ref().is_some_and(|metadata| {
            owns(&metadata.labels, MANAGED_BY.0)
                || owns(&metadata.labels, POLICY)
                || owns(&metadata.annotations, WORKLOAD)
        });
        self.spec.is_some() || marked
    }
}
