//! How budgets of ours are written, judged by the objects themselves and by the API server's audit log.
//!
//! 1. What a budget of ours looks like: name, labels, annotation, owner; a hash where the name is taken or too long.
//! 2. What changes it: the policy's spec in place, another policy in one apply; never a deletion, never force.
//! 3. What makes it somebody else's: an edit by another manager; a copy of our label makes nothing ours.
//! 4. A second run of the controller writes nothing.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::{Cluster, Kubectl, PATIENCE, ServiceAccount, Shared, Tenant, deployment, enforce, set};
use holdfast_testkit::audit::Mark;
use holdfast_testkit::{AuditEvent, AuditLog, eventually};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::ResourceExt as _;
use serde_json::{Value, json};

const OURS: &str = "web-deployment";

/// A tenant whose Deployment `web` has its budget, and the audit log says so.
async fn settled(name: &str) -> Result<(Tenant, PodDisruptionBudget)> {
    let tenant = Shared::tenant(name).await?;
    let log = audit().await?;
    let mark = log.mark()?;
    tenant.govern(json!({})).await?;
    tenant.apply(deployment(name, "web", 3)).await?;
    let budget = tenant.budget(OURS).await?;
    // An object can be seen a moment before its creation is logged.
    eventually("the creation in the audit log", PATIENCE, async || {
        let written = our_writes(&log, name, mark)?;
        ensure!(written == ["patch web-deployment 201"], "{written:?}");
        Ok(())
    })
    .await?;
    Ok((tenant, budget))
}

async fn audit() -> Result<AuditLog> {
    Ok(Shared::get().await?.cluster.plane.audit())
}

/// Our writes of budgets in the namespace since then, as `verb name code`.
fn our_writes(log: &AuditLog, namespace: &str, mark: Mark) -> Result<Vec<String>> {
    let is_ours = |event: &AuditEvent| event.namespace == namespace && event.is_about("poddisruptionbudgets.policy");
    let writes = log.writes_by(ServiceAccount::USER, mark)?.into_iter().filter(is_ours);
    Ok(writes.map(|event| format!("{} {} {}", event.verb, event.name, event.code)).collect())
}

/// Waits for exactly these writes; what comes too much fails too, since it is compared as a whole after the canary, whose
/// budget is written behind everything that was decided before it.
async fn wrote(tenant: &Tenant, mark: Mark, expected: &[&str]) -> Result<()> {
    let log = audit().await?;
    tenant.send_canary().await?;
    let behind: Vec<&str> = expected.iter().copied().chain(["patch canary-deployment 201"]).collect();
    eventually(&format!("{behind:?} in the audit log"), PATIENCE, async || {
        let written = our_writes(&log, &tenant.name, mark)?;
        ensure!(written == behind, "{written:?}");
        Ok(())
    })
    .await
}

/// The spec of the budget, once it is as the probe wants it.
async fn becomes(
    tenant: &Tenant,
    name: &str,
    probe: impl Fn(&PodDisruptionBudget) -> bool,
) -> Result<PodDisruptionBudget> {
    eventually(&format!("{name} to change"), PATIENCE, async || {
        let budget = tenant.budgets().get(name).await?;
        ensure!(probe(&budget), "{budget:?}");
        Ok(budget)
    })
    .await
}

fn max_unavailable(budget: &PodDisruptionBudget) -> Option<String> {
    let amount = budget.spec.as_ref()?.max_unavailable.as_ref()?;
    serde_json::to_value(amount).ok().map(|value| value.to_string())
}

fn foreign(name: &str, app: &str) -> Value {
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": name },
        "spec": { "maxUnavailable": 1, "selector": { "matchLabels": { "app": app } } },
    })
}

#[tokio::test]
async fn a_budget_says_whose_it_is_and_what_for() -> Result<()> {
    let (tenant, budget) = settled("written").await?;
    let policy = tenant.policy().await?.context("the policy")?;
    let owners = serde_json::to_value(budget.owner_references())?;
    let owner = json!([{
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "DisruptionPolicy", "name": "written", "uid": policy.uid(),
    }]);
    ensure!(owners == owner, "one owner, neither controller nor blocking: {owners:#}");
    let labels = serde_json::to_value(budget.labels())?;
    ensure!(
        labels == json!({ "app.kubernetes.io/managed-by": "holdfast", "holdfast.dev/policy": "written" }),
        "{labels:#}"
    );
    let annotations = serde_json::to_value(budget.annotations())?;
    ensure!(annotations == json!({ "holdfast.dev/workload": "Deployment/web" }), "{annotations:#}");
    let entries = budget.managed_fields().iter().filter(|entry| entry.subresource.is_none());
    let managers: Vec<_> = entries.map(|entry| (entry.manager.as_deref(), entry.operation.as_deref())).collect();
    ensure!(managers == [(Some("holdfast/disruption"), Some("Apply"))], "{managers:?}");
    ensure!(budget.metadata.finalizers.is_none(), "a finalizer");
    Ok(())
}

