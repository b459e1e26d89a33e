//! What the API server accepts of our custom resources, and the sentence with which it refuses the rest.
//!
//! 1. Each rule of both definitions has one object that is just good enough, and bad ones with what a person then reads.
//! 2. Every sample is accepted as it stands.
//! 3. What is left out is filled in.
//!
//! Nothing is kept: each request is a dry run.

use std::panic::Location;

use anyhow::{Context as _, Result, bail, ensure};
use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, join_all};
use holdfast_e2e::{Shared, checkout, set};
use holdfast_testkit::Manifests;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use kube::core::GroupVersionKind;
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

const ACCEPTED: &str = "accepted";

/// A policy with this field of its spec, or with all of them left to their defaults where the pointer is empty.
fn policy(pointer: &str, value: Value) -> Value {
    let bare = json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "DisruptionPolicy", "metadata": { "name": "p" }, "spec": {},
    });
    set(bare, pointer, value)
}

fn exception(pointer: &str, value: Value) -> Value {
    let plain = json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "PolicyException",
        "metadata": { "name": "e", "namespace": "default" },
        "spec": {
            "target": { "kind": "Deployment", "name": "web" },
            "rules": ["budget-missing"], "reason": "a gap at night is fine", "owner": "media team",
        },
    });
    set(plain, pointer, value)
}

fn without(mut object: Value, pointer: &str) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap_or_default();
    if let Some(parent) = object.pointer_mut(parent).and_then(Value::as_object_mut) {
        parent.remove(field);
    }
    object
}

/// Asks the API server to create the object, without doing it.
async fn create(client: &Client, object: &Value) -> Result<Result<DynamicObject, String>> {
    let object: DynamicObject = serde_json::from_value(object.clone())?;
    let kind = GroupVersionKind::try_from(object.types.as_ref().context("a kind")?)?;
    let plural = match kind.kind.as_str() {
        "DisruptionPolicy" => "disruptionpolicies",
        "PolicyException" => "policyexceptions",
        other => bail!("{other} isn't ours"),
    };
    let resource = ApiResource::from_gvk_with_plural(&kind, plural);
    let api: Api<DynamicObject> = match object.namespace() {
        Some(_) => Api::namespaced_with(client.clone(), "default", &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    match api.create(&PostParams { dry_run: true, ..PostParams::default() }, &object).await {
        Ok(made) => Ok(Ok(made)),
        Err(kube::Error::Api(status)) => Ok(Err(status.message.clone())),
        Err(error) => Err(error.into()),
    }
}

/// What comes after `... is invalid: ` in the answer, or [`ACCEPTED`].
#[track_caller]
fn check<'a>(client: &'a Client, object: Value, expected: &'a str) -> LocalBoxFuture<'a, Result<()>> {
    let at = Location::caller();
    let ask = async move {
        let answer = match create(client, &object).await? {
            Ok(_) => ACCEPTED.to_owned(),
            Err(message) => message.split_once(" is invalid: ").map_or(message.as_str(), |(_, why)| why).to_owned(),
        };
        ensure!(answer == expected, "{at}: {object} is answered with\n  {answer}\nnot with\n  {expected}");
        Ok(())
    };
    ask.boxed_local()
}

async fn all(checks: impl IntoIterator<Item = LocalBoxFuture<'_, Result<()>>>) -> Result<()> {
    let failed: Vec<String> =
        join_all(checks).await.into_iter().filter_map(|result| Some(result.err()?.to_string())).collect();
    ensure!(failed.is_empty(), "{}", failed.join("\n\n"));
    Ok(())
}

#[tokio::test]
async fn max_unavailable_never_blocks_and_means_something() -> Result<()> {
    const ZERO: &str = "Z";
    const SHARE: &str = "S";
    let client = Shared::get().await?.cluster.admin();
    let of = |value| policy("/spec/maxUnavailable", value);
    all([
        check(&client, of(json!(1)), ACCEPTED),
        check(&client, of(json!(500)), ACCEPTED),
        check(&client, of(json!("1%")), ACCEPTED),
        check(&client, of(json!("25%")), ACCEPTED),
        check(&client, of(json!("100%")), ACCEPTED),
        check(&client, of(json!(0)), ZERO),
        check(&client, of(json!(-1)), ZERO),
        check(&client, of(json!("0%")), SHARE),
        check(&client, of(json!("101%")), SHARE),
        check(&client, of(json!("150%")), SHARE),
        check(&client, of(json!("2")), SHARE),
        check(&client, of(json!("abc")), SHARE),
        check(&client, of(json!("")), SHARE),
        check(&client, of(json!(1.5)), "float"),
        check(&client, of(json!(true)), "bool"),
    ])
    .await
}

#[tokio::test]
async fn a_policy_has_a_name_for_a_label_kinds_and_a_known_mode() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    let named = |length: usize| policy("/metadata/name", json!("p".repeat(length)));
    all([
        check(&client, named(63), ACCEPTED),
        check(&client, named(64), "x"),
        check(&client, policy("/spec/kinds", json!(["StatefulSet"])), ACCEPTED),
        check(&client, policy("/spec/kinds", json!([])), "x"),
        check(&client, policy("/spec/kinds", json!(["DaemonSet"])), "x"),
        check(&client, policy("/spec/kinds", json!(["Deployment", "Deployment"])), "x"),
        check(&client, policy("/spec/mode", json!("Enforce")), ACCEPTED),
        check(&client, policy("/spec/mode", json!("Audit")), "x"),
        check(&client, policy("/spec/priority", json!(-5)), ACCEPTED),
        check(&client, policy("/spec/priority", json!("high")), "x"),
        check(&client, policy("/spec/unhealthyPodEvictionPolicy", json!("IfHealthyBudget")), ACCEPTED),
        check(&client, policy("/spec/unhealthyPodEvictionPolicy", json!("Never")), "x"),
    ])
    .await
}

#[tokio::test]
async fn a_selector_can_be_evaluated() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    let expression = |expression: Value| policy("/spec/namespaceSelector/matchExpressions", json!([expression]));
    let label = |key: &str, value: &str| policy("/spec/workloadSelector/matchLabels", json!({ key: value }));
    all([
        check(&client, expression(json!({ "key": "a", "operator": "In", "values": ["b"] })), ACCEPTED),
        check(&client, expression(json!({ "key": "a", "operator": "NotIn", "values": ["b", "c"] })), ACCEPTED),
        check(&client, expression(json!({ "key": "a", "operator": "Exists" })), ACCEPTED),
        check(&client, expression(json!({ "key": "a", "operator": "DoesNotExist", "values": [] })), ACCEPTED),
        check(&client, expression(json!({ "key": "a", "operator": "In" })), "x"),
        check(&client, expression(json!({ "key": "a", "operator": "NotIn", "values": [] })), "x"),
        check(&client, expression(json!({ "key": "a", "operator": "Exists", "values": ["b"] })), "x"),
        check(&client, expression(json!({ "key": "a", "operator": "Gt", "values": ["1"] })), "x"),
        check(&client, expression(json!({ "key": "a" })), "x"),
        check(&client, expression(json!({ "key": "", "operator": "Exists" })), "x"),
        check(&client, expression(json!({ "key": "a b", "operator": "Exists" })), "x"),
        check(&client, expression(json!({ "key": "example.com/a", "operator": "Exists" })), ACCEPTED),
        check(&client, expression(json!({ "key": "a", "operator": "In", "values": ["not a value"] })), "x"),
        check(&client, label("tier", "front"), ACCEPTED),
        check(&client, label("tier", ""), ACCEPTED),
        check(&client, label("tier", "not a value"), "x"),
        check(&client, label("tier", &"v".repeat(64)), "x"),
        check(&client, label("not a key", "v"), "x"),
    ])
    .await
}

