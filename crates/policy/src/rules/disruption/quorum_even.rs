//! `quorum-even`: an even number of voters bears no more losses than one less, and two bear none.

use crate::disruption::is_quorum;
use crate::rules::{Check, Problem, Rule, Verdict, WorkloadCase};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::QuorumEven,
    domain: Domain::Disruption,
    severity: Severity::Low,
    summary: "a quorum has an even number of voters",
    prose: include_str!("quorum_even.md"),
    check: Check::Workload(check),
};

fn check(case: &WorkloadCase<'_>) -> Verdict {
    let voters = case.outcome.bounds.asked;
    if !is_quorum(case.workload) || voters < 2 {
        return Verdict::NotApplicable;
    }
    match voters {
        2 => {
            let message = "2 voters: losing either stops the quorum, so no budget can make a drain safe".to_owned();
            Problem::at("spec.replicas", message, "run 3 replicas, or 1").severe(Severity::High).fails()
        }
        even if even % 2 == 0 => {
            let message = format!("{even} voters bear no more losses than {}", even - 1);
            Problem::at("spec.replicas", message, format!("run {} or {} replicas", even - 1, even + 1)).fails()
        }
        _ => Verdict::Holds,
    }
}
