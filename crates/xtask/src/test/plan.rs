//! Which steps are run, and which beside which.

use super::step::{
    BINARY, BUILD, CHART_LINT, CHART_TEMPLATE, CLIPPY, CONTROL_PLANE, DEPENDENCIES, DOCUMENTATION, DOCUMENTATION_TESTS,
    FORMAT, FUZZ, GENERATED, GITOPS, HELM, Program, QUICK_TESTS, SYSTEM, Step, TESTKIT, UNIT_TESTS, VAULT, VAULT_DEMO,
};

/// How much is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// What needs no server.
    Quick,
    /// What continuous integration runs.
    Full,
    /// With the long forms.
    Soak,
}

/// Who goes first where two want a processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Priority {
    Usual,
    /// Takes what others leave.
    Low,
}

/// Steps that run one after the other.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) steps: Vec<Step>,
    pub(super) priority: Priority,
}

/// Lanes that run side by side. The next stage begins when all have ended.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) lanes: Vec<Lane>,
}

impl Lane {
    fn usual(steps: impl Into<Vec<Step>>) -> Self {
        Self { steps: steps.into(), priority: Priority::Usual }
    }
}

impl Stage {
    fn alone(steps: impl Into<Vec<Step>>) -> Self {
        Self { lanes: vec![Lane::usual(steps)] }
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.lanes.iter().flat_map(|lane| &lane.steps)
    }
}

/// How a soak is asked for: the tests read the first, proptest the second.
const SOAK: &[(&str, &str)] = &[("HOLDFAST_SOAK", "1"), ("PROPTEST_CASES", "20000")];

/// The stages, the fast steps first.
pub(super) fn stages(extent: Extent) -> Vec<Stage> {
    match extent {
        Extent::Quick => vec![Stage::alone([FORMAT, CLIPPY, QUICK_TESTS, GENERATED])],
        Extent::Full => full(),
        Extent::Soak => vec![Stage::alone(soak())],
    }
}

/// First what keeps all processors busy, then the stories, one program after the other: with two of them beside each other on two processors
/// some are late by more than what they promise. The checks of the sources have what is left beside the first of them, which promise nothing
/// about time.
fn full() -> Vec<Stage> {
    let sources = [CHART_LINT, CHART_TEMPLATE, DEPENDENCIES, GENERATED, CLIPPY, DOCUMENTATION, DOCUMENTATION_TESTS];
    let servers = vec![
        Lane::usual([GITOPS, TESTKIT, HELM, CONTROL_PLANE, VAULT_DEMO, SYSTEM, VAULT]),
        Lane { steps: sources.to_vec(), priority: Priority::Low },
    ];
    vec![Stage::alone([FORMAT, BUILD, BINARY, UNIT_TESTS]), Stage { lanes: servers }]
}

/// One after the other: what is measured for an hour isn't to be disturbed.
fn soak() -> Vec<Step> {
    let mut steps = Vec::new();
    for step in full().into_iter().flat_map(|stage| stage.lanes).flat_map(|lane| lane.steps) {
        let has_long_forms = step.name == UNIT_TESTS.name || matches!(step.program, Program::Tests(_));
        steps.push(if has_long_forms { Step { environment: SOAK, ..step } } else { step });
    }
    steps.push(FUZZ);
    steps
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn steps(extent: Extent) -> Vec<Step> {
        stages(extent).iter().flat_map(|stage| stage.steps().cloned().collect::<Vec<_>>()).collect()
    }

    #[test]
    fn the_quick_steps_need_no_tool() {
        for step in steps(Extent::Quick) {
            assert!(!matches!(step.program, Program::Tool(_)) && step.needs.is_empty(), "{step:?}");
        }
    }

    #[test]
    fn a_step_comes_after_what_it_needs_and_not_beside_it() {
        for extent in [Extent::Quick, Extent::Full, Extent::Soak] {
            let mut before = BTreeSet::new();
            for stage in stages(extent) {
                let ended = before.clone();
                for lane in stage.lanes {
                    let mut known = ended.clone();
                    for step in lane.steps {
                        let missing: Vec<_> = step.after.iter().filter(|other| !known.contains(*other)).collect();
                        assert!(missing.is_empty(), "{extent:?}: {step:?} needs {missing:?}");
                        known.insert(step.name);
                        assert!(before.insert(step.name), "{extent:?}: {} is there twice", step.name);
                    }
                }
            }
        }
    }

    #[test]
    fn who_runs_beside_others_never_builds_at_the_usual_priority() {
        let beside = stages(Extent::Full).into_iter().filter(|stage| 1 < stage.lanes.len());
        let lanes = beside.flat_map(|stage| stage.lanes).filter(|lane| lane.priority == Priority::Usual);
        for step in lanes.flat_map(|lane| lane.steps) {
            assert!(matches!(step.program, Program::Tests(_) | Program::Xtask), "{step:?}");
        }
    }

    #[test]
    fn a_soak_leaves_nothing_out() {
        let names = |extent| steps(extent).iter().map(|step| step.name).collect::<BTreeSet<_>>();
        let more: Vec<_> = names(Extent::Soak).difference(&names(Extent::Full)).copied().collect();
        assert_eq!(more, [FUZZ.name]);
        assert!(names(Extent::Full).is_subset(&names(Extent::Soak)));
        let mut tests = steps(Extent::Soak).into_iter().filter(|step| matches!(step.program, Program::Tests(_)));
        assert!(tests.all(|step| step.environment == SOAK));
    }
}
