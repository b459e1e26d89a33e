//! A small checkout, and the binary run on it.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example.org/web:1.2.3}]}
";

pub(crate) const BUDGET: &str = "\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: shop}
spec:
  minAvailable: 1
  selector: {matchLabels: {app: web}}
";

/// A checkout with a Deployment, and with a budget that blocks it.
pub(crate) struct Checkout(TempDir);

impl Checkout {
    pub(crate) fn new() -> Self {
        let it = Self(tempfile::tempdir().unwrap());
        it.write("kustomization.yaml", "resources: [web.yaml]\n");
        it.write("web.yaml", DEPLOYMENT);
        it
    }

    pub(crate) fn blocked() -> Self {
        let it = Self::new();
        it.block();
        it
    }

    pub(crate) fn block(&self) {
        self.write("budget.yaml", BUDGET);
        self.write("kustomization.yaml", "resources: [web.yaml, budget.yaml]\n");
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"];
        let output = git.current_dir(self.path()).args(identity).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Told {
        run(Command::new(BINARY).current_dir(self.path()).args(arguments))
    }
}

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_holdfast");

/// What a run said.
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn run(command: &mut Command) -> Told {
    told(command.stdin(Stdio::null()).output().unwrap())
}

/// Judges manifests that come through a pipe, and fails for what is critical.
pub(crate) fn pipe(text: &str) -> Told {
    let mut child = Command::new(BINARY)
        .args(["audit", "-", "--fail-on", "critical"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    told(child.wait_with_output().unwrap())
}

pub(crate) fn told(output: Output) -> Told {
    Told {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Told {
    /// Holds the exit code, and that each of these stands somewhere.
    #[track_caller]
    pub(crate) fn check(&self, code: i32, words: &[&str]) -> &Self {
        let all = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, Some(code), "{all}");
        for word in words {
            assert!(all.contains(word), "{word:?} is not in:\n{all}");
        }
        self
    }

    pub(crate) fn rules(&self) -> Vec<String> {
        let report: Value = serde_json::from_str(&self.out).unwrap();
        let rules = report["findings"].as_array().unwrap().iter();
        rules.map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
    }
}
