//! Charts that stand in the checkout, rendered by the real Helm.
//!
//! Three releases of one chart: one that renders, into a budget that blocks the drain; one that the chart's schema rejects;
//! one whose template fails. Without Helm, and where it isn't wanted, nothing is known of any of them.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use holdfast_gitops::{Checkout, HelmMode, HelmOptions, Options, read};
use holdfast_model::{Confidence, Locate as _};
use holdfast_policy::{Policies, RuleId, audit};
use holdfast_testkit::Tool;
use jiff::Timestamp;

const FILES: [(&str, &str); 8] = [
    (
        "flux/flux.yaml",
        "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {name: flux, namespace: flux-system}\nspec:\n  sync: {kind: GitRepository, url: https://git.example/home.git, path: flux}\n",
    ),
    ("flux/kustomization.yaml", "resources: [flux.yaml, works.yaml, rejected.yaml, fails.yaml]\n"),
    (
        "flux/works.yaml",
        "RELEASE\nmetadata: {name: works, namespace: shop}\nspec:\n  CHART\n  values: {budget: true, replicas: 1}\n",
    ),
    (
        "flux/rejected.yaml",
        "RELEASE\nmetadata: {name: rejected, namespace: shop}\nspec:\n  CHART\n  values:\n    replicas: many\n",
    ),
    ("flux/fails.yaml", "RELEASE\nmetadata: {name: fails, namespace: shop}\nspec:\n  CHART\n  values: {fails: true}\n"),
    ("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
    ("charts/web/values.schema.json", r#"{"type": "object", "properties": {"replicas": {"type": "integer"}}}"#),
    (
        "charts/web/templates/all.yaml",
        "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: web, image: example.org/web:1.2.3}]}
{{- if .Values.budget }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: {{ .Release.Name }}}
spec:
  minAvailable: 1
  selector: {matchLabels: {app: {{ .Release.Name }}}}
{{- end }}
{{- if .Values.fails }}{{ fail \"no such thing\" }}{{- end }}
",
    ),
];

#[test]
fn charts_of_the_checkout_are_rendered_by_helm_itself() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (path, text) in FILES {
        let text = text.replace("RELEASE", "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease");
        let chart = "chart: {spec: {chart: ./charts/web, sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}}}";
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().context("a file in a folder")?)?;
        fs::write(file, text.replace("CHART", chart))?;
    }
    let with_helm = audited(folder.path(), HelmMode::Auto)?;
    let of =
        |rule: RuleId| with_helm.iter().filter(|line| line.0 == rule).map(|line| line.1.as_str()).collect::<Vec<_>>();
    assert_eq!(
        of(RuleId::DrainBlocked),
        ["works.yaml:3: Rendered: PodDisruptionBudget shop/works: minAvailable: 1 over 1 pod allows no eviction"]
    );
    assert_eq!(
        of(RuleId::ValuesRejected),
        [
            "rejected.yaml:7: Declared: HelmRelease shop/rejected: the chart's values.schema.json rejects replicas: got string, want integer"
        ]
    );
    let [failed] = of(RuleId::ChartRenderFailed)[..] else { panic!("{with_helm:?}") };
    assert!(failed.starts_with("fails.yaml:1: Declared: HelmRelease shop/fails: its chart doesn't render"), "{failed}");
    assert!(failed.ends_with("no such thing"), "{failed}");

    let without = audited(folder.path(), HelmMode::Never)?;
    let rendered = [RuleId::DrainBlocked, RuleId::ValuesRejected, RuleId::ChartRenderFailed];
    assert!(without.iter().all(|(rule, _)| !rendered.contains(rule)), "{without:?}");
    Ok(())
}

/// Findings as lines, with where they are told.
fn audited(folder: &Path, mode: HelmMode) -> Result<Vec<(RuleId, String)>> {
    let helm = HelmOptions { mode, program: Tool::Helm.find()?.path, ..HelmOptions::default() };
    let Checkout { clusters, .. } = read(folder, &Options { helm, ..Options::default() })?;
    let [cluster] = &clusters[..] else { anyhow::bail!("{} clusters", clusters.len()) };
    let found = audit(&cluster.cluster, &cluster.repository, &Policies::default(), Timestamp::now()).findings;
    let told = found.into_iter().map(|finding| {
        let place = cluster.places.locate(&finding.subject, &finding.field);
        let (place, confidence) = match &place {
            Some(at) => {
                (format!("{}:{}", at.position.file.trim_start_matches("flux/"), at.position.line), at.confidence)
            }
            None => ("nowhere".to_owned(), Confidence::Declared),
        };
        (finding.rule, format!("{place}: {confidence:?}: {}: {}", finding.subject, finding.message))
    });
    Ok(told.collect())
}
