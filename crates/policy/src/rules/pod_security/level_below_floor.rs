//! `level-below-floor`: a namespace in which pods may do more than they should anywhere.

use holdfast_model::Text;
use holdfast_model::facts::OfFiles;
use holdfast_pod_security::forbidden_detail;
use holdfast_pod_security::labels::{ENFORCE, ENFORCE_VERSION};

use super::place;
use crate::pod_security::Case;
use crate::rules::{Check, Problem, Rule, Verdict, named};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::LevelBelowFloor,
    domain: Domain::PodSecurity,
    severity: Severity::Medium,
    summary: "a namespace enforces less than the floor",
    prose: include_str!("level_below_floor.md"),
    check: Check::Namespace(check),
};

fn check(case: &Case<'_>) -> Verdict {
    let floor = case.settings.floor;
    if case.standing.is_empty() || case.namespace.terminating || case.labelled.is_variable {
        return Verdict::NotApplicable;
    }
    if floor <= case.labelled.policy.enforce.level {
        return Verdict::Holds;
    }
    let states = match (&case.labelled.enforce, case.labelled.is_unknown) {
        (Some(stated), _) => format!("it enforces {}", stated.level),
        (None, true) => "it states no level".to_owned(),
        (None, false) => format!("it states no level, and the cluster enforces {}", case.labelled.policy.enforce.level),
    };
    if floor <= case.standing.level {
        return met(case, &states);
    }
    let failing: Vec<String> = case.standing.failing(floor).map(|subject| subject.who.to_string()).collect();
    let first = case.standing.in_the_way(floor).next();
    let detail = first.map(|(_, violations)| forbidden_detail(&violations)).unwrap_or_default();
    let because = match failing.as_slice() {
        [only] => format!("{only} violates it: {detail}"),
        all => format!("{} violate it; the first: {detail}", named(all.iter().map(String::as_str))),
    };
    let message = format!("{states}, and can't enforce {floor}, since {because}");
    Problem::at(
        place(case.namespace, ENFORCE),
        message,
        "change what violates it, or give it a namespace of its own, excepted with a reason",
    )
    .fails()
}

/// Nothing that is known stands in the way. In files a chart may make more than is known.
fn met(case: &Case<'_>, states: &str) -> Verdict {
    let (floor, namespace) = (case.settings.floor, case.namespace);
    let OfFiles { shares_its_file, unread, of_node, .. } = &namespace.of_files;
    let is_file = namespace.uid.is_empty();
    let how = if *shares_its_file { " by a patch of its own (these lines make other namespaces too)" } else { "" };
    let label = match (is_file, unread.is_empty() && of_node.is_empty()) {
        (true, true) => format!("label it {ENFORCE}: {floor}{how}"),
        (true, false) => format!(
            "label it {ENFORCE}: {floor}{how} when `kubectl label --dry-run=server --overwrite ns {} {ENFORCE}={floor}` warns of no pod; it sees those that are there, not what jobs and runners make later",
            case.view.name()
        ),
        (false, _) => format!("label it {ENFORCE}: {floor}, and pin {ENFORCE_VERSION} to the version of the cluster"),
    };
    let known = if is_file { "known " } else { "" };
    let meets = format!("{states}, though everything {known}in it meets {floor}");
    let problem = |message, remedy| Problem::at(place(namespace, ENFORCE), message, remedy);
    // Where nobody says another namespace.
    let debug = match case.view.name().as_str() {
        "default" => "; `kubectl debug node/...` has to name a privileged namespace then, such as kube-system",
        _ => "",
    };
    let label = format!("{label}{debug}");
    let text = |releases: &[Text]| named(releases.iter().map(Text::as_str));
    match (&**of_node, &**unread) {
        ([], []) => problem(meets, label).fails(),
        ([], others) => {
            let message = format!("{meets}; what comes of {} isn't known", text(others));
            problem(message, label).severe(Severity::Low).fails()
        }
        (of_the_node, others) => {
            let others =
                if others.is_empty() { String::new() } else { format!("; what comes of {} isn't known", text(others)) };
            let message =
                format!("{states}, and {} may need of the node what {floor} forbids{others}", text(of_the_node));
            let remedy =
                format!("move what needs the node to a namespace of its own that states privileged, then {label}");
            problem(message, remedy).severe(Severity::Info).fails()
        }
    }
}
