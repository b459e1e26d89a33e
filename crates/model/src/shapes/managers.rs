//! Who wrote a budget, by its `managedFields`.
//!
//! Read without the trees of fields that they consist of: of each entry all that matters is who it is and whether it owns
//! something that decides.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::budget::{FIELD_MANAGER, MANAGED_BY, POLICY, WORKLOAD};
use crate::Text;
use crate::facts::Managers;

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
        let ours = self.0.iter().any(Entry::is_ours);
        let others = self.0.iter().filter(|entry| !entry.is_ours() && entry.decides());
        let others = others.filter_map(|entry| entry.manager.as_deref()).map(Text::from).collect();
        Managers { ours, others }
    }
}

impl Entry {
    fn is_ours(&self) -> bool {
        self.manager.as_deref() == Some(FIELD_MANAGER) && self.operation.as_deref() == Some("Apply")
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
