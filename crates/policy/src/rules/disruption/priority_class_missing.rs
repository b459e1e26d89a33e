//! `priority-class-missing`: infrastructure that the scheduler treats as it treats everything else.
//!
//! Infrastructure is recognised by the name of a release's chart, or of a container's image, in the tables below. Charts
//! that set a class by themselves (Cilium, democratic-csi, Longhorn, metrics-server, most CSI drivers) are not in them. A release that was
//! rendered is judged by its templates, every other by its values.

use holdfast_model::repository::{Flux, Release, Template};
use holdfast_model::{Confidence, Repository, WorkloadKind};

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::PriorityClassMissing,
    domain: Domain::Disruption,
    severity: Severity::Low,
    summary: "infrastructure runs without a priority class",
    prose: include_str!("priority_class_missing.md"),
    check: Check::Files(check),
};

/// Charts: the name, what it is for, and the value that takes the class; each with the version in which neither its values nor
/// its templates set one.
const CHARTS: [(&str, &str, &str); 8] = [
    ("cert-manager", "certificates", "global.priorityClassName"), // 1.21.1
    ("coredns", "DNS", "priorityClassName"),                      // 1.46.2
    ("flux-operator", "the operator of Flux", "priorityClassName"), // 0.49.0
    ("gateway-helm", "the controller of ingress", "deployment.priorityClassName"), // 1.9.0
    ("ingress-nginx", "ingress", "controller.priorityClassName"), // 4.15.1
    ("metallb", "network", "controller.priorityClassName and speaker.priorityClassName"), // 0.16.1
    ("rook-ceph", "the operator of storage", "priorityClassName"), // 1.20.6
    ("traefik", "ingress", "priorityClassName"),                  // 41.3.0
];

/// Images: the last part of the name, and what it is for.
const IMAGES: [(&str, &str); 10] = [
    ("cert-manager-controller", "certificates"),
    ("cilium", "network"),
    ("coredns", "DNS"),
    ("flannel", "network"),
    ("helm-controller", "Flux"),
    ("kube-vip", "network"),
    ("kustomize-controller", "Flux"),
    ("multus-cni", "network"),
    ("source-controller", "Flux"),
    ("traefik", "ingress"),
];

fn check(repository: &Repository, answers: &mut Answers) {
    check_releases(repository, answers);
    check_templates(repository, answers);
}

fn check_releases(repository: &Repository, answers: &mut Answers) {
    for release in &repository.flux.releases {
        let Some((_, purpose, value)) = infrastructure(release, &repository.flux) else { continue };
        let rendered: Vec<&Template> =
            repository.templates.iter().filter(|it| is_rendered(it) && is_of(it, release)).collect();
        // Values from a ConfigMap or Secret may name it, where the templates don't tell.
        let said = match rendered.is_empty() {
            true => (release.names_priority || !release.values_from).then_some(release.names_priority),
            false => Some(rendered.iter().all(|template| template.priority.is_some())),
        };
        match said {
            None => {}
            Some(true) => answers.holds(),
            Some(false) => {
                let message = format!(
                    "infrastructure ({purpose}) without a priority class: when room is short, it waits like everything else"
                );
                let remedy = format!("set {value}: system-cluster-critical in its values");
                answers.fails(&release.identity, Problem::at("spec.values", message, remedy));
            }
        }
    }
}

/// What isn't of a release that was judged already.
fn check_templates(repository: &Repository, answers: &mut Answers) {
    let flux = &repository.flux;
    for template in &repository.templates {
        let Some(purpose) = purpose(template) else { continue };
        let of_release = flux.releases.iter().find(|release| is_of(template, release));
        if of_release.is_some_and(|release| infrastructure(release, flux).is_some()) {
            continue;
        }
        if template.priority.is_some() {
            answers.holds();
            continue;
        }
        let class = match template.kind {
            WorkloadKind::DaemonSet => "system-node-critical",
            WorkloadKind::Deployment
            | WorkloadKind::StatefulSet
            | WorkloadKind::ReplicaSet
            | WorkloadKind::Job
            | WorkloadKind::CronJob => "system-cluster-critical",
        };
        let message = format!(
            "infrastructure ({purpose}) without a priority class: when room is short, it waits like everything else"
        );
        let problem = Problem::at(template.at, message, format!("set {}.priorityClassName: {class}", template.at));
        answers.fails(&template.identity, problem);
    }
}

fn infrastructure(release: &Release, flux: &Flux) -> Option<&'static (&'static str, &'static str, &'static str)> {
    let name = release.chart_name(flux)?;
    CHARTS.iter().find(|(chart, ..)| *chart == name)
}

fn is_of(template: &Template, release: &Release) -> bool {
    let subject = &release.identity.subject;
    let owner = template.identity.owner.as_ref();
    owner.is_some_and(|owner| {
        owner.kind.kind().as_str() == subject.kind
            && owner.key.name == subject.name
            && owner.key.namespace == subject.namespace
    })
}

fn is_rendered(template: &Template) -> bool {
    match template.identity.confidence {
        Confidence::Rendered => true,
        Confidence::Declared | Confidence::Inferred => false,
    }
}

/// What a long-running workload is for, by the images of its containers.
fn purpose(template: &Template) -> Option<&'static str> {
    match template.kind {
        WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => {}
        WorkloadKind::ReplicaSet | WorkloadKind::Job | WorkloadKind::CronJob => return None,
    }
    let images = template.containers.iter().filter(|container| !container.initializes);
    images.filter_map(|container| container.image.as_ref()).find_map(|image| {
        let name = image.split(['@']).next()?.rsplit('/').next()?.split(':').next()?;
        IMAGES.iter().find(|(known, _)| *known == name).map(|(_, purpose)| *purpose)
    })
}
