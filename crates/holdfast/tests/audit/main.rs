//! `holdfast audit` and `holdfast explain` as they are run at a prompt.
//!
//! Here: exit codes; what only came with a change (`--baseline`, `--since`); input from a pipe and output into one; and
//! what can't be done, which is told with its cause and its remedy, and without a log.

#![expect(clippy::unwrap_used, reason = "a test that can't go on stops there")]

mod bad_input;
mod checkout;
mod sample;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use checkout::{BINARY, BUDGET, Checkout, DEPLOYMENT, pipe, run, told};

const EXCEPTION: &str = "\
apiVersion: holdfast.dev/v1alpha1
kind: PolicyException
metadata: {name: web, namespace: shop}
spec:
  target: {kind: PodDisruptionBudget, name: web}
  rules: [drain-blocked]
  reason: it is gone next week
  owner: me
";

#[test]
fn the_exit_code_says_whether_something_is_as_grave_as_asked() {
    let it = Checkout::blocked();
    it.run(&["audit", "."]).check(0, &["1 thing blocks the next drain", "critical[drain-blocked]", "budget.yaml:5:"]);
    it.run(&["audit", ".", "--fail-on", "critical"]).check(1, &["drain-blocked"]);
    it.run(&["audit", ".", "--fail-on", "critical", "--skip", "disruption"]).check(0, &[]);
    Checkout::new().run(&["audit", ".", "--fail-on", "critical"]).check(0, &["Nothing here blocks the next drain"]);
}

#[test]
fn only_the_rules_that_are_asked_for_are_told() {
    let told = Checkout::blocked().run(&["audit", ".", "--format", "json", "--only", "drain-blocked"]);
    assert_eq!(told.check(0, &[]).rules(), ["drain-blocked"]);
}

#[test]
fn an_exception_in_a_file_of_its_own_counts() {
    let it = Checkout::blocked();
    it.write("exception.yaml", EXCEPTION);
    let told = it.run(&["audit", ".", "--policy", "exception.yaml", "--only", "drain-blocked", "--fail-on", "info"]);
    told.check(0, &["Excepted", "PolicyException web: it is gone next week"]);
    it.run(&["audit", ".", "--policy", "web.yaml"]).check(2, &["web.yaml holds no policies", "remedy: "]);
}

#[test]
fn policies_about_levels_and_what_talos_says_count() {
    let it = Checkout::new();
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
    it.write("web.yaml", &format!("{namespace}---\n{}", DEPLOYMENT));
    let levels = |arguments: &[&str]| {
        let told = it.run(&[&["audit", ".", "--only", "level-below-floor", "--format", "json"], arguments].concat());
        let report: Value = serde_json::from_str(&told.out).unwrap();
        let messages =
            report["findings"].as_array().unwrap().iter().map(|it| it["message"].as_str().unwrap().to_owned());
        (messages.collect::<Vec<_>>(), report["podSecurity"].to_string())
    };
    let newest = r#"{"clusterDefault":null,"version":"v1.37","versionStated":false}"#;
    let unlabelled = "it states no level, though everything known in it meets baseline";
    assert_eq!(levels(&[]), (vec![unlabelled.to_owned()], newest.to_owned()));

    let policy = |spec: &str| {
        let head = "apiVersion: holdfast.dev/v1alpha1\nkind: NamespaceSecurityPolicy\nmetadata: {name: levels}\n";
        format!("{head}spec: {spec}\n")
    };
    it.write("exempt.yaml", &policy("{exemptNamespaces: [shop]}"));
    assert_eq!(levels(&["--policy", "exempt.yaml"]).0, [""; 0]);

    it.write("talconfig.yaml", "clusterName: home\ntalosVersion: v1.12.1\nkubernetesVersion: v1.35.0\nnodes: [{hostname: a, ipAddress: 192.0.2.1, controlPlane: true}]\n");
    let stated = r#"{"clusterDefault":"baseline","version":"v1.35","versionStated":true}"#;
    assert_eq!(levels(&[]), (vec![], stated.to_owned()));

    it.write("policy.yaml", &policy("{floor: restricted, ceiling: restricted}"));
    it.write("kustomization.yaml", "resources: [web.yaml, policy.yaml]\n");
    let below =
        "it states no level, and the cluster enforces baseline, and can't enforce restricted, since Deployment web";
    assert!(levels(&[]).0[0].starts_with(below), "{:?}", levels(&[]));

    it.write("policy.yaml", &policy("{floor: restricted}"));
    let told = it.run(&["audit", ".", "--only", "file-unreadable", "--quiet"]);
    told.check(0, &["NamespaceSecurityPolicy levels can't be evaluated, and is not honoured: spec.floor restricted"]);
}

