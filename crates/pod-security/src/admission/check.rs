//! Each check as a rule. What may be told from [`checks`](crate::checks) is: the lists are those.
//!
//! Invariant: a rule changes in the releases in which the [`table`](crate::table) has a revision, and in no other; a test
//! compares.

use super::rule::{Rule, annotations, containers, holders, list};
use crate::check::Check;
use crate::checks::{capabilities, se_linux, sysctls};
use crate::shape::{ALLOWED_SOURCES, APP_ARMOR_ANNOTATION, SECCOMP_ANNOTATION, SECCOMP_POD_ANNOTATION};

const IS_WINDOWS: &str = "variables.pod.spec.?os.?name.orValue('') == 'windows'";
const HAS_OWN_USERS: &str = "!variables.pod.spec.?hostUsers.orValue(true)";

/// The releases since which those are exempt.
const WINDOWS_SINCE: u64 = 25;
const OWN_USERS_SINCE: u64 = 35;

/// What a check forbids in a release that has it.
pub(super) fn rule(check: Check, minor: u64) -> Rule {
    let but_windows = |rule: Rule| if minor < WINDOWS_SINCE { rule } else { rule.unless(IS_WINDOWS) };
    let but_own_users = |rule: Rule| if minor < OWN_USERS_SINCE { rule } else { rule.unless(HAS_OWN_USERS) };
    match check {
        Check::AppArmorProfile => app_armor(),
        Check::CapabilitiesBaseline => capabilities_baseline(),
        Check::HostNamespaces => host_namespaces(),
        Check::HostPathVolumes => Rule::volumes("hostPath volumes", "has(v.hostPath)"),
        Check::HostPorts => host_ports(),
        Check::HostProbesAndHostLifecycle => host_probes(),
        Check::Privileged => Rule::containers("privileged", "c.?securityContext.?privileged.orValue(false)"),
        Check::ProcMount => but_own_users(proc_mount()),
        Check::SeLinuxOptions => se_linux(minor),
        Check::SeccompProfileBaseline if minor < 19 => seccomp_annotations(),
        Check::SeccompProfileBaseline => Rule::holders(SECCOMP, &is_unconfined("h.context.?seccompProfile")),
        Check::Sysctls => sysctls(minor),
        Check::WindowsHostProcess => {
            Rule::holders("hostProcess", "h.context.?windowsOptions.?hostProcess.orValue(false)")
        }
        Check::AllowPrivilegeEscalation => but_windows(Rule::containers(
            "allowPrivilegeEscalation != false",
            "c.?securityContext.?allowPrivilegeEscalation.orValue(true)",
        )),
        Check::CapabilitiesRestricted => but_windows(capabilities_restricted()),
        Check::ProcMountRestricted => proc_mount(),
        Check::RestrictedVolumes => volumes(),
        Check::RunAsNonRoot => but_own_users(run_as_non_root()),
        Check::RunAsUser => but_own_users(Rule::holders("runAsUser=0", "h.context.?runAsUser.orValue(1) == 0")),
        Check::SeccompProfileRestricted => but_windows(seccomp_restricted()),
    }
}

const SECCOMP: &str = "seccompProfile";

/// Of an optional seccomp or AppArmor profile: it is there and doesn't confine.
fn is_unconfined(profile: &str) -> String {
    format!("!({profile}.?type.orValue('RuntimeDefault') in ['RuntimeDefault', 'Localhost'])")
}

fn app_armor() -> Rule {
    let profiles = holders(&is_unconfined("h.context.?appArmorProfile"));
    let annotations = annotations(&format!(
        "a.startsWith('{APP_ARMOR_ANNOTATION}')
    && !(variables.annotations[a] in ['', 'runtime/default'])
    && !variables.annotations[a].startsWith('localhost/')"
    ));
    Rule::new("forbidden AppArmor profile", format!("{profiles}\n+ {annotations}"))
}

fn capabilities_baseline() -> Rule {
    Rule::containers(
        "non-default capabilities",
        &format!(
            "!c.?securityContext.?capabilities.?add.orValue([]).all(name,\n    name in {})",
            list(capabilities::USUAL)
        ),
    )
}

