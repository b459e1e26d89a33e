//! The summary at the end: a line for each step, what to run again, and the tally.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::{Table, presets};

use super::outcome::{Outcome, Tally};
use super::step::Step;

/// The steps so far.
#[derive(Debug)]
pub(super) struct Report {
    /// All there are, in the order in which they are told.
    names: Vec<&'static str>,
    /// Those that ended, in that order too.
    entries: BTreeMap<usize, Entry>,
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    again: String,
    outcome: Outcome,
    took: Duration,
}

impl Report {
    pub(super) fn of(steps: &[&Step]) -> Self {
        Self { names: steps.iter().map(|step| step.name).collect(), entries: BTreeMap::new() }
    }

    /// Which of all steps it is, from 0.
    pub(super) fn place(&self, step: &Step) -> usize {
        self.names.iter().position(|name| *name == step.name).expect("invariant: a report is of all steps that are run")
    }

    pub(super) fn add(&mut self, step: &Step, outcome: Outcome, took: Duration) {
        let entry = Entry { name: step.name, again: step.command_line(), outcome, took };
        self.entries.insert(self.place(step), entry);
    }

    pub(super) fn has_passed(&self, name: &str) -> bool {
        self.entries.values().any(|entry| entry.name == name && matches!(entry.outcome, Outcome::Passed(_)))
    }

    pub(super) fn is_good(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The tally goes to stdout alone on the last line; the rest is for people.
    pub(super) fn print(&self) {
        eprintln!("\n{}\n", self.table());
        for failure in self.failures() {
            eprintln!("{} failed. To run it again:\n\n    {}\n", failure.name, failure.again);
        }
        let tally = self.tally();
        println!("{} passed, {} failed", tally.passed, tally.failed);
    }

    fn failures(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(|entry| matches!(entry.outcome, Outcome::Failed(_)))
    }

    fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        self.entries.values().for_each(|entry| sum.add(entry.outcome.tally()));
        sum
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["step", "outcome", "seconds", ""]);
        for entry in self.entries.values() {
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
    use super::super::step::{CLIPPY, FORMAT};
    use super::*;

    /// The second ended first.
    fn report(outcomes: [Outcome; 2]) -> Report {
        let steps = [&FORMAT, &CLIPPY];
        let mut report = Report::of(&steps);
        for (step, outcome) in steps.into_iter().zip(outcomes).rev() {
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
        assert_eq!(report.failures().map(|entry| entry.again.as_str()).collect::<Vec<_>>(), [CLIPPY.command_line()]);
    }

    #[test]
    fn steps_are_told_in_their_order_whichever_ended_first() {
        let table =
            report([Outcome::Passed(Tally::ONE_PASSED), Outcome::Passed(Tally::ONE_PASSED)]).table().to_string();
        assert!(table.find("format") < table.find("clippy"), "{table}");
    }

    #[test]
    fn what_was_skipped_says_why_and_has_not_passed() {
        let report = report([Outcome::Passed(Tally::ONE_PASSED), Outcome::Skipped("helm is missing".to_owned())]);
        assert!(report.is_good() && !report.has_passed("clippy"));
        assert!(report.table().to_string().contains("helm is missing"));
    }
}
