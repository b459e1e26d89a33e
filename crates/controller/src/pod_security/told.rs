//! How a namespace stands, as the status of its policy tells it and remembers it.

use holdfast_api::{NamespaceLevel, NamespaceState, ViolationStatus};
use holdfast_model::Text;
use holdfast_pod_security::Level;
use holdfast_policy::pod_security::{Advice, Labelled, Progress, Standing, raw_level};

use crate::view::Facts;

/// At most so many violations are named.
const SHOWN: usize = 5;

/// The entry of a namespace.
pub(super) fn entry(
    facts: &Facts,
    name: &Text,
    policy: &Text,
    advice: &Advice,
    progress: &Progress,
) -> Option<NamespaceLevel> {
    let view = facts.cluster.namespace(name)?;
    let policies = facts.policies.parsed();
    let settings = policies.security_named(policy)?;
    let server = policies.server();
    let labelled = Labelled::of(view.namespace()?, server);
    let target = advice.target.filter(|_| advice.state != NamespaceState::Exempt);
    let worst = progress.worst();
    Some(NamespaceLevel {
        name: name.to_string(),
        state: advice.state,
        enforce: labelled.enforce.map(|stated| stated.to_string()),
        level: advice.level.map(raw_level),
        target: target.map(raw_level),
        soaked: target.map(|target| progress.told(target, settings.soak)),
        worst: worst.map(|(level, _)| raw_level(level)),
        worst_seen: worst.map(|(_, day)| day.to_string()),
        wrote: progress.wrote().map(str::to_owned).collect(),
        message: advice.message.clone(),
        in_the_way: match advice.level.filter(|level| *level < settings.ceiling) {
            Some(level) => in_the_way(facts, name, level),
            None => Vec::new(),
        },
    })
}

/// What keeps it from the next level.
fn in_the_way(facts: &Facts, name: &Text, level: Level) -> Vec<ViolationStatus> {
    let Some(view) = facts.cluster.namespace(name) else { return Vec::new() };
    let next = if level == Level::Privileged { Level::Baseline } else { Level::Restricted };
    let standing = Standing::of(view, facts.policies.server().version());
    let mut shown = Vec::new();
    for (subject, violations) in standing.in_the_way(next) {
        for violation in violations {
            for offence in violation.offences {
                shown.push(ViolationStatus {
                    workload: subject.who.to_string(),
                    check: violation.check.id().to_owned(),
                    path: format!("{}{}", subject.who.prefix(), offence.path),
                    value: offence.value.map(|value| value.into_owned()),
                });
                if shown.len() == SHOWN {
                    return shown;
                }
            }
        }
    }
    shown
}
