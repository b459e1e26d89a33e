//! How good it is, in numbers, and what they are made of.
//!
//! A domain's score is `100 x (1 - weight of what fails / weight of what applies)`. What is excepted counts as not
//! applicable, and what is only worth knowing weighs nothing. Rounded down, so that 100 means that nothing fails.

use std::collections::BTreeMap;
use std::fmt;

use holdfast_policy::{Domain, Severity, Tally};

/// The score of everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// The mean of the domains that are judged; none when none is.
    pub overall: Option<Points>,
    /// Every domain, in the order in which they are shown.
    pub domains: Vec<DomainScore>,
}

/// The score of a domain, and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DomainScore {
    /// The domain.
    pub domain: Domain,
    /// Whether it is judged, and how well it stands.
    pub standing: Standing,
    /// How often a rule held.
    pub passed: usize,
    /// How often a rule failed; what is only worth knowing is no failure.
    pub failed: usize,
    /// Whether any rule had something to say, be it only worth knowing.
    pub asked: bool,
    /// The weight of what failed.
    pub weight_failed: usize,
    /// The weight of what was asked.
    pub weight_applicable: usize,
}

/// How a domain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is judged.
    Judged(Points),
    /// There are no rules for it yet.
    NotYetJudged,
    /// There is nothing that its rules weigh.
    NotApplicable,
}

/// From 0 to 100, in tenths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Points(u16);

impl Points {
    /// Of so much that applies so much fails.
    fn of(failed: usize, applicable: usize) -> Option<Self> {
        let tenths = 1000 * applicable.saturating_sub(failed);
        Self::from_tenths(tenths.checked_div(applicable)?)
    }

    fn mean(all: &[Self]) -> Option<Self> {
        let sum: usize = all.iter().map(|points| usize::from(points.0)).sum();
        Self::from_tenths(sum.checked_div(all.len())?)
    }

    fn from_tenths(tenths: usize) -> Option<Self> {
        u16::try_from(tenths.min(1000)).ok().map(Self)
    }

    /// As a number.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 10.0
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.0 / 10, self.0 % 10))
    }
}

impl Score {
    /// Adds up what the rules said.
    pub(crate) fn new<'a>(tallies: impl Iterator<Item = &'a Tally> + Clone) -> Self {
        let mut sums: BTreeMap<Domain, DomainScore> =
            Domain::ALL.into_iter().map(|domain| (domain, DomainScore::empty(domain))).collect();
        for (rule, count) in tallies.clone().flat_map(Tally::held) {
            let rule = rule.rule();
            if let Some(sum) = sums.get_mut(&rule.domain) {
                sum.passed += count;
                sum.asked = true;
                sum.weight_applicable += count * weight(rule.severity);
            }
        }
        for (rule, severity, count) in tallies.flat_map(Tally::failed) {
            if let Some(sum) = sums.get_mut(&rule.rule().domain) {
                sum.failed += if Severity::Info < severity { count } else { 0 };
                sum.asked = true;
                sum.weight_failed += count * weight(severity);
                sum.weight_applicable += count * weight(severity);
            }
        }
        let domains: Vec<DomainScore> =
            Domain::ALL.iter().filter_map(|it| sums.remove(it)).map(DomainScore::stand).collect();
        let judged: Vec<Points> = domains.iter().filter_map(DomainScore::points).collect();
        Self { overall: Points::mean(&judged), domains }
    }
}

impl DomainScore {
    fn empty(domain: Domain) -> Self {
        Self {
            domain,
            standing: Standing::NotApplicable,
            passed: 0,
            failed: 0,
            asked: false,
            weight_failed: 0,
            weight_applicable: 0,
        }
    }

    fn stand(self) -> Self {
        let standing = match (self.domain.is_judged(), Points::of(self.weight_failed, self.weight_applicable)) {
            (false, _) => Standing::NotYetJudged,
            (true, Some(points)) => Standing::Judged(points),
            (true, None) => Standing::NotApplicable,
        };
        Self { standing, ..self }
    }

    /// Its points, when it is judged.
    #[must_use]
    pub fn points(&self) -> Option<Points> {
        match self.standing {
            Standing::Judged(points) => Some(points),
            Standing::NotYetJudged | Standing::NotApplicable => None,
        }
    }
}

