//! What it costs to judge very many pod templates by the Pod Security Standards, on one processor.
//!
//! No server: the templates are like those of ordinary charts, the same in each run, and are decoded as any other JSON.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use holdfast_pod_security::{Level, PodFacts, Version, allows, evaluate, forbidden_detail};
use holdfast_testkit::Usage;
use serde_json::{Value, json};

use super::report::{Figure, Report, percentile};

/// How often each figure is measured; the median is told.
const TIMES: usize = 9;

#[derive(Debug, clap::Args)]
pub(super) struct PodSecurity {
    /// How many templates are judged.
    #[arg(long, default_value = "100000", value_parser = clap::value_parser!(u32).range(1..))]
    templates: u32,
}

impl PodSecurity {
    pub(super) fn run(&self) -> Result<Report> {
        let headings =
            ["level", "templates", "allowed", "violations", "allowed or not ms", "violations ms", "with messages ms"];
        let mut report = Report::new("pod-security", &headings);
        let count = usize::try_from(self.templates)?;
        let before = anonymous()?;
        let (facts, decoding) = decode(count)?;
        let held = anonymous()?.saturating_sub(before);
        for levels in [&[Level::Baseline][..], &[Level::Restricted], &[Level::Baseline, Level::Restricted]] {
            report.row(measure(levels, &facts));
        }
        report.note(format!(
            "Decoded from JSON in {} ms; the facts take {} MiB.",
            Figure::milliseconds(decoding),
            Figure::mebibytes(held)
        ));
        Ok(report)
    }
}

fn anonymous() -> Result<u64> {
    Ok(Usage::of(std::process::id())?.anonymous)
}

/// One text at a time, so that only facts are kept.
fn decode(count: usize) -> Result<(Vec<PodFacts>, Duration)> {
    let mut facts = Vec::with_capacity(count);
    let mut taken = Duration::ZERO;
    for index in 0..count {
        let text = template(index).to_string();
        let begun = Instant::now();
        facts.push(serde_json::from_str(&text).context("decoding a template")?);
        taken += begun.elapsed();
    }
    Ok((facts, taken))
}

fn measure(levels: &[Level], facts: &[PodFacts]) -> Vec<Figure> {
    let pairs = || levels.iter().flat_map(|level| facts.iter().map(|pod| (*level, pod)));
    let (mut allowed, mut violations, mut letters) = (0, 0, 0);
    let judging = median(|| allowed = pairs().filter(|(level, pod)| allows(*level, Version::Latest, pod)).count());
    let finding =
        median(|| violations = pairs().map(|(level, pod)| evaluate(level, Version::Latest, pod).len()).sum::<usize>());
    let telling = median(|| {
        let told = pairs().map(|(level, pod)| forbidden_detail(&evaluate(level, Version::Latest, pod)).len());
        letters = told.sum::<usize>();
    });
    // Read, so that nothing of it can be left out.
    std::hint::black_box(letters);
    let names: Vec<&str> = levels.iter().map(|level| level.name()).collect();
    vec![
        Figure::name(names.join(" and ")),
        Figure::count(facts.len()),
        Figure::count(allowed),
        Figure::count(violations),
        Figure::milliseconds(judging),
        Figure::milliseconds(finding),
        Figure::milliseconds(telling),
    ]
}

fn median(mut measured: impl FnMut()) -> Duration {
    let times: Vec<Duration> = (0..TIMES)
        .map(|_| {
            let begun = Instant::now();
            measured();
            begun.elapsed()
        })
        .collect();
    percentile(&times, 50)
}

/// Of twenty charts five are hardened, seven say nothing, four say half, and four need what baseline forbids or root.
fn template(index: usize) -> Value {
    let name = format!("app-{}", index % 997);
    let mut template = match index % 20 {
        0..5 => hardened(&name),
        5..12 => silent(&name, index.is_multiple_of(3)),
        12..16 => halfway(&name),
        16 => with_root_at_the_start(&name),
        17 => exporter(&name),
        18 => driver(&name),
        _ => proxy(&name),
    };
    template["metadata"] = json!({
        "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"checksum/config": format!("{index:064x}"), "prometheus.io/scrape": "true"},
    });
    template
}

