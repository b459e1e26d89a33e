//! The policies and exceptions as they are written, with what came of reading them.
//!
//! The parsed form is made anew when something that means anything changed; our own status writes don't.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_api::{DisruptionPolicy, PolicyException};
use holdfast_model::{Cluster, ObjectKey, Text, Touched};
use holdfast_policy::disruption::Settings;
use holdfast_policy::{Exception, Policies};

/// UID and generation of each policy.
pub(crate) type Generations = BTreeMap<Text, (Option<String>, Option<i64>)>;

/// All policies and exceptions.
#[derive(Default)]
pub(crate) struct PolicyStore {
    policies: BTreeMap<Text, KnownPolicy>,
    exceptions: BTreeMap<ObjectKey, KnownException>,
    parsed: Arc<Policies>,
}

/// A DisruptionPolicy, or why it can't be read.
#[derive(Debug, Clone)]
pub(crate) enum KnownPolicy {
    /// It decodes; its spec may still make no sense.
    Decoded { raw: Box<DisruptionPolicy>, settings: Result<Settings, String> },
    /// It doesn't decode: a newer form, perhaps. `told` once its status says so.
    Unreadable { error: String, told: bool },
}

/// A PolicyException, or why it can't be read.
#[derive(Debug, Clone)]
pub(crate) enum KnownException {
    /// It decodes; its spec may still make no sense.
    Decoded { raw: Box<PolicyException>, exception: Result<Exception, String> },
    /// It doesn't decode.
    Unreadable { error: String },
}

impl PolicyStore {
    /// The parsed policies, to plan with.
    pub(crate) fn parsed(&self) -> Arc<Policies> {
        Arc::clone(&self.parsed)
    }

    pub(crate) fn policies(&self) -> impl Iterator<Item = (&Text, &KnownPolicy)> {
        self.policies.iter()
    }

    pub(crate) fn exceptions(&self) -> impl Iterator<Item = (&ObjectKey, &KnownException)> {
        self.exceptions.iter()
    }

    pub(crate) fn apply_policy(&mut self, raw: DisruptionPolicy) -> Touched {
        let name = raw.metadata.name.as_deref().unwrap_or_default().into();
        let settings = Settings::try_from(&raw).map_err(|error| error.to_string());
        self.put_policy(name, KnownPolicy::Decoded { raw: Box::new(raw), settings })
    }

    pub(crate) fn unreadable_policy(&mut self, name: &str, error: String) -> Touched {
        // Our own status write comes back as the same object with the same error.
        let name = Text::from(name);
        let told =
            matches!(self.policies.get(&name), Some(KnownPolicy::Unreadable { error: known, .. }) if *known == error);
        self.put_policy(name, KnownPolicy::Unreadable { error, told })
    }

    pub(crate) fn delete_policy(&mut self, name: &str) -> Touched {
        let gone = self.policies.remove(&Text::from(name)).is_some();
        self.parse_if(gone, Touched::All)
    }

    pub(crate) fn retain_policies(&mut self, keep: impl Fn(&str) -> bool) -> Touched {
        let before = self.policies.len();
        self.policies.retain(|name, _| keep(name));
        self.parse_if(self.policies.len() < before, Touched::All)
    }

