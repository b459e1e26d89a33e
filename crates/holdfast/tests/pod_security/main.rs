//! `holdfast pod-security` as it is run at a prompt: what is read, what is said of it, and with which exit code.

#![expect(clippy::unwrap_used, reason = "a test that can't go on stops there")]

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use holdfast_gitops::yaml::{Dialect, Limits, parse_as};
use holdfast_gitops::{FileId, Node};
use holdfast_pod_security::{Level, Version, admission};
use serde_json::{Value, json};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_holdfast");

/// Keeps baseline.
const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: web
        securityContext:
          allowPrivilegeEscalation: false
          capabilities: {drop: [KILL]}
";

/// Keeps nothing: YAML 1.1 is what the API server's clients read.
const AGENT: &str = "\
apiVersion: v1
kind: List
items:
- apiVersion: batch/v1
  kind: CronJob
  metadata: {name: agent}
  spec:
    schedule: '@daily'
    jobTemplate:
      spec:
        template:
          spec:
            hostNetwork: yes
            containers: [{name: agent, ports: [{containerPort: 80}]}]
            volumes: [{name: root, hostPath: {path: /}}]
- {apiVersion: v1, kind: Service, metadata: {name: agent}}
";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let it = Self(tempfile::tempdir().unwrap());
        it.write("web.yaml", WEB);
        it.write("agent.yaml", AGENT);
        it
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Told {
        self.pipe(arguments, "")
    }

    fn pipe(&self, arguments: &[&str], text: &str) -> Told {
        let mut command = Command::new(BINARY);
        command.current_dir(self.0.path()).arg("pod-security").args(arguments);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        Told(child.wait_with_output().unwrap())
    }
}

struct Told(Output);

impl Told {
    /// Holds the exit code, what stands on standard output, and what on standard error.
    #[track_caller]
    fn check(&self, code: i32, out: &[&str], err: &[&str]) -> &Self {
        let (stdout, stderr) = (self.out(), String::from_utf8_lossy(&self.0.stderr));
        assert_eq!(self.0.status.code(), Some(code), "{stdout}{stderr}");
        for (words, text) in [(out, &*stdout), (err, &*stderr)] {
            words.iter().for_each(|word| assert!(text.contains(word), "{word:?} is not in:\n{text}"));
        }
        assert!(!err.is_empty() || stderr.is_empty(), "{stderr}");
        self
    }

    fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.0.stdout).unwrap()
    }
}

#[test]
fn without_a_level_each_is_told_its_strictest() {
    let it = Folder::new();
    let told = it.run(&["web.yaml", "agent.yaml"]);
    told.check(
        0,
        &["Deployment shop/web  baseline", "CronJob agent        privileged", "v1.37, the newest that is known"],
        &[],
    );
    told.check(
        0,
        &["web.yaml:14:26 spec.template.spec.containers[0].securityContext.capabilities.drop: [\"KILL\"]"],
        &[],
    );
    assert!(!told.out().contains('\u{1b}'), "a file has no colours");
    let coloured = it.run(&["web.yaml", "--color", "always"]);
    assert!(coloured.out().contains('\u{1b}'));
}

