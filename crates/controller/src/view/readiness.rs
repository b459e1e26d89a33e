//! The DrainReadiness as it is written, with what came of reading it. There is at most one.

use holdfast_api::{CLUSTER, DrainReadiness};
use holdfast_model::Touched;
use holdfast_policy::drain::gate::Settings;

use super::requested_at;

/// The DrainReadiness, when there is one.
#[derive(Default)]
pub(crate) struct ReadinessStore(Option<KnownReadiness>);

/// The DrainReadiness, or why it can't be read.
#[derive(Debug, Clone)]
pub(crate) enum KnownReadiness {
    /// It decodes; its spec may still make no sense.
    Decoded { raw: Box<DrainReadiness>, settings: Result<Settings, String> },
    /// It doesn't decode: a newer form, perhaps.
    Unreadable { error: String },
}

impl ReadinessStore {
    pub(crate) fn get(&self) -> Option<&KnownReadiness> {
        self.0.as_ref()
    }

    pub(crate) fn apply(&mut self, raw: DrainReadiness) -> Touched {
        let settings = Settings::try_from(&raw.spec).map_err(|error| error.to_string());
        self.put(KnownReadiness::Decoded { raw: Box::new(raw), settings })
    }

    pub(crate) fn unreadable(&mut self, error: String) -> Touched {
        self.put(KnownReadiness::Unreadable { error })
    }

    pub(crate) fn delete(&mut self) -> Touched {
        if self.0.take().is_some() { Touched::Nodes } else { Touched::Nothing }
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&str) -> bool) -> Touched {
        if keep(CLUSTER) { Touched::Nothing } else { self.delete() }
    }

    /// How many there are, and how many of them can't be read.
    pub(crate) fn count(&self) -> (usize, usize) {
        match &self.0 {
            None => (0, 0),
            Some(KnownReadiness::Decoded { .. }) => (1, 0),
            Some(KnownReadiness::Unreadable { .. }) => (1, 1),
        }
    }

    fn put(&mut self, known: KnownReadiness) -> Touched {
        let same = self.0.as_ref().is_some_and(|before| before.means_the_same_as(&known));
        self.0 = Some(known);
        if same { Touched::Nothing } else { Touched::Nodes }
    }
}

impl KnownReadiness {
    /// Our own status writes don't matter; somebody else's do, since what they changed has to be put right.
    fn means_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Decoded { raw: a, .. }, Self::Decoded { raw: b, .. }) => {
                a.spec == b.spec
                    && a.metadata.uid == b.metadata.uid
                    && a.metadata.generation == b.metadata.generation
                    && requested_at(&a.metadata) == requested_at(&b.metadata)
            }
            (Self::Unreadable { error: a }, Self::Unreadable { error: b }) => a == b,
            (Self::Decoded { .. }, Self::Unreadable { .. }) | (Self::Unreadable { .. }, Self::Decoded { .. }) => false,
        }
    }
}
