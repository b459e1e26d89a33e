//! Runs every rule over a namespace.

use holdfast_model::facts::{FluxOwner, OptOut};
use holdfast_model::{Cluster, Kind, Labels, Repository, Subject, Text, WorkloadRef};
use jiff::Timestamp;

use super::{Answers, BudgetCase, Check, Failure, Held, Problem, Rule, TemplateCase, Verdict, WorkloadCase};
use crate::disruption::{Decision, Outcome};
use crate::pod_security::Look;
use crate::policies::Judged;
use crate::survey::Survey;
use crate::{Finding, Policies, PolicyRef, RuleId};

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Subjects<'a> {
    /// The namespace.
    pub survey: &'a Survey<'a>,
    /// What was decided for its workloads.
    pub outcomes: &'a [Outcome],
    /// How it stands by its Pod Security level; none while nobody decides about it.
    pub level: Option<&'a Look<'a>>,
    /// The policies and exceptions.
    pub policies: &'a Policies,
    /// The present.
    pub now: Timestamp,
}

/// What the rules say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What is wrong, worst first.
    pub findings: Vec<Finding>,
    /// How often each rule applied and nothing was wrong.
    pub held: Held,
    /// When something would be judged otherwise though nothing changed.
    pub recheck_at: Option<Timestamp>,
}

/// What a finding says beside its rule and problem.
struct About<'a> {
    judged: Judged<'a>,
    /// Another object than what is judged, when only that one is known to be there.
    instead: Option<Subject>,
    workloads: Vec<WorkloadRef>,
    owner: Option<FluxOwner>,
    policy: Option<PolicyRef>,
}

impl<'a> About<'a> {
    /// Nothing but what is judged.
    fn of(judged: Judged<'a>) -> Self {
        Self { judged, instead: None, workloads: Vec::new(), owner: None, policy: None }
    }
}

/// Judges a namespace by every rule.
#[must_use]
pub fn judge(subjects: &Subjects<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    judge_budgets(subjects, &mut judgement);
    judge_workloads(subjects, &mut judgement);
    judge_levels(subjects, &mut judgement);
    judge_exceptions(subjects, &mut judgement);
    judge_unreadable(subjects, &mut judgement);
    judgement.findings.sort_by(Finding::order);
    judgement
}

fn rules() -> impl Iterator<Item = &'static Rule> {
    RuleId::ALL.iter().map(|id| id.rule())
}

/// The rules with such a check. Asked for once, before the many things that it looks at.
fn checks<C>(such: impl Fn(Check) -> Option<C>) -> Vec<(&'static Rule, C)> {
    rules().filter_map(|rule| Some((rule, such(rule.check)?))).collect()
}

fn judge_budgets(subjects: &Subjects<'_>, judgement: &mut Judgement) {
    let view = subjects.survey.view;
    let checks = checks(|check| match check {
        Check::Budget(check) | Check::Both(check, _) => Some(check),
        Check::Workload(_)
        | Check::Namespace(_)
        | Check::Template(_)
        | Check::Exception(_)
        | Check::Unreadable(_)
        | Check::Files(_)
        | Check::FilesOnNodes(_) => None,
    });
    for (name, budget) in view.budgets() {
        let case = BudgetCase::new(subjects.survey, name, budget, subjects.now);
        let about = about_budget(subjects, &case);
        for (rule, check) in &checks {
            judgement.add(rule, check(&case), &about, subjects);
        }
    }
}

fn judge_workloads(subjects: &Subjects<'_>, judgement: &mut Judgement) {
    let view = subjects.survey.view;
    let checks = checks(|check| match check {
        Check::Workload(check) | Check::Both(_, check) => Some(check),
        Check::Budget(_)
        | Check::Namespace(_)
        | Check::Template(_)
        | Check::Exception(_)
        | Check::Unreadable(_)
        | Check::Files(_)
        | Check::FilesOnNodes(_) => None,
    });
    for outcome in subjects.outcomes {
        let Some(workload) = view.workload(&outcome.workload) else { continue };
        if outcome.decision == Decision::NotSelected {
            continue;
        }
        let case = WorkloadCase { survey: subjects.survey, workload, outcome, nodes: subjects.policies.nodes() };
        let kind = workload.id.kind.kind();
        let about = About {
            judged: judged(subjects, kind.as_str(), &workload.id.name, &workload.labels, Some(&workload.opt_out)),
            workloads: vec![workload.id.clone()],
            instead: outcome.owner.as_ref().filter(|_| workload.guessed).map(subject_of),
            owner: outcome.owner.clone(),
            policy: outcome.policy.clone().map(PolicyRef::disruption),
        };
        for (rule, check) in &checks {
            judgement.add(rule, check(&case), &about, subjects);
        }
    }
}

