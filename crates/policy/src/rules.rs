//! The rules: what each is called, how much it matters, what it checks, and its prose.
//!
//! A rule is one file with its prose beside it, in the folder of its domain. [`RuleId::rule`] is a total `match`, so
//! that a rule without a file, or a file without a rule, doesn't compile. A check has three answers, and a fourth for
//! what only time can tell.

mod disruption;
mod documentation;
mod flux;
mod held;
mod helm;
mod judge;
mod network;
mod observability;
mod pod_security;
mod reading;
mod resources;
mod subject;
mod supply;
mod talos;

use std::borrow::Cow;

use holdfast_model::repository::Identity;
use holdfast_model::{Kind, Position, Repository, Subject};
use jiff::Timestamp;

pub use held::Held;
pub(crate) use judge::judge_files;
pub use judge::{Judgement, Subjects, judge};
pub use pod_security::TemplateCase;
pub use subject::{BudgetCase, Covered, WorkloadCase};
pub(crate) use talos::concerns;

use crate::pod_security::Case;
use crate::{Domain, Exception, Policies, RuleId, Severity};

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub id: RuleId,
    /// Of what it speaks.
    pub domain: Domain,
    /// How much it matters, unless a finding says otherwise.
    pub severity: Severity,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// Why it matters, what happens otherwise, and the remedy, in Markdown.
    pub prose: &'static str,
    check: Check,
}