#[tokio::test]
async fn a_name_that_is_taken_or_too_long_gets_a_hash() -> Result<()> {
    let tenant = Shared::tenant("names").await?;
    // It covers nothing of ours; only its name is in the way.
    tenant.apply(foreign(OURS, "another")).await?;
    let taken = tenant.budgets().get(OURS).await?;
    tenant.govern(json!({})).await?;
    let long = "w".repeat(250);
    tenant.apply(deployment("", "web", 3)).await?;
    tenant.apply(set(deployment("", "long", 3), "/metadata/name", json!(long))).await?;
    let written = eventually("two budgets of ours", PATIENCE, async || {
        let budgets = tenant.budgets().list(&kube::api::ListParams::default()).await?.items;
        let mut ours: Vec<String> =
            budgets.iter().map(|budget| budget.name_any()).filter(|name| name != OURS).collect();
        ours.sort();
        ensure!(ours.len() == 2, "{ours:?}");
        Ok(ours)
    })
    .await?;
    // FNV-1a of "Deployment/web" and of "Deployment/www...": the same in every build and at every start.
    ensure!(written[0] == format!("{OURS}-916af07b"), "{written:?}");
    ensure!(written[1].len() == 253 && written[1].starts_with(&long[..240]), "{written:?}");
    let untouched = tenant.budgets().get(OURS).await?;
    ensure!(untouched.uid() == taken.uid() && untouched.metadata.generation == Some(1), "{untouched:?}");
    ensure!(untouched.owner_references().is_empty() && untouched.labels().is_empty(), "{untouched:?}");
    Ok(())
}

#[tokio::test]
async fn a_change_of_the_policy_changes_its_budgets_in_place() -> Result<()> {
    let (tenant, before) = settled("in-place").await?;
    let mark = audit().await?.mark()?;
    tenant.govern(json!({ "maxUnavailable": "50%", "unhealthyPodEvictionPolicy": "IfHealthyBudget" })).await?;
    let after = becomes(&tenant, OURS, |budget| max_unavailable(budget).as_deref() == Some("\"50%\"")).await?;
    ensure!(after.uid() == before.uid(), "another object");
    let unhealthy = after.spec.and_then(|spec| spec.unhealthy_pod_eviction_policy);
    ensure!(unhealthy.as_deref() == Some("IfHealthyBudget"), "{unhealthy:?}");
    wrote(&tenant, mark, &["patch web-deployment 200"]).await
}

#[tokio::test]
async fn another_policy_takes_over_in_one_apply() -> Result<()> {
    let (tenant, before) = settled("takeover").await?;
    let mark = audit().await?.mark()?;
    let rival = set(enforce("takeover"), "/metadata/name", json!("takeover-rival"));
    let rival = tenant.apply(set(rival, "/spec/priority", json!(10))).await?;
    let label = |budget: &PodDisruptionBudget| budget.labels().get("holdfast.dev/policy").cloned();
    let after = becomes(&tenant, OURS, |budget| label(budget).as_deref() == Some("takeover-rival")).await?;
    let owners: Vec<_> = after.owner_references().iter().map(|owner| Some(owner.uid.clone())).collect();
    ensure!(owners == [rival.uid()], "{owners:?}");
    ensure!(after.uid() == before.uid(), "another object");
    tenant
        .told(|status| {
            ensure!((status.overruled, status.managed) == (1, 0), "{status:?}");
            let message = status.conditions.iter().map(|condition| condition.message.as_str()).collect::<String>();
            ensure!(message.starts_with("decides for no workload: 1 that it selects"), "{message}");
            Ok(())
        })
        .await?;
    wrote(&tenant, mark, &["patch web-deployment 200"]).await
}

