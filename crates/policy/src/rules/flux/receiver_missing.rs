//! `receiver-missing`: no Receiver at all, so a push waits for the next poll. Information: polling works too.

use holdfast_model::Repository;

use super::{is_used, root};
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ReceiverMissing,
    domain: Domain::Flux,
    severity: Severity::Info,
    summary: "a push isn't announced to Flux",
    prose: include_str!("receiver_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let flux = &repository.flux;
    let Some(root) = root(flux).filter(|_| is_used(flux)) else { return };
    if 0 < flux.receivers {
        answers.holds();
        return;
    }
    let message = "no Receiver in the whole cluster: a push is seen only when the source is polled next".to_owned();
    answers.fails(root, Problem::at("", message, "add a Receiver and a webhook that calls it at each push"));
}