fn judge_levels(subjects: &Subjects<'_>, judgement: &mut Judgement) {
    let view = subjects.survey.view;
    let Some(look) = subjects.level.filter(|look| !look.is_exempt()) else { return };
    let Some(case) = look.case(view, subjects.policies) else { return };
    let policy = Some(look.policy()).filter(|name| !name.is_empty()).cloned().map(PolicyRef::security);
    let about = About {
        owner: view.own_flux_owner(),
        policy: policy.clone(),
        ..About::of(judged(subjects, Kind::Namespace.as_str(), view.name(), &case.namespace.labels, None))
    };
    // Who makes a namespace that nobody wrote down may label it too.
    for rule in rules().filter(|_| !case.namespace.assumed) {
        if let Check::Namespace(check) = rule.check {
            judgement.add(rule, check(&case), &about, subjects);
        }
    }
    let checks = checks(|check| match check {
        Check::Template(check) => Some(check),
        Check::Budget(_)
        | Check::Workload(_)
        | Check::Both(..)
        | Check::Namespace(_)
        | Check::Exception(_)
        | Check::Unreadable(_)
        | Check::Files(_)
        | Check::FilesOnNodes(_) => None,
    });
    for (workload, template) in case.standing.templates() {
        // What a workload makes for another is the other's to change.
        if workload.owner.as_ref().is_some_and(|owner| owner.workload().is_some()) {
            continue;
        }
        let kind = workload.id.kind.kind();
        let judged = judged(subjects, kind.as_str(), &workload.id.name, &workload.labels, Some(&workload.opt_out));
        let about = About {
            workloads: vec![workload.id.clone()],
            owner: view.flux_owner(kind, &workload.id.name, &workload.flux),
            policy: policy.clone(),
            ..About::of(judged)
        };
        let case = TemplateCase::new(template, &case);
        for (rule, check) in &checks {
            judgement.add(rule, check(&case), &about, subjects);
        }
    }
}

fn judge_exceptions(subjects: &Subjects<'_>, judgement: &mut Judgement) {
    let view = subjects.survey.view;
    let none = Labels::default();
    for exception in subjects.policies.exceptions(view.name()) {
        let ends = exception.expires_at().filter(|end| subjects.now < *end);
        judgement.recheck_at = earliest(judgement.recheck_at, ends);
        for rule in rules() {
            let Check::Exception(check) = rule.check else { continue };
            let judged = judged(subjects, "PolicyException", &exception.name, &none, None);
            let about = About { policy: policy_of_namespace(subjects), ..About::of(judged) };
            judgement.add(rule, check(exception, subjects.now), &about, subjects);
        }
    }
}

fn judge_unreadable(subjects: &Subjects<'_>, judgement: &mut Judgement) {
    let none = Labels::default();
    for (kind, name, error) in subjects.survey.view.unreadable() {
        for rule in rules() {
            let Check::Unreadable(check) = rule.check else { continue };
            let judged = judged(subjects, kind.as_str(), name, &none, None);
            let about = About { policy: policy_of_namespace(subjects), ..About::of(judged) };
            judgement.add(rule, check(kind, error), &about, subjects);
        }
    }
}