#[tokio::test]
async fn an_exception_says_what_which_why_and_who() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    let selector = json!({ "matchLabels": { "tier": "batch" } });
    let plain = || exception("/spec/owner", json!("media team"));
    all([
        check(&client, plain(), ACCEPTED),
        check(&client, exception("/spec/target", json!({ "kind": "Deployment", "selector": selector })), ACCEPTED),
        check(&client, exception("/spec/target/selector", selector.clone()), "x"),
        check(&client, exception("/spec/target", json!({ "kind": "Deployment" })), "x"),
        check(&client, exception("/spec/target", json!({ "kind": "", "name": "web" })), "x"),
        check(&client, exception("/spec/rules", json!(["*"])), ACCEPTED),
        check(&client, exception("/spec/rules", json!(["of-a-later-version"])), ACCEPTED),
        check(&client, exception("/spec/rules", json!(["Budget Missing"])), "x"),
        check(&client, exception("/spec/rules", json!([])), "x"),
        check(&client, exception("/spec/reason", json!("")), "x"),
        check(&client, without(plain(), "/spec/reason"), "x"),
        check(&client, exception("/spec/owner", json!("")), "x"),
        check(&client, exception("/spec/expiresAt", json!("2027-06-30T00:00:00Z")), ACCEPTED),
        check(&client, exception("/spec/expiresAt", json!("next summer")), "x"),
    ])
    .await
}

#[tokio::test]
async fn every_sample_is_accepted() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    let samples = Manifests::read(&checkout().join("config/samples"))?;
    ensure!(samples.objects().len() == 5, "{} samples", samples.objects().len());
    for sample in samples.objects() {
        // Their namespaces needn't be there.
        let mut sample = serde_json::to_value(sample)?;
        if sample["metadata"]["namespace"].is_string() {
            sample["metadata"]["namespace"] = json!("default");
        }
        check(&client, sample, ACCEPTED).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_left_out_is_filled_in() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    let made = create(&client, &policy("/spec", json!({}))).await?.map_err(anyhow::Error::msg)?;
    let expected = json!({
        "mode": "Report",
        "priority": 0,
        "kinds": ["Deployment", "StatefulSet"],
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    });
    ensure!(made.data["spec"] == expected, "{:#}", made.data["spec"]);
    Ok(())
}
