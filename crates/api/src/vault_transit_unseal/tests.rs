//! What the types say without an API server: defaults, descriptions, bounds, the table of references, conditions.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::{Value, json};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::jiff::Timestamp;

use super::*;
use crate::Change;

fn least() -> Value {
    json!({
        "target": { "statefulSetRef": { "name": "vault" } },
        "seal": { "transit": { "address": "https://a.example.net:8200", "key": "vault-b" } },
        "token": { "secretRef": { "name": "vault-transit-token", "key": "token" } },
    })
}

fn spec(raw: Value) -> VaultTransitUnsealSpec {
    serde_json::from_value(raw).expect("a spec")
}

/// What the API server fills in stands in the schema; what a controller reads from an older object stands in serde. Both
/// come from the same functions, and this is what they say.
#[test]
fn what_is_left_out_has_the_defaults_of_the_documents() {
    let full = serde_json::to_value(spec(least())).expect("json");
    let expected = json!({
        "mode": "Observe",
        "deletionPolicy": "Retain",
        "target": { "statefulSetRef": { "name": "vault" }, "port": 8200, "allowHTTP": false },
        "seal": { "transit": {
            "address": "https://a.example.net:8200", "mount": "transit", "key": "vault-b", "allowHTTP": false,
            "provision": "Verify",
        } },
        "token": {
            "secretRef": { "name": "vault-transit-token", "key": "token" }, "delivery": "Auto", "period": "720h", "renewAt": 50,
        },
        "initialization": { "enabled": false, "allowHTTPInit": false, "shares": 3, "threshold": 2 },
        "restart": { "policy": "WhenStuck", "allowDowntime": false, "bootGrace": "60s" },
        "recovery": { "onApiSeal": "Report", "custody": "Secret" },
        "coldStart": { "surviveOutage": "168h", "transitUnsealsItself": false },
        "timing": { "interval": "5s", "requestTimeout": "10s" },
    });
    assert_eq!(full, expected);
}

#[rstest]
#[case("/token/period", "720h")]
#[case("/restart/bootGrace", "60s")]
#[case("/coldStart/surviveOutage", "168h")]
#[case("/timing/interval", "5s")]
#[case("/timing/requestTimeout", "10s")]
fn every_default_time_can_be_read(#[case] pointer: &str, #[case] expected: &str) {
    let full = serde_json::to_value(spec(least())).expect("json");
    let text = full.pointer(pointer).and_then(Value::as_str).expect("a time");
    assert_eq!(text, expected);
    assert!(parse_duration(text).is_some());
}

#[test]
fn an_admin_logs_in_by_jwt_unless_told_otherwise() {
    let admin: Admin =
        serde_json::from_value(json!({ "serviceAccountRef": { "name": "vault-admin" } })).expect("an admin");
    assert_eq!(admin.login, AdminLogin { jwt: Some(JwtLogin {}), kubernetes: None });
    assert_eq!(
        (&*admin.mount, &*admin.role, &*admin.policy, &*admin.audience),
        ("kubernetes", "admin", "admin", "vault")
    );
}

/// The schema of the spec.
fn schema() -> Value {
    let crd = serde_json::to_value(definition()).expect("json");
    crd.pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec").expect("a spec").clone()
}

/// Every field below this one, with its schema.
fn fields(at: &str, schema: &Value, visit: &mut impl FnMut(&str, &Value)) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        visit(&path, property);
        fields(&path, property, visit);
    }
    if schema["items"].is_object() {
        let path = format!("{at}[]");
        visit(&path, &schema["items"]);
        fields(&path, &schema["items"], visit);
    }
}

/// The rule that is only on names of objects tells which fields are such names, whatever they are called.
#[test]
fn every_field_that_names_an_object_is_in_the_table() {
    let schema = schema();
    let mut named = BTreeSet::new();
    fields("", &schema, &mut |path, property| {
        let rules = property["x-kubernetes-validations"].as_array().into_iter().flatten();
        if rules
            .clone()
            .any(|rule| rule["message"].as_str().is_some_and(|text| text.starts_with("the name of an object")))
        {
            named.insert(path.to_owned());
        }
    });
    let mut table: BTreeSet<String> = REFERENCES.iter().map(|reference| reference.field.to_owned()).collect();
    table.insert("target.statefulSetRef.name".to_owned());
    assert_eq!(named, table);
}