/// Judges what only files have. Namespaces come from the cluster: what one is exempt from, all in it is.
pub(crate) fn judge_files(
    cluster: &Cluster,
    repository: &Repository,
    policies: &Policies,
    now: Timestamp,
) -> Judgement {
    let mut judgement = Judgement::default();
    for rule in rules() {
        let mut answers = Answers::default();
        match rule.check {
            Check::Files(check) => check(repository, &mut answers),
            Check::FilesOnNodes(check) => check(repository, policies, &mut answers),
            Check::Budget(_)
            | Check::Workload(_)
            | Check::Both(..)
            | Check::Namespace(_)
            | Check::Template(_)
            | Check::Exception(_)
            | Check::Unreadable(_) => continue,
        }
        judgement.held.add(rule.id, answers.holds);
        for Failure { identity, position, problem } in answers.failures {
            let of_namespace = cluster.namespace(&identity.subject.namespace).and_then(|view| view.namespace());
            let judged = Judged {
                namespace: &identity.subject.namespace,
                kind: identity.subject.kind,
                name: &identity.subject.name,
                labels: &identity.labels,
                opt_outs: [Some(&identity.opt_out), of_namespace.map(|namespace| &namespace.opt_out)],
            };
            let about = About { owner: identity.owner.clone(), ..About::of(judged) };
            let found = finding(rule, problem, &about, policies, now);
            judgement.findings.push(Finding { position, ..found });
        }
    }
    judgement.findings.sort_by(Finding::order);
    judgement
}

fn about_budget<'a>(subjects: &'a Subjects<'a>, case: &BudgetCase<'a>) -> About<'a> {
    let view = subjects.survey.view;
    // A budget over one workload follows what its owner wrote on the workload; over several it would be anyone's guess.
    let opt_out = match case.workloads.as_slice() {
        [only] => Some(&only.workload.opt_out),
        _ => None,
    };
    let covered = |outcome: &&Outcome| case.workloads.iter().any(|covered| covered.workload.id == outcome.workload);
    let decided =
        subjects.outcomes.iter().filter(covered).find_map(|outcome| outcome.policy.clone()).map(PolicyRef::disruption);
    let kind = Kind::PodDisruptionBudget;
    About {
        workloads: case.workloads.iter().map(|covered| covered.workload.id.clone()).collect(),
        owner: view.flux_owner(kind, case.name, &case.budget.flux),
        policy: decided.or_else(|| policy_of_namespace(subjects)),
        ..About::of(judged(subjects, kind.as_str(), case.name, &case.budget.labels, opt_out))
    }
}

fn judged<'a>(
    subjects: &Subjects<'a>,
    kind: &'static str,
    name: &'a Text,
    labels: &'a Labels,
    opt_out: Option<&'a OptOut>,
) -> Judged<'a> {
    let view = subjects.survey.view;
    let of_namespace = view.namespace().map(|namespace| &namespace.opt_out);
    Judged { namespace: view.name(), kind, name, labels, opt_outs: [opt_out, of_namespace] }
}

fn subject_of(owner: &FluxOwner) -> Subject {
    Subject { kind: owner.kind.kind().as_str(), namespace: owner.key.namespace.clone(), name: owner.key.name.clone() }
}

fn policy_of_namespace(subjects: &Subjects<'_>) -> Option<PolicyRef> {
    let namespace = subjects.survey.view.namespace()?;
    subjects.policies.of_namespace(namespace)
}

fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

impl Judgement {
    fn add(&mut self, rule: &Rule, verdict: Verdict, about: &About<'_>, subjects: &Subjects<'_>) {
        match verdict {
            Verdict::Holds => self.held.add(rule.id, 1),
            Verdict::NotApplicable => {}
            Verdict::NotYet(at) => self.recheck_at = earliest(self.recheck_at, Some(at)),
            Verdict::Fails(problem) => {
                self.findings.push(finding(rule, problem, about, subjects.policies, subjects.now));
            }
        }
    }
}

fn finding(rule: &Rule, problem: Problem, about: &About<'_>, policies: &Policies, now: Timestamp) -> Finding {
    let judged = &about.judged;
    // A Namespace is excepted by what is in it, but is in none itself.
    let in_none = judged.kind == Kind::Namespace.as_str();
    let namespace = if in_none { Text::default() } else { judged.namespace.clone() };
    let itself = || Subject { kind: judged.kind, namespace, name: judged.name.clone() };
    Finding {
        rule: rule.id,
        severity: problem.severity.unwrap_or(rule.severity),
        subject: about.instead.clone().unwrap_or_else(itself),
        field: problem.field,
        position: None,
        message: problem.message,
        remedy: problem.remedy,
        patch: problem.patch,
        workloads: about.workloads.clone(),
        owner: about.owner.clone(),
        policy: about.policy.clone(),
        excepted: policies.excepted(rule.id, judged, now),
    }
}
