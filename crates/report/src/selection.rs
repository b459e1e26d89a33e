//! Which rules are asked: `--only` and `--skip`, by the name of a rule or of a domain.

use holdfast_policy::{Domain, RuleId};
use thiserror::Error;

/// The rules that are wanted. The default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    only: Vec<Topic>,
    skip: Vec<Topic>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A rule.
    Rule(RuleId),
    /// All rules of a domain.
    Domain(Domain),
}

/// A name that is neither a rule's nor a domain's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no rule and no domain {name:?}{}", nearest.map(|it| format!("; do you mean {it}?")).unwrap_or_default())]
pub struct SelectionError {
    name: String,
    nearest: Option<&'static str>,
}

impl Selection {
    /// Reads the names. Those of `skip` win over those of `only`.
    ///
    /// # Errors
    /// When a name is neither a rule's nor a domain's.
    pub fn parse<'a>(
        only: impl IntoIterator<Item = &'a str>,
        skip: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, SelectionError> {
        let only = only.into_iter().map(Topic::parse).collect::<Result<_, _>>()?;
        let skip = skip.into_iter().map(Topic::parse).collect::<Result<_, _>>()?;
        Ok(Self { only, skip })
    }

    /// Whether a rule is wanted.
    #[must_use]
    pub fn wants(&self, rule: RuleId) -> bool {
        let named = |picks: &[Topic]| picks.iter().any(|pick| pick.is_about(rule));
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }

    /// Whether some rules are asked for by name: then nothing of what they say is shortened.
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        !self.only.is_empty()
    }
}

impl Topic {
    /// Reads a name.
    ///
    /// # Errors
    /// When it is neither a rule's nor a domain's.
    pub fn parse(name: &str) -> Result<Self, SelectionError> {
        let rule = RuleId::parse(name).map(Self::Rule);
        rule.or_else(|| Domain::parse(name).map(Self::Domain))
            .ok_or_else(|| SelectionError { name: name.to_owned(), nearest: nearest(name, names()) })
    }

    fn is_about(self, rule: RuleId) -> bool {
        match self {
            Self::Rule(named) => named == rule,
            Self::Domain(domain) => domain == rule.rule().domain,
        }
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    RuleId::ALL.iter().map(|rule| rule.id()).chain(Domain::ALL.iter().map(|domain| domain.id()))
}

/// The name that was probably meant, when one is near enough.
pub(crate) fn nearest(name: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // Nobody means a rule by a kilobyte, and the comparison is quadratic.
    let near = |it: &'static str| (name.len() < 100).then(|| (strsim::jaro_winkler(name, it), it));
    let best = names.filter_map(near).max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (0.8 < best.0).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(only: &[&str], skip: &[&str], wanted: &[RuleId], unwanted: &[RuleId]) {
        let selection = Selection::parse(only.iter().copied(), skip.iter().copied()).unwrap();
        wanted.iter().for_each(|rule| assert!(selection.wants(*rule), "{rule} is wanted"));
        unwanted.iter().for_each(|rule| assert!(!selection.wants(*rule), "{rule} is not wanted"));
    }

    #[test]
    fn without_names_everything_is_wanted() {
        check(&[], &[], RuleId::ALL, &[]);
    }

    #[test]
    fn a_rule_is_wanted_by_its_name_or_by_its_domain() {
        check(&["singleton"], &[], &[RuleId::Singleton], &[RuleId::DrainBlocked]);
        check(&["disruption"], &["singleton"], &[RuleId::DrainBlocked], &[RuleId::Singleton]);
    }

    #[test]
    fn a_slip_is_told_with_what_was_meant() {
        let error = Selection::parse(["drain-blokced"], []).unwrap_err();
        assert_eq!(error.to_string(), "there is no rule and no domain \"drain-blokced\"; do you mean drain-blocked?");
        assert_eq!(Selection::parse([], ["xyz"]).unwrap_err().to_string(), "there is no rule and no domain \"xyz\"");
    }
}
