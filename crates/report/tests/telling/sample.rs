//! A small checkout and what was found in it, with a finding of every shape.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use holdfast_model::facts::{FluxKind, FluxOwner};
use holdfast_model::repository::{Inventory, Item, Listing};
use holdfast_model::{Confidence, Locate, Located, ObjectKey, Position, Subject, WorkloadKind, WorkloadRef};
use holdfast_policy::drain::outlook::{Concerned, Fate, Outlook, Unsure};
use holdfast_policy::drain::{Cause, Obstacle, Why};
use holdfast_policy::eviction::Objection;
use holdfast_policy::pod_security::Server;
use holdfast_policy::{Audit, Excepted, Finding, RuleId, Severity};
use holdfast_report::{Input, Part, Report};

const CERT_MANAGER: &str = "\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: cert-manager
spec:
  values:
    replicaCount: 1
    podDisruptionBudget:
      enabled: true
      minAvailable: 1
";

const ENVOY: &str = "\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: envoy
spec:
  minAvailable: 1 # as in the example
  selector: {matchLabels: {app.kubernetes.io/name: envoy}}
";

const ETCD: &str = "\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: etcd}
spec:
  replicas: 2
";

/// A checkout of texts, and places in it.
#[derive(Default)]
pub(crate) struct Checkout {
    files: HashMap<&'static str, String>,
    places: HashMap<(String, String), Located>,
    pub(crate) audit: Audit,
    pub(crate) inventory: Inventory,
    pub(crate) server: Server,
}

impl Locate for Checkout {
    fn locate(&self, subject: &Subject, field: &str) -> Option<Located> {
        self.places.get(&(subject.to_string(), field.to_owned())).cloned()
    }

    fn line(&self, file: &str, line: u32) -> Option<String> {
        let text = self.files.get(file)?;
        text.lines().nth(line.checked_sub(1)? as usize).map(str::to_owned)
    }
}

pub(crate) fn subject(kind: &'static str, path: &str) -> Subject {
    let (namespace, name) = path.split_once('/').unwrap_or(("", path));
    Subject { kind, namespace: namespace.into(), name: name.into() }
}

pub(crate) fn owner(kind: FluxKind, namespace: &str, name: &str) -> FluxOwner {
    FluxOwner { kind, key: ObjectKey { namespace: namespace.into(), name: name.into() } }
}

pub(crate) fn finding(
    rule: RuleId,
    subject: Subject,
    field: &'static str,
    message: &str,
    remedy: &'static str,
) -> Finding {
    Finding {
        rule,
        severity: rule.rule().severity,
        subject,
        field: Cow::Borrowed(field),
        position: None,
        message: message.to_owned(),
        remedy: Cow::Borrowed(remedy),
        patch: None,
        workloads: Vec::new(),
        owner: None,
        policy: None,
        excepted: None,
    }
}

pub(crate) fn at(file: &str, line: u32, column: u32) -> Position {
    Position { file: file.into(), line, column }
}

impl Checkout {
    pub(crate) fn file(&mut self, path: &'static str, text: &str) {
        self.files.insert(path, text.to_owned());
    }

    pub(crate) fn add(&mut self, finding: Finding, position: Option<Position>, confidence: Confidence) {
        if let Some(position) = position {
            let key = (finding.subject.to_string(), finding.field.to_string());
            self.places.insert(key, Located { position, confidence });
        }
        if finding.excepted.is_none() {
            self.audit.tally.add_failed(finding.rule, finding.severity, 1);
        }
        self.audit.findings.push(finding);
    }

    pub(crate) fn report(&self) -> Report<'_> {
        self.report_of(1)
    }

    /// As of so many clusters that share all of their files.
    pub(crate) fn report_of(&self, clusters: usize) -> Report<'_> {
        let parts = vec![Part { audit: &self.audit, locate: self }; clusters];
        let (inventory, server, files) = (&self.inventory, &self.server, self);
        Report::new(&parts, Input { name: "homelab", version: "0.0.0", inventory, server, files })
    }
}

/// The checkout that the snapshots are of.
pub(crate) fn homelab() -> Checkout {
    let mut it = Checkout::default();
    it.file("kubernetes/apps/cert-manager/app/helmrelease.yaml", CERT_MANAGER);
    it.file("kubernetes/apps/network/envoy/budget.yaml", ENVOY);
    it.file("kubernetes/apps/database/etcd.yaml", ETCD);
    add_blockers(&mut it);
    add_others(&mut it);
    add_singletons(&mut it);
    it.audit.tally.add_held(RuleId::DrainBlocked, 3);
    it.audit.tally.add_held(RuleId::BudgetMissing, 21);
    it.audit.tally.add_held(RuleId::LabelsInvalid, 12);
    it.server.minor = Some(35);
    it.inventory = inventory();
    it.audit.outlook = outlook();
    it
}

