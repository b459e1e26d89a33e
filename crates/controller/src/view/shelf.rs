//! The policies of one kind as they are written, with what came of reading them.

use std::collections::BTreeMap;
use std::fmt::Debug;

use holdfast_api::{DisruptionPolicy, NamespaceSecurityPolicy};
use holdfast_model::Text;
use holdfast_policy::{disruption, pod_security};
use kube::Resource;

use super::requested_at;

/// UID and generation of each policy.
pub(crate) type Generations = BTreeMap<Text, (Option<String>, Option<i64>)>;

/// A kind of policy.
pub(crate) trait Readable: Clone + Debug + Resource<DynamicType = ()> {
    /// What it asks for, parsed.
    type Meaning: Clone + Debug;

    /// Parses it; says what makes no sense.
    fn meaning(&self) -> Result<Self::Meaning, String>;

    /// The generation of which its status says that it was judged.
    fn observed_generation(&self) -> Option<i64>;

    /// Whether both ask for the same.
    fn asks_the_same(&self, other: &Self) -> bool;
}

impl Readable for DisruptionPolicy {
    type Meaning = disruption::Settings;

    fn meaning(&self) -> Result<Self::Meaning, String> {
        Self::Meaning::try_from(self).map_err(|error| error.to_string())
    }

    fn observed_generation(&self) -> Option<i64> {
        self.status.as_ref()?.observed_generation
    }

    fn asks_the_same(&self, other: &Self) -> bool {
        self.spec == other.spec
    }
}

impl Readable for NamespaceSecurityPolicy {
    type Meaning = pod_security::Settings;

    fn meaning(&self) -> Result<Self::Meaning, String> {
        Self::Meaning::try_from(self).map_err(|error| error.to_string())
    }

    fn observed_generation(&self) -> Option<i64> {
        self.status.as_ref()?.observed_generation
    }

    fn asks_the_same(&self, other: &Self) -> bool {
        self.spec == other.spec
    }
}

/// A policy, or why it can't be read.
#[derive(Debug, Clone)]
pub(crate) enum Known<P: Readable> {
    /// It decodes; its spec may still make no sense.
    Decoded { raw: Box<P>, settings: Result<P::Meaning, String> },
    /// It doesn't decode: a newer form, perhaps. `told` once its status says so.
    Unreadable { error: String, told: bool },
}

/// All policies of a kind, by name.
#[derive(Debug)]
pub(crate) struct Shelf<P: Readable>(BTreeMap<Text, Known<P>>);

impl<P: Readable> Default for Shelf<P> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<P: Readable> Shelf<P> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Text, &Known<P>)> {
        self.0.iter()
    }

    /// What those ask for that can be read and aren't being deleted.
    pub(super) fn meanings(&self) -> impl Iterator<Item = &P::Meaning> {
        self.0.values().filter_map(Known::meaning)
    }

    /// Those that are there but nobody can tell what they ask for.
    pub(super) fn unclear(&self) -> impl Iterator<Item = &Text> {
        self.0.iter().filter(|(_, known)| known.is_unclear()).map(|(name, _)| name)
    }

    /// What a judgement of now stands on.
    pub(crate) fn generations(&self) -> Generations {
        let of = |(name, known): (&Text, &Known<P>)| Some((name.clone(), generation(known.raw()?)));
        self.0.iter().filter_map(of).collect()
    }

    /// How many there are, and how many of them can't be read.
    pub(super) fn count(&self) -> (usize, usize) {
        let unreadable = |known: &&Known<P>| known.raw().is_none();
        (self.0.len(), self.0.values().filter(unreadable).count())
    }

    /// Takes a policy in; whether anything that means something is different.
    pub(super) fn apply(&mut self, raw: P) -> bool {
        let name = raw.meta().name.as_deref().unwrap_or_default().into();
        let settings = raw.meaning();
        self.put(name, Known::Decoded { raw: Box::new(raw), settings })
    }

    /// Takes note of one that doesn't decode.
    pub(super) fn unreadable(&mut self, name: &str, error: String) -> bool {
        // Our own status write comes back as the same object with the same error.
        let name = Text::from(name);
        let told = matches!(self.0.get(&name), Some(Known::Unreadable { error: known, .. }) if *known == error);
        self.put(name, Known::Unreadable { error, told })
    }

    /// Whether it was there.
    pub(super) fn delete(&mut self, name: &str) -> bool {
        self.0.remove(&Text::from(name)).is_some()
    }

    /// Keeps only some; whether any went.
    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) -> bool {
        let before = self.0.len();
        self.0.retain(|name, _| keep(name));
        self.0.len() < before
    }

    fn put(&mut self, name: Text, known: Known<P>) -> bool {
        let before = self.0.insert(name.clone(), known);
        before.is_none_or(|before| !before.means_the_same_as(&self.0[&name]))
    }
}

impl<P: Readable> Known<P> {
    /// The policy as it is written, when it decodes.
    pub(crate) fn raw(&self) -> Option<&P> {
        match self {
            Self::Decoded { raw, .. } => Some(raw),
            Self::Unreadable { .. } => None,
        }
    }

    /// What it asks for; nothing while it is being deleted.
    pub(crate) fn meaning(&self) -> Option<&P::Meaning> {
        match self {
            Self::Decoded { raw, settings: Ok(settings) } if raw.meta().deletion_timestamp.is_none() => Some(settings),
            Self::Decoded { .. } | Self::Unreadable { .. } => None,
        }
    }

    /// Whether it was written since its status says it was judged: by then we may not have been running.
    pub(crate) fn is_new(&self) -> bool {
        self.raw().is_some_and(|raw| raw.meta().generation != raw.observed_generation())
    }

    fn is_unclear(&self) -> bool {
        match self {
            Self::Decoded { settings, .. } => settings.is_err(),
            Self::Unreadable { .. } => true,
        }
    }

    fn means_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Decoded { raw: a, .. }, Self::Decoded { raw: b, .. }) => {
                a.asks_the_same(b)
                    && a.meta().uid == b.meta().uid
                    && a.meta().deletion_timestamp.is_some() == b.meta().deletion_timestamp.is_some()
                    && requested_at(a.meta()) == requested_at(b.meta())
            }
            (Self::Unreadable { error: a, .. }, Self::Unreadable { error: b, .. }) => a == b,
            (Self::Decoded { .. }, Self::Unreadable { .. }) | (Self::Unreadable { .. }, Self::Decoded { .. }) => false,
        }
    }
}

/// UID and generation of a policy.
pub(crate) fn generation(policy: &impl Resource<DynamicType = ()>) -> (Option<String>, Option<i64>) {
    (policy.meta().uid.clone(), policy.meta().generation)
}