/// A spec in which each field of the table has the field itself as its value.
#[test]
fn each_row_of_the_table_reads_its_own_field() {
    let mut raw = least();
    raw["target"]["tls"] = json!({ "caSecretRef": { "name": "", "key": "ca.crt" } });
    raw["target"]["auth"] = json!({ "serviceAccount": { "name": "", "audience": "b" } });
    raw["seal"]["transit"]["tls"] = json!({ "caSecretRef": { "name": "", "key": "ca.crt" } });
    raw["seal"]["transit"]["auth"] = json!({
        "serviceAccount": { "name": "", "audience": "a" },
        "appRole": { "roleId": "r", "secretIdRef": { "name": "", "key": "id" } },
        "tokenRef": { "name": "", "key": "token" },
    });
    raw["initialization"] = json!({
        "keyStore": { "secretName": "" },
        "admin": {
            "serviceAccountRef": { "name": "" },
            "login": { "kubernetes": { "caSecretRef": { "name": "", "key": "ca.crt" } } },
        },
    });
    for reference in REFERENCES {
        let pointer = format!("/{}", reference.field.replace('.', "/"));
        *raw.pointer_mut(&pointer).expect("a field of the table") = json!(reference.field);
    }
    let spec = spec(raw);
    for reference in REFERENCES {
        assert_eq!(reference.read(&spec), Some(reference.field));
    }
    assert_eq!(spec.names(Named::ServiceAccount).len(), 3);
    assert_eq!(spec.names(Named::Secret).len(), 7);
}

#[test]
fn what_is_named_twice_is_told_once() {
    let mut raw = least();
    raw["target"]["tls"] = json!({ "caSecretRef": { "name": "vault-transit-token", "key": "ca.crt" } });
    assert_eq!(spec(raw).names(Named::Secret), ["vault-transit-token"]);
    assert!(spec(least()).names(Named::ServiceAccount).is_empty());
}

/// `kubectl explain` is the documentation that is always at hand.
#[test]
fn every_field_says_what_it_is_and_every_text_is_bounded() {
    let crd = serde_json::to_value(definition()).expect("json");
    let schema = crd.pointer("/spec/versions/0/schema/openAPIV3Schema").expect("a schema");
    let mut silent = Vec::new();
    for part in ["spec", "status"] {
        fields(part, &schema["properties"][part], &mut |path, property| {
            let foreign = path.starts_with("status.conditions[]") || path.ends_with("[]");
            if !foreign && property["description"].as_str().is_none_or(str::is_empty) {
                silent.push(path.to_owned());
            }
        });
    }
    assert_eq!(silent, Vec::<String>::new(), "without a description");
    let mut unbounded = Vec::new();
    fields("", &schema["properties"]["spec"], &mut |path, property| {
        let bounded = match property["type"].as_str() {
            Some("string") => property["maxLength"].is_u64() || property["enum"].is_array(),
            Some("array") => property["maxItems"].is_u64(),
            _ => true,
        };
        if !bounded {
            unbounded.push(path.to_owned());
        }
    });
    assert_eq!(unbounded, Vec::<String>::new(), "without a bound");
}

/// A newer controller may have written a state that this one doesn't know: the rest of the status is still read.
#[test]
fn a_pod_in_a_state_of_a_later_version_is_unknown() {
    let pod: PodStatus = serde_json::from_value(json!({ "name": "vault-0", "state": "Hibernating" })).expect("a pod");
    assert_eq!(pod.state, PodState::Unknown);
}

#[test]
fn an_empty_status_is_an_empty_object() {
    assert_eq!(serde_json::to_value(VaultTransitUnsealStatus::default()).expect("json"), json!({}));
}

#[rstest]
#[case::nothing_new(Tristate::Unknown, "NoCanary", Change::Unchanged)]
#[case::another_reason(Tristate::Unknown, "TransitHangs", Change::Updated)]
#[case::another_status(Tristate::True, "NoCanary", Change::Transitioned)]
fn a_verdict_may_be_unknown_and_its_time_moves_with_its_status(
    #[case] status: Tristate,
    #[case] reason: &'static str,
    #[case] expected: Change,
) {
    let (begun, now): (Timestamp, Timestamp) =
        ("2026-01-01T00:00:00Z".parse().expect("a time"), "2026-01-02T00:00:00Z".parse().expect("a time"));
    let wanted =
        |status, reason| [WantedCondition { kind: VaultCondition::WouldStart, status, reason, message: String::new() }];
    let (mut before, _) = merge_vault_conditions(&[], &wanted(Tristate::Unknown, "NoCanary"), Some(1), begun);
    before.push(Condition { type_: "Theirs".to_owned(), status: "True".to_owned(), ..before[0].clone() });
    let (after, change) = merge_vault_conditions(&before, &wanted(status, reason), Some(1), now);
    assert_eq!(change, expected);
    assert_eq!((&*after[0].type_, &*after[0].status, &*after[0].reason), ("WouldStart", status.as_str(), reason));
    let moved = if expected == Change::Transitioned { now } else { begun };
    assert_eq!(after[0].last_transition_time.0, moved);
    assert_eq!(after[1], before[1], "another writer's");
}
