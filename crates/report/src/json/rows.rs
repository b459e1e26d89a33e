//! Rows that are made while they are written: thousands of them are never held at once.

use serde::{Serialize, Serializer};

/// A row for each of these.
pub(super) struct Rows<'a, S, R> {
    of: &'a [S],
    row: fn(&'a S) -> R,
}

impl<'a, S, R> Rows<'a, S, R> {
    /// A row for each of these, as this makes it.
    pub(super) fn new(of: &'a [S], row: fn(&'a S) -> R) -> Self {
        Self { of, row }
    }
}

impl<S, R: Serialize> Serialize for Rows<'_, S, R> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        serializer.collect_seq(self.of.iter().map(self.row))
    }
}
