//! A shared slice behind one word.
//!
//! `Arc<[T]>` takes two, and an empty one an allocation; of those there are some ten in each workload and pod.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use triomphe::ThinArc;

use crate::pool::Counted;

/// A slice that its clones share. Compared by content.
pub struct Slice<T>(Option<ThinArc<(), T>>);

impl<T> Slice<T> {
    /// Whether both are one allocation, or empty: for slices of one pool the same as being equal.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.address() == other.address()
    }

    /// Where it is: for slices of one pool as good as its content.
    pub(crate) fn address(&self) -> Option<usize> {
        self.0.as_ref().map(|slice| slice.ptr().addr())
    }
}

impl<T> Clone for Slice<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Slice<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Deref for Slice<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.0.as_ref().map_or(&[], |slice| &slice.slice)
    }
}

impl<T> Borrow<[T]> for Slice<T> {
    fn borrow(&self) -> &[T] {
        self
    }
}

impl<T: Clone> From<&[T]> for Slice<T> {
    fn from(items: &[T]) -> Self {
        Self((!items.is_empty()).then(|| ThinArc::from_header_and_iter((), items.iter().cloned())))
    }
}

impl<T> FromIterator<T> for Slice<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let items: Vec<T> = items.into_iter().collect();
        Self((!items.is_empty()).then(|| ThinArc::from_header_and_iter((), items.into_iter())))
    }
}

impl<T: Eq + Hash> Counted for Slice<T> {
    /// The empty slice isn't counted and costs nothing.
    fn is_last(&self) -> bool {
        self.0.as_ref().is_some_and(|slice| ThinArc::strong_count(slice) == 1)
    }
}

impl<T: PartialEq> PartialEq for Slice<T> {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || **self == **other
    }
}

impl<T: Eq> Eq for Slice<T> {}

impl<T: Hash> Hash for Slice<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl<T: fmt::Debug> fmt::Debug for Slice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Slice;
    use crate::pool::Counted as _;

    #[test]
    fn it_takes_one_word_even_where_there_may_be_none() {
        assert_eq!(size_of::<Slice<String>>(), size_of::<usize>());
    }

    #[test]
    fn an_empty_one_needs_no_allocation() {
        let empty: Slice<String> = [].into_iter().collect();
        assert_eq!(empty.address(), None);
        assert!(empty.is_empty() && empty == Slice::default() && empty.is_same(&Slice::from([].as_slice())));
        assert!(!empty.is_last(), "the pool needn't drop it");
    }

    #[test]
    fn clones_share_and_equals_are_equal() {
        let one: Slice<String> = ["a", "b"].map(str::to_owned).into_iter().collect();
        assert!(one.is_last());
        let clone = one.clone();
        assert!(one.is_same(&clone) && !one.is_last());
        let other = Slice::from(["a", "b"].map(str::to_owned).as_slice());
        assert!(one == other && !one.is_same(&other));
        assert_ne!(one, ["a"].map(str::to_owned).into_iter().collect());
        assert_eq!(format!("{one:?}"), r#"["a", "b"]"#);
    }
}
