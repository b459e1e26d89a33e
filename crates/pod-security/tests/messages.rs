//! What is said about a pod, letter by letter, with the changes that cure it.

use holdfast_pod_security::{Level, PodFacts, Version, evaluate, fixes, forbidden_detail, forbidden_reason};
use rstest::rstest;

/// Judges a pod spec, written as YAML in one line.
#[track_caller]
fn check(level: Level, minor: u64, spec: &str, detail: &str, cures: &[&str]) {
    let pod: PodFacts = serde_saphyr::from_str(&format!("spec: {spec}")).expect("a spec");
    let violations = evaluate(level, Version::Minor(minor), &pod);
    assert_eq!(forbidden_detail(&violations), detail);
    let cured: Vec<_> = fixes(&violations).into_iter().rev().map(ToString::to_string).collect();
    assert_eq!(cured, cures);
}

/// At baseline, of 1.36.
#[rstest]
#[case::nothing("{containers: [{name: a}]}", "", &[])]
#[case::namespaces(
    "{hostNetwork: true, hostPID: true, hostIPC: true}",
    "host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)",
    &["set spec.hostNetwork to false", "set spec.hostPID to false", "set spec.hostIPC to false"]
)]
#[case::init_containers_come_first(
    "{containers: [{name: a, securityContext: {privileged: true}}], \
      ephemeralContainers: [{name: e, securityContext: {privileged: true}}], \
      initContainers: [{name: x}, {name: i, securityContext: {privileged: true}}]}",
    r#"privileged (containers "i", "a", "e" must not set securityContext.privileged=true)"#,
    &[
        "set spec.initContainers[1].securityContext.privileged to false",
        "set spec.containers[0].securityContext.privileged to false",
        "set spec.ephemeralContainers[0].securityContext.privileged to false"
    ]
)]
#[case::ports_are_sorted_as_text(
    "{containers: [{name: a, ports: [{hostPort: 0}, {hostPort: 9}]}, {name: b, ports: [{hostPort: 80}, {hostPort: 9}]}]}",
    r#"hostPort (containers "a", "b" use hostPorts 80, 9)"#,
    &[
        "remove spec.containers[0].ports[1].hostPort",
        "remove spec.containers[1].ports[0].hostPort",
        "remove spec.containers[1].ports[1].hostPort"
    ]
)]
#[case::one_port(
    "{containers: [{name: a, ports: [{hostPort: 80}]}]}",
    r#"hostPort (container "a" uses hostPort 80)"#,
    &["remove spec.containers[0].ports[0].hostPort"]
)]
#[case::capabilities(
    "{containers: [{name: a, securityContext: {capabilities: {add: [FOO, CHOWN, BAR]}}}]}",
    r#"non-default capabilities (container "a" must not include "BAR", "FOO" in securityContext.capabilities.add)"#,
    &[
        "remove spec.containers[0].securityContext.capabilities.add[0]",
        "remove spec.containers[0].securityContext.capabilities.add[2]"
    ]
)]
#[case::host_paths(
    "{volumes: [{name: a, hostPath: {path: /}}, {name: b, nfs: {}}, {name: c, hostPath: {}}]}",
    r#"hostPath volumes (volumes "a", "c")"#,
    &["replace spec.volumes[0].hostPath by emptyDir: {}", "replace spec.volumes[2].hostPath by emptyDir: {}"]
)]
#[case::probes(
    "{containers: [{name: b, livenessProbe: {httpGet: {host: y}}}, \
      {name: a, lifecycle: {preStop: {tcpSocket: {host: x}}}, readinessProbe: {tcpSocket: {host: \"\"}}}]}",
    r#"probe or lifecycle host (containers "a", "b" use probe or lifecycle hosts "x", "y")"#,
    &["remove spec.containers[0].livenessProbe.httpGet.host", "remove spec.containers[1].lifecycle.preStop.tcpSocket.host"]
)]
#[case::proc_mount(
    "{containers: [{name: a, securityContext: {procMount: Unmasked}}, {name: b, securityContext: {procMount: Default}}]}",
    r#"procMount (container "a" must not set securityContext.procMount to "Unmasked")"#,
    &["remove spec.containers[0].securityContext.procMount"]
)]
#[case::proc_mount_of_a_pod_with_users(
    "{hostUsers: false, containers: [{name: a, securityContext: {procMount: Unmasked}}]}", "", &[]
)]
#[case::se_linux(
    "{securityContext: {seLinuxOptions: {type: b, user: u}}, \
      containers: [{name: a, securityContext: {seLinuxOptions: {type: a, role: r, level: l}}}]}",
    r#"seLinuxOptions (pod and container "a" set forbidden securityContext.seLinuxOptions: types "a", "b"; user may not be set; role may not be set)"#,
    &[
        "remove spec.securityContext.seLinuxOptions.type",
        "remove spec.securityContext.seLinuxOptions.user",
        "remove spec.containers[0].securityContext.seLinuxOptions.type",
        "remove spec.containers[0].securityContext.seLinuxOptions.role"
    ]
)]
#[case::seccomp(
    "{securityContext: {seccompProfile: {type: Unconfined}}, containers: [{name: a, securityContext: {seccompProfile: {type: x}}}]}",
    r#"seccompProfile (pod and container "a" must not set securityContext.seccompProfile.type to "Unconfined", "x")"#,
    &[
        r#"set spec.securityContext.seccompProfile.type to "RuntimeDefault""#,
        r#"set spec.containers[0].securityContext.seccompProfile.type to "RuntimeDefault""#
    ]
)]
#[case::sysctls_in_their_order(
    "{securityContext: {sysctls: [{name: z}, {name: net.ipv4.tcp_rmem}, {name: net.ipv4.tcp_notsent_lowat}, {name: a}]}}",
    "forbidden sysctls (z, net.ipv4.tcp_notsent_lowat, a)",
    &[
        "remove spec.securityContext.sysctls[0]",
        "remove spec.securityContext.sysctls[2]",
        "remove spec.securityContext.sysctls[3]"
    ]
)]
#[case::windows(
    "{securityContext: {windowsOptions: {hostProcess: true}}, containers: [{name: a, securityContext: {windowsOptions: {hostProcess: true}}}]}",
    r#"hostProcess (pod and container "a" must not set securityContext.windowsOptions.hostProcess=true)"#,
    &[
        "set spec.securityContext.windowsOptions.hostProcess to false",
        "set spec.containers[0].securityContext.windowsOptions.hostProcess to false"
    ]
)]
fn baseline(#[case] spec: &str, #[case] detail: &str, #[case] cures: &[&str]) {
    check(Level::Baseline, 36, spec, detail, cures);
}