#[test]
fn a_baseline_hides_what_was_there() {
    let it = Checkout::new();
    it.run(&["audit", ".", "--format", "json", "--output", "before.json"]).check(0, &[]);
    it.block();
    let told = it.run(&["audit", ".", "--format", "json", "--baseline", "before.json", "--fail-on", "critical"]);
    assert!(told.check(1, &[]).rules().contains(&"drain-blocked".to_owned()));
    it.run(&["audit", ".", "--format", "json", "--output", "after.json"]).check(0, &[]);
    let told = it.run(&["audit", ".", "--format", "json", "--baseline", "after.json", "--fail-on", "info"]);
    assert!(told.check(0, &[]).rules().is_empty());
    it.run(&["audit", ".", "--baseline", "web.yaml"])
        .check(2, &["error: web.yaml is no baseline", "cause: ", "remedy: "]);
}

#[test]
fn a_branch_is_told_what_it_introduces() {
    let it = Checkout::new();
    it.git(&["init", "-q"]);
    it.git(&["add", "."]);
    it.git(&["commit", "-qm", "one"]);
    it.git(&["checkout", "-qb", "change"]);
    it.block();
    let told = it.run(&["audit", ".", "--since", "main", "--fail-on", "critical"]);
    told.check(1, &["1 new thing blocks the next drain"]);
    it.git(&["add", "."]);
    it.git(&["commit", "-qm", "two"]);
    it.run(&["audit", ".", "--since", "main", "--fail-on", "critical"]).check(1, &["1 new thing"]);
    it.run(&["audit", ".", "--since", "HEAD", "--fail-on", "info"]).check(0, &["Nothing new blocks the next drain"]);
}

#[test]
fn what_others_have_merged_meanwhile_is_not_told() {
    let it = Checkout::blocked();
    it.git(&["init", "-q"]);
    it.git(&["add", "."]);
    it.git(&["commit", "-qm", "one"]);
    it.git(&["branch", "change"]);
    fs::remove_file(it.path().join("budget.yaml")).unwrap();
    it.write("kustomization.yaml", "resources: [web.yaml]\n");
    it.git(&["commit", "-qam", "main mends it"]);
    it.git(&["checkout", "-q", "change"]);
    it.run(&["audit", ".", "--since", "main", "--fail-on", "critical"]).check(0, &["Nothing new blocks"]);
}

#[test]
fn a_repository_is_left_as_it_was_by_looking_at_its_past() {
    let it = Checkout::new();
    it.git(&["init", "-q"]);
    it.git(&["add", "."]);
    it.git(&["commit", "-qm", "one"]);
    it.block();
    let state = || {
        let output = Command::new("git").current_dir(it.path()).args(["status", "--porcelain"]).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), fs::read(it.path().join(".git/index")).unwrap())
    };
    let before = state();
    it.run(&["audit", ".", "--since", "main"]).check(0, &[]);
    assert_eq!(state(), before);
    assert!(!it.path().join(".git/worktrees").exists());
}

