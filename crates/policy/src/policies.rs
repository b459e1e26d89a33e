//! The policies in force, parsed: who decides for a workload, and what is exempt.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_api::{LabelSelector, Mode};
use holdfast_model::facts::{Namespace, Workload};
use holdfast_model::selector::{RawRequirement, RawSelector};
use holdfast_model::{Labels, Text};
use jiff::Timestamp;

use crate::disruption::Settings;
use crate::exception::opted_out;
use crate::pod_security::{self, Server};
use crate::{Excepted, Exception, RuleId};

/// A policy, of whichever kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyRef {
    /// Its kind.
    pub kind: PolicyKind,
    /// Its name.
    pub name: Text,
}

/// The kinds of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyKind {
    /// DisruptionPolicy.
    Disruption,
    /// NamespaceSecurityPolicy.
    Security,
}

/// All policies and exceptions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    disruption: Vec<Settings>,
    security: Vec<pod_security::Settings>,
    /// Whether a NamespaceSecurityPolicy is there that can't be read: what is written stays as it is.
    security_unclear: bool,
    server: Server,
    /// How many nodes the cluster has, as far as files say it.
    nodes: Option<u32>,
    unreadable: BTreeSet<Text>,
    exceptions: BTreeMap<Text, Vec<Exception>>,
}

impl PolicyRef {
    /// A DisruptionPolicy.
    #[must_use]
    pub fn disruption(name: Text) -> Self {
        Self { kind: PolicyKind::Disruption, name }
    }

    /// A NamespaceSecurityPolicy.
    #[must_use]
    pub fn security(name: Text) -> Self {
        Self { kind: PolicyKind::Security, name }
    }
}

impl Policies {
    /// Puts them in the order in which they decide.
    ///
    /// `unreadable` names policies that are there but can't be read: what they have made is left as it is.
    #[must_use]
    pub fn new(
        disruption: impl IntoIterator<Item = Settings>,
        unreadable: impl IntoIterator<Item = Text>,
        exceptions: impl IntoIterator<Item = (Text, Exception)>,
    ) -> Self {
        let mut policies = Self { unreadable: unreadable.into_iter().collect(), ..Self::default() };
        policies.disruption = disruption.into_iter().collect();
        policies.disruption.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
        for (namespace, exception) in exceptions {
            policies.exceptions.entry(namespace).or_default().push(exception);
        }
        for list in policies.exceptions.values_mut() {
            list.sort_by(|a, b| a.name.cmp(&b.name));
        }
        policies
    }

    /// With these policies about Pod Security levels, and what is known of the API server.
    #[must_use]
    pub fn securing(
        mut self,
        security: impl IntoIterator<Item = pod_security::Settings>,
        unclear: bool,
        server: Server,
    ) -> Self {
        self.security = security.into_iter().collect();
        self.security.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
        (self.security_unclear, self.server) = (unclear, server);
        self
    }

    /// With the number of nodes that files say the cluster has.
    #[must_use]
    pub fn on_nodes(self, nodes: Option<u32>) -> Self {
        Self { nodes, ..self }
    }

    /// Whether both ask for the same budgets: what they say of levels, and of the API server, doesn't matter.
    #[must_use]
    pub fn asks_for_the_same_budgets(&self, other: &Self) -> bool {
        self.disruption == other.disruption
            && self.unreadable == other.unreadable
            && self.exceptions == other.exceptions
    }

    /// What is known of the API server.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// How many nodes the cluster has, as far as files say it.
    #[must_use]
    pub fn nodes(&self) -> Option<u32> {
        self.nodes
    }

    /// Whether a NamespaceSecurityPolicy is there that can't be read.
    #[must_use]
    pub fn is_security_unclear(&self) -> bool {
        self.security_unclear
    }

    /// Whether there is any NamespaceSecurityPolicy. Without one everything is judged as by one in Report mode.
    #[must_use]
    pub fn has_security(&self) -> bool {
        !self.security.is_empty() || self.security_unclear
    }