/// Of a pod that is hardened but for one thing.
const HARDENED: &str = "allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}";

#[rstest]
#[case::nothing_is_said(
    36,
    "{containers: [{name: a}]}",
    r#"allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")"#,
    &[
        "set spec.containers[0].securityContext.allowPrivilegeEscalation to false",
        r#"set spec.containers[0].securityContext.capabilities.drop to ["ALL"]"#,
        "set spec.securityContext.runAsNonRoot to true",
        r#"set spec.securityContext.seccompProfile.type to "RuntimeDefault""#
    ]
)]
#[case::in_the_beginning(
    7,
    "{containers: [{name: a}]}",
    r#"runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)"#,
    &["set spec.securityContext.runAsNonRoot to true"]
)]
#[case::windows_needs_less(
    25,
    "{os: {name: windows}, containers: [{name: a}]}",
    r#"runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)"#,
    &["set spec.securityContext.runAsNonRoot to true"]
)]
#[case::users_of_its_own_may_be_root(
    35,
    "{hostUsers: false, securityContext: {runAsUser: 0, seccompProfile: {type: Localhost}}, containers: [{name: a, securityContext: {HARDENED, runAsNonRoot: false}}]}",
    "",
    &[]
)]
#[case::root_by_number(
    34,
    "{hostUsers: false, securityContext: {runAsUser: 0, runAsNonRoot: true, seccompProfile: {type: Localhost}}, containers: [{name: a, securityContext: {HARDENED, runAsUser: 0}}]}",
    r#"runAsUser=0 (pod and container "a" must not set runAsUser=0)"#,
    &["remove spec.securityContext.runAsUser", "remove spec.containers[0].securityContext.runAsUser"]
)]
#[case::who_says_the_wrong_thing_hides_who_says_nothing(
    36,
    "{securityContext: {seccompProfile: {type: Localhost}}, containers: [{name: a, securityContext: {HARDENED, runAsNonRoot: false}}, {name: b, securityContext: {HARDENED}}]}",
    r#"runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)"#,
    &["set spec.securityContext.runAsNonRoot to true", "set spec.containers[0].securityContext.runAsNonRoot to true"]
)]
#[case::capabilities_in_two_ways(
    36,
    "{hostUsers: false, securityContext: {seccompProfile: {type: Localhost}}, containers: [\
      {name: a, securityContext: {allowPrivilegeEscalation: false, capabilities: {add: [FOO], drop: [CHOWN]}}}, \
      {name: b, securityContext: {allowPrivilegeEscalation: false, capabilities: {add: [NET_BIND_SERVICE, BAR], drop: [KILL, ALL]}}}]}",
    r#"unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; containers "a", "b" must not include "BAR", "FOO" in securityContext.capabilities.add)"#,
    &[
        r#"set spec.containers[0].securityContext.capabilities.drop to ["ALL"]"#,
        "remove spec.containers[0].securityContext.capabilities.add[0]",
        "remove spec.containers[1].securityContext.capabilities.add[1]"
    ]
)]
#[case::volumes(
    36,
    "{volumes: [{name: a, nfs: {}}, {name: b, secret: {}}, {name: c, hostPath: {}}, {name: d, tomorrow: {}}, {name: e}]}",
    r#"restricted volume types (volumes "a", "c", "d" use restricted volume types "hostPath", "nfs", "unknown")"#,
    &[
        "replace spec.volumes[0].nfs by emptyDir: {}",
        "replace spec.volumes[2].hostPath by emptyDir: {}",
        "remove spec.volumes[3]"
    ]
)]
#[case::proc_mount_says_it_once(
    36,
    "{hostUsers: false, securityContext: {seccompProfile: {type: Localhost}}, containers: [{name: a, securityContext: {HARDENED, procMount: Unmasked}}]}",
    r#"procMount (container "a" must not set securityContext.procMount to "Unmasked")"#,
    &["remove spec.containers[0].securityContext.procMount"]
)]
fn restricted(#[case] minor: u64, #[case] spec: &str, #[case] detail: &str, #[case] cures: &[&str]) {
    check(Level::Restricted, minor, &spec.replace("HARDENED", HARDENED), detail, cures);
}

