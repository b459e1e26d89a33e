//! exploration
use std::time::Duration;

use anyhow::{Result, ensure};
use holdfast_e2e::{Cluster, Kubectl, checkout, sample};
use holdfast_testkit::{Manifests, eventually};

#[tokio::test]
async fn explore() -> Result<()> {
    let cluster = Cluster::start().await?;
    let admin = cluster.admin();
    let kubectl = Kubectl::of(&cluster.plane).await?;
    let begun = std::time::Instant::now();
    let loaded = sample::load(&admin, &checkout().join("e2e/samples/cluster")).await?;
    println!("{loaded:?} {} in {:?}", loaded.objects(), begun.elapsed());
    let controller = cluster.controller_builder().await?.log_level("info").start()?;
    controller.ready(Duration::from_secs(30)).await?;
    let out = std::path::Path::new("/tmp/mine");
    for mode in ["Report", "Enforce"] {
        let policy = serde_json::json!({"apiVersion": "holdfast.dev/v1alpha1", "kind": "DisruptionPolicy", "metadata": {"name": "everything"}, "spec": {"mode": mode}});
        Manifests::parse(&policy.to_string())?.apply(&admin, "e2e").await?;
        tokio::time::sleep(Duration::from_secs(12)).await;
        for (name, args) in [
            ("get", vec!["get", "dpol", "-o", "wide"]),
            ("describe", vec!["describe", "dpol", "everything"]),
            ("events", vec!["events", "-A"]),
            ("pdb", vec!["get", "pdb", "-A"]),
            ("pods", vec!["get", "pods", "-A"]),
            ("release", vec!["describe", "helmrelease", "-n", "media", "plex"]),
            ("pdbdescribe", vec!["describe", "pdb", "-n", "monitoring"]),
            ("deploy", vec!["describe", "deployment", "-n", "monitoring", "grafana"]),
        ] {
            std::fs::write(out.join(format!("{mode}-{name}")), kubectl.run(args.clone()).await.unwrap_or_else(|e| format!("{e:#}")))?;
        }
        std::fs::write(out.join(format!("{mode}-metrics")), controller.metrics().await?.text())?;
        std::fs::write(out.join(format!("{mode}-log")), controller.log()?)?;
    }
    println!("{:?} {:?}", controller.livez().await?, controller.readyz().await?);
    let kept = std::path::Path::new("/tmp/mine/hold");
    if kept.exists() { println!("KUBECONFIG {}", cluster.plane.kubeconfig().display()); while kept.exists() { tokio::time::sleep(Duration::from_secs(1)).await; } }
    Ok(())
}
