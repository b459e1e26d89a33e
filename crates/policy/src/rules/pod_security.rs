//! Pod Security: what a namespace states, and what its templates would have to change for a stricter level.

pub(super) mod baseline_violated;
pub(super) mod capabilities_not_dropped;
pub(super) mod host_namespaces_shared;
pub(super) mod labels_invalid;
pub(super) mod labels_weaker_warn;
pub(super) mod level_below_floor;
pub(super) mod level_broke_pods;
pub(super) mod level_owned_elsewhere;
pub(super) mod pod_security_next;
pub(super) mod privilege_escalation_allowed;
pub(super) mod root_allowed;
pub(super) mod seccomp_unset;
pub(super) mod volume_not_restricted;

use std::borrow::Cow;

use holdfast_model::facts::Namespace;
use holdfast_pod_security::{Check, Fix, Level, Offence, PodFacts, Violation, evaluate, fixes, forbidden_detail};

use super::{NAMED, Problem, Verdict};
use crate::pod_security::{Case, Server, Subject};

/// A template, and what stands in the way of each level.
#[derive(Debug)]
pub struct TemplateCase<'a> {
    subject: &'a Subject<'a>,
    /// What violates baseline; at restricted some checks of baseline are made otherwise.
    baseline: Vec<Violation>,
    restricted: Vec<Violation>,
    /// Whether a policy is there that doesn't ask for restricted: what only that forbids is worth knowing then, and no more.
    is_content: bool,
    /// Whether a label of the namespace, or its policy, asks for restricted.
    aims_at_restricted: bool,
    /// What is known of the API server and the kubelets.
    server: &'a Server,
}

impl<'a> TemplateCase<'a> {
    pub(super) fn new(subject: &'a Subject<'a>, case: &Case<'a>) -> Self {
        let violations = |level| {
            if subject.level < level { evaluate(level, case.standing.version, subject.facts) } else { Vec::new() }
        };
        let settings = case.settings;
        let labels = &case.labelled.policy;
        let labelled = [labels.enforce, labels.warn, labels.audit].iter().any(|it| it.level == Level::Restricted);
        Self {
            subject,
            baseline: violations(Level::Baseline),
            restricted: violations(Level::Restricted),
            is_content: !settings.name.is_empty() && settings.ceiling < Level::Restricted,
            aims_at_restricted: labelled || settings.ceiling == Level::Restricted,
            server: case.server,
        }
    }

    /// What these checks of baseline say, after words that say what it means.
    fn baseline(&self, means: &str, is_meant: impl Fn(Check) -> bool) -> Verdict {
        self.verdict(means, self.baseline.iter().filter(|violation| is_meant(violation.check)))
    }

    /// What these checks of restricted say that baseline doesn't say already.
    fn restricted(&self, means: &str, checks: &[Check]) -> Verdict {
        let is_said = |offence: &Offence| {
            self.baseline.iter().flat_map(|violation| &violation.offences).any(|said| covers(said, offence))
        };
        let is_new = |violation: &&Violation| !violation.offences.iter().all(is_said);
        let meant = self.restricted.iter().filter(|violation| checks.contains(&violation.check));
        let verdict = self.verdict(means, meant.filter(is_new));
        if self.is_content { verdict.merely_known() } else { verdict }
    }

    /// The same, of what matters less to a pod that never starts as root.
    fn restricted_for_root(&self, means: &str, checks: &[Check]) -> Verdict {
        let verdict = self.restricted(means, checks);
        if self.subject.facts.is_never_root() { verdict.merely_known() } else { verdict }
    }

    /// What is merely worth knowing where nothing asks for restricted.
    fn where_asked_for(&self, verdict: Verdict) -> Verdict {
        if self.aims_at_restricted { verdict } else { verdict.merely_known() }
    }

