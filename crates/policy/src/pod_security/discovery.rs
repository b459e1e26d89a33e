//! What holds in a namespace without labels: asked of the API server by rehearsals that change nothing.
//!
//! Pod Security looks at live pods when the level of a namespace changes. Where a pod violates a level, a rehearsed label of
//! that level is answered with a warning, unless it is what holds already. So one namespace without a label, in which a pod
//! violates baseline, tells which level the cluster enforces by default; and no pod has to be made for it, which would take
//! a permission that nobody should have to give.

use holdfast_model::{Cluster, Text};
use holdfast_pod_security::Level;
use holdfast_pod_security::labels::ENFORCE;

use super::Standing;
use crate::Policies;

/// A namespace that can tell what holds without a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Its name.
    pub namespace: Text,
    /// Its UID.
    pub uid: Box<str>,
}

impl Probe {
    /// The levels to rehearse, one after the other; the first that isn't objected to is what holds, and if all are, nothing
    /// is enforced.
    pub const LEVELS: [Level; 2] = [Level::Restricted, Level::Baseline];
}

/// The first namespace that can tell, while what holds isn't known; `mute` are those that are known to tell nothing.
#[must_use]
pub fn probe(cluster: &Cluster, policies: &Policies, mute: impl Fn(&Text) -> bool) -> Option<Probe> {
    let server = policies.server();
    if server.default.is_some() {
        return None;
    }
    cluster.namespace_names().filter(|name| !server.exempt.contains(name) && !mute(name)).find_map(|name| {
        let view = cluster.namespace(name)?;
        let namespace = view.namespace().filter(|namespace| !namespace.terminating)?;
        let is_labelled = namespace.labels.get(ENFORCE).is_some();
        if is_labelled || !Standing::of(view, server.version()).is_shown_live(Level::Baseline) {
            return None;
        }
        Some(Probe { namespace: name.clone(), uid: namespace.uid.clone() })
    })
}
