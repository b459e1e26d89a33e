//! How often each rule held: what a score needs beside the findings.
//!
//! A number for each rule and no map, since a plan of the controller counts a thousand times and nobody there asks.

use crate::RuleId;

/// How often each rule applied and nothing was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held([usize; RuleId::ALL.len()]);

impl Default for Held {
    fn default() -> Self {
        Self([0; RuleId::ALL.len()])
    }
}

impl Held {
    /// Counts objects of which a rule said so.
    pub(super) fn add(&mut self, rule: RuleId, count: usize) {
        self.0[rule as usize] += count;
    }

    /// The rules that held, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (RuleId, usize)> {
        RuleId::ALL.iter().copied().zip(self.0).filter(|(_, count)| 0 < *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_counted_under_its_own_name() {
        for rule in RuleId::ALL {
            let mut held = Held::default();
            held.add(*rule, 2);
            held.add(*rule, 1);
            assert_eq!(held.iter().collect::<Vec<_>>(), [(*rule, 3)]);
        }
        assert_eq!(Held::default().iter().count(), 0);
    }
}
