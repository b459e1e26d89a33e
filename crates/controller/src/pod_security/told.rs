//! How a namespace stands, as the status of its policy tells it and remembers it.

use holdfast_api::{NamespaceLevel, NamespaceState, ViolationStatus};
use holdfast_model::NamespaceView;
use holdfast_pod_security::Level;
use holdfast_policy::pod_security::{Advice, Labelled, Progress, Server, Settings, Standing, raw_level};

/// At most so many violations are named.
const SHOWN: usize = 5;

/// The entry of a namespace; none where no policy object is there to tell it.
pub(super) fn entry(
    view: NamespaceView<'_>,
    settings: &Settings,
    server: &Server,
    advice: &Advice,
    progress: &Progress,
) -> Option<NamespaceLevel> {
    if settings.name.is_empty() {
        return None;
    }
    let namespace = view.namespace()?;
    let labelled = Labelled::of(namespace, server);
    let target = advice.target.filter(|_| advice.state != NamespaceState::Exempt);
    let worst = progress.worst();
    Some(NamespaceLevel {
        name: view.name().to_string(),
        uid: namespace.uid.to_string(),
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
            Some(level) => in_the_way(view, server, level),
            None => Vec::new(),
        },
    })
}

/// What keeps it from the next level.
fn in_the_way(view: NamespaceView<'_>, server: &Server, level: Level) -> Vec<ViolationStatus> {
    let next = if level == Level::Privileged { Level::Baseline } else { Level::Restricted };
    let standing = Standing::of(view, server.version());
    let all = standing.in_the_way(next).flat_map(|(subject, violations)| {
        let (workload, prefix) = (subject.who.to_string(), subject.who.prefix());
        let offences = violations.into_iter().flat_map(|violation| {
            let check = violation.check.id();
            violation.offences.into_iter().map(move |offence| (check, offence))
        });
        offences.map(move |(check, offence)| ViolationStatus {
            workload: workload.clone(),
            check: check.to_owned(),
            path: format!("{prefix}{}", offence.path),
            value: offence.value.map(std::borrow::Cow::into_owned),
        })
    });
    all.take(SHOWN).collect()
}
