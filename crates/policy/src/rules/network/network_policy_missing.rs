//! `network-policy-missing`: pods that everything in the cluster may talk to. Once for a cluster.
//!
//! Where no namespace has a policy: low. Where some have, the rest is named, merely to know. A policy for all namespaces at
//! once, and charts that were told to make one, count. kube-system is left out: Talos runs it.

use holdfast_model::{Repository, Text};

use crate::rules::{Answers, Check, Problem, Rule};
use crate::rules::{named, whole_cluster};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::NetworkPolicyMissing,
    domain: Domain::Network,
    severity: Severity::Low,
    summary: "namespaces with workloads have no network policy",
    prose: include_str!("network_policy_missing.md"),
    check: Check::Files(check),
};

/// Namespaces that come with every cluster.
const GIVEN: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

fn check(repository: &Repository, answers: &mut Answers) {
    let network = &repository.network;
    let ours = |namespace: &&Text| !GIVEN.contains(&namespace.as_str());
    // What runs in a namespace with a policy needn't be of a kind that is known here.
    let populated = network.populated.union(&network.guarded).filter(ours).count();
    let bare: Vec<&Text> = network.populated.difference(&network.guarded).filter(ours).collect();
    if populated == 0 {
        return;
    }
    if network.guarded_everywhere || bare.is_empty() {
        answers.holds();
        return;
    }
    let names = named(bare.iter().map(|namespace| namespace.as_str()));
    let (severity, message) = match populated - bare.len() {
        0 => (
            Severity::Low,
            format!(
                "no network policy is deployed from here for any of {populated} namespaces: every pod may talk to every other"
            ),
        ),
        some => (
            Severity::Info,
            format!(
                "of {populated} namespaces (kube-system aside) {some} have a network policy that is deployed from here, but not {names}"
            ),
        ),
    };
    let remedy = "begin with a policy that denies what comes in, and allow what is known, namespace by namespace; some charts make their own, and `unreachable` tells of those that are only written";
    answers.fails(&whole_cluster(repository), Problem::at("", message, remedy).severe(severity));
}
