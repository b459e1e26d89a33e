//! What the controller may do, and why: the one table from which watches start and roles are rendered.
//!
//! Nothing is asked of the API server that has no row here, and a test compares the rows with the audit log of a real
//! run in both directions. No wildcard, no Secret.

use holdfast_model::Kind;

/// Which role a row belongs to: each is bound by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Concern {
    /// Reading, and saying what was found. Always bound.
    Observe,
    /// Writing and withdrawing budgets. Bound unless the chart is told otherwise.
    Budgets,
    /// Writing and withdrawing the Pod Security labels of namespaces. Bound only when asked for.
    PodSecurity,
    /// Electing the leader; in the controller's own namespace only.
    Lease,
    /// Taking everything back before the chart goes; the account of the pre-delete hook.
    Withdraw,
}

impl Concern {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Observe, Self::Budgets, Self::PodSecurity, Self::Lease, Self::Withdraw];

    /// As it is written in file names and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Budgets => "budgets",
            Self::PodSecurity => "pod-security-enforce",
            Self::Lease => "lease",
            Self::Withdraw => "withdraw",
        }
    }
}

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A kind that becomes facts.
    Facts(Kind),
    /// The policies about budgets.
    DisruptionPolicy,
    /// The policies about Pod Security levels.
    NamespaceSecurityPolicy,
    /// The exceptions.
    PolicyException,
    /// What upgrades wait for.
    DrainReadiness,
}

impl Source {
    /// Every source, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().filter_map(|access| access.source)
    }

    /// The kind, as the API spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Facts(kind) => kind.as_str(),
            Self::DisruptionPolicy => "DisruptionPolicy",
            Self::NamespaceSecurityPolicy => "NamespaceSecurityPolicy",
            Self::PolicyException => "PolicyException",
            Self::DrainReadiness => "DrainReadiness",
        }
    }

    /// Whether the kind may be unknown to the server: it belongs to software that need not be installed.
    #[must_use]
    pub fn is_optional(self) -> bool {
        match self {
            Self::Facts(kind) => {
                matches!(kind, Kind::ScaledObject | Kind::HelmRelease | Kind::Kustomization | Kind::VaultTransitUnseal)
                    || self.is_upgrade()
            }
            Self::DisruptionPolicy | Self::NamespaceSecurityPolicy | Self::PolicyException | Self::DrainReadiness => {
                false
            }
        }
    }

    /// Which of its objects are asked for, by their fields; none for all.
    #[must_use]
    pub fn fields(self) -> Option<&'static str> {
        (self == Self::Facts(Kind::Event)).then_some(REFUSED)
    }

    /// Whether the API server keeps a cache of it for watches, whose bookmarks tell how far a quiet one has come. Events have none
    /// (`DefaultWatchCacheSizes` in `pkg/kubeapiserver/default_storage_factory_builder.go`), so a watch in which nothing came is too
    /// old when etcd was compacted, every five minutes unless told otherwise.
    #[must_use]
    pub fn has_watch_cache(self) -> bool {
        self != Self::Facts(Kind::Event)
    }

    /// Whether it is what carries upgrades of nodes out.
    #[must_use]
    pub fn is_upgrade(self) -> bool {
        match self {
            Self::Facts(kind) => Kind::UPGRADES.contains(&kind),
            Self::DisruptionPolicy | Self::NamespaceSecurityPolicy | Self::PolicyException | Self::DrainReadiness => {
                false
            }
        }
    }

    /// Whether only the forecast of a drain needs it: while it isn't in step no drain can be forecast, and all else goes on.
    #[must_use]
    pub fn is_foresight(self) -> bool {
        self == Self::Facts(Kind::VaultTransitUnseal)
    }

    /// Whether budgets are decided about without it: it only tells whose something is, what a drain would do, or what waits.
    #[must_use]
    pub fn is_informative(self) -> bool {
        match self {
            Self::Facts(kind) => {
                matches!(kind, Kind::Event | Kind::HelmRelease | Kind::Kustomization)
                    || self.is_upgrade()
                    || self.is_foresight()
            }
            Self::DrainReadiness => true,
            Self::DisruptionPolicy | Self::NamespaceSecurityPolicy | Self::PolicyException => false,
        }
    }
}

/// One row: verbs on a resource, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The resource, with its subresource.
    pub resource: &'static str,
    /// The verbs, none of them a wildcard.
    pub verbs: &'static [&'static str],
    /// The only objects it is about; empty for any.
    pub names: &'static [&'static str],
    /// Why.
    pub why: &'static str,
    /// Which role it is part of.
    pub concern: Concern,
    /// What is watched by it.
    pub source: Option<Source>,
}

/// Lists come through the watch where the server streams them, so `list` is for servers that don't.
const READ: &[&str] = &["list", "watch"];