/// How a score is to be taken: a good number doesn't help where a drain is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    Bad,
    Fair,
    Good,
}

impl Grade {
    /// Of a number, and of the gravest finding behind it.
    pub(crate) fn of(points: Points, worst: Option<Severity>) -> Self {
        let of_points = match points.0 {
            0..500 => Self::Bad,
            500..800 => Self::Fair,
            800.. => Self::Good,
        };
        let at_most = match worst {
            Some(Severity::Critical) => Self::Bad,
            Some(Severity::High) => Self::Fair,
            Some(Severity::Medium | Severity::Low | Severity::Info) | None => Self::Good,
        };
        of_points.min(at_most)
    }
}

impl Standing {
    /// As it is written in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Judged(_) => "judged",
            Self::NotYetJudged => "not-yet-judged",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// How much one answer weighs.
pub(crate) const fn weight(severity: Severity) -> usize {
    match severity {
        Severity::Critical => 10,
        Severity::High => 5,
        Severity::Medium => 2,
        Severity::Low => 1,
        Severity::Info => 0,
    }
}

#[cfg(test)]
mod tests {
    use holdfast_policy::RuleId;

    use super::*;

    /// The disruption domain of a tally, and the overall score.
    #[track_caller]
    fn check(held: &[(RuleId, usize)], failed: &[(RuleId, Severity, usize)], expected: &str) {
        let mut tally = Tally::default();
        held.iter().for_each(|(rule, count)| tally.add_held(*rule, *count));
        failed.iter().for_each(|(rule, severity, count)| tally.add_failed(*rule, *severity, *count));
        let score = Score::new([&tally].into_iter());
        let it = score.domains[0];
        let points = it.points().map_or("-".to_owned(), |points| points.to_string());
        let overall = score.overall.map_or("-".to_owned(), |points| points.to_string());
        let told = format!(
            "{points} of {}/{}, {} passed, {} failed, overall {overall}",
            it.weight_failed, it.weight_applicable, it.passed, it.failed
        );
        assert_eq!(told, expected);
    }

    #[test]
    fn what_fails_counts_with_its_weight() {
        check(
            &[(RuleId::DrainBlocked, 3)],
            &[(RuleId::DrainBlocked, Severity::Critical, 1), (RuleId::BudgetLoose, Severity::Low, 1)],
            "73.1 of 11/41, 3 passed, 2 failed, overall 73.1",
        );
    }

    #[test]
    fn a_hundred_means_that_nothing_fails() {
        check(&[(RuleId::DrainBlocked, 3)], &[], "100.0 of 0/30, 3 passed, 0 failed, overall 100.0");
        check(
            &[(RuleId::DrainBlocked, 100_000)],
            &[(RuleId::BudgetLoose, Severity::Low, 1)],
            "99.9 of 1/1000001, 100000 passed, 1 failed, overall 99.9",
        );
    }

    #[test]
    fn what_is_only_worth_knowing_is_no_score() {
        check(&[], &[(RuleId::Singleton, Severity::Info, 7)], "- of 0/0, 0 passed, 0 failed, overall -");
    }

    #[test]
    fn a_domain_without_rules_is_never_perfect() {
        let score = Score::new([&Tally::default()].into_iter());
        assert_eq!(score.overall, None);
        let standings: Vec<_> = score.domains.iter().map(|it| (it.domain.is_judged(), it.standing)).collect();
        assert!(standings.iter().all(|(judged, standing)| *judged == (*standing == Standing::NotApplicable)));
    }

    #[test]
    fn no_number_is_good_where_a_drain_is_blocked() {
        assert_eq!(Grade::of(Points(990), Some(Severity::Critical)), Grade::Bad);
        assert_eq!(Grade::of(Points(990), Some(Severity::High)), Grade::Fair);
        assert_eq!(Grade::of(Points(990), Some(Severity::Low)), Grade::Good);
        assert_eq!(Grade::of(Points(799), None), Grade::Fair);
    }

    #[test]
    fn the_overall_score_is_the_mean_of_what_is_judged() {
        assert_eq!(Points::mean(&[Points(1000), Points(500), Points(1)]), Some(Points(500)));
        assert_eq!(Points::mean(&[]), None);
    }
}