#[tokio::test]
async fn an_edited_budget_is_yielded_at_once_and_untouched_until_deleted() -> Result<()> {
    let (tenant, before) = settled("contested").await?;
    let kubectl = Kubectl::of(&Shared::get().await?.cluster.plane).await?;
    let mark = audit().await?.mark()?;
    let edit = r#"{"spec":{"maxUnavailable":2}}"#;
    kubectl.run(["patch", "pdb", OURS, "--namespace", "contested", "--type=merge", "--patch", edit]).await?;
    tenant
        .told(|status| {
            let found = status.worst.iter().find(|finding| finding.rule == "budget-contested");
            let found = found.with_context(|| format!("{status:?}"))?;
            let place = (found.kind.as_str(), found.name.as_str(), found.severity.as_str());
            ensure!(place == ("PodDisruptionBudget", OURS, "medium"), "{found:?}");
            ensure!(
                found.message
                    == "kubectl-patch changed it, so it is left alone; delete it to have it made anew, or make a budget \
                        of your own and delete this one",
                "{}",
                found.message
            );
            ensure!((status.managed, status.yielded) == (0, 1), "{status:?}");
            Ok(())
        })
        .await?;
    // Neither another wish of the policy nor of the workload touches it.
    tenant.govern(json!({ "maxUnavailable": "34%" })).await?;
    tenant.apply(deployment("", "web", 4)).await?;
    wrote(&tenant, mark, &[]).await?;
    let edited = tenant.budgets().get(OURS).await?;
    ensure!(edited.uid() == before.uid() && max_unavailable(&edited).as_deref() == Some("2"), "{edited:?}");
    tenant.delete(foreign(OURS, "web")).await?;
    let again = becomes(&tenant, OURS, |budget| budget.uid() != before.uid()).await?;
    ensure!(max_unavailable(&again).as_deref() == Some("\"34%\""), "{again:?}");
    tenant
        .told(|status| {
            ensure!(!status.findings.contains_key("budget-contested"), "{status:?}");
            Ok(())
        })
        .await
}

#[tokio::test]
async fn our_label_alone_makes_nothing_ours() -> Result<()> {
    let tenant = Shared::tenant("copied").await?;
    let copy = set(foreign("copy", "web"), "/metadata/labels/app.kubernetes.io~1managed-by", json!("holdfast"));
    let copy = set(copy, "/metadata/labels/holdfast.dev~1policy", json!("copied"));
    let copy = tenant.apply(set(copy, "/metadata/annotations/holdfast.dev~1workload", json!("Deployment/web"))).await?;
    let mark = audit().await?.mark()?;
    tenant.govern(json!({})).await?;
    tenant.apply(deployment("", "web", 3)).await?;
    tenant
        .told(|status| {
            ensure!((status.matched, status.managed, status.yielded) == (1, 0, 1), "{status:?}");
            Ok(())
        })
        .await?;
    // Enforce -> Report withdraws what is ours.
    tenant.govern(json!({ "mode": "Report" })).await?;
    tenant.govern(json!({})).await?;
    wrote(&tenant, mark, &[]).await?;
    let left = tenant.budgets().get("copy").await?;
    ensure!(left.uid() == copy.uid() && left.metadata.generation == Some(1), "{left:?}");
    Ok(())
}

#[tokio::test]
async fn a_second_run_writes_nothing_and_no_write_is_forced() -> Result<()> {
    let cluster = Cluster::start().await?;
    let log = cluster.plane.audit();
    let mark = log.mark()?;
    let first = cluster.controller().await?;
    let tenant = Tenant::move_in(cluster.admin(), "again").await?;
    tenant.govern(json!({ "maxUnavailable": 2 })).await?;
    for replicas in 0..6 {
        tenant.apply(deployment("", &format!("web-{replicas}"), replicas)).await?;
    }
    tenant
        .told(|status| {
            ensure!((status.matched, status.managed, status.findings_total) == (6, 4, 0), "{status:?}");
            Ok(())
        })
        .await?;
    first.terminate(Duration::from_secs(10)).await?;

    let second = cluster.controller().await?;
    // Its only write of a budget is that of the canary: what was there before is judged and left alone.
    tenant.send_canary().await?;
    tenant
        .told(|status| {
            ensure!((status.matched, status.managed) == (7, 5), "{status:?}");
            Ok(())
        })
        .await?;
    eventually("one write of each budget in the audit log", PATIENCE, async || {
        let mut written = our_writes(&log, "again", mark)?;
        written.sort();
        let expected =
            ["canary", "web-2", "web-3", "web-4", "web-5"].map(|name| format!("patch {name}-deployment 201"));
        ensure!(written == expected, "{written:?}");
        Ok(())
    })
    .await?;
    second.terminate(Duration::from_secs(10)).await?;

    let events = log.events()?;
    let ours: Vec<_> = events.iter().filter(|event| event.user == ServiceAccount::USER && event.is_write()).collect();
    let applied = ours.iter().filter(|event| event.uri.contains("fieldManager=holdfast%2Fdisruption")).count();
    ensure!(applied == 5, "{applied} applies of budgets: {ours:#?}");
    let forced: Vec<_> = ours.iter().filter(|event| event.uri.contains("force=true")).collect();
    ensure!(forced.is_empty(), "{forced:#?}");
    Ok(())
}