fn capabilities_restricted() -> Rule {
    Rule::containers(
        "unrestricted capabilities",
        "!('ALL' in c.?securityContext.?capabilities.?drop.orValue([]))
    || c.?securityContext.?capabilities.?add.orValue([]).exists(name, name != 'NET_BIND_SERVICE')",
    )
}

fn host_namespaces() -> Rule {
    let fields = ["hostNetwork", "hostPID", "hostIPC"]
        .map(|field| format!("(variables.pod.spec.?{field}.orValue(false) ? ['{field}=true'] : [])"));
    Rule::new("host namespaces", fields.join("\n+ "))
}

/// In the node's network every port of a container is one of the node: the server fills it in for a pod, and hadn't yet
/// for a template.
fn host_ports() -> Rule {
    Rule::containers(
        "hostPort",
        "c.?ports.orValue([]).exists(port,
    port.?hostPort.orValue(0) != 0 || variables.pod.spec.?hostNetwork.orValue(false))",
    )
}

fn host_probes() -> Rule {
    Rule::containers(
        "probe or lifecycle host",
        "[c.?livenessProbe, c.?readinessProbe, c.?startupProbe, c.?lifecycle.?postStart, c.?lifecycle.?preStop]
    .exists(handler, handler.?httpGet.?host.orValue('') != '' || handler.?tcpSocket.?host.orValue('') != '')",
    )
}

fn proc_mount() -> Rule {
    Rule::containers("procMount", "c.?securityContext.?procMount.orValue('Default') != 'Default'")
}

fn run_as_non_root() -> Rule {
    let pod = "variables.pod.spec.?securityContext.?runAsNonRoot";
    // Where the pod says something, a container may be silent; when that is the wrong thing, the pod is told.
    let silent = containers(&format!("!c.?securityContext.?runAsNonRoot.orValue({pod}.hasValue())"));
    Rule::new("runAsNonRoot != true", format!("({pod}.orValue(true) ? [] : ['pod'])\n+ {silent}"))
}

fn se_linux(minor: u64) -> Rule {
    let types: &[&str] = if minor < 31 { &se_linux::TYPES_V1_0 } else { &se_linux::TYPES_V1_31 };
    Rule::holders(
        "seLinuxOptions",
        &format!(
            "!(h.context.?seLinuxOptions.?type.orValue('') in {})
    || h.context.?seLinuxOptions.?user.orValue('') != ''
    || h.context.?seLinuxOptions.?role.orValue('') != ''",
            list(types.iter().copied())
        ),
    )
}

/// Before there were fields.
fn seccomp_annotations() -> Rule {
    let wrong = annotations(&format!(
        "(a == '{SECCOMP_POD_ANNOTATION}'
      || variables.containers.exists(c, a == '{SECCOMP_ANNOTATION}' + c.name))
    && !(variables.annotations[a] in ['runtime/default', 'docker/default'])
    && !variables.annotations[a].startsWith('localhost/')"
    ));
    Rule::new(SECCOMP, wrong)
}

fn seccomp_restricted() -> Rule {
    let pod = "variables.pod.spec.?securityContext.?seccompProfile";
    let wrong = holders(&is_unconfined("h.context.?seccompProfile"));
    let silent = containers(&format!("!{pod}.hasValue() && !c.?securityContext.?seccompProfile.hasValue()"));
    Rule::new(SECCOMP, format!("{wrong}\n+ {silent}"))
}

fn sysctls(minor: u64) -> Rule {
    Rule::new(
        "forbidden sysctls",
        format!(
            "variables.pod.spec.?securityContext.?sysctls.orValue([]).map(sysctl,
  !(sysctl.name in {}),
  sysctl.name)",
            list(sysctls::safe(u8::try_from(minor).unwrap_or(u8::MAX)))
        ),
    )
}

fn volumes() -> Rule {
    let has = ALLOWED_SOURCES.map(|source| format!("has(v.{source})"));
    Rule::volumes("restricted volume types", &format!("!({})", has.join(" || ")))
}
