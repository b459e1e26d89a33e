//! The policies and exceptions as they are written, with what came of reading them.
//!
//! The parsed form is made anew when something that means anything changed; our own status writes don't.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_api::{DisruptionPolicy, NamespaceSecurityPolicy, PolicyException};
use holdfast_model::{Cluster, ObjectKey, Touched};
use holdfast_policy::disruption::Settings;
use holdfast_policy::pod_security::Server;
use holdfast_policy::{Exception, Policies};

use super::shelf::Shelf;

/// All policies and exceptions.
#[derive(Default)]
pub(crate) struct PolicyStore {
    /// Those about budgets.
    pub(crate) disruption: Shelf<DisruptionPolicy>,
    /// Those about Pod Security levels.
    pub(crate) security: Shelf<NamespaceSecurityPolicy>,
    exceptions: BTreeMap<ObjectKey, KnownException>,
    server: Server,
    parsed: Arc<Policies>,
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

    pub(crate) fn exceptions(&self) -> impl Iterator<Item = (&ObjectKey, &KnownException)> {
        self.exceptions.iter()
    }

    pub(crate) fn apply_policy(&mut self, raw: DisruptionPolicy) -> Touched {
        let changed = self.disruption.apply(raw);
        self.parse_if(changed, Touched::All)
    }

    pub(crate) fn unreadable_policy(&mut self, name: &str, error: String) -> Touched {
        let changed = self.disruption.unreadable(name, error);
        self.parse_if(changed, Touched::All)
    }

    pub(crate) fn delete_policy(&mut self, name: &str) -> Touched {
        let gone = self.disruption.delete(name);
        self.parse_if(gone, Touched::All)
    }

    pub(crate) fn retain_policies(&mut self, keep: impl Fn(&str) -> bool) -> Touched {
        let gone = self.disruption.retain(keep);
        self.parse_if(gone, Touched::All)
    }

    pub(crate) fn apply_security(&mut self, raw: NamespaceSecurityPolicy) -> Touched {
        let changed = self.security.apply(raw);
        self.parse_if(changed, Touched::All)
    }

    pub(crate) fn unreadable_security(&mut self, name: &str, error: String) -> Touched {
        let changed = self.security.unreadable(name, error);
        self.parse_if(changed, Touched::All)
    }

    pub(crate) fn delete_security(&mut self, name: &str) -> Touched {
        let gone = self.security.delete(name);
        self.parse_if(gone, Touched::All)
    }

    pub(crate) fn retain_security(&mut self, keep: impl Fn(&str) -> bool) -> Touched {
        let gone = self.security.retain(keep);
        self.parse_if(gone, Touched::All)
    }

    /// Something else is known of the API server.
    pub(crate) fn know_server(&mut self, server: Server) -> Touched {
        let changed = self.server != server;
        self.server = server;
        self.parse_if(changed, Touched::All)
    }

    /// What is known of the API server.
    pub(crate) fn server(&self) -> &Server {
        &self.server
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

    /// How many namespaces a policy selects, and how many there are.
    pub(crate) fn namespaces_of(&self, policy: &DisruptionPolicy, cluster: &Cluster) -> (usize, usize) {
        let Ok(settings) = Settings::try_from(policy) else { return (0, 0) };
        let all = || cluster.namespace_names().filter_map(|name| cluster.namespace(name)?.namespace());
        (all().filter(|namespace| settings.selects_namespace(namespace)).count(), all().count())
    }

    /// How many there are, and how many of them can't be read.
    pub(crate) fn count_policies(&self) -> (usize, usize) {
        self.disruption.count()
    }

    pub(crate) fn count_security(&self) -> (usize, usize) {
        self.security.count()
    }

    pub(crate) fn count_exceptions(&self) -> (usize, usize) {
        let unreadable = |known: &&KnownException| matches!(known, KnownException::Unreadable { .. });
        (self.exceptions.len(), self.exceptions.values().filter(unreadable).count())
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
        let exceptions =
            self.exceptions.iter().filter_map(|(key, known)| Some((key.namespace.clone(), known.parsed()?.clone())));
        let policies =
            Policies::new(self.disruption.meanings().cloned(), self.disruption.unclear().cloned(), exceptions);
        let unclear = self.security.unclear().next().is_some();
        self.parsed = Arc::new(policies.securing(self.security.meanings().cloned(), unclear, self.server.clone()));
        touched
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

/// When Flux or a person last asked for a reconciliation.
pub(crate) fn requested_at(meta: &kube::core::ObjectMeta) -> Option<&String> {
    meta.annotations.as_ref()?.get(holdfast_api::REQUESTED_AT)
}
