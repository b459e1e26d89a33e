//! Facts of Talos, read from its configuration and from the resources that upgrade it.

use holdfast_model::Repository;
use holdfast_model::repository::{AdmissionSays, Health, Switch};
use holdfast_pod_security::Level;

use crate::facts::given::{files, objects};

fn lines(repository: &Repository) -> Vec<String> {
    let talos = &repository.talos;
    let pinned = talos.pinned.iter().map(|it| format!("{}: {} {}", it.at, it.product.as_str(), it.version));
    let settings = talos.settings.iter().map(|it| format!("{}: {:?}", it.at, it.what));
    let clusters = talos.clusters.iter().map(|it| {
        let role = |control: bool| if control { "control plane" } else { "worker" };
        let nodes =
            it.nodes.iter().map(|node| format!("{} {} {:?}", node.name, role(node.control_plane), node.secure_boot));
        format!("{}: {}", it.at, nodes.collect::<Vec<_>>().join(", "))
    });
    pinned.chain(clusters).chain(settings).collect()
}

#[track_caller]
fn check(path: &str, text: &str, expected: &[&str]) {
    assert_eq!(lines(&files(&[(path, text)])), expected, "{path}");
}

#[test]
fn versions_are_read_where_they_are_no_variables() {
    check(
        "talos/talenv.yaml",
        "talosVersion: v1.12.1\nkubernetesVersion: v1.35.0\n",
        &["talos/talenv.yaml:1:15: Talos v1.12.1", "talos/talenv.yaml:2:20: Kubernetes v1.35.0"],
    );
    check("talos/talconfig.yaml", "talosVersion: ${talosVersion}\n", &[]);
    check("app/values.yaml", "kubernetesVersion: v1.35.0\n", &[]);
}

#[test]
fn a_talconfig_lists_nodes_and_patches() {
    let text = "\
clusterName: home
nodes:
  - { hostname: a, ipAddress: 10.0.0.1, controlPlane: true, machineSpec: { secureboot: true } }
  - { hostname: b, ipAddress: 10.0.0.2, talosImageURL: factory.talos.dev/installer/abc }
patches:
  - \"@./patches/global.yaml\"
  - |-
    cluster:
      apiServer:
        admissionControl:
          $$patch: delete
worker:
  inlinePatch:
    machine: { systemDiskEncryption: { ephemeral: { keys: [{ slot: 0, nodeID: {} }] } } }
";
    check(
        "talconfig.yaml",
        text,
        &[
            "talconfig.yaml:2:1: a control plane Some(true), b worker Some(false)",
            "talconfig.yaml:2:1: Configured",
            "talconfig.yaml:8:5: Configured",
            "talconfig.yaml:10:9: AdmissionRemoved",
            "talconfig.yaml:14:5: Configured",
            "talconfig.yaml:14:51: Encrypted",
        ],
    );
}

#[test]
fn nodes_of_topf_have_roles_and_say_nothing_of_secure_boot() {
    check(
        "topf.yaml",
        "talosVersion: 1.14.2\nnodes:\n  - { host: a, role: control-plane }\n  - { host: b, role: worker }\n",
        &[
            "topf.yaml:1:15: Talos v1.14.2",
            "topf.yaml:2:1: a control plane None, b worker None",
            "topf.yaml:2:1: Configured",
        ],
    );
}

#[test]
fn patches_are_known_by_what_is_in_them() {
    let admission = "cluster:\n  apiServer:\n    admissionControl:\n      $patch: delete\n";
    check("p.yaml", admission, &["p.yaml:1:1: Configured", "p.yaml:3:5: AdmissionRemoved"]);
    let operations = "- op: remove\n  path: /cluster/apiServer/auditPolicy\n";
    check("p.yaml", operations, &["p.yaml:1:3: Configured", "p.yaml:1:3: AuditOff"]);
    let typed = "apiVersion: v1alpha1\nkind: KubeAdmissionControlConfig\nname: PodSecurity\n$patch: delete\n";
    check("p.yaml", typed, &["p.yaml:1:1: Configured", "p.yaml:1:1: AdmissionRemoved"]);
    let audit = "cluster: { apiServer: { auditPolicy: { rules: [{ level: None }] } } }\n";
    check("p.yaml", audit, &["p.yaml:1:1: Configured", "p.yaml:1:25: AuditOff"]);
    // Values of a chart for databases, and operations on anything else.
    check("values.yaml", "cluster: { instances: 3 }\n", &[]);
    check("p.yaml", "- op: remove\n  path: /spec/replicas\n", &[]);
    check("p.yaml", "machine: { type: worker }\nsomething: else\n", &[]);
}

