//! The summary at the end: a line for each step, what to run again, and the tally.

use std::time::Duration;

use comfy_table::{Table, presets};

use super::outcome::{Outcome, Tally};
use super::step::Step;

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    again: String,
    outcome: Outcome,
    took: Duration,
}

impl Report {
    pub(super) fn add(&mut self, step: &Step, outcome: Outcome, took: Duration) {
        self.entries.push(Entry { name: step.name, again: step.command_line(), outcome, took });
    }

    pub(super) fn has_passed(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name && matches!(entry.outcome, Outcome::Passed(_)))
    }

    pub(super) fn is_good(&self) -> bool {
        self.first_failure().is_none()
    }

    /// The tally goes to stdout alone on the last line; the rest is for people.
    pub(super) fn print(&self) {
        eprintln!("\n{}\n", self.table());
        if let Some(failure) = self.first_failure() {
            eprintln!("The first failure was {}. To run it again:\n\n    {}\n", failure.name, failure.again);
        }
        let tally = self.tally();
        println!("{} passed, {} failed", tally.passed, tally.failed);
    }

    fn first_failure(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| matches!(entry.outcome, Outcome::Failed(_)))
    }

    fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        self.entries.iter().for_each(|entry| sum.add(entry.outcome.tally()));
        sum
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["step", "outcome", "seconds", ""]);
        for entry in &self.entries {
            let remark = match &entry.outcome {
                Outcome::Passed(tally) | Outcome::Failed(tally) if *tally == Tally::default() => String::new(),
                Outcome::Passed(tally) => format!("{} passed", tally.passed),
                Outcome::Failed(tally) => format!("{} passed, {} failed", tally.passed, tally.failed),
                Outcome::Skipped(why) => why.clone(),
            };
            let seconds = format!("{:.1}", entry.took.as_secs_f64());
            table.add_row([entry.name, entry.outcome.word(), &seconds, &remark]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::super::step::{Extent, steps};
    use super::*;

    fn report(outcomes: [Outcome; 2]) -> Report {
        let mut report = Report::default();
        for (step, outcome) in steps(Extent::Quick).iter().zip(outcomes) {
            report.add(step, outcome, Duration::from_secs(1));
        }
        report
    }

    #[test]
    fn one_failure_makes_it_bad_and_is_counted() {
        let report = report([Outcome::Passed(Tally { passed: 7, failed: 0 }), Outcome::Failed(Tally::ONE_FAILED)]);
        assert!(!report.is_good());
        assert_eq!(report.tally(), Tally { passed: 7, failed: 1 });
        assert!(report.has_passed("format") && !report.has_passed("clippy"));
    }

    #[test]
    fn what_was_skipped_says_why_and_has_not_passed() {
        let report = report([Outcome::Passed(Tally::ONE_PASSED), Outcome::Skipped("helm is missing".to_owned())]);
        assert!(report.is_good() && !report.has_passed("clippy"));
        assert!(report.table().to_string().contains("helm is missing"));
    }
}