    /// The policies about levels that select a namespace: the first decides, the others are overruled.
    pub fn securing_namespace<'a>(
        &'a self,
        namespace: &'a Namespace,
    ) -> impl Iterator<Item = &'a pod_security::Settings> {
        self.security.iter().filter(move |settings| settings.selects(namespace))
    }

    /// Whether any policy writes labels.
    #[must_use]
    pub fn enforces_levels(&self) -> bool {
        self.security.iter().any(|settings| settings.mode == Mode::Enforce)
    }

    /// The policy about levels of this name.
    #[must_use]
    pub fn security_named(&self, name: &Text) -> Option<&pod_security::Settings> {
        self.security.iter().find(|settings| settings.name == *name)
    }

    /// Whether there is any DisruptionPolicy. Without one everything is judged as by one in Report mode.
    #[must_use]
    pub fn has_disruption(&self) -> bool {
        !self.disruption.is_empty() || !self.unreadable.is_empty()
    }

    /// Whether this policy is there but can't be read.
    #[must_use]
    pub fn is_unreadable(&self, policy: &Text) -> bool {
        self.unreadable.contains(policy)
    }

    /// Whether this policy is there and writes.
    #[must_use]
    pub fn is_enforced(&self, policy: &Text) -> bool {
        self.disruption.iter().any(|settings| settings.name == *policy && settings.mode == Mode::Enforce)
    }

    /// The policies that select a workload: the first decides, the others are overruled.
    pub fn selecting<'a>(
        &'a self,
        namespace: &'a Namespace,
        workload: &'a Workload,
    ) -> impl Iterator<Item = &'a Settings> {
        self.disruption.iter().filter(move |settings| settings.selects(namespace, workload))
    }

    /// The policy under which what belongs to no workload counts: the first that is about the whole namespace, else the
    /// first that is about some of it.
    #[must_use]
    pub fn of_namespace(&self, namespace: &Namespace) -> Option<PolicyRef> {
        let selecting = || self.disruption.iter().filter(|settings| settings.selects_namespace(namespace));
        let settings = selecting().find(|settings| settings.selects_every_workload()).or_else(|| selecting().next());
        settings.map(|settings| PolicyRef::disruption(settings.name.clone()))
    }

    /// The exceptions of a namespace, by name.
    #[must_use]
    pub fn exceptions(&self, namespace: &Text) -> &[Exception] {
        self.exceptions.get(namespace).map_or(&[], Vec::as_slice)
    }

    /// The exception that covers a rule for an object, when one does now.
    #[must_use]
    pub fn excepted(&self, rule: RuleId, object: &Judged<'_>, now: Timestamp) -> Option<Excepted> {
        let exceptions = self.exceptions(object.namespace).iter();
        let mut in_force = exceptions.filter(|exception| !exception.is_expired(now));
        let by_object = in_force.find(|exception| exception.covers(rule, object.kind, object.name, object.labels));
        by_object.map(Exception::excepted).or_else(|| object.opted_out(rule))
    }
}

/// An object as exceptions see it.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// Its namespace.
    pub namespace: &'a Text,
    /// Its kind, as the API spells it.
    pub kind: &'static str,
    /// Its name.
    pub name: &'a Text,
    /// Its labels.
    pub labels: &'a Labels,
    /// What its own annotations exempt it from; for a budget those of its workload don't count.
    pub opt_outs: [Option<&'a holdfast_model::facts::OptOut>; 2],
}

impl Judged<'_> {
    fn opted_out(&self, rule: RuleId) -> Option<Excepted> {
        self.opt_outs.iter().flatten().find_map(|opt_out| opted_out(opt_out, rule))
    }
}

/// A selector of a custom resource, in the form in which selectors are parsed.
pub(crate) fn raw_selector(selector: &LabelSelector) -> RawSelector {
    let expressions = selector.match_expressions.iter().map(|requirement| RawRequirement {
        key: requirement.key.clone(),
        operator: requirement.operator.as_str().to_owned(),
        values: Some(requirement.values.clone()),
    });
    RawSelector { match_labels: Some(selector.match_labels.clone()), match_expressions: Some(expressions.collect()) }
}