/// What a drain of every node does to some of it: something of every kind.
fn outlook() -> Outlook {
    let refuses = || Cause::Budget(Objection::NoneLeft { needs: 1, has: 1 });
    let job = WorkloadRef { kind: WorkloadKind::Job, name: "migrate".into() };
    let concerned = |path: &str, budgets: &[&str], fate: Fate| Concerned {
        subject: subject("Deployment", path),
        budgets: budgets.iter().map(|name| (*name).into()).collect(),
        fate,
    };
    let concerned = vec![
        concerned("cert-manager/cert-manager", &["cert-manager"], Fate::Blocks { cause: refuses(), place: None }),
        concerned("media/app-1", &[], Fate::Interrupts(Why::LastReady)),
        concerned("media/app-2", &[], Fate::Interrupts(Why::LastReady)),
        concerned("network/envoy", &["envoy"], Fate::Blocks { cause: refuses(), place: Some(Obstacle::Labels) }),
        concerned("observability/gatus", &[], Fate::MayInterrupt(Unsure::Together)),
        concerned("shop/api", &["api"], Fate::MayBlock(Unsure::JobPods(job))),
        concerned("shop/web", &["web"], Fate::Clean),
    ];
    Outlook { concerned, unseen: vec![ObjectKey::new("media", "plex")] }
}

fn add_blockers(it: &mut Checkout) {
    let mut cert_manager = finding(
        RuleId::DrainBlocked,
        subject("PodDisruptionBudget", "cert-manager/cert-manager"),
        "spec.minAvailable",
        "minAvailable: 1 over 1 pod allows no eviction",
        "switch the budget off in the values, or run two replicas and set maxUnavailable: 1",
    );
    cert_manager.owner = Some(owner(FluxKind::HelmRelease, "cert-manager", "cert-manager"));
    it.add(cert_manager, Some(at("kubernetes/apps/cert-manager/app/helmrelease.yaml", 10, 7)), Confidence::Inferred);
    let mut envoy = finding(
        RuleId::DrainBlocked,
        subject("PodDisruptionBudget", "network/envoy"),
        "spec.minAvailable",
        "minAvailable: 1 over 1 pod allows no eviction",
        "delete the budget: over one replica it can only block",
    );
    envoy.owner = Some(owner(FluxKind::Kustomization, "flux-system", "envoy"));
    it.add(envoy, Some(at("kubernetes/apps/network/envoy/budget.yaml", 6, 3)), Confidence::Declared);
    let mut excepted = finding(
        RuleId::BudgetsOverlap,
        subject("PodDisruptionBudget", "media/plex"),
        "spec.selector",
        "plex and plex-extra cover the same pods",
        "keep one of them",
    );
    excepted.excepted = Some(Excepted {
        by: Some("plex".into()),
        reason: Some("gone with the next release".into()),
        until: "2026-12-01T00:00:00Z".parse().ok(),
    });
    it.add(excepted, None, Confidence::Declared);
}

fn add_others(it: &mut Checkout) {
    let etcd = finding(
        RuleId::QuorumEven,
        subject("StatefulSet", "database/etcd"),
        "spec.replicas",
        "2 voters lose their quorum with either of them",
        "run three, or one",
    );
    let etcd = Finding { severity: Severity::High, ..etcd };
    it.add(etcd, Some(at("kubernetes/apps/database/etcd.yaml", 5, 3)), Confidence::Declared);
    for name in ["gatus", "grafana", "homepage", "loki", "thanos"] {
        let mut missing = finding(
            RuleId::BudgetMissing,
            subject("Deployment", &format!("observability/{name}")),
            "spec.replicas",
            "2 replicas at least and no budget: a drain may take all of them at once",
            "add a budget with maxUnavailable: 1, or let Holdfast make it",
        );
        missing.owner = Some(owner(FluxKind::HelmRelease, "observability", name));
        it.add(missing, None, Confidence::Rendered);
    }
    let mut loose = finding(
        RuleId::BudgetLoose,
        subject("PodDisruptionBudget", "shop/web"),
        "spec.maxUnavailable",
        "maxUnavailable: 100% lets every pod go",
        "set maxUnavailable: 1",
    );
    loose.patch = Some("spec:\n  minAvailable: null\n  maxUnavailable: 1");
    it.add(loose, None, Confidence::Declared);
}

fn add_singletons(it: &mut Checkout) {
    for number in 1..=10 {
        let single = finding(
            RuleId::Singleton,
            subject("Deployment", &format!("media/app-{number}")),
            "spec.replicas",
            "at most one replica: a drain interrupts it, and a budget would only block the drain",
            "run two replicas if it must not be interrupted",
        );
        it.add(single, None, Confidence::Inferred);
    }
}

fn inventory() -> Inventory {
    let item = |kind: &str, namespace: &str, name: &str, reachable: bool| Item {
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
        position: at(&format!("kubernetes/apps/{namespace}/{name}.yaml"), 1, 1),
        reachable,
        suspended: false,
        chart: (kind == "HelmRelease").then(|| "app-template@3.7.0".into()),
        replicas: (kind == "Deployment").then_some(2),
    };
    Inventory {
        files: 42,
        templates: 3,
        namespaces: ["cert-manager", "network"].map(Into::into).into(),
        unreachable: vec![Arc::from("archive/old.yaml")],
        helm_releases: Listing {
            items: vec![item("HelmRelease", "media", "plex", true), item("HelmRelease", "old", "plex", false)],
        },
        kustomizations: Listing { items: vec![item("Kustomization", "flux-system", "apps", true)] },
        workloads: Listing { items: vec![item("Deployment", "observability", "gatus", true)] },
        budgets: Listing::default(),
        ..Inventory::default()
    }
}