#[test]
fn what_is_said_of_admission_is_read_in_every_form() {
    use AdmissionSays::{Enforces, Exempts, Removed, Unclear};
    let said =
        |text: &str| files(&[("p.yaml", text)]).talos.admission.into_iter().map(|it| it.says).collect::<Vec<_>>();
    let plugin = "configuration: { defaults: { enforce: restricted }, exemptions: { namespaces: [rook-ceph] } }";
    let expected = [Enforces(Level::Restricted), Exempts("rook-ceph".into())];
    let patch = format!(
        "cluster: {{ apiServer: {{ admissionControl: [{{ name: PodSecurity, {plugin} }}, {{ name: Other }}] }} }}"
    );
    assert_eq!(said(&patch), expected);
    let typed = format!("apiVersion: v1alpha1\nkind: KubeAdmissionControlConfig\nname: PodSecurity\n{plugin}\n");
    assert_eq!(said(&typed), expected);
    let at = "/cluster/apiServer/admissionControl";
    let operation =
        |op: &str, path: &str, value: &str| said(&format!("- op: {op}\n  path: {at}{path}\n  value: {value}\n"));
    assert_eq!(operation("replace", "", &format!("[{{ name: PodSecurity, {plugin} }}]")), expected);
    assert_eq!(operation("replace", "/0/configuration/defaults/enforce", "privileged"), [Enforces(Level::Privileged)]);
    assert_eq!(operation("add", "/0/configuration/exemptions/namespaces/-", "media"), [Exempts("media".into())]);
    assert_eq!(operation("add", "/0/configuration/exemptions/namespaces", "[media]"), [Exempts("media".into())]);
    assert_eq!(operation("remove", "/0", "null"), [Removed]);
    assert_eq!(operation("add", "/0/configuration/defaults/warn", "restricted"), []);
    let variable = "cluster: { apiServer: { admissionControl: [{ name: PodSecurity, configuration: { defaults: { enforce: \"${level}\" } } }] } }";
    assert_eq!(said(variable), [Unclear]);
}

#[test]
fn an_empty_encryption_encrypts_nothing() {
    check(
        "p.yaml",
        "machine: { install: { image: \"factory.talos.dev/installer/a:v1.13.0\" }, systemDiskEncryption: { state: {} } }\n",
        &["p.yaml:1:30: Talos v1.13.0", "p.yaml:1:1: Configured"],
    );
}

#[test]
fn templates_beside_a_cluster_hide_what_they_say() {
    let hidden = |given: &[(&str, &str)]| files(given).talos.hidden.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(hidden(&[("talos/topf.yaml", ""), ("talos/all/01.yaml.tpl", "")]), ["talos"]);
    assert_eq!(hidden(&[("talos/talconfig.yaml", ""), ("templates/talconfig.yaml.j2", "")]), [""; 0]);
}

#[test]
fn upgrades_say_what_they_check() {
    let text = "\
apiVersion: tuppr.home-operations.com/v1alpha1
kind: TalosUpgrade
metadata: { name: talos }
spec: { talos: { version: v1.12.0 }, policy: { force: true }, healthChecks: [{ kind: Node }] }
---
apiVersion: upgrade.cattle.io/v1
kind: Plan
metadata: { name: kubernetes, namespace: system-upgrade }
spec: { version: v1.35.0, upgrade: { image: ghcr.io/siderolabs/talosctl, args: [\"upgrade-k8s\"] } }
---
apiVersion: upgrade.cattle.io/v1
kind: Plan
metadata: { name: k3s, namespace: system-upgrade }
spec: { version: v1.35.0+k3s1, upgrade: { image: rancher/k3s-upgrade } }
";
    let upgrades = objects(text).talos.upgrades;
    let said: Vec<String> = upgrades
        .iter()
        .map(|it| {
            format!(
                "{} {} {:?} {:?} {}",
                it.identity.subject,
                it.product.as_str(),
                it.version.as_ref().map(ToString::to_string),
                it.health,
                it.force
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "TalosUpgrade talos Talos Some(\"v1.12.0\") Checks(1) true",
            "Plan system-upgrade/kubernetes Kubernetes Some(\"v1.35.0\") NoSuchField false",
        ]
    );
    assert_eq!(upgrades[1].health, Health::NoSuchField);
}

#[test]
fn a_backup_of_etcd_is_known_by_name_image_or_command() {
    let backups = |spec: &str, name: &str| {
        let text =
            format!("apiVersion: batch/v1\nkind: CronJob\nmetadata: {{ name: {name}, namespace: a }}\nspec: {spec}\n");
        objects(&text).talos.backups.len()
    };
    assert_eq!(backups("{ image: ghcr.io/siderolabs/talos-backup }", "nightly"), 1);
    assert_eq!(backups("{ command: [talosctl, etcd, snapshot, /tmp/db] }", "nightly"), 1);
    assert_eq!(backups("{ args: [\"talosctl etcd snapshot /tmp/db\"] }", "nightly"), 1);
    assert_eq!(backups("{}", "etcd-backup"), 1);
    assert_eq!(backups("{ image: restic/restic }", "nightly"), 0);
}

#[test]
fn what_sops_sealed_says_nothing() {
    let text = "machine: { type: controlplane }\nsops: { mac: x, version: 3.9.0 }\n";
    assert!(!files(&[("p.yaml", text)]).talos.settings.iter().any(|it| it.what == Switch::Configured));
}
