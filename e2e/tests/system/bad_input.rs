//! What is wrong with one object is told on that object, and everything else goes on.
//!
//! 1. What the API server accepts though it can't do what was meant: a policy that selects nothing, an exception from a
//!    rule that doesn't exist, a budget with neither bound, one without a selector.
//! 2. What doesn't decode: an autoscaler with text where a number belongs. Fields that nobody knows are fine.
//! 3. What a newer definition allows: a policy in a mode that this version doesn't know. What it made stays.
//!
//! A budget with both bounds, one whose selector can't be evaluated, and a workload without a selector are refused by the
//! API server itself; what becomes of them in files is for the tests of `policy`.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{DisruptionPolicy, DisruptionPolicyStatus, PolicyException};
use holdfast_e2e::{Cluster, Kubectl, PATIENCE, Shared, Tenant, deployment, enforce, set};
use holdfast_testkit::eventually;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt as _;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use serde_json::{Value, json};

const ONE_OF_3: &str = "web-deployment: maxUnavailable 1, AlwaysAllow; 1 of 3 may go";

/// The condition, as `status reason: message`.
fn condition(conditions: &[Condition], kind: &str) -> Option<String> {
    let found = conditions.iter().find(|condition| condition.type_ == kind)?;
    Some(format!("{} {}: {}", found.status, found.reason, found.message))
}

fn ready(status: &DisruptionPolicyStatus) -> String {
    condition(&status.conditions, "Ready").unwrap_or_default()
}

fn web(replicas: u32) -> Value {
    deployment("", "web", replicas)
}

fn budget(name: &str, spec: Value) -> Value {
    json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": name }, "spec": spec })
}

fn scaled(least: Value) -> Value {
    json!({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": { "name": "web" },
        "spec": { "scaleTargetRef": { "name": "web" }, "minReplicaCount": least, "ofTomorrow": { "depth": [1, "two"] } },
    })
}

#[tokio::test]
async fn a_policy_that_selects_nothing_says_so() -> Result<()> {
    let tenant = Shared::tenant("nothing-selected").await?;
    tenant.apply(web(3)).await?;
    let says = async |spec: Value, begin: &str, end: &str| {
        tenant.govern(spec).await?;
        tenant
            .told(|status| {
                let message = ready(status);
                ensure!(message.starts_with(begin) && message.ends_with(end), "{message}");
                ensure!(status.matched == 0, "{status:?}");
                Ok(())
            })
            .await
    };
    let nowhere = json!({ "namespaceSelector": { "matchExpressions": [
        { "key": "e2e", "operator": "In", "values": ["nothing-selected"] },
        { "key": "e2e", "operator": "DoesNotExist" },
    ] } });
    says(nowhere, "True Succeeded: selects nothing: namespaceSelector matches none of ", " namespaces").await?;
    let nobody = json!({ "workloadSelector": { "matchLabels": { "tier": "misspelt" } } });
    let ending = " namespaces matches workloadSelector and kinds";
    says(nobody, "True Succeeded: selects nothing: none of the workloads in 1 of ", ending).await?;
    tenant.govern(json!({})).await?;
    tenant.shows(&[ONE_OF_3]).await
}

#[tokio::test]
async fn an_exception_from_a_rule_that_does_not_exist_says_so() -> Result<()> {
    let tenant = Shared::tenant("no-such-rule").await?;
    tenant.govern(json!({})).await?;
    let target = json!({ "kind": "Deployment", "name": "web" });
    let spec = json!({ "target": target, "rules": ["budget-mising", "singleton"], "reason": "a typo", "owner": "us" });
    tenant
        .apply(json!({
            "apiVersion": "holdfast.dev/v1alpha1", "kind": "PolicyException", "metadata": { "name": "typo" }, "spec": spec,
        }))
        .await?;
    tenant.apply(web(3)).await?;
    let exceptions: Api<PolicyException> = Api::namespaced(tenant.client.clone(), &tenant.name);
    eventually("the status of the exception", PATIENCE, async || {
        let status = exceptions.get("typo").await?.status.context("no status")?;
        let told = condition(&status.conditions, "Ready");
        let expected = "True Succeeded: covers no finding at present; no such rule: budget-mising";
        ensure!(told.as_deref() == Some(expected), "{told:?}");
        Ok(())
    })
    .await?;
    tenant.shows(&[ONE_OF_3]).await
}

