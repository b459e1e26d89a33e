//! What the API server accepts of our custom resources, and the sentence with which it refuses the rest.
//!
//! 1. Each rule of both definitions has one object that is just good enough, and bad ones with what a person then reads.
//! 2. Every sample is accepted as it stands.
//! 3. What is left out is filled in.
//!
//! Nothing is kept: each request is a dry run.

mod vault;

use std::panic::Location;

use anyhow::{Context as _, Result, bail, ensure};
use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, join_all};
use holdfast_e2e::{Shared, checkout, set};
use holdfast_testkit::Manifests;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

const ACCEPTED: &str = "accepted";
/// What the API server adds where the schema alone refuses an object.
const UNFINISHED: &str = ", <nil>: Invalid value: null: some validation rules were not checked because the object was \
                          invalid; correct the existing errors to complete validation]";

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

/// Asks the API server to create the object, or to change it, without doing it.
async fn create(client: &Client, object: &Value) -> Result<Result<DynamicObject, String>> {
    let object: DynamicObject = serde_json::from_value(object.clone())?;
    let kind = GroupVersionKind::try_from(object.types.as_ref().context("a kind")?)?;
    let plural = match kind.kind.as_str() {
        "DisruptionPolicy" => "disruptionpolicies",
        "PolicyException" => "policyexceptions",
        "DrainReadiness" => "drainreadinesses",
        "NamespaceSecurityPolicy" => "namespacesecuritypolicies",
        "VaultTransitUnseal" => "vaulttransitunseals",
        other => bail!("{other} isn't ours"),
    };
    let resource = ApiResource::from_gvk_with_plural(&kind, plural);
    let api: Api<DynamicObject> = match object.namespace() {
        Some(_) => Api::namespaced_with(client.clone(), "default", &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    // There is only one DrainReadiness, and the controller may have made it already.
    let asked = match kind.kind.as_str() {
        "DrainReadiness" => {
            let params = PatchParams { dry_run: true, ..PatchParams::apply("admission").force() };
            api.patch(&object.name_any(), &params, &Patch::Apply(&object)).await
        }
        _ => api.create(&PostParams { dry_run: true, ..PostParams::default() }, &object).await,
    };
    match asked {
        Ok(made) => Ok(Ok(made)),
        Err(kube::Error::Api(status)) => Ok(Err(status.message.clone())),
        Err(error) => Err(error.into()),
    }
}

/// What comes after `... is invalid: `, without the brackets around what is followed by [`UNFINISHED`].
fn why(message: &str) -> &str {
    let why = message.split_once(" is invalid: ").map_or(message, |(_, why)| why);
    why.strip_suffix(UNFINISHED).and_then(|why| why.strip_prefix('[')).unwrap_or(why)
}

/// The answer is [`ACCEPTED`], or this.
#[track_caller]
fn check<'a>(client: &'a Client, object: Value, expected: &'a str) -> LocalBoxFuture<'a, Result<()>> {
    let at = Location::caller();
    let ask = async move {
        let answer = match create(client, &object).await? {
            Ok(_) => ACCEPTED.to_owned(),
            Err(message) => why(&message).to_owned(),
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
    const ZERO: &str = "spec: Invalid value: maxUnavailable below 1 would block every drain: write 1 or more, or a percentage such as 25%";
    const SHARE: &str = "spec: Invalid value: maxUnavailable as a percentage goes from 1% to 100%: write for example 25%, or a number of pods such as 1";
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
        check(&client, of(json!(1.5)), r#"spec.maxUnavailable: Invalid value: "number": spec.maxUnavailable in body must be of type integer,string: "number""#),
        check(&client, of(json!(true)), r#"spec.maxUnavailable: Invalid value: "boolean": spec.maxUnavailable in body must be of type integer,string: "boolean""#),
    ])
    .await
}

#[tokio::test]
async fn a_level_policy_names_levels_that_exist_and_can_be_reached() -> Result<()> {
    const SOAK: &str =
        "spec: Invalid value: soak is a time in days, hours, minutes and seconds: write for example 7d, or 1d12h";
    const ABOVE: &str = "spec: Invalid value: floor is stricter than ceiling: nothing is ever raised above the ceiling, so write a floor that it reaches";
    let client = Shared::get().await?.cluster.admin();
    let of = |spec: Value| json!({ "apiVersion": "holdfast.dev/v1alpha1", "kind": "NamespaceSecurityPolicy", "metadata": { "name": "p" }, "spec": spec });
    let soak = |text: &str| of(json!({ "soak": text }));
    all([
        check(&client, of(json!({})), ACCEPTED),
        check(&client, of(json!({ "floor": "privileged", "ceiling": "privileged" })), ACCEPTED),
        check(&client, of(json!({ "floor": "restricted", "ceiling": "restricted" })), ACCEPTED),
        check(&client, of(json!({ "floor": "baseline", "ceiling": "restricted" })), ACCEPTED),
        check(&client, of(json!({ "floor": "restricted" })), ABOVE),
        check(&client, of(json!({ "floor": "baseline", "ceiling": "privileged" })), ABOVE),
        check(
            &client,
            of(json!({ "floor": "strict" })),
            r#"spec.floor: Unsupported value: "strict": supported values: "privileged", "baseline", "restricted""#,
        ),
        check(&client, soak("7d"), ACCEPTED),
        check(&client, soak("1d12h30m15s"), ACCEPTED),
        check(&client, soak("0s"), ACCEPTED),
        check(&client, soak("a week"), SOAK),
        check(&client, soak("1.5h"), SOAK),
        check(&client, soak(""), SOAK),
        check(&client, soak("12h1d"), SOAK),
    ])
    .await
}

#[tokio::test]
async fn a_policy_has_a_name_for_a_label_kinds_and_a_known_mode() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    let named = |length: usize| policy("/metadata/name", json!("p".repeat(length)));
    all([
        check(&client, named(63), ACCEPTED),
        check(&client, named(64), "<nil>: Invalid value: the name becomes a label value: use at most 63 characters"),
        check(&client, policy("/spec/kinds", json!(["StatefulSet"])), ACCEPTED),
        check(&client, policy("/spec/kinds", json!([])), "spec.kinds: Invalid value: 0: spec.kinds in body should have at least 1 items"),
        check(&client, policy("/spec/kinds", json!(["DaemonSet"])), r#"spec.kinds[0]: Unsupported value: "DaemonSet": supported values: "Deployment", "StatefulSet""#),
        check(&client, policy("/spec/mode", json!("Enforce")), ACCEPTED),
        check(&client, policy("/spec/mode", json!("Audit")), r#"spec.mode: Unsupported value: "Audit": supported values: "Report", "Enforce""#),
        check(&client, policy("/spec/priority", json!(-5)), ACCEPTED),
        check(&client, policy("/spec/priority", json!("high")), r#"spec.priority: Invalid value: "string": spec.priority in body must be of type integer: "string""#),
        check(&client, policy("/spec/unhealthyPodEvictionPolicy", json!("IfHealthyBudget")), ACCEPTED),
        check(&client, policy("/spec/unhealthyPodEvictionPolicy", json!("Never")), r#"spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget""#),
    ])
    .await
}

#[tokio::test]
async fn a_selector_can_be_evaluated() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    const NEEDS: &str = r#"spec.namespaceSelector.matchExpressions[0]: Invalid value: In and NotIn need values: write values: ["a", "b"]"#;
    let expression = |expression: Value| policy("/spec/namespaceSelector/matchExpressions", json!([expression]));
    let label = |key: &str, value: &str| policy("/spec/workloadSelector/matchLabels", json!({ key: value }));
    all([
        check(&client, expression(json!({ "key": "a", "operator": "In", "values": ["b"] })), ACCEPTED),
        check(&client, expression(json!({ "key": "a", "operator": "NotIn", "values": ["b", "c"] })), ACCEPTED),
        check(&client, expression(json!({ "key": "a", "operator": "Exists" })), ACCEPTED),
        check(&client, expression(json!({ "key": "a", "operator": "DoesNotExist", "values": [] })), ACCEPTED),
        check(&client, expression(json!({ "key": "a", "operator": "In" })), NEEDS),
        check(&client, expression(json!({ "key": "a", "operator": "NotIn", "values": [] })), NEEDS),
        check(&client, expression(json!({ "key": "a", "operator": "Exists", "values": ["b"] })), "spec.namespaceSelector.matchExpressions[0]: Invalid value: Exists and DoesNotExist take no values: leave values out"),
        check(&client, expression(json!({ "key": "a", "operator": "Gt", "values": ["1"] })), r#"spec.namespaceSelector.matchExpressions[0].operator: Unsupported value: "Gt": supported values: "In", "NotIn", "Exists", "DoesNotExist""#),
        check(&client, expression(json!({ "key": "a" })), "spec.namespaceSelector.matchExpressions[0].operator: Required value"),
        check(&client, expression(json!({ "key": "", "operator": "Exists" })), "spec.namespaceSelector.matchExpressions[0]: Invalid value: a label key is a name such as app, or one behind a domain such as app.kubernetes.io/name"),
        check(&client, expression(json!({ "key": "a b", "operator": "Exists" })), "spec.namespaceSelector.matchExpressions[0]: Invalid value: a label key is a name such as app, or one behind a domain such as app.kubernetes.io/name"),
        check(&client, expression(json!({ "key": "example.com/a", "operator": "Exists" })), ACCEPTED),
        check(&client, expression(json!({ "key": "a", "operator": "In", "values": ["not a value"] })), "spec.namespaceSelector.matchExpressions[0]: Invalid value: a label value has letters, digits, '-', '_' and '.', and begins and ends with a letter or digit"),
        check(&client, label("tier", "front"), ACCEPTED),
        check(&client, label("tier", ""), ACCEPTED),
        check(&client, label("tier", "not a value"), "spec.workloadSelector.matchLabels: Invalid value: a label value has letters, digits, '-', '_' and '.', and begins and ends with a letter or digit"),
        check(&client, label("tier", &"v".repeat(64)), "spec.workloadSelector.matchLabels.tier: Too long: may not be more than 63 bytes"),
        check(&client, label("not a key", "v"), "spec.workloadSelector.matchLabels: Invalid value: a label key is a name such as app, or one behind a domain such as app.kubernetes.io/name"),
    ])
    .await
}

#[tokio::test]
async fn an_exception_says_what_which_why_and_who() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    const TARGET: &str = "spec.target: Invalid value: give either name or selector, not both: a selector without requirements stands for all of the kind";
    let selector = json!({ "matchLabels": { "tier": "batch" } });
    let plain = || exception("/spec/owner", json!("media team"));
    all([
        check(&client, plain(), ACCEPTED),
        check(&client, exception("/spec/target", json!({ "kind": "Deployment", "selector": selector })), ACCEPTED),
        check(&client, exception("/spec/target/selector", selector.clone()), TARGET),
        check(&client, exception("/spec/target", json!({ "kind": "Deployment" })), TARGET),
        check(&client, exception("/spec/target", json!({ "kind": "", "name": "web" })), r#"spec.target.kind: Invalid value: "": spec.target.kind in body should be at least 1 chars long"#),
        check(&client, exception("/spec/rules", json!(["*"])), ACCEPTED),
        check(&client, exception("/spec/rules", json!(["of-a-later-version"])), ACCEPTED),
        check(&client, exception("/spec/rules", json!(["Budget Missing"])), r#"spec: Invalid value: a rule is written by its ID, such as budget-missing; "*" stands for all of them"#),
        check(&client, exception("/spec/rules", json!([])), "spec.rules: Invalid value: 0: spec.rules in body should have at least 1 items"),
        check(&client, exception("/spec/reason", json!("")), r#"spec.reason: Invalid value: "": spec.reason in body should be at least 1 chars long"#),
        check(&client, without(plain(), "/spec/reason"), "spec.reason: Required value"),
        check(&client, exception("/spec/owner", json!("")), r#"spec.owner: Invalid value: "": spec.owner in body should be at least 1 chars long"#),
        check(&client, exception("/spec/expiresAt", json!("2027-06-30T00:00:00Z")), ACCEPTED),
        check(&client, exception("/spec/expiresAt", json!("next summer")), r#"spec.expiresAt: Invalid value: "next summer": spec.expiresAt in body must be of type date-time: "next summer""#),
    ])
    .await
}

#[tokio::test]
async fn every_sample_is_accepted() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    let samples = Manifests::read(&checkout().join("config/samples"))?;
    ensure!(samples.objects().len() == 10, "{} samples", samples.objects().len());
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