fn container(name: &str, context: Value) -> Value {
    json!({
        "name": name,
        "image": format!("registry.example.org/{name}:1.2.3"),
        "args": ["--port=8080", "--log-level=info"],
        "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 10},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}},
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": context,
        "volumeMounts": [{"name": "config", "mountPath": "/etc/app"}, {"name": "tmp", "mountPath": "/tmp"}],
    })
}

fn volumes() -> Value {
    json!([{"name": "config", "configMap": {"name": "app"}}, {"name": "tmp", "emptyDir": {}}])
}

fn tight() -> Value {
    json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}})
}

fn hardened(name: &str) -> Value {
    let context =
        json!({"runAsNonRoot": true, "runAsUser": 1001, "fsGroup": 1001, "seccompProfile": {"type": "RuntimeDefault"}});
    let containers = [container(name, tight()), container("metrics", tight())];
    json!({"spec": {"containers": containers, "securityContext": context, "volumes": volumes()}})
}

fn silent(name: &str, with_storage: bool) -> Value {
    let mut volumes = volumes();
    if with_storage {
        volumes[1] = json!({"name": "tmp", "persistentVolumeClaim": {"claimName": name}});
    }
    json!({"spec": {"containers": [container(name, json!({}))], "securityContext": {}, "volumes": volumes}})
}

fn halfway(name: &str) -> Value {
    let context = json!({"runAsUser": 65534, "fsGroup": 65534});
    json!({"spec": {"containers": [container(name, tight())], "securityContext": context, "volumes": volumes()}})
}

fn with_root_at_the_start(name: &str) -> Value {
    let mut template = hardened(name);
    let root = json!({"runAsUser": 0, "runAsNonRoot": false, "capabilities": {"add": ["CHOWN"]}});
    template["spec"]["initContainers"] = json!([container("take-ownership", root)]);
    template
}

fn exporter(name: &str) -> Value {
    let mut container = container(name, tight());
    container["ports"][0]["hostPort"] = json!(9100);
    let volumes =
        json!([{"name": "proc", "hostPath": {"path": "/proc"}}, {"name": "sys", "hostPath": {"path": "/sys"}}]);
    let context = json!({"runAsNonRoot": true, "runAsUser": 65534});
    json!({"spec": {
        "containers": [container], "hostNetwork": true, "hostPID": true, "securityContext": context, "volumes": volumes,
    }})
}

fn driver(name: &str) -> Value {
    let rights = json!({"privileged": true, "allowPrivilegeEscalation": true, "capabilities": {"add": ["SYS_ADMIN"]}});
    let volumes =
        json!([{"name": "kubelet", "hostPath": {"path": "/var/lib/kubelet"}}, {"name": "tmp", "emptyDir": {}}]);
    let containers = [container(name, rights), container("registrar", json!({})), container("liveness", json!({}))];
    json!({"spec": {"containers": containers, "hostNetwork": true, "volumes": volumes}})
}

fn proxy(name: &str) -> Value {
    let rights = json!({
        "runAsNonRoot": true, "allowPrivilegeEscalation": false, "seccompProfile": {"type": "RuntimeDefault"},
        "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
    });
    let mut container = container(name, rights);
    container["ports"] = json!([{"containerPort": 80, "hostPort": 80}, {"containerPort": 443, "hostPort": 443}]);
    json!({"spec": {"containers": [container], "volumes": volumes()}})
}

#[cfg(test)]
mod tests {
    use holdfast_pod_security::strictest;

    use super::*;

    #[test]
    fn templates_are_of_every_level() {
        let of = |index| strictest(Version::Latest, &serde_json::from_value(template(index)).unwrap());
        let levels: Vec<Level> = (0..20).map(of).collect();
        let count = |level| levels.iter().filter(|other| **other == level).count();
        assert_eq!(Level::ALL.map(count), [3, 12, 5]);
    }
}