#[tokio::test]
async fn an_autoscaler_that_does_not_decode_is_told_and_stops_nothing() -> Result<()> {
    const UNREADABLE: &str = "object-unreadable (medium) on ScaledObject web: invalid type: string \"three\"";
    const OTHER: &str = "api-deployment: maxUnavailable 50%, AlwaysAllow; 2 of 4 may go";
    let tenant = Shared::tenant("unreadable").await?;
    tenant.govern(json!({ "maxUnavailable": "50%" })).await?;
    // With fields that nobody knows it is read like any other.
    tenant.apply(scaled(json!(2))).await?;
    tenant.apply(web(3)).await?;
    tenant.shows(&["web-deployment: maxUnavailable 50%, AlwaysAllow; 2 of 3 may go"]).await?;

    tenant.apply(scaled(json!("three"))).await?;
    tenant.apply(deployment("", "api", 4)).await?;
    let left = "web-deployment: maxUnavailable 50%, AlwaysAllow; 2 of 3 may go";
    tenant.shows(&[UNREADABLE, OTHER, left]).await?;
    // A reason that is seen needs no autoscaler to be read.
    tenant.apply(web(0)).await?;
    tenant.shows(&[UNREADABLE, OTHER]).await?;

    tenant.apply(web(3)).await?;
    tenant.apply(scaled(json!(1))).await?;
    tenant.shows(&[OTHER, ONE_OF_3]).await
}

#[tokio::test]
async fn a_workload_may_have_fields_that_nobody_knows() -> Result<()> {
    let tenant = Shared::tenant("unknown-fields").await?;
    tenant.govern(json!({})).await?;
    let deployments: Api<DynamicObject> = Api::namespaced_with(
        tenant.client.clone(),
        &tenant.name,
        &ApiResource::erase::<k8s_openapi::api::apps::v1::Deployment>(&()),
    );
    let ahead = set(set(web(3), "/metadata/namespace", json!(tenant.name)), "/spec/ofTomorrow", json!({ "depth": 1 }));
    let ahead = set(ahead, "/metadata/annotations/of.example.com~1tomorrow", json!("\u{1F680} not, a: selector"));
    deployments.create(&PostParams::default(), &serde_json::from_value(ahead)?).await?;
    tenant.shows(&[ONE_OF_3]).await
}

#[tokio::test]
async fn a_budget_that_says_nothing_is_told_and_taken_for_what_it_is() -> Result<()> {
    let tenant = Shared::tenant("bare-budgets").await?;
    tenant.govern(json!({})).await?;
    let selecting = |app: &str| json!({ "selector": { "matchLabels": { "app": app } } });
    tenant.apply(budget("neither", selecting("api"))).await?;
    tenant.apply(budget("unselecting", json!({ "maxUnavailable": 1 }))).await?;
    tenant.apply(deployment("", "api", 2)).await?;
    tenant.apply(web(3)).await?;
    // The one without a bound blocks its pods like any other; the one without a selector is in nobody's way.
    tenant
        .shows(&[
            "neither (theirs)",
            "drain-blocked (critical) on PodDisruptionBudget neither: neither minAvailable nor maxUnavailable",
            "unselecting (theirs)",
            "budget-matches-nothing (low) on PodDisruptionBudget unselecting: no selector",
            "1 yielded",
            ONE_OF_3,
        ])
        .await?;
    // The finding is no exaggeration.
    let neither = tenant.budget("neither").await?;
    let answer = eventually("the Eviction API to have a pod to judge", PATIENCE, async || {
        let answer = tenant.evict_one_of(&neither).await?;
        ensure!(answer.code == 429, "{answer:?}");
        Ok(answer)
    })
    .await?;
    ensure!(answer.reason == "TooManyRequests", "{answer:?}");
    tenant.apply(set(budget("neither", selecting("api")), "/spec/maxUnavailable", json!(1))).await?;
    tenant
        .told(|status| {
            ensure!(!status.findings.contains_key("drain-blocked"), "{status:?}");
            Ok(())
        })
        .await
}

