//! `image-tag-mutable`: an image that changes without a commit. A digest holds, whatever the tag beside it.

use holdfast_model::Repository;
use holdfast_model::repository::Container;

use crate::rules::{Answers, Check, Problem, Rule, moves, named};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ImageTagMutable,
    domain: Domain::Flux,
    severity: Severity::Medium,
    summary: "an image changes without a commit",
    prose: include_str!("image_tag_mutable.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for template in &repository.templates {
        let known = || template.containers.iter().filter(|container| container.image.is_some());
        let mutable: Vec<&Container> =
            known().filter(|container| container.image.as_deref().is_some_and(is_mutable)).collect();
        let Some(first) = mutable.first() else {
            if known().next().is_some() {
                answers.holds();
            }
            continue;
        };
        let images = named(mutable.iter().filter_map(|container| container.image.as_deref()));
        let message = format!("{images}: which image runs depends on when it was pulled");
        let remedy = "write a version, best with its digest, and let Renovate propose the next";
        answers.fails(&template.identity, Problem::at(format!("{}.image", first.at), message, remedy));
    }
}

fn is_mutable(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once(':').is_none_or(|(_, tag)| moves(tag))
}