const fn read(group: &'static str, resource: &'static str, source: Source, why: &'static str) -> Access {
    Access { group, resource, verbs: READ, names: &[], why, concern: Concern::Observe, source: Some(source) }
}

const fn write(
    concern: Concern,
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    why: &'static str,
) -> Access {
    Access { group, resource, verbs, names: &[], why, concern, source: None }
}

/// The events that say that a controller can't make its pods.
const REFUSED: &str = "reason=FailedCreate";

/// The name of the Lease of the controller.
pub const LEASE: &str = "holdfast";

/// Every access there is.
pub const TABLE: &[Access] = &[
    read("", "namespaces", Source::Facts(Kind::Namespace), "policies select by their labels"),
    read("", "nodes", Source::Facts(Kind::Node), "where pods may run, and what a drain would do"),
    read("", "persistentvolumes", Source::Facts(Kind::PersistentVolume), "which nodes a volume keeps its pod on"),
    read("", "persistentvolumeclaims", Source::Facts(Kind::PersistentVolumeClaim), "which volume a pod is bound to"),
    read("", "pods", Source::Facts(Kind::Pod), "what budgets really cover"),
    read("", "events", Source::Facts(Kind::Event), "whether Pod Security refuses pods"),
    read("apps", "daemonsets", Source::Facts(Kind::DaemonSet), "their pods break a budget"),
    read("apps", "deployments", Source::Facts(Kind::Deployment), "what budgets are for"),
    read("apps", "replicasets", Source::Facts(Kind::ReplicaSet), "which Deployment a pod belongs to"),
    read("apps", "statefulsets", Source::Facts(Kind::StatefulSet), "what budgets are for"),
    read(
        "autoscaling",
        "horizontalpodautoscalers",
        Source::Facts(Kind::HorizontalPodAutoscaler),
        "least and most replicas",
    ),
    read("batch", "cronjobs", Source::Facts(Kind::CronJob), "their pods break a budget"),
    read("batch", "jobs", Source::Facts(Kind::Job), "their pods break a budget"),
    read(
        "policy",
        "poddisruptionbudgets",
        Source::Facts(Kind::PodDisruptionBudget),
        "which budgets there are, and whose",
    ),
    read("keda.sh", "scaledobjects", Source::Facts(Kind::ScaledObject), "least and most replicas"),
    read(
        "helm.toolkit.fluxcd.io",
        "helmreleases",
        Source::Facts(Kind::HelmRelease),
        "in which release a person mends a finding",
    ),
    read(
        "kustomize.toolkit.fluxcd.io",
        "kustomizations",
        Source::Facts(Kind::Kustomization),
        "in which Kustomization a person mends a finding",
    ),
    read(
        "tuppr.home-operations.com",
        "talosupgrades",
        Source::Facts(Kind::TalosUpgrade),
        "what waits while Talos is upgraded",
    ),
    read(
        "tuppr.home-operations.com",
        "kubernetesupgrades",
        Source::Facts(Kind::KubernetesUpgrade),
        "what waits while Kubernetes is upgraded",
    ),
    read("upgrade.cattle.io", "plans", Source::Facts(Kind::Plan), "what waits while a plan is applied to nodes"),
    read(
        "controlplane.cluster.x-k8s.io",
        "taloscontrolplanes",
        Source::Facts(Kind::TalosControlPlane),
        "what waits while machines of the control plane are replaced",
    ),
    read(
        "holdfast.dev",
        "vaulttransitunseals",
        Source::Facts(Kind::VaultTransitUnseal),
        "whether a Vault would start again after a drain",
    ),
    read("holdfast.dev", "disruptionpolicies", Source::DisruptionPolicy, "what is asked for"),
    read("holdfast.dev", "namespacesecuritypolicies", Source::NamespaceSecurityPolicy, "which levels are asked for"),
    read("holdfast.dev", "policyexceptions", Source::PolicyException, "what is exempt"),
    read("holdfast.dev", "drainreadinesses", Source::DrainReadiness, "how a drain is forecast"),
    write(Concern::Observe, "holdfast.dev", "drainreadinesses", &["create"], "makes the one that there is"),
    Access {
        names: &[holdfast_api::CLUSTER],
        ..write(Concern::Observe, "holdfast.dev", "drainreadinesses/status", &["patch"], "what a drain would do")
    },
    write(Concern::Observe, "holdfast.dev", "disruptionpolicies/status", &["patch"], "what a policy comes to"),
    write(Concern::Observe, "holdfast.dev", "namespacesecuritypolicies/status", &["patch"], "what a policy comes to"),
    write(Concern::Observe, "holdfast.dev", "policyexceptions/status", &["patch"], "what an exception comes to"),
    write(
        Concern::Observe,
        "events.k8s.io",
        "events",
        &["create"],
        "findings are told on the object and its HelmRelease",
    ),
    write(
        Concern::Observe,
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        &["create"],
        "whether the role of a concern is bound",
    ),
    write(
        Concern::Budgets,
        "policy",
        "poddisruptionbudgets",
        &["create", "patch", "delete"],
        "writes and withdraws budgets of its own",
    ),
    write(
        Concern::PodSecurity,
        "",
        "namespaces",
        &["patch"],
        "writes and withdraws Pod Security labels; an admission policy allows no other change",
    ),
    write(
        Concern::PodSecurity,
        "holdfast.dev",
        "namespacesecuritypolicies",
        &["patch"],
        "keeps a policy until its labels are withdrawn",
    ),
    // A create can't be limited to a name: the name isn't known when it is authorized.
    write(Concern::Lease, "coordination.k8s.io", "leases", &["create"], "makes the Lease"),
    Access {
        names: &[LEASE],
        ..write(Concern::Lease, "coordination.k8s.io", "leases", &["get", "update"], "elects the leader")
    },
    write(Concern::Withdraw, "", "namespaces", &["list", "watch", "patch"], "takes back Pod Security labels of ours"),
    write(Concern::Withdraw, "", "pods", READ, "a label may only go where that refuses no pod"),
    write(Concern::Withdraw, "apps", "deployments", READ, "a label may only go where that refuses no pod"),
    write(Concern::Withdraw, "apps", "statefulsets", READ, "a label may only go where that refuses no pod"),
    write(Concern::Withdraw, "apps", "daemonsets", READ, "a label may only go where that refuses no pod"),
    write(Concern::Withdraw, "apps", "replicasets", READ, "a label may only go where that refuses no pod"),
    write(Concern::Withdraw, "batch", "jobs", READ, "a label may only go where that refuses no pod"),
    write(Concern::Withdraw, "batch", "cronjobs", READ, "a label may only go where that refuses no pod"),
    write(
        Concern::Withdraw,
        "holdfast.dev",
        "namespacesecuritypolicies",
        &["list", "patch"],
        "lets policies go that wait for their labels to be withdrawn",
    ),
    write(Concern::Withdraw, "policy", "poddisruptionbudgets", &["list", "delete"], "takes back every budget of ours"),
    write(
        Concern::Withdraw,
        "holdfast.dev",
        "drainreadinesses",
        &["list", "delete"],
        "nobody may begin an upgrade by an old forecast",
    ),
];

