//! What Pod Security reads of a pod or template, one copy for all that look the same.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use holdfast_pod_security::PodFacts;

use crate::pool::{Counted, Pool};

static POOL: LazyLock<Pool<Counting>> = LazyLock::new(Pool::default);

/// What Pod Security reads of a pod. Replicas share one; compared by address.
#[derive(Clone)]
pub struct SharedFacts(Arc<PodFacts>);

/// The pool's own handle, compared by content.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Counting(Arc<PodFacts>);

impl Counted for Counting {
    fn is_last(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Borrow<PodFacts> for Counting {
    fn borrow(&self) -> &PodFacts {
        &self.0
    }
}

impl From<&PodFacts> for Counting {
    fn from(facts: &PodFacts) -> Self {
        Self(Arc::new(facts.clone()))
    }
}

impl From<&PodFacts> for SharedFacts {
    fn from(facts: &PodFacts) -> Self {
        Self(POOL.intern(facts).0)
    }
}

impl Default for SharedFacts {
    fn default() -> Self {
        Self::from(&PodFacts::default())
    }
}

impl Deref for SharedFacts {
    type Target = PodFacts;

    fn deref(&self) -> &PodFacts {
        &self.0
    }
}

impl PartialEq for SharedFacts {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SharedFacts {}

impl Hash for SharedFacts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

impl fmt::Debug for SharedFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
