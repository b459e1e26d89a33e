//! The names of the rules: one value, spelled for files and metrics (`drain-blocked`) and for the API (`DrainBlocked`).

use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing to mend.
    Info,
    /// Untidy or fragile.
    Low,
    /// Will hurt some day.
    Medium,
    /// Will hurt soon.
    High,
    /// Blocks a drain.
    Critical,
}

impl Severity {
    /// All of them, worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// The severity of this name, when there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == name)
    }

    /// As it is written in reports and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether no string occurs twice; asked when this is compiled.
const fn all_differ(ids: &[&str]) -> bool {
    let mut at = 1;
    while at < ids.len() {
        let mut before = 0;
        while before < at {
            if same(ids[at].as_bytes(), ids[before].as_bytes()) {
                return false;
            }
            before += 1;
        }
        at += 1;
    }
    true
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

macro_rules! rule_ids {
    ($($variant:ident => $id:literal,)*) => {
        /// Which rule; stable, since people write it into exceptions and alerts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each rule is documented where it is defined, and in its prose")]
        pub enum RuleId {
            $($variant,)*
        }

        const _: () = assert!(all_differ(&[$($id,)*]), "two rules have the same ID");

        impl RuleId {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// In kebab-case, for people and metrics.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)*
                }
            }

            /// In PascalCase, for conditions and events.
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)*
                }
            }
        }
    };
}

rule_ids! {
    DrainBlocked => "drain-blocked",
    DrainBlockedByPlacement => "drain-blocked-by-placement",
    BudgetsOverlap => "budgets-overlap",
    BudgetSelectsDaemonset => "budget-selects-daemonset",
    BudgetSelectsJob => "budget-selects-job",
    BudgetNotSynced => "budget-not-synced",
    SelectorShared => "selector-shared",
    HpaBelowMinAvailable => "hpa-below-min-available",
    BudgetMissing => "budget-missing",
    BudgetSelectsAll => "budget-selects-all",
    BudgetWithoutController => "budget-without-controller",
    BudgetWouldBlock => "budget-would-block",
    BudgetContested => "budget-contested",
    SelectorInvalid => "selector-invalid",
    ExceptionExpired => "exception-expired",
    ObjectUnreadable => "object-unreadable",
    DrainBlockedWhenUnready => "drain-blocked-when-unready",
    BudgetMatchesNothing => "budget-matches-nothing",
    BudgetLoose => "budget-loose",
    QuorumEven => "quorum-even",
    Singleton => "singleton",
    ReplicasOnOneNode => "replicas-on-one-node",
    CnpgSingleInstance => "cnpg-single-instance",
    ReplicasNotSpread => "replicas-not-spread",
    PriorityClassMissing => "priority-class-missing",
    LevelBelowFloor => "level-below-floor",
    LabelsInvalid => "labels-invalid",
    LabelsWeakerWarn => "labels-weaker-warn",
    LevelOwnedElsewhere => "level-owned-elsewhere",
    LevelBrokePods => "level-broke-pods",
    PodSecurityNext => "pod-security-next",
    HostNamespacesShared => "host-namespaces-shared",
    BaselineViolated => "baseline-violated",
    RootAllowed => "root-allowed",
    PrivilegeEscalationAllowed => "privilege-escalation-allowed",
    CapabilitiesNotDropped => "capabilities-not-dropped",
    SeccompUnset => "seccomp-unset",
    VolumeNotRestricted => "volume-not-restricted",
    MemoryLimitMissing => "memory-limit-missing",
    RequestsMissing => "requests-missing",
    IntervalMissing => "interval-missing",
    DependsOnMissing => "depends-on-missing",
    DependsOnCycle => "depends-on-cycle",
    RemediationMissing => "remediation-missing",
    ChartVersionMutable => "chart-version-mutable",
    ImageTagMutable => "image-tag-mutable",
    Unreachable => "unreachable",
    Suspended => "suspended",
    TimeoutMissing => "timeout-missing",
    RetryIntervalMissing => "retry-interval-missing",
    AlertMissing => "alert-missing",
    ReceiverMissing => "receiver-missing",
    PruneOff => "prune-off",
    DriftDetectionOff => "drift-detection-off",
    SourceUnverified => "source-unverified",
    ValuesRejected => "values-rejected",
    CrdPolicyUnset => "crd-policy-unset",
    HelmTestMissing => "helm-test-missing",
    FileUnreadable => "file-unreadable",
    KustomizeBuildFailed => "kustomize-build-failed",
    FluxPathMissing => "flux-path-missing",
    SubstitutionFailed => "substitution-failed",
    VariableUndefined => "variable-undefined",
    PatchUnmatched => "patch-unmatched",
    KustomizeUnsupported => "kustomize-unsupported",
    ChartRenderFailed => "chart-render-failed",
    TalosVersionUnsupported => "talos-version-unsupported",
    KubernetesVersionUnsupported => "kubernetes-version-unsupported",
    TalosKubernetesSkew => "talos-kubernetes-skew",
    TalosUpgradeSkew => "talos-upgrade-skew",
    EtcdBackupMissing => "etcd-backup-missing",
    DiskEncryptionOff => "disk-encryption-off",
    SecureBootOff => "secure-boot-off",
    AdmissionConfigurationRemoved => "admission-configuration-removed",
    AuditPolicyOff => "audit-policy-off",
    ControlPlaneQuorum => "control-plane-quorum",
    UpgradeWithoutHealthChecks => "upgrade-without-health-checks",
    SecretInPlainText => "secret-in-plain-text",
    SopsRuleMissing => "sops-rule-missing",
    SopsFileNotEncrypted => "sops-file-not-encrypted",
    ImageScanMissing => "image-scan-missing",
    ImageSbomMissing => "image-sbom-missing",
    ImageSignatureMissing => "image-signature-missing",
    ImageAttestationMissing => "image-attestation-missing",
    ActionUnpinned => "action-unpinned",
    NetworkPolicyMissing => "network-policy-missing",
    RouteWithoutTls => "route-without-tls",
    TlsMinimumVersion => "tls-minimum-version",
    AlertSeverityMissing => "alert-severity-missing",
    MonitoringSingleReplica => "monitoring-single-replica",
    SloMissing => "slo-missing",
    TraceSamplingUnset => "trace-sampling-unset",
    LogRetentionUnset => "log-retention-unset",
    ChangelogMissing => "changelog-missing",
    ContributionGuideMissing => "contribution-guide-missing",
    UpgradeRunbookMissing => "upgrade-runbook-missing",
    DriftRunbookMissing => "drift-runbook-missing",
    RecoveryRunbookMissing => "recovery-runbook-missing",
}

impl RuleId {
    /// The rule of this ID, when there is one.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.id() == id)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_used_twice_is_seen() {
        assert!(all_differ(&["drain-blocked", "drain-blocked-when-unready", "drain"]));
        assert!(!all_differ(&["drain-blocked", "singleton", "drain-blocked"]));
        assert!(all_differ(&[]));
    }
}