/// The rules of one role, as a YAML list for the chart.
#[must_use]
pub fn rules(concern: Concern) -> String {
    let rows = TABLE.iter().filter(|access| access.concern == concern);
    rows.map(rule).collect()
}

fn rule(access: &Access) -> String {
    let list = |items: &[&str]| items.iter().map(|item| format!("{item:?}")).collect::<Vec<_>>().join(", ");
    let names =
        if access.names.is_empty() { String::new() } else { format!("  resourceNames: [{}]\n", list(access.names)) };
    format!(
        "# {why}\n- apiGroups: [{group:?}]\n  resources: [{resource:?}]\n{names}  verbs: [{verbs}]\n",
        why = access.why,
        group = access.group,
        resource = access.resource,
        verbs = list(access.verbs),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_a_wildcard_and_nothing_reads_a_secret() {
        for access in TABLE {
            assert!(!access.verbs.contains(&"*") && access.resource != "*" && access.group != "*", "{access:?}");
            assert_ne!(access.resource, "secrets");
            assert!(!access.why.is_empty());
        }
    }

    #[test]
    fn observing_writes_nothing_but_what_was_found() {
        let writes = |access: &&Access| access.concern == Concern::Observe && access.verbs != READ;
        let written: Vec<_> = TABLE.iter().filter(writes).map(|access| access.resource).collect();
        let told = [
            "drainreadinesses",
            "drainreadinesses/status",
            "disruptionpolicies/status",
            "namespacesecuritypolicies/status",
            "policyexceptions/status",
            "events",
            "selfsubjectaccessreviews",
        ];
        assert_eq!(written, told);
    }

    #[test]
    fn every_kind_of_fact_is_watched() {
        let watched: Vec<_> = Source::all().collect();
        for kind in Kind::ALL {
            assert!(watched.contains(&Source::Facts(kind)), "{kind}");
        }
    }

    #[test]
    fn a_rule_is_a_list_item_with_its_reason() {
        let rules = rules(Concern::Lease);
        assert!(rules.starts_with("# makes the Lease\n- apiGroups: [\"coordination.k8s.io\"]\n"), "{rules}");
        assert!(rules.contains("  resourceNames: [\"holdfast\"]\n  verbs: [\"get\", \"update\"]\n"), "{rules}");
    }
}
