//! Pod Security levels: which a namespace meets, what its labels mean, and how it gets to the strictest it meets.
//!
//! The checks are those of `holdfast_pod_security`. Here is what follows for a namespace: the strictest level that all
//! templates and live pods meet ([`Standing`]), what the labels mean ([`Labelled`]), and what is written next
//! ([`advise`]): warn and audit at once, enforce after a soak and a rehearsal by the API server, never down.

mod discovery;
mod labels;
mod progress;
mod ratchet;
mod rehearsal;
mod settings;
mod standing;
mod stated;
#[cfg(test)]
mod tests;

pub use discovery::{Probe, probe};
pub use labels::Labelled;
pub use progress::Progress;
pub use ratchet::{Advice, JUDGED, Moment, Rehearsal, Step, advise};
pub use rehearsal::Answer;
pub use settings::{Server, Settings, SettingsError, level, raw_level};
pub use standing::{Standing, Subject, Who};

use std::borrow::Cow;

use holdfast_model::NamespaceView;
use holdfast_model::Text;
use holdfast_model::facts::Namespace;
use holdfast_pod_security::labels::ENFORCE;

use crate::Policies;

/// A namespace by its level: who decides, what its labels mean, what everything in it meets.
#[derive(Clone, Debug)]
pub struct Look<'a> {
    settings: Cow<'a, Settings>,
    overruled: Vec<Text>,
    labelled: Labelled,
    standing: Standing<'a>,
    exempt: bool,
}

impl<'a> Look<'a> {
    /// Looks at a namespace; none where no policy selects it, or its Namespace isn't known (yet).
    #[must_use]
    pub fn at(view: NamespaceView<'a>, policies: &'a Policies) -> Option<Self> {
        let namespace = view.namespace()?;
        let (settings, overruled) = deciding(namespace, policies);
        let (settings, server) = (settings?, policies.server());
        let exempt = settings.exempts(view.name(), server).is_some();
        let (labelled, standing) = (Labelled::of(namespace, server), Standing::of(view, server.version()));
        Some(Self { settings, overruled, labelled, standing, exempt })
    }

    /// Whether it is left alone.
    #[must_use]
    pub fn is_exempt(&self) -> bool {
        self.exempt
    }

    /// The name of the policy that decides; empty where there is none at all.
    #[must_use]
    pub fn policy(&self) -> &Text {
        &self.settings.name
    }

    /// The namespace as the rules see it.
    #[must_use]
    pub fn case<'b>(&'b self, view: NamespaceView<'b>, policies: &'b Policies) -> Option<Case<'b>> {
        let Self { settings, labelled, standing, .. } = self;
        Some(Case { view, namespace: view.namespace()?, settings, labelled, standing, server: policies.server() })
    }

    /// What a plan says of it.
    #[must_use]
    pub fn outcome(&self, namespace: &Namespace) -> Outcome {
        let writers = &namespace.writers;
        Outcome {
            policy: Some(self.settings.name.clone()).filter(|name| !name.is_empty()),
            overruled: self.overruled.clone(),
            level: (!self.standing.is_empty()).then_some(self.standing.level),
            exempt: self.exempt,
            managed: writers.is_ours(ENFORCE),
            yielded: self.labelled.enforce.is_some() && !writers.is_ours(ENFORCE),
        }
    }
}

/// The policy that decides for a namespace, and those that select it too. Without any it is judged as by one in Report mode.
#[must_use]
pub fn deciding<'a>(namespace: &'a Namespace, policies: &'a Policies) -> (Option<Cow<'a, Settings>>, Vec<Text>) {
    if !policies.has_security() {
        return (Some(Cow::Owned(Settings::without_policy())), Vec::new());
    }
    let mut selecting = policies.securing_namespace(namespace);
    (selecting.next().map(Cow::Borrowed), selecting.map(|settings| settings.name.clone()).collect())
}

/// What a plan says of a namespace's level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The policy that decides; none where there is no policy at all.
    pub policy: Option<Text>,
    /// Policies that select it too.
    pub overruled: Vec<Text>,
    /// The strictest level that everything meets; none where nothing runs.
    pub level: Option<holdfast_pod_security::Level>,
    /// Whether it is left alone.
    pub exempt: bool,
    /// Whether its enforce label is ours.
    pub managed: bool,
    /// Whether its enforce label is somebody else's.
    pub yielded: bool,
}

/// A namespace as the rules about levels see it.
#[derive(Debug)]
pub struct Case<'a> {
    /// The namespace, with what is in it.
    pub view: NamespaceView<'a>,
    /// The namespace itself.
    pub namespace: &'a Namespace,
    /// The policy that decides.
    pub settings: &'a Settings,
    /// What its labels mean.
    pub labelled: &'a Labelled,
    /// What everything in it meets.
    pub standing: &'a Standing<'a>,
    /// What is known of the API server.
    pub server: &'a Server,
}
