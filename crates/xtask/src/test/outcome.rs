//! How a step ended, and how many tests it had.

/// Tests that passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

impl Tally {
    /// A step that has no tests of its own counts as one.
    pub(super) const ONE_PASSED: Self = Self { passed: 1, failed: 0 };
    pub(super) const ONE_FAILED: Self = Self { passed: 0, failed: 1 };

    pub(super) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// What a line of a test harness adds: `test result: ok. 23 passed; 0 failed; 0 ignored; ...`.
    pub(super) fn of_line(line: &str) -> Option<Self> {
        let counts = line.trim_start().strip_prefix("test result: ")?;
        let count = |word: &str| {
            let (before, _) = counts.split_once(word)?;
            before.rsplit(' ').next()?.parse().ok()
        };
        Some(Self { passed: count(" passed;")?, failed: count(" failed;")? })
    }
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed(Tally),
    Failed(Tally),
    /// Not run, and why.
    Skipped(String),
}

impl Outcome {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Passed(_) => "passed",
            Self::Failed(_) => "FAILED",
            Self::Skipped(_) => "skipped",
        }
    }

    pub(super) fn tally(&self) -> Tally {
        match self {
            Self::Passed(tally) | Self::Failed(tally) => *tally,
            Self::Skipped(_) => Tally::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn the_lines_of_the_harness_are_counted() {
        let line = "test result: FAILED. 22 passed; 1 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.12s";
        assert_eq!(Tally::of_line(line), Some(Tally { passed: 22, failed: 1 }));
    }

    #[test]
    fn other_lines_are_not() {
        assert_eq!(Tally::of_line("test a_line_says_22 passed; ... ok"), None);
        assert_eq!(Tally::of_line("running 3 tests"), None);
    }
}