    pub(crate) fn apply_exception(&mut self, raw: PolicyException) -> Touched {
        let meta = &raw.metadata;
        let key =
            ObjectKey::new(meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
        let exception = Exception::try_from(&raw).map_err(|error| error.to_string());
        self.put_exception(key, KnownException::Decoded { raw: Box::new(raw), exception })
    }

    pub(crate) fn unreadable_exception(&mut self, key: ObjectKey, error: String) -> Touched {
        self.put_exception(key, KnownException::Unreadable { error })
    }

    pub(crate) fn delete_exception(&mut self, key: &ObjectKey) -> Touched {
        let gone = self.exceptions.remove(key).is_some();
        self.parse_if(gone, Touched::namespace(key.namespace.clone()))
    }

    pub(crate) fn retain_exceptions(&mut self, keep: impl Fn(&ObjectKey) -> bool) -> Touched {
        let gone = self.exceptions.keys().filter(|key| !keep(key)).map(|key| key.namespace.clone()).collect();
        self.exceptions.retain(|key, _| keep(key));
        self.parse_if(true, Touched::Namespaces(gone))
    }

    /// Each policy's UID and generation: what a judgement of now stands on.
    pub(crate) fn generations(&self) -> Generations {
        let of = |(name, known): (&Text, &KnownPolicy)| match known {
            KnownPolicy::Decoded { raw, .. } => Some((name.clone(), generation(raw))),
            KnownPolicy::Unreadable { .. } => None,
        };
        self.policies.iter().filter_map(of).collect()
    }

    /// How many namespaces a policy selects, and how many there are.
    pub(crate) fn namespaces_of(&self, policy: &DisruptionPolicy, cluster: &Cluster) -> (usize, usize) {
        let Ok(settings) = Settings::try_from(policy) else { return (0, 0) };
        let all = || cluster.namespace_names().filter_map(|name| cluster.namespace(name)?.namespace());
        (all().filter(|namespace| settings.selects_namespace(namespace)).count(), all().count())
    }

    /// How many there are, and how many of them can't be read.
    pub(crate) fn count_policies(&self) -> (usize, usize) {
        let unreadable = |known: &&KnownPolicy| matches!(known, KnownPolicy::Unreadable { .. });
        (self.policies.len(), self.policies.values().filter(unreadable).count())
    }

    pub(crate) fn count_exceptions(&self) -> (usize, usize) {
        let unreadable = |known: &&KnownException| matches!(known, KnownException::Unreadable { .. });
        (self.exceptions.len(), self.exceptions.values().filter(unreadable).count())
    }

    fn put_policy(&mut self, name: Text, known: KnownPolicy) -> Touched {
        let before = self.policies.insert(name.clone(), known);
        let changed = before.is_none_or(|before| !before.means_the_same_as(&self.policies[&name]));
        self.parse_if(changed, Touched::All)
    }

    fn put_exception(&mut self, key: ObjectKey, known: KnownException) -> Touched {
        let touched = Touched::namespace(key.namespace.clone());
        let before = self.exceptions.insert(key.clone(), known);
        let changed = before.is_none_or(|before| !before.means_the_same_as(&self.exceptions[&key]));
        self.parse_if(changed, touched)
    }

    fn parse_if(&mut self, changed: bool, touched: Touched) -> Touched {
        if !changed {
            return Touched::Nothing;
        }
        let settings = self.policies.values().filter_map(KnownPolicy::settings).cloned();
        let unreadable = self.policies.iter().filter(|(_, known)| known.is_unclear()).map(|(name, _)| name.clone());
        let exceptions =
            self.exceptions.iter().filter_map(|(key, known)| Some((key.namespace.clone(), known.parsed()?.clone())));
        self.parsed = Arc::new(Policies::new(settings, unreadable, exceptions));
        touched
    }
}

impl KnownPolicy {
    /// What it asks for; nothing while it is being deleted.
    fn settings(&self) -> Option<&Settings> {
        match self {
            Self::Decoded { raw, settings: Ok(settings) } if raw.metadata.deletion_timestamp.is_none() => {
                Some(settings)
            }
            Self::Decoded { .. } | Self::Unreadable { .. } => None,
        }
    }

    /// Whether it is there but nobody can tell what it asks for.
    fn is_unclear(&self) -> bool {
        match self {
            Self::Decoded { settings, .. } => settings.is_err(),
            Self::Unreadable { .. } => true,
        }
    }

    fn means_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Decoded { raw: a, .. }, Self::Decoded { raw: b, .. }) => {
                a.spec == b.spec
                    && a.metadata.uid == b.metadata.uid
                    && a.metadata.deletion_timestamp.is_some() == b.metadata.deletion_timestamp.is_some()
                    && requested_at(&a.metadata) == requested_at(&b.metadata)
            }
            (Self::Unreadable { error: a, .. }, Self::Unreadable { error: b, .. }) => a == b,
            (Self::Decoded { .. }, Self::Unreadable { .. }) | (Self::Unreadable { .. }, Self::Decoded { .. }) => false,
        }
    }
}

impl KnownException {
    pub(crate) fn parsed(&self) -> Option<&Exception> {
        match self {
            Self::Decoded { exception: Ok(exception), .. } => Some(exception),
            Self::Decoded { exception: Err(_), .. } | Self::Unreadable { .. } => None,
        }
    }

    fn means_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Decoded { raw: a, .. }, Self::Decoded { raw: b, .. }) => {
                a.spec == b.spec && requested_at(&a.metadata) == requested_at(&b.metadata)
            }
            (Self::Unreadable { error: a }, Self::Unreadable { error: b }) => a == b,
            (Self::Decoded { .. }, Self::Unreadable { .. }) | (Self::Unreadable { .. }, Self::Decoded { .. }) => false,
        }
    }
}

/// UID and generation of a policy.
pub(crate) fn generation(policy: &DisruptionPolicy) -> (Option<String>, Option<i64>) {
    (policy.metadata.uid.clone(), policy.metadata.generation)
}

/// When Flux or a person last asked for a reconciliation.
pub(crate) fn requested_at(meta: &kube::core::ObjectMeta) -> Option<&String> {
    meta.annotations.as_ref()?.get(holdfast_api::REQUESTED_AT)
}
