//! Helm is the real one, and works on the test cluster.
//!
//! 1. A small chart passes the lint and renders with the values it is given.
//! 2. Installed, upgraded and uninstalled, its object appears, changes and goes.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use holdfast_testkit::helm::Release;
use holdfast_testkit::{ControlPlane, Helm};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::Api;
use serde_json::json;

const RELEASE: Release<'static> = Release { name: "greeter", namespace: "greetings" };

const TEMPLATE: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data: {greeting: {{ .Values.greeting | quote }}}
";

fn write_chart(chart: &Path) -> Result<()> {
    fs::create_dir_all(chart.join("templates"))?;
    fs::write(
        chart.join("Chart.yaml"),
        "{apiVersion: v2, name: greeter, version: 0.1.0, icon: 'https://example.com/i'}",
    )?;
    fs::write(chart.join("values.yaml"), "greeting: hello")?;
    Ok(fs::write(chart.join("templates/configmap.yaml"), TEMPLATE)?)
}

#[tokio::test]
async fn a_chart_is_installed_upgraded_and_uninstalled() -> Result<()> {
    let plane = ControlPlane::builder().start().await?;
    let chart = plane.dir().join("greeter");
    write_chart(&chart)?;
    let helm = Helm::for_cluster(plane.kubeconfig()).await?;
    helm.lint(&chart).await?;
    let rendered = helm.template(&chart, RELEASE, &json!({"greeting": "good day"})).await?;
    ensure!(rendered.contains("greeting: \"good day\""), "{rendered}");

    let maps: Api<ConfigMap> = Api::namespaced(plane.admin(), RELEASE.namespace);
    let greeting = async || -> Result<Option<String>> {
        let map = maps.get_opt(RELEASE.name).await?;
        Ok(map.and_then(|map| map.data).and_then(|data| data.get("greeting").cloned()))
    };
    helm.install(&chart, RELEASE, &json!({})).await?;
    ensure!(greeting().await?.as_deref() == Some("hello"));
    helm.upgrade(&chart, RELEASE, &json!({"greeting": "good evening"})).await?;
    ensure!(greeting().await?.as_deref() == Some("good evening"));
    helm.uninstall(RELEASE).await?;
    ensure!(greeting().await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_chart_that_is_wrong_is_an_error_that_says_what() -> Result<()> {
    let folder = tempfile::tempdir()?;
    write_chart(folder.path())?;
    fs::write(folder.path().join("templates/broken.yaml"), "{{ fail \"no such greeting\" }}")?;
    let rendered = Helm::without_cluster().await?.template(folder.path(), RELEASE, &json!({})).await;
    let error = rendered.err().context("a broken chart was rendered")?;
    ensure!(format!("{error:#}").contains("no such greeting"), "{error:#}");
    Ok(())
}
