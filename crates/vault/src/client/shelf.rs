//! Things that are made once and shared as long as somebody holds them: servers and authorities come and go for months.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Things by what they are made for.
pub(super) struct Shelf<K, V>(HashMap<K, Arc<V>>);

impl<K: Eq + Hash + Clone, V> Shelf<K, V> {
    pub(super) fn new() -> Self {
        Self(HashMap::new())
    }

    /// The thing for this key, made now unless it is there.
    pub(super) fn get<E>(&mut self, key: &K, make: impl FnOnce() -> Result<V, E>) -> Result<Arc<V>, E> {
        if let Some(value) = self.0.get(key) {
            return Ok(Arc::clone(value));
        }
        let value = Arc::new(make()?);
        self.0.insert(key.clone(), Arc::clone(&value));
        Ok(value)
    }

    /// Forgets what nobody else holds.
    pub(super) fn forget_unused(&mut self) {
        self.0.retain(|_, value| 1 < Arc::strong_count(value));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, &**value))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn what_nobody_holds_is_forgotten_and_what_somebody_holds_is_not() {
        let mut shelf = Shelf::new();
        let ok = |value: u8| move || Ok::<_, Infallible>(value);
        let held = shelf.get(&"held", ok(1)).unwrap();
        shelf.get(&"left", ok(2)).unwrap();
        assert_eq!(shelf.iter().count(), 2);
        shelf.forget_unused();
        assert_eq!(shelf.iter().collect::<Vec<_>>(), [(&"held", &1)]);
        assert!(Arc::ptr_eq(&held, &shelf.get(&"held", ok(9)).unwrap()));
    }
}
