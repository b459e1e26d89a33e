//! `host-namespaces-shared`: a pod that is in the node's own namespaces.

use holdfast_pod_security::Check as Made;

use super::TemplateCase;
use crate::rules::{Check, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::HostNamespacesShared,
    domain: Domain::PodSecurity,
    severity: Severity::Medium,
    summary: "pods share network, processes or memory with their node",
    prose: include_str!("host_namespaces_shared.md"),
    check: Check::Template(check),
};

fn check(case: &TemplateCase<'_>) -> Verdict {
    case.baseline("its pods are not apart from their node", |check| check == Made::HostNamespaces)
}