#[test]
fn a_commit_that_is_not_there_is_told_with_what_to_do() {
    let it = Checkout::new();
    it.git(&["init", "-q"]);
    it.git(&["add", "."]);
    it.git(&["commit", "-qm", "one"]);
    let told = it.run(&["audit", ".", "--since", "origin/main"]);
    told.check(2, &["error: there is no commit \"origin/main\"", "remedy: fetch it", "fetch-depth: 0"]);
    it.run(&["audit", ".", "--since=--output=x"]).check(2, &["there is no commit"]);
    Checkout::new().run(&["audit", ".", "--since", "main"]).check(2, &["is in no Git repository", "remedy: "]);
}

#[test]
fn manifests_may_come_through_a_pipe() {
    let told = pipe(&format!("{DEPLOYMENT}---\n{BUDGET}"));
    told.check(1, &["standard input", "drain-blocked", "<stdin>:15:"]);
    run(Command::new(BINARY).args(["audit", "-"]))
        .check(2, &["standard input holds no Kubernetes objects", "remedy: "]);
}

#[test]
fn whoever_closes_the_pipe_had_enough() {
    let mut child =
        Command::new(BINARY).args(["explain"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    told(child.wait_with_output().unwrap()).check(0, &[]);
}

#[test]
fn what_can_not_be_read_is_told_with_what_to_do() {
    let it = Checkout::new();
    it.run(&["audit", "nowhere"]).check(2, &["error: there is nothing at nowhere", "remedy: "]);
    fs::create_dir(it.path().join("empty")).unwrap();
    it.run(&["audit", "empty"]).check(2, &["error: there is no YAML file in empty", "remedy: "]);
    let told = it.run(&["audit", ".", "--output", "nowhere/report.json"]);
    told.check(2, &["error: the report can't be written to nowhere/report.json", "cause: ", "remedy: "]);
    it.run(&["audit", ".", "--only", "drain-blokced"]).check(2, &["do you mean drain-blocked?", "remedy: "]);
    assert!(!it.run(&["audit", "nowhere"]).err.contains("{\""), "it is told to a person and not logged");
}

#[test]
fn a_report_is_the_only_thing_on_standard_output() {
    let told = Checkout::blocked().run(&["audit", ".", "--format", "json"]);
    serde_json::from_str::<Value>(&told.out).unwrap();
    assert_eq!(told.err, "");
}

#[test]
fn a_file_has_no_colours_and_a_report_on_request_does() {
    let it = Checkout::blocked();
    assert!(!it.run(&["audit", "."]).out.contains('\u{1b}'));
    assert!(it.run(&["audit", ".", "--color", "always"]).out.contains('\u{1b}'));
}

#[test]
fn a_rule_a_domain_and_all_rules_are_explained() {
    let explain = |topic: &[&str]| run(Command::new(BINARY).arg("explain").args(topic));
    explain(&["drain-blocked"]).check(0, &["drain-blocked  critical, Disruption", "What happens otherwise", "Remedy"]);
    explain(&["disruption"]).check(0, &["drain-blocked", "singleton"]);
    explain(&[]).check(0, &["Disruption", "Documentation", "holdfast explain RULE"]);
    explain(&["drain-block"]).check(2, &["do you mean drain-blocked?", "remedy: "]);
}

#[test]
fn the_documents_name_every_flag() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit.md")).unwrap();
    let help = run(Command::new(BINARY).args(["audit", "-h"])).out;
    let flags: Vec<&str> = help.split_whitespace().filter(|word| word.starts_with("--")).collect();
    let flags = flags.into_iter().map(|flag| flag.trim_end_matches(|c: char| !c.is_ascii_lowercase()));
    let own: Vec<&str> = flags.filter(|flag| !["--help", "--version"].contains(flag)).collect();
    assert!(10 < own.len(), "{help}");
    for flag in own {
        assert!(text.contains(&format!("| `{flag}")), "{flag} is not in docs/audit.md");
    }
}
