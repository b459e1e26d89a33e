//! Which objects a list held, at eight bytes each.
//!
//! A key is a hash, so that a list of a hundred thousand pods needs no copy of their names. Two names that collide (one
//! chance in 10^14 for that list) make a deletion missed while disconnected stay unnoticed until the next list.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

/// The objects of one list.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    hasher: RandomState,
    keys: HashSet<u64>,
}

impl Seen {
    pub(crate) fn contains(&self, namespace: Option<&str>, name: &str) -> bool {
        self.keys.contains(&self.key(namespace, name))
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(in crate::observe) fn insert(&mut self, namespace: Option<&str>, name: &str) {
        let key = self.key(namespace, name);
        self.keys.insert(key);
    }

    pub(super) fn remove(&mut self, namespace: Option<&str>, name: &str) {
        let key = self.key(namespace, name);
        self.keys.remove(&key);
    }

    fn key(&self, namespace: Option<&str>, name: &str) -> u64 {
        self.hasher.hash_one((namespace.unwrap_or_default(), name))
    }
}