#[test]
fn annotations_say_it_too() {
    let pod: PodFacts = serde_saphyr::from_str(
        r#"
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: "{}"
    container.apparmor.security.beta.kubernetes.io/: bogus
    container.apparmor.security.beta.kubernetes.io/a: ""
    container.apparmor.security.beta.kubernetes.io/b: runtime/default
    container.apparmor.security.beta.kubernetes.io/c: localhost/
    container.apparmor.security.beta.kubernetes.io/e: unconfined
    seccomp.security.alpha.kubernetes.io/pod: "un\"confined"
    container.seccomp.security.alpha.kubernetes.io/a: unconfined
    container.seccomp.security.alpha.kubernetes.io/b: docker/default
    container.seccomp.security.alpha.kubernetes.io/nobody: unconfined
spec:
  containers: [{name: a, securityContext: {appArmorProfile: {type: Unconfined}}}, {name: b}]
"#,
    )
    .unwrap();
    let violations = evaluate(Level::Baseline, Version::Minor(18), &pod);
    assert_eq!(
        forbidden_detail(&violations),
        r#"forbidden AppArmor profiles (container "a" and annotations must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/="bogus"", "container.apparmor.security.beta.kubernetes.io/e="unconfined""), seccompProfile (forbidden annotations container.seccomp.security.alpha.kubernetes.io/a="unconfined", seccomp.security.alpha.kubernetes.io/pod="un\"confined")"#
    );
    assert_eq!(forbidden_reason(&violations), "forbidden AppArmor profiles, seccompProfile");
    let offences: Vec<_> = violations[1].offences.iter().map(|offence| offence.path.to_string()).collect();
    assert_eq!(
        offences,
        [
            "metadata.annotations['container.seccomp.security.alpha.kubernetes.io/a']",
            "metadata.annotations['seccomp.security.alpha.kubernetes.io/pod']"
        ]
    );
    assert_eq!(violations[1].offences[1].value.as_deref(), Some(r#""un\"confined""#));
    // From 1.19 on, annotations of seccomp say nothing.
    assert_eq!(evaluate(Level::Baseline, Version::Minor(19), &pod).len(), 1);
}

#[test]
fn an_annotation_that_would_contradict_the_cure_goes_too() {
    let pod: PodFacts = serde_saphyr::from_str(
        "
metadata:
  annotations:
    seccomp.security.alpha.kubernetes.io/pod: unconfined
    container.seccomp.security.alpha.kubernetes.io/a: unconfined
    container.seccomp.security.alpha.kubernetes.io/b: runtime/default
spec:
  containers:
  - {name: a, securityContext: {seccompProfile: {type: Unconfined}}}
  - {name: b, securityContext: {seccompProfile: {type: Unconfined}}}
  - {name: c}
",
    )
    .unwrap();
    let violations = evaluate(Level::Restricted, Version::Minor(36), &pod);
    let cures: Vec<_> = violations[3].offences.iter().map(|offence| offence.fix.to_string()).collect();
    assert_eq!(
        cures,
        [
            r#"set spec.securityContext.seccompProfile.type to "RuntimeDefault""#,
            "remove metadata.annotations['seccomp.security.alpha.kubernetes.io/pod']",
            r#"set spec.containers[0].securityContext.seccompProfile.type to "RuntimeDefault""#,
            "remove metadata.annotations['container.seccomp.security.alpha.kubernetes.io/a']",
            r#"set spec.containers[1].securityContext.seccompProfile.type to "RuntimeDefault""#,
        ]
    );
}

#[test]
fn the_server_fills_in_before_it_judges() {
    let pod: PodFacts = serde_saphyr::from_str(
        r#"
metadata: {annotations: {container.apparmor.security.beta.kubernetes.io/a: unconfined}}
spec:
  hostNetwork: true
  containers: [{name: a, ports: [{containerPort: 80}, {containerPort: 81, hostPort: 81}]}]
"#,
    )
    .unwrap();
    let told = |pod: &PodFacts| forbidden_detail(&evaluate(Level::Baseline, Version::Minor(36), pod));
    assert_eq!(
        told(&pod),
        r#"forbidden AppArmor profile (annotation must not set AppArmor profile type to "container.apparmor.security.beta.kubernetes.io/a="unconfined""), host namespaces (hostNetwork=true), hostPort (container "a" uses hostPort 81)"#
    );
    let defaulted = pod.defaulted();
    assert_eq!(
        told(&defaulted),
        r#"forbidden AppArmor profiles (container "a" and annotation must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/a="unconfined""), host namespaces (hostNetwork=true), hostPort (container "a" uses hostPorts 80, 81)"#
    );
}
