//! Files and folders that no tool likes: each is told, with the exit code of what is told, and the rest is judged.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::checkout::{BINARY, BUDGET, Checkout, DEPLOYMENT, pipe, run};

/// What reads nothing that isn't everybody's.
const NOBODY: u32 = 65534;

/// The blocked budget is found all the same, and findings with these words beside it.
#[track_caller]
fn judged_all_the_same(it: &Checkout, words: &[&str]) {
    it.run(&["audit", ".", "--fail-on", "critical"]).check(1, &["critical[drain-blocked]", "web"]);
    let told = it.run(&["audit", ".", "--fail-on", "critical", "--format", "json"]);
    let report: Value = serde_json::from_str(&told.check(1, &[]).out).unwrap();
    let lines = report["findings"].as_array().unwrap().iter().map(|it| {
        let text = |field: &str| it[field].as_str().unwrap_or_default();
        format!("{}:{}:{}: {}: {}\n", text("file"), it["line"], it["column"], text("rule"), text("message"))
    });
    let all: String = lines.collect();
    for word in words {
        assert!(all.contains(word), "{word:?} is not in:\n{all}");
    }
}

#[test]
fn broken_yaml_and_a_binary() {
    let it = Checkout::blocked();
    it.write("broken.yaml", "a: [1\nb: }\n");
    fs::write(it.path().join("binary.yaml"), [0x7f, b'E', b'L', b'F', 0, 0, 0xff, 0xfe]).unwrap();
    judged_all_the_same(&it, &["broken.yaml:2:", "binary.yaml:1:", "this is a binary file", "file-unreadable"]);
}

#[test]
fn a_file_of_100_mb() {
    let it = Checkout::blocked();
    let file = fs::File::create(it.path().join("big.yaml")).unwrap();
    file.set_len(100 << 20).unwrap();
    judged_all_the_same(&it, &["it has 104857600 bytes, and no YAML file with more than 16777216 is read"]);
}

#[test]
fn an_alias_bomb() {
    let it = Checkout::blocked();
    let mut bomb = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\na0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(",");
        bomb += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    it.write("bomb.yaml", &bomb);
    judged_all_the_same(&it, &["aliases stand for more than 1000000 values"]);
}

#[test]
fn links_in_a_circle_and_out_of_the_checkout() {
    let it = Checkout::blocked();
    for (target, name) in [(".", "self"), ("b", "a"), ("a", "b"), ("a", "c.yaml"), ("/etc/passwd", "out.yaml")] {
        symlink(target, it.path().join(name)).unwrap();
    }
    judged_all_the_same(&it, &["a link that leads nowhere", "a link that leads out of the checkout"]);
    let told = it.run(&["audit", ".", "--format", "json"]);
    assert!(!told.out.contains("root:x:"), "nothing of what is outside is told");
}

#[test]
fn kustomizations_in_a_circle() {
    let it = Checkout::blocked();
    for (folder, other) in [("one", "two"), ("two", "one")] {
        fs::create_dir(it.path().join(folder)).unwrap();
        it.write(&format!("{folder}/kustomization.yaml"), &format!("resources: [../{other}]\n"));
    }
    judged_all_the_same(&it, &["kustomize-build-failed", "one includes itself through one, two"]);
}

#[test]
fn a_base_that_is_not_there_and_a_patch_that_matches_nothing() {
    let it = Checkout::blocked();
    let patch = "patches:\n- target: {kind: Deployment, name: other}\n  patch: |-\n    - {op: add, path: /spec/replicas, value: 3}\n";
    it.write("kustomization.yaml", &format!("resources: [web.yaml, budget.yaml, ../nowhere, base]\n{patch}"));
    let told = ["there is no base", "leads out of the checkout", "patch-unmatched", "kustomization.yaml:3:"];
    judged_all_the_same(&it, &told);
}

#[test]
fn a_file_that_only_kustomize_refuses() {
    let it = Checkout::blocked();
    it.write("twice.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: b\n  a: c\n");
    it.write("kustomization.yaml", "resources: [web.yaml, budget.yaml, twice.yaml]\n");
    judged_all_the_same(&it, &["twice.yaml:6:3", "Kustomize refuses twice.yaml: the key a is given twice"]);
}

#[test]
fn a_policy_that_can_not_be_evaluated() {
    let it = Checkout::blocked();
    let policy = "apiVersion: holdfast.dev/v1alpha1\nkind: DisruptionPolicy\nmetadata: {name: odd}\nspec:\n  workloadSelector: {matchExpressions: [{key: a, operator: In}]}\n";
    it.write("policy.yaml", policy);
    it.write("kustomization.yaml", "resources: [web.yaml, budget.yaml, policy.yaml]\n");
    judged_all_the_same(&it, &["policy.yaml:", "DisruptionPolicy odd can't be evaluated, and is not honoured: "]);
    it.run(&["audit", ".", "--policy", "policy.yaml"]).check(2, &["odd can't be evaluated: ", "remedy: "]);
}

/// As somebody who isn't root, where this runs as root.
#[test]
fn a_file_and_a_folder_that_may_not_be_read() {
    let it = Checkout::blocked();
    it.write("secret.yaml", "a: b\n");
    fs::create_dir(it.path().join("closed")).unwrap();
    let modes = [("", 0o755), ("secret.yaml", 0o000), ("closed", 0o000)];
    for (name, mode) in modes {
        fs::set_permissions(it.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    // Not from where it was built, which may be closed to others.
    let binary = it.path().join("holdfast");
    fs::copy(BINARY, &binary).unwrap();
    let audit = |folder: &str| {
        let mut command = Command::new(&binary);
        command.current_dir(it.path()).args(["audit", folder, "--fail-on", "critical"]).stdin(Stdio::null());
        if is_root() {
            command.uid(NOBODY);
        }
        run(&mut command)
    };
    audit(".").check(1, &["secret.yaml", "closed", "permission denied", "critical[drain-blocked]"]);
    audit("closed").check(2, &["error: closed can't be read", "ermission denied", "remedy: "]);
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

#[test]
fn what_is_half_a_stream_is_told_and_the_first_half_judged() {
    let told = pipe(&format!("{DEPLOYMENT}---\n{BUDGET}---\na: [b\n"));
    told.check(1, &["critical[drain-blocked]", "file-unreadable", "<stdin>:"]);
}
