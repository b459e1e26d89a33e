//! A DisruptionPolicy, parsed: what the rest of the decision can rely on.

use holdfast_api::{DisruptionPolicy, Mode, UnhealthyPodEviction, WorkloadKind as RawKind};
use holdfast_model::amount::{Amount, IntOrString};
use holdfast_model::facts::{Namespace, UnhealthyPods, Workload};
use holdfast_model::selector::{Selector, SelectorError};
use holdfast_model::{Text, WorkloadKind};
use k8s_openapi::apimachinery::pkg::util::intstr;
use thiserror::Error;

use crate::policies::raw_selector;

/// What a DisruptionPolicy asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its name.
    pub name: Text,
    /// Its UID, which owns the budgets.
    pub uid: Text,
    /// Whether budgets are written.
    pub mode: Mode,
    /// The highest decides.
    pub priority: i32,
    /// The kinds that get a budget.
    pub kinds: Vec<WorkloadKind>,
    /// How many pods may be gone at once; at least one.
    pub max_unavailable: Amount,
    /// What happens to pods that aren't ready.
    pub unhealthy_pods: UnhealthyPods,
    namespaces: Selector,
    workloads: Selector,
}

/// Why a policy can't mean anything. The API server's validation refuses most of these already.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// The selector of namespaces can't be evaluated.
    #[error("spec.namespaceSelector: {0}")]
    Namespaces(#[source] SelectorError),
    /// The selector of workloads can't be evaluated.
    #[error("spec.workloadSelector: {0}")]
    Workloads(#[source] SelectorError),
    /// The amount is none, or would block every drain.
    #[error("spec.maxUnavailable: {0:?} is neither a number of pods, 1 or more, nor a percentage from 1% to 100%")]
    MaxUnavailable(String),
}

impl Settings {
    /// What holds where there is no policy at all: as one in Report mode over everything.
    #[must_use]
    pub fn without_policy() -> Self {
        Self {
            name: Text::default(),
            uid: Text::default(),
            mode: Mode::Report,
            priority: 0,
            kinds: vec![WorkloadKind::Deployment, WorkloadKind::StatefulSet],
            max_unavailable: Amount::Pods(1),
            unhealthy_pods: UnhealthyPods::AlwaysAllow,
            namespaces: Selector::default(),
            workloads: Selector::default(),
        }
    }

    /// Whether the workload is meant: its namespace, its labels and its kind.
    #[must_use]
    pub fn selects(&self, namespace: &Namespace, workload: &Workload) -> bool {
        self.kinds.contains(&workload.id.kind)
            && self.selects_namespace(namespace)
            && self.workloads.matches(&workload.labels)
    }

    /// Whether the labels of workloads don't matter.
    #[must_use]
    pub fn selects_every_workload(&self) -> bool {
        self.workloads.is_empty()
    }

    /// Whether the namespace is meant.
    #[must_use]
    pub fn selects_namespace(&self, namespace: &Namespace) -> bool {
        self.namespaces.matches(&namespace.labels)
    }
}

impl TryFrom<&DisruptionPolicy> for Settings {
    type Error = SettingsError;

    fn try_from(raw: &DisruptionPolicy) -> Result<Self, SettingsError> {
        let spec = &raw.spec;
        let selector = |selector: &Option<_>| selector.as_ref().map(|raw| Selector::try_from(&raw_selector(raw)));
        Ok(Self {
            name: raw.metadata.name.as_deref().unwrap_or_default().into(),
            uid: raw.metadata.uid.as_deref().unwrap_or_default().into(),
            mode: spec.mode,
            priority: spec.priority,
            kinds: spec.kinds.iter().copied().map(kind).collect(),
            max_unavailable: max_unavailable(&spec.max_unavailable)?,
            unhealthy_pods: unhealthy_pods(spec.unhealthy_pod_eviction_policy),
            namespaces: selector(&spec.namespace_selector)
                .transpose()
                .map_err(SettingsError::Namespaces)?
                .unwrap_or_default(),
            workloads: selector(&spec.workload_selector)
                .transpose()
                .map_err(SettingsError::Workloads)?
                .unwrap_or_default(),
        })
    }
}

fn kind(raw: RawKind) -> WorkloadKind {
    match raw {
        RawKind::Deployment => WorkloadKind::Deployment,
        RawKind::StatefulSet => WorkloadKind::StatefulSet,
    }
}

fn unhealthy_pods(raw: UnhealthyPodEviction) -> UnhealthyPods {
    match raw {
        UnhealthyPodEviction::AlwaysAllow => UnhealthyPods::AlwaysAllow,
        UnhealthyPodEviction::IfHealthyBudget => UnhealthyPods::IfHealthyBudget,
    }
}

fn max_unavailable(raw: &intstr::IntOrString) -> Result<Amount, SettingsError> {
    let (text, amount) = match raw {
        intstr::IntOrString::Int(count) => (count.to_string(), IntOrString::Int((*count).into())),
        intstr::IntOrString::String(text) => (text.clone(), IntOrString::String(text.clone())),
    };
    let amount = Amount::try_from(&amount).map_err(|_| SettingsError::MaxUnavailable(text.clone()))?;
    let usable = match amount {
        Amount::Pods(count) => 0 < count,
        Amount::Share(percent) => (1..=100).contains(&percent.value()),
    };
    if usable { Ok(amount) } else { Err(SettingsError::MaxUnavailable(text)) }
}
