//! Which check holds from which release on, and what each later release changed of it.
//!
//! Invariants: a row for every check, in the order of [`Check::ALL`]; releases rise within a row; the newest is
//! [`Version::NEWEST_KNOWN`](crate::Version::NEWEST_KNOWN). Tests compare.

use crate::check::Check;
use crate::checks::{
    allow_privilege_escalation, app_armor, capabilities, host_namespaces, host_path, host_ports, host_probes,
    privileged, proc_mount, run_as_non_root, run_as_user, se_linux, seccomp, sysctls, volumes, windows_host_process,
};
use crate::facts::PodFacts;
use crate::violation::Offence;

/// One check through the releases.
pub(crate) struct Row {
    pub(crate) check: Check,
    /// The release from which a check of restricted says this and more: at restricted, this one is left out.
    pub(crate) overridden: Option<u64>,
    /// Each with the release that brought it; the last one that is old enough holds.
    pub(crate) revisions: &'static [(u64, Revision)],
}

/// What a check demanded at a time.
#[derive(Clone, Copy)]
pub(crate) struct Revision {
    /// Whether the pod does as demanded. Allocates nothing.
    pub(crate) holds: fn(&PodFacts) -> bool,
    /// What is wrong with one that doesn't.
    pub(crate) explain: fn(&PodFacts) -> Explanation,
}

/// What is wrong with a pod.
pub(crate) struct Explanation {
    pub(crate) reason: &'static str,
    pub(crate) detail: String,
    pub(crate) offences: Vec<Offence>,
}

const fn row(check: Check, revisions: &'static [(u64, Revision)]) -> Row {
    Row { check, overridden: None, revisions }
}

const fn overridden(since: u64, row: Row) -> Row {
    Row { overridden: Some(since), ..row }
}

#[rustfmt::skip]
pub(crate) static TABLE: &[Row] = &[
    row(Check::AppArmorProfile, &[(0, app_armor::V1_0)]),
    // By capabilities_restricted.
    overridden(22, row(Check::CapabilitiesBaseline, &[(0, capabilities::BASELINE_V1_0)])),
    row(Check::HostNamespaces, &[(0, host_namespaces::V1_0)]),
    // By restrictedVolumes.
    overridden(0, row(Check::HostPathVolumes, &[(0, host_path::V1_0)])),
    row(Check::HostPorts, &[(0, host_ports::V1_0)]),
    row(Check::HostProbesAndHostLifecycle, &[(34, host_probes::V1_34)]),
    row(Check::Privileged, &[(0, privileged::V1_0)]),
    // By procMount_restricted.
    overridden(35, row(Check::ProcMount, &[
        (0, proc_mount::V1_0),
        (35, proc_mount::V1_35), // A pod with users of its own may unmask it.
    ])),
    row(Check::SeLinuxOptions, &[
        (0, se_linux::V1_0),
        (31, se_linux::V1_31), // One type more.
    ]),
    // By seccompProfile_restricted.
    overridden(19, row(Check::SeccompProfileBaseline, &[
        (0, seccomp::BASELINE_V1_0), // Annotations.
        (19, seccomp::BASELINE_V1_19), // Fields.
    ])),
    row(Check::Sysctls, &[
        (0, sysctls::V1_0),
        (27, sysctls::V1_27), // One more is safe.
        (29, sysctls::V1_29), // Four more.
        (32, sysctls::V1_32), // Two more.
        (37, sysctls::V1_37), // Two more.
    ]),
    row(Check::WindowsHostProcess, &[(0, windows_host_process::V1_0)]),
    row(Check::AllowPrivilegeEscalation, &[
        (8, allow_privilege_escalation::V1_8),
        (25, allow_privilege_escalation::V1_25), // Not for Windows.
    ]),
    row(Check::CapabilitiesRestricted, &[
        (22, capabilities::RESTRICTED_V1_22),
        (25, capabilities::RESTRICTED_V1_25), // Not for Windows.
    ]),
    row(Check::ProcMountRestricted, &[(35, proc_mount::V1_0)]), // What baseline no longer demands.
    row(Check::RestrictedVolumes, &[(0, volumes::V1_0)]),
    row(Check::RunAsNonRoot, &[
        (0, run_as_non_root::V1_0),
        (35, run_as_non_root::V1_35), // A pod with users of its own may be root among them.
    ]),
    row(Check::RunAsUser, &[
        (23, run_as_user::V1_23),
        (35, run_as_user::V1_35), // As above.
    ]),
    row(Check::SeccompProfileRestricted, &[
        (19, seccomp::RESTRICTED_V1_19),
        (25, seccomp::RESTRICTED_V1_25), // Not for Windows.
    ]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Version;

    #[test]
    fn every_check_has_a_row_in_order() {
        assert!(TABLE.iter().map(|row| row.check).eq(Check::ALL));
    }

    #[test]
    fn the_newest_breakpoint_is_the_newest_known_version() {
        assert!(TABLE.iter().all(|row| row.revisions.is_sorted_by(|a, b| a.0 < b.0)));
        let newest = TABLE.iter().flat_map(|row| row.revisions).map(|(since, _)| *since).max();
        assert_eq!(newest.map(Version::Minor), Some(Version::NEWEST_KNOWN));
    }
}