#[tokio::test]
async fn the_rest_is_refused_by_the_api_server_itself() -> Result<()> {
    let tenant = Shared::tenant("refused").await?;
    let selecting = |value: &str| json!({ "matchLabels": { "app": value } });
    let refused = async |object: Value, field: &str| {
        let answer = tenant.apply(object).await.err().context("accepted")?;
        ensure!(format!("{answer:#}").contains(&format!("is invalid: {field}")), "{answer:#}");
        anyhow::Ok(())
    };
    let both = json!({ "minAvailable": 1, "maxUnavailable": 1, "selector": selecting("web") });
    refused(budget("both", both), "spec: Invalid value").await?;
    let unparsable = json!({ "maxUnavailable": 1, "selector": selecting("not a value") });
    refused(budget("unparsable", unparsable), "spec.selector.matchLabels: Invalid value").await?;
    refused(set(web(3), "/spec/selector", json!({})), "spec.selector: Invalid value").await
}

/// The definition as a newer version would have it.
async fn allow_mode(cluster: &Cluster, mode: &str) -> Result<()> {
    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/mode/enum/-";
    let patch = json!([{ "op": "add", "path": path, "value": mode }]).to_string();
    let kubectl = Kubectl::of(&cluster.plane).await?;
    kubectl.run(["patch", "crd", "disruptionpolicies.holdfast.dev", "--type=json", "--patch", &patch]).await?;
    Ok(())
}

/// The policy as it is, whatever its mode.
async fn raw_status(tenant: &Tenant, policy: &str) -> Result<DisruptionPolicyStatus> {
    let resource = ApiResource::erase::<DisruptionPolicy>(&());
    let api: Api<DynamicObject> = Api::all_with(tenant.client.clone(), &resource);
    Ok(serde_json::from_value(api.get(policy).await?.data["status"].clone())?)
}

#[tokio::test]
async fn a_policy_of_a_newer_definition_keeps_what_it_made_and_the_others_go_on() -> Result<()> {
    let cluster = Cluster::start().await?;
    let controller = cluster.controller().await?;
    let (newer, other) =
        (Tenant::move_in(cluster.admin(), "newer").await?, Tenant::move_in(cluster.admin(), "other").await?);
    for tenant in [&newer, &other] {
        tenant.govern(json!({})).await?;
        tenant.apply(web(3)).await?;
        tenant.shows(&[ONE_OF_3]).await?;
    }
    let before = newer.budget("web-deployment").await?;

    allow_mode(&cluster, "Audit").await?;
    let audit = set(enforce("newer"), "/spec/mode", json!("Audit"));
    // The API server takes up a changed definition a little later.
    eventually("the newer mode to be accepted", PATIENCE, async || newer.apply(audit.clone()).await).await?;
    eventually("the status to say that it can't be read", PATIENCE, async || {
        let status = raw_status(&newer, "newer").await?;
        let told = ready(&status);
        ensure!(told.starts_with("False InvalidSpec: ") && told.contains("unknown variant `Audit`"), "{told}");
        let stalled = condition(&status.conditions, "Stalled").unwrap_or_default();
        ensure!(stalled.starts_with("True InvalidSpec: what it made stays as it is"), "{stalled}");
        Ok(())
    })
    .await?;

    // The other policy goes on, in its own namespace and after a restart too; what the newer one made stays.
    other.apply(deployment("", "api", 2)).await?;
    let api = "api-deployment: maxUnavailable 1, AlwaysAllow; 1 of 2 may go";
    other.shows(&[ONE_OF_3, api]).await?;
    controller.terminate(Duration::from_secs(10)).await?;
    let controller = cluster.controller().await?;
    other.apply(deployment("", "api", 0)).await?;
    other.shows(&[ONE_OF_3]).await?;
    let left = newer.budgets().get("web-deployment").await?;
    ensure!(left.uid() == before.uid() && left.metadata.generation == before.metadata.generation, "{left:?}");

    newer.govern(json!({ "maxUnavailable": 2 })).await?;
    newer.shows(&["web-deployment: maxUnavailable 2, AlwaysAllow; 2 of 3 may go"]).await?;
    newer
        .told(|status| {
            ensure!(condition(&status.conditions, "Stalled").is_none(), "{status:?}");
            Ok(())
        })
        .await?;
    controller.terminate(Duration::from_secs(10)).await?;
    Ok(())
}