/// What a rule looks at, and how. A rule that looks at two kinds of objects has two checks.
#[derive(Clone, Copy, Debug)]
enum Check {
    Budget(fn(&BudgetCase<'_>) -> Verdict),
    Workload(fn(&WorkloadCase<'_>) -> Verdict),
    Both(fn(&BudgetCase<'_>) -> Verdict, fn(&WorkloadCase<'_>) -> Verdict),
    Namespace(fn(&Case<'_>) -> Verdict),
    Template(fn(&TemplateCase<'_>) -> Verdict),
    Exception(fn(&Exception, Timestamp) -> Verdict),
    Unreadable(fn(Kind, &str) -> Verdict),
    /// Looks at what only files have; says of each subject whether it holds.
    Files(fn(&Repository, &mut Answers)),
    /// The same, of a cluster of which the files say how many nodes it has, and what its scheduler does.
    FilesOnNodes(fn(&Repository, &Policies, &mut Answers)),
}

/// What a check of files answers, about one subject after the other.
#[derive(Debug, Default)]
struct Answers {
    holds: usize,
    failures: Vec<Failure>,
}

/// A subject of which a check of files says that it fails.
#[derive(Debug)]
struct Failure {
    identity: Identity,
    position: Option<Position>,
    problem: Problem,
}

impl Answers {
    /// The rule applies to a subject, and nothing is wrong.
    fn holds(&mut self) {
        self.holds += 1;
    }

    /// Something is wrong with an object of which the facts say whose it is; where it is written, whoever read it knows.
    fn fails(&mut self, identity: &Identity, problem: Problem) {
        self.failures.push(Failure { identity: identity.clone(), position: None, problem });
    }

    /// Something is wrong at this place, which is no field of an object.
    fn fails_at(&mut self, subject: &Subject, position: Position, problem: Problem) {
        self.fails_where(&Identity::of(subject.clone()), Some(&position), problem);
    }

    /// Something is wrong with an object of which the facts say where it is written, such as one that nothing applies.
    fn fails_where(&mut self, identity: &Identity, position: Option<&Position>, problem: Problem) {
        self.failures.push(Failure { identity: identity.clone(), position: position.cloned(), problem });
    }
}

/// What a check answers.
#[derive(Debug)]
enum Verdict {
    /// The rule applies, and nothing is wrong.
    Holds,
    /// The rule has nothing to say about this object.
    NotApplicable,
    /// Too early to say; ask again then.
    NotYet(Timestamp),
    /// Something is wrong.
    Fails(Problem),
}

impl Verdict {
    /// The same; what is wrong is worth knowing, and no more.
    fn merely_known(self) -> Self {
        match self {
            Self::Fails(problem) => problem.severe(Severity::Info).fails(),
            Self::Holds | Self::NotApplicable | Self::NotYet(_) => self,
        }
    }
}

/// What is wrong with an object.
#[derive(Debug)]
struct Problem {
    /// The field that a person changes, as a path; empty for the object itself.
    field: Cow<'static, str>,
    /// How much it matters, where that isn't the rule's own severity.
    severity: Option<Severity>,
    /// What is wrong: a clause in lower case, without a full stop.
    message: String,
    /// What to do about it: a clause in lower case, without a full stop.
    remedy: Cow<'static, str>,
    /// The same as a merge patch of the object, where that can be said exactly.
    patch: Option<&'static str>,
}

impl Problem {
    fn at(field: impl Into<Cow<'static, str>>, message: String, remedy: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), severity: None, message, remedy: remedy.into(), patch: None }
    }

    fn severe(self, severity: Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }

    fn patched(self, patch: &'static str) -> Self {
        Self { patch: Some(patch), ..self }
    }

    fn fails(self) -> Verdict {
        Verdict::Fails(self)
    }
}

/// The most names in a list of them.
const NAMED: usize = 5;

/// A list of names that stays short.
fn named<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let (shown, rest) = names.split_at(names.len().min(NAMED));
    match rest.len() {
        0 => shown.join(", "),
        rest => format!("{} and {rest} more", shown.join(", ")),
    }
}

/// Whom a finding is about that concerns a whole cluster: what Flux begins with, else the checkout.
fn whole_cluster(repository: &Repository) -> Identity {
    let checkout = || Identity::of(Subject { kind: "Checkout", namespace: "".into(), name: ".".into() });
    flux::root(&repository.flux).cloned().unwrap_or_else(checkout)
}

/// Whether a tag is meant to move, whatever the registry.
fn moves(tag: &str) -> bool {
    const MOVING: [&str; 13] = [
        "", "canary", "dev", "develop", "edge", "head", "latest", "main", "master", "nightly", "rolling", "stable",
        "unstable",
    ];
    MOVING.contains(&tag.to_ascii_lowercase().as_str())
}

impl RuleId {
    /// The rule behind the name.
    #[must_use]
    pub const fn rule(self) -> &'static Rule {
        match self {
            Self::DrainBlocked => &disruption::drain_blocked::RULE,
            Self::DrainBlockedByPlacement => &disruption::drain_blocked_by_placement::RULE,
            Self::BudgetsOverlap => &disruption::budgets_overlap::RULE,
            Self::BudgetSelectsDaemonset => &disruption::budget_selects_daemonset::RULE,
            Self::BudgetSelectsJob => &disruption::budget_selects_job::RULE,
            Self::BudgetNotSynced => &disruption::budget_not_synced::RULE,
            Self::SelectorShared => &disruption::selector_shared::RULE,
            Self::HpaBelowMinAvailable => &disruption::hpa_below_min_available::RULE,
            Self::BudgetMissing => &disruption::budget_missing::RULE,
            Self::BudgetSelectsAll => &disruption::budget_selects_all::RULE,
            Self::BudgetWithoutController => &disruption::budget_without_controller::RULE,
            Self::BudgetWouldBlock => &disruption::budget_would_block::RULE,
            Self::BudgetContested => &disruption::budget_contested::RULE,
            Self::SelectorInvalid => &disruption::selector_invalid::RULE,
            Self::ExceptionExpired => &disruption::exception_expired::RULE,
            Self::ObjectUnreadable => &disruption::object_unreadable::RULE,
            Self::DrainBlockedWhenUnready => &disruption::drain_blocked_when_unready::RULE,
            Self::BudgetMatchesNothing => &disruption::budget_matches_nothing::RULE,
            Self::BudgetLoose => &disruption::budget_loose::RULE,
            Self::QuorumEven => &disruption::quorum_even::RULE,
            Self::Singleton => &disruption::singleton::RULE,
            Self::ReplicasOnOneNode => &disruption::replicas_on_one_node::RULE,
            Self::CnpgSingleInstance => &disruption::cnpg_single_instance::RULE,
            Self::ReplicasNotSpread => &disruption::replicas_not_spread::RULE,
            Self::PriorityClassMissing => &disruption::priority_class_missing::RULE,
            Self::LevelBelowFloor => &pod_security::level_below_floor::RULE,
            Self::LabelsInvalid => &pod_security::labels_invalid::RULE,
            Self::LabelsWeakerWarn => &pod_security::labels_weaker_warn::RULE,
            Self::LevelOwnedElsewhere => &pod_security::level_owned_elsewhere::RULE,
            Self::LevelBrokePods => &pod_security::level_broke_pods::RULE,
            Self::PodSecurityNext => &pod_security::pod_security_next::RULE,
            Self::HostNamespacesShared => &pod_security::host_namespaces_shared::RULE,
            Self::BaselineViolated => &pod_security::baseline_violated::RULE,
            Self::RootAllowed => &pod_security::root_allowed::RULE,
            Self::PrivilegeEscalationAllowed => &pod_security::privilege_escalation_allowed::RULE,
            Self::CapabilitiesNotDropped => &pod_security::capabilities_not_dropped::RULE,
            Self::SeccompUnset => &pod_security::seccomp_unset::RULE,
            Self::VolumeNotRestricted => &pod_security::volume_not_restricted::RULE,
            Self::MemoryLimitMissing => &resources::memory_limit_missing::RULE,
            Self::RequestsMissing => &resources::requests_missing::RULE,
            Self::IntervalMissing => &flux::interval_missing::RULE,
            Self::DependsOnMissing => &flux::depends_on_missing::RULE,
            Self::DependsOnCycle => &flux::depends_on_cycle::RULE,
            Self::RemediationMissing => &flux::remediation_missing::RULE,
            Self::ChartVersionMutable => &flux::chart_version_mutable::RULE,
            Self::ImageTagMutable => &flux::image_tag_mutable::RULE,
            Self::Unreachable => &flux::unreachable::RULE,
            Self::Suspended => &flux::suspended::RULE,
            Self::TimeoutMissing => &flux::timeout_missing::RULE,
            Self::RetryIntervalMissing => &flux::retry_interval_missing::RULE,
            Self::AlertMissing => &flux::alert_missing::RULE,
            Self::ReceiverMissing => &flux::receiver_missing::RULE,
            Self::PruneOff => &flux::prune_off::RULE,
            Self::DriftDetectionOff => &flux::drift_detection_off::RULE,
            Self::SourceUnverified => &flux::source_unverified::RULE,
            Self::ValuesRejected => &helm::values_rejected::RULE,
            Self::CrdPolicyUnset => &helm::crd_policy_unset::RULE,
            Self::HelmTestMissing => &helm::helm_test_missing::RULE,
            Self::FileUnreadable => &reading::file_unreadable::RULE,
            Self::KustomizeBuildFailed => &reading::kustomize_build_failed::RULE,
            Self::FluxPathMissing => &reading::flux_path_missing::RULE,
            Self::SubstitutionFailed => &reading::substitution_failed::RULE,
            Self::VariableUndefined => &reading::variable_undefined::RULE,
            Self::PatchUnmatched => &reading::patch_unmatched::RULE,
            Self::KustomizeUnsupported => &reading::kustomize_unsupported::RULE,
            Self::ChartRenderFailed => &reading::chart_render_failed::RULE,
            Self::TalosVersionUnsupported => &talos::talos_version_unsupported::RULE,
            Self::KubernetesVersionUnsupported => &talos::kubernetes_version_unsupported::RULE,
            Self::TalosKubernetesSkew => &talos::talos_kubernetes_skew::RULE,
            Self::TalosUpgradeSkew => &talos::talos_upgrade_skew::RULE,
            Self::EtcdBackupMissing => &talos::etcd_backup_missing::RULE,
            Self::DiskEncryptionOff => &talos::disk_encryption_off::RULE,
            Self::SecureBootOff => &talos::secure_boot_off::RULE,
            Self::AdmissionConfigurationRemoved => &talos::admission_configuration_removed::RULE,
            Self::AuditPolicyOff => &talos::audit_policy_off::RULE,
            Self::ControlPlaneQuorum => &talos::control_plane_quorum::RULE,
            Self::UpgradeWithoutHealthChecks => &talos::upgrade_without_health_checks::RULE,
            Self::SecretInPlainText => &supply::secret_in_plain_text::RULE,
            Self::SopsRuleMissing => &supply::sops_rule_missing::RULE,
            Self::SopsFileNotEncrypted => &supply::sops_file_not_encrypted::RULE,
            Self::ImageScanMissing => &supply::image_scan_missing::RULE,
            Self::ImageSbomMissing => &supply::image_sbom_missing::RULE,
            Self::ImageSignatureMissing => &supply::image_signature_missing::RULE,
            Self::ImageAttestationMissing => &supply::image_attestation_missing::RULE,
            Self::ActionUnpinned => &supply::action_unpinned::RULE,
            Self::NetworkPolicyMissing => &network::network_policy_missing::RULE,
            Self::RouteWithoutTls => &network::route_without_tls::RULE,
            Self::TlsMinimumVersion => &network::tls_minimum_version::RULE,
            Self::AlertSeverityMissing => &observability::alert_severity_missing::RULE,
            Self::MonitoringSingleReplica => &observability::monitoring_single_replica::RULE,
            Self::SloMissing => &observability::slo_missing::RULE,
            Self::TraceSamplingUnset => &observability::trace_sampling_unset::RULE,
            Self::LogRetentionUnset => &observability::log_retention_unset::RULE,
            Self::ChangelogMissing => &documentation::changelog_missing::RULE,
            Self::ContributionGuideMissing => &documentation::contribution_guide_missing::RULE,
            Self::UpgradeRunbookMissing => &documentation::upgrade_runbook_missing::RULE,
            Self::DriftRunbookMissing => &documentation::drift_runbook_missing::RULE,
            Self::RecoveryRunbookMissing => &documentation::recovery_runbook_missing::RULE,
        }
    }
}
