//! What a change touched: only that is planned again.

use std::collections::BTreeSet;

use crate::Text;

/// What has to be looked at again after a change of the facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Touched {
    /// The facts are as before; nothing has to be looked at.
    #[default]
    Nothing,
    /// These namespaces.
    Namespaces(BTreeSet<Text>),
    /// Everything.
    All,
}

impl Touched {
    /// One namespace.
    #[must_use]
    pub fn namespace(namespace: Text) -> Self {
        Self::Namespaces(BTreeSet::from([namespace]))
    }

    /// Adds what another change touched.
    pub fn add(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::All, _) | (_, Self::Nothing) => {}
            (Self::Nothing, other) | (Self::Namespaces(_), other @ Self::All) => *self = other,
            (Self::Namespaces(known), Self::Namespaces(more)) => known.extend(more),
        }
    }

    /// Whether nothing has to be looked at.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}
