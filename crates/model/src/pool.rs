//! The one copy of each distinct value, for what repeats by the thousand.
//!
//! Our own, because memory is what it is for: with `internment` a string's handle has two words instead of one, and a
//! slice is reached through two allocations; some fifty such handles are in each workload. A value whose last owner is
//! gone stays until the next sweep, which comes before the values outnumber those that the last sweep left by a quarter;
//! so what is kept in vain is bounded, and the cost of sweeping is spread over the values that come.

use std::borrow::Borrow;
use std::hash::{BuildHasher as _, Hash};

use arcstr::ArcStr;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use parking_lot::Mutex;

/// So that threads seldom wait for each other.
const SHARDS: usize = 16;
/// Fewer values than this in a shard aren't worth a sweep.
const FEW: usize = 64;

/// A counted reference that a pool can hold.
pub(crate) trait Counted: Clone + Eq + Hash {
    /// Whether nobody has it but the one who asks.
    fn is_last(&self) -> bool;
}

impl Counted for ArcStr {
    /// The empty string is a literal, which isn't counted and costs nothing.
    fn is_last(&self) -> bool {
        Self::strong_count(self) == Some(1)
    }
}

/// Hands out copies of values, equal ones as the same allocation.
pub(crate) struct Pool<R> {
    hasher: RandomState,
    shards: [Mutex<Shard<R>>; SHARDS],
}

struct Shard<R> {
    values: HashTable<R>,
    /// How many the last sweep left.
    swept: usize,
}

impl<R> Default for Pool<R> {
    fn default() -> Self {
        Self { hasher: RandomState::default(), shards: Default::default() }
    }
}

impl<R> Default for Shard<R> {
    fn default() -> Self {
        Self { values: HashTable::new(), swept: 0 }
    }
}

impl<R: Counted> Pool<R> {
    /// The pool's copy of a value.
    pub(crate) fn intern<Q>(&self, value: &Q) -> R
    where
        R: Borrow<Q> + for<'a> From<&'a Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.hasher.hash_one(value);
        self.shard(hash).lock().intern(value, hash, &self.hasher)
    }

    /// The pool's copy of a value, when there is one.
    pub(crate) fn known<Q>(&self, value: &Q) -> Option<R>
    where
        R: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.hasher.hash_one(value);
        self.shard(hash).lock().values.find(hash, |known| known.borrow() == value).cloned()
    }

    /// Chosen by bits that its table, which takes the lowest and the highest, doesn't look at.
    fn shard(&self, hash: u64) -> &Mutex<Shard<R>> {
        &self.shards[(hash >> 40) as usize % SHARDS]
    }
}

#[cfg(test)]
impl<R: Counted> Pool<R> {
    /// Drops what is nobody's, and counts what is left and meant.
    pub(crate) fn count(&self, is_meant: impl Fn(&R) -> bool) -> usize {
        let swept = self.shards.iter().map(|shard| {
            let mut shard = shard.lock();
            shard.sweep();
            shard.values.iter().filter(|value| is_meant(value)).count()
        });
        swept.sum()
    }
}

impl<R: Counted> Shard<R> {
    /// Copies are handed out under the lock only, so a value that only we have is nobody's.
    fn intern<Q>(&mut self, value: &Q, hash: u64, hasher: &RandomState) -> R
    where
        R: Borrow<Q> + for<'a> From<&'a Q>,
        Q: Hash + Eq + ?Sized,
    {
        if let Some(known) = self.values.find(hash, |known| known.borrow() == value) {
            return known.clone();
        }
        if self.values.len() >= FEW.max(self.swept + self.swept / 4) {
            self.sweep();
        }
        let new = R::from(value);
        self.values.insert_unique(hash, new.clone(), |value| hasher.hash_one(value));
        new
    }

    fn sweep(&mut self) {
        self.values.retain(|value| !value.is_last());
        self.swept = self.values.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_after_a_value_keeps_none() {
        let pool = Pool::<ArcStr>::default();
        assert_eq!(pool.known("a"), None);
        assert_eq!(pool.count(|_| true), 0);
        let kept = pool.intern("a");
        assert!(pool.known("a").is_some_and(|known| ArcStr::ptr_eq(&known, &kept)));
    }

    #[test]
    fn a_value_lives_as_long_as_an_owner_and_hardly_longer() {
        let mut shard = Shard::<ArcStr>::default();
        let hasher = RandomState::default();
        let intern = |shard: &mut Shard<ArcStr>, text: &str| shard.intern(text, hasher.hash_one(text), &hasher);
        let kept: Vec<ArcStr> = (0..1_000).map(|number| intern(&mut shard, &format!("kept-{number}"))).collect();
        for number in 0..100_000 {
            intern(&mut shard, &format!("dropped-{number}"));
            assert!(shard.values.len() <= 1_250, "{} values", shard.values.len());
        }
        assert!(kept.iter().enumerate().all(|(number, text)| *text == format!("kept-{number}")));
        assert!(kept.iter().all(|text| ArcStr::ptr_eq(text, &intern(&mut shard, text))));
        drop(kept);
        shard.sweep();
        assert!(shard.values.is_empty());
    }

    #[test]
    fn threads_get_the_same_copy() {
        let pool = Pool::<ArcStr>::default();
        let intern = || (0..1_000).map(|number| pool.intern(format!("shared-{number}").as_str())).collect();
        let copies: Vec<Vec<ArcStr>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(intern)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for copy in &copies[1..] {
            assert!(copy.iter().zip(&copies[0]).all(|(one, other)| ArcStr::ptr_eq(one, other)));
        }
    }
}