#[test]
fn a_level_is_kept_or_not() {
    let it = Folder::new();
    it.run(&["web.yaml", "--level", "baseline"]).check(0, &["✔ The object"], &[]);
    it.run(&["web.yaml", "--level", "restricted", "--version", "v1.21"]).check(0, &["of v1.21"], &[]);
    it.run(&["web.yaml", "agent.yaml", "--level", "baseline"]).check(1, &["✖ 1 of 2", "refused"], &[]);
    it.run(&["agent.yaml", "--level", "privileged"]).check(0, &[], &[]);
    it.run(&["web.yaml", "--level", "strict"]).check(2, &[], &["restricted"]);
    it.run(&["web.yaml", "--version", "1.35"]).check(2, &[], &[r#"must be "latest" or "v1.x""#]);
}

#[test]
fn a_program_reads_a_list_with_every_place() {
    let it = Folder::new();
    let told = it.run(&["agent.yaml", "web.yaml", "--level", "baseline", "--version", "v1.35", "--format", "json"]);
    let at = "spec.jobTemplate.spec.template.spec";
    let place = |check: &str, message: &str, path: &str, value: Value, fix: &str| json!({"check": check, "message": message, "path": format!("{at}.{path}"), "value": value, "fix": fix.replace("AT", at)});
    let expected = json!([
        {
            "file": "agent.yaml", "kind": "CronJob", "namespace": null, "name": "agent",
            "level": "baseline", "version": "v1.35", "allowed": false,
            "violations": [
                place("hostNamespaces", "host namespaces (hostNetwork=true)", "hostNetwork", json!(true), "set AT.hostNetwork to false"),
                place("hostPathVolumes", r#"hostPath volumes (volume "root")"#, "volumes[0].hostPath", json!({"path": "/"}), "replace AT.volumes[0].hostPath by emptyDir: {}"),
                // The server makes it one of the node.
                place("hostPorts", r#"hostPort (container "agent" uses hostPort 80)"#, "containers[0].ports[0].hostPort", Value::Null, "remove AT.containers[0].ports[0].hostPort"),
            ],
        },
        {
            "file": "web.yaml", "kind": "Deployment", "namespace": "shop", "name": "web",
            "level": "baseline", "version": "v1.35", "allowed": true, "violations": [],
        },
    ]);
    assert_eq!(told.check(1, &[], &[]).json(), expected);
    let open = it.run(&["web.yaml", "--format", "json"]).check(0, &[], &[]).json();
    assert_eq!(
        (&open[0]["level"], &open[0]["allowed"], &open[0]["version"]),
        (&json!("baseline"), &json!(true), &json!("latest"))
    );
    assert_eq!(open[0]["violations"][0]["check"], "capabilities_restricted");
}

#[test]
fn manifests_may_come_through_a_pipe() {
    let it = Folder::new();
    let told = it.pipe(&["-", "--quiet"], WEB);
    told.check(0, &["<stdin>:14:26: restricted[capabilities_restricted] Deployment shop/web: "], &[]);
    assert_eq!(told.out().lines().count(), 1);
    let pod =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}});
    it.pipe(&["-", "--level", "restricted"], &pod.to_string()).check(1, &["Pod p"], &[]);
}

#[test]
fn what_can_not_be_read_is_told_and_the_rest_judged() {
    let it = Folder::new();
    it.write("template.yaml", "{% for a in b %}\na: {{ c }}\n");
    it.write("half.yaml", &format!("{WEB}---\na: [b\n"));
    it.write("odd.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: odd}\nspec:\n  hostNetwork: 'true'\n");
    it.write("patch.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n");
    let judged = |file: &str, why: &[&str]| {
        it.run(&[file, "agent.yaml", "--level", "baseline"]).check(2, &["CronJob agent"], why);
    };
    judged("nowhere.yaml", &["error: could not read nowhere.yaml: ", "No such file"]);
    judged("template.yaml", &["could not read template.yaml: this is a template"]);
    judged("half.yaml", &["could not read half.yaml: line 16"]);
    it.run(&["half.yaml"]).check(2, &["Deployment shop/web"], &["half.yaml"]);
    judged("odd.yaml", &["could not read odd.yaml:5:16: Pod odd: spec.hostNetwork: ", "a boolean"]);
    judged("patch.yaml", &["could not read patch.yaml:1:1: Deployment web: there is no spec.template.spec"]);
    judged(".", &["could not read .: "]);
}

#[test]
fn nothing_with_pods_is_not_good() {
    let it = Folder::new();
    it.write("service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n");
    let told = it.run(&["service.yaml", "--format", "json", "--level", "baseline"]);
    assert_eq!(told.check(2, &[], &["no file holds an object with pods"]).json(), json!([]));
    it.pipe(&["-"], "").check(2, &[], &["no file holds an object with pods"]);
    it.run(&[]).check(2, &[], &["FILE"]);
}

#[test]
fn shells_complete_its_levels() {
    let told = Command::new(BINARY).args(["completions", "bash"]).output().unwrap();
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.contains("privileged baseline restricted"));
}

/// As the API server's clients read them: the same as what the library writes, which is tried on a server.
#[test]
fn policies_for_an_api_server_are_printed() {
    let it = Folder::new();
    let emit = |arguments: &[&str]| {
        let mut command = Command::new(BINARY);
        let told = command.current_dir(it.0.path()).args(["audit", "--emit", "admission-policy"]).args(arguments);
        Told(told.stdin(Stdio::null()).output().unwrap())
    };
    let told = emit(&["--level", "restricted", "--version", "v1.35"]);
    told.check(0, &["# as of Kubernetes v1.35."], &[]);
    let parsed = parse_as(Dialect::Kubernetes, FileId::NONE, told.out().as_bytes(), &Limits::default());
    assert_eq!(parsed.error, None);
    let printed: Vec<Value> = parsed.documents.iter().map(Node::to_json).collect();
    let policies = admission::policies(Level::Restricted, Version::Minor(35), &admission::EXEMPT);
    let wanted = policies.iter().flat_map(|it| [json!(it.policy), json!(it.binding)]);
    assert_eq!(printed, wanted.collect::<Vec<_>>());

    emit(&[]).check(0, &["what the level baseline", "v1.37", "holdfast-baseline-privileged"], &[]);
    emit(&["--level", "privileged"]).check(2, &[], &["baseline, restricted"]);
    emit(&["."]).check(2, &[], &["--emit"]);
}

#[test]
fn a_level_alone_says_nothing_to_an_audit() {
    let it = Folder::new();
    let mut command = Command::new(BINARY);
    let told = Told(command.current_dir(it.0.path()).args(["audit", ".", "--level", "baseline"]).output().unwrap());
    told.check(2, &[], &["--level", "PATH"]);
    let told = Told(Command::new(BINARY).arg("audit").output().unwrap());
    told.check(2, &[], &["PATH"]);
}