    fn verdict<'v>(&self, means: &str, violations: impl Iterator<Item = &'v Violation>) -> Verdict {
        let violations: Vec<&Violation> = violations.collect();
        let Some(first) = violations.first() else { return Verdict::Holds };
        let prefix = self.subject.who.prefix();
        let place = first.offences.first().map(|offence| format!("{prefix}{}", offence.path)).unwrap_or_default();
        let owned: Vec<Violation> = violations.iter().map(|violation| (*violation).clone()).collect();
        let message = format!("{means}: {}", forbidden_detail(&owned));
        let remedy = format!("{}; {}", changes(self.subject.facts, &owned), self.caution(first.check));
        Problem::at(place, message, remedy).fails()
    }

    /// What to think of, after a remedy in these words.
    fn caution(&self, check: Check) -> &'static str {
        match check {
            Check::HostPathVolumes => {
                "a program that has to see the node needs a namespace of its own, and an exception"
            }
            Check::RestrictedVolumes => "define the storage as a PersistentVolume, which only the cluster's owner may",
            Check::RunAsNonRoot if self.subject.facts.is_never_root() => {
                "it names another user already: nothing else changes"
            }
            Check::RunAsNonRoot if self.subject.facts.allows_root_outright() => {
                "false is written out: where the image has to run as root leave it, and except it with a reason; else runAsUser, or the \
                 image by a number, has to name another user, to whom the files must belong"
            }
            Check::RunAsNonRoot | Check::RunAsUser if self.subject.facts.states_users() => {
                "a container that is told to be root, and has to be, stays as it is: set runAsNonRoot of the others then"
            }
            Check::CapabilitiesRestricted if self.subject.facts.never_gains() => {
                "nothing else changes: it names another user, and no program of it may gain rights"
            }
            Check::CapabilitiesRestricted if self.subject.facts.is_never_root() => {
                "an image that begins with a set-user-ID program, such as the /init of s6-overlay, or whose program has capabilities of \
                 its own may no longer start; others use none"
            }
            Check::SeccompProfileRestricted if self.server.seccomp_by_default => "it runs with that profile already",
            Check::AppArmorProfile
            | Check::CapabilitiesBaseline
            | Check::HostNamespaces
            | Check::HostPorts
            | Check::HostProbesAndHostLifecycle
            | Check::Privileged
            | Check::ProcMount
            | Check::SeLinuxOptions
            | Check::SeccompProfileBaseline
            | Check::Sysctls
            | Check::WindowsHostProcess
            | Check::AllowPrivilegeEscalation
            | Check::CapabilitiesRestricted
            | Check::ProcMountRestricted
            | Check::RunAsNonRoot
            | Check::RunAsUser
            | Check::SeccompProfileRestricted => check.caution(),
        }
    }
}

/// Whether an offence against baseline has to go first: it is at the same place, or the container is privileged, which
/// the API server takes only with all that it brings.
fn covers(said: &Offence, offence: &Offence) -> bool {
    let (said, path) = (said.path.to_string(), offence.path.to_string());
    let privileged = said.strip_suffix(".privileged").filter(|_| path.ends_with(".allowPrivilegeEscalation"));
    said == path || privileged.is_some_and(|context| path.starts_with(context))
}

/// Where a label of a namespace is written, or has to be. Other labels may come from elsewhere: Flux adds some.
fn place(namespace: &Namespace, label: &str) -> Cow<'static, str> {
    match namespace.labels.get(label) {
        Some(_) => format!("metadata.labels[{label}]").into(),
        None if namespace.of_files.has_labels => "metadata.labels".into(),
        None => "metadata".into(),
    }
}

/// The changes, in words.
fn changes(pod: &PodFacts, violations: &[Violation]) -> String {
    let mut changes: Vec<String> = Vec::new();
    // The list from which the last change takes something away.
    let mut list: Option<String> = None;
    for fix in fixes(violations).into_iter().rev() {
        let next = change(pod, fix);
        let of = next.strip_prefix("remove ").and_then(|what| what.split_once(" of "));
        match (changes.last_mut(), of) {
            (Some(last), Some((name, of))) if list.as_deref() == Some(of) => {
                last.truncate(last.len() - " of ".len() - of.len());
                last.push_str(&format!(", {name} of {of}"));
            }
            (_, of) => {
                list = of.map(|(_, of)| of.to_owned());
                changes.push(next);
            }
        }
    }
    let (shown, rest) = changes.split_at(changes.len().min(NAMED));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    format!("{}{more}", shown.join(", "))
}

fn change(pod: &PodFacts, fix: &Fix) -> String {
    let what = fix.path().named(pod);
    match fix {
        Fix::Set { value, .. } => format!("set {what} to {value}"),
        Fix::Remove { .. } => format!("remove {what}"),
        // An empty folder would cure it too, but is hardly ever what is meant.
        Fix::Replace { .. } => format!("claim a persistent volume instead of {what}"),
    }
}
