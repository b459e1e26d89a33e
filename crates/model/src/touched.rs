//! What a change touched: only that is planned again.

use std::collections::BTreeSet;

use crate::Text;

/// What has to be looked at again after a change of the facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Touched {
    /// The facts are as before; nothing has to be looked at.
    #[default]
    Nothing,
    /// An upgrade of nodes: neither has a namespace to be planned again, nor would a drain do anything else.
    Upgrades,
    /// The state of nodes or volumes: no namespace has to be planned again, but what a drain would do may be different.
    Nodes,
    /// This namespace, of which nothing is different but a budget that is ours and was nobody else's before: as a rule what
    /// a write of ours left behind, so there is no hurry.
    Echo(Text),
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
            (Self::All, _) | (_, Self::Nothing) | (Self::Nodes, Self::Upgrades) => {}
            (Self::Nothing | Self::Upgrades | Self::Nodes, other) | (_, other @ Self::All) => *self = other,
            (_, Self::Nodes | Self::Upgrades) => {}
            (known, more) if *known == more => {}
            (known, more) => {
                let mut names = std::mem::take(known).into_names();
                names.extend(more.into_names());
                *self = Self::Namespaces(names);
            }
        }
    }

    fn into_names(self) -> BTreeSet<Text> {
        match self {
            Self::Nothing | Self::Upgrades | Self::Nodes | Self::All => BTreeSet::new(),
            Self::Echo(name) => BTreeSet::from([name]),
            Self::Namespaces(names) => names,
        }
    }

    /// Whether nothing has to be looked at.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(name: &str) -> Touched {
        Touched::Echo(name.into())
    }

    #[track_caller]
    fn check(mut first: Touched, second: Touched, expected: &Touched) {
        first.add(second);
        assert_eq!(first, *expected);
    }

    #[test]
    fn what_is_added_is_never_less_urgent_than_its_parts() {
        let (a, b) = (Touched::namespace("a".into()), Touched::namespace("b".into()));
        let both = Touched::Namespaces(["a".into(), "b".into()].into());
        check(Touched::Nothing, echo("a"), &echo("a"));
        check(echo("a"), Touched::Nothing, &echo("a"));
        check(echo("a"), echo("a"), &echo("a"));
        check(echo("a"), echo("b"), &both);
        check(echo("a"), b.clone(), &both);
        check(a.clone(), echo("b"), &both);
        check(a.clone(), echo("a"), &a);
        check(a, b, &both);
        check(echo("a"), Touched::All, &Touched::All);
        check(Touched::All, echo("a"), &Touched::All);
        check(Touched::Nothing, Touched::Nodes, &Touched::Nodes);
        check(Touched::Nodes, Touched::Nothing, &Touched::Nodes);
        check(Touched::Nodes, echo("a"), &echo("a"));
        check(echo("a"), Touched::Nodes, &echo("a"));
        check(Touched::Nodes, Touched::All, &Touched::All);
        check(Touched::Nothing, Touched::Upgrades, &Touched::Upgrades);
        check(Touched::Upgrades, Touched::Nodes, &Touched::Nodes);
        check(Touched::Nodes, Touched::Upgrades, &Touched::Nodes);
        check(Touched::Upgrades, echo("a"), &echo("a"));
        check(echo("a"), Touched::Upgrades, &echo("a"));
        check(Touched::Upgrades, Touched::All, &Touched::All);
    }
}
