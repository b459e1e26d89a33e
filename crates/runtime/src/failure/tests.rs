//! Answers of a real API server (1.35), and what is made of them.

use rstest::rstest;
use serde_json::json;

use super::*;

fn status(value: serde_json::Value) -> kube::Error {
    kube::Error::Api(serde_json::from_value(value).unwrap())
}

#[track_caller]
fn check(error: &kube::Error, reason: &str, class: Class) {
    let failure = Failure::of(error);
    assert_eq!((failure.reason(), failure.class()), (reason, class), "{error}");
    assert!(Failure::REASONS.contains(&failure.reason()));
}

const SECOND: Duration = Duration::from_secs(1);

#[rstest]
#[case::flow_control(json!({"code": 429, "message": "Too many requests, please try again later.", "reason": "Failed to parse error data"}), "throttled", Class::Wait(SECOND))]
#[case::with_a_time(json!({"code": 429, "reason": "TooManyRequests", "details": {"retryAfterSeconds": 10}}), "throttled", Class::Wait(SECOND * 10))]
#[case::already_there(json!({"code": 409, "reason": "AlreadyExists", "message": "poddisruptionbudgets.policy \"a\" already exists"}), "exists", Class::Conflict)]
#[case::stale(json!({"code": 409, "reason": "Conflict", "message": "Operation cannot be fulfilled on poddisruptionbudgets.policy \"a\": the object has been modified"}), "changed", Class::Conflict)]
#[case::another_uid(json!({"code": 409, "reason": "Conflict", "message": "uid mismatch: the provided object specified uid abc, and no existing object was found"}), "changed", Class::Conflict)]
#[case::contested(json!({"code": 409, "reason": "Conflict", "details": {"causes": [{"reason": "FieldManagerConflict", "message": "conflict with \"kubectl-patch\" using policy/v1", "field": ".spec.maxUnavailable"}]}}), "field-owned", Class::Conflict)]
#[case::rbac(json!({"code": 403, "reason": "Forbidden", "message": "poddisruptionbudgets.policy \"a\" is forbidden: User \"u\" cannot patch resource \"poddisruptionbudgets\" in API group \"policy\" in the namespace \"n\""}), "not-permitted", Class::Forbidden)]
#[case::terminating(json!({"code": 403, "reason": "Forbidden", "message": "unable to create new content in namespace e9 because it is being terminated", "details": {"causes": [{"reason": "NamespaceTerminating", "message": "namespace e9 is being terminated", "field": "metadata.namespace"}]}}), "namespace-terminating", Class::Terminal)]
#[case::quota(json!({"code": 403, "reason": "Forbidden", "message": "poddisruptionbudgets.policy \"a\" is forbidden: exceeded quota: q"}), "quota-exceeded", Class::Wait(SECOND * 30))]
#[case::admission(json!({"code": 403, "reason": "Forbidden", "message": "ValidatingAdmissionPolicy 'x' with binding 'y' denied request: no"}), "denied", Class::Terminal)]
#[case::absent(json!({"code": 404, "reason": "NotFound"}), "not-found", Class::Terminal)]
#[case::no_such_path(json!({"code": 404, "message": "404 page not found", "reason": "Failed to parse error data"}), "not-found", Class::Terminal)]
#[case::invalid(json!({"code": 422, "reason": "Invalid", "message": "minAvailable and maxUnavailable cannot be both set"}), "invalid", Class::Terminal)]
#[case::bad_request(json!({"code": 400, "reason": "BadRequest"}), "invalid", Class::Terminal)]
#[case::unknown_field(json!({"code": 500, "message": "failed to create typed patch object (...): .spec.x: field not declared in schema"}), "invalid", Class::Terminal)]
#[case::internal(json!({"code": 500, "reason": "InternalError"}), "server", Class::Retry)]
#[case::unavailable(json!({"code": 503, "message": "apiserver is shutting down"}), "server", Class::Retry)]
#[case::server_timeout(json!({"code": 504, "reason": "Timeout"}), "server", Class::Retry)]
#[case::without_a_code(json!({"message": "?"}), "server", Class::Retry)]
#[case::unauthorized(json!({"code": 401, "reason": "Unauthorized"}), "unauthorized", Class::Wait(SECOND * 30))]
fn answers(#[case] answer: serde_json::Value, #[case] reason: &str, #[case] class: Class) {
    check(&status(answer), reason, class);
}

#[test]
fn no_answer_is_tried_again() {
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    check(&kube::Error::Service(refused.into()), "unanswered", Class::Retry);
    let cut = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    check(&kube::Error::ReadEvents(cut), "unanswered", Class::Retry);
    let html = serde_json::from_str::<()>("<html>").unwrap_err();
    check(&kube::Error::SerdeError(html), "unanswered", Class::Retry);
}

#[test]
fn an_error_is_said_in_one_line_with_its_causes() {
    let answer = status(json!({"code": 404, "reason": "NotFound", "message": "pods \"a\" not found"}));
    assert_eq!(said(&answer), "pods \"a\" not found");
    let cut = std::io::Error::other(std::io::Error::other("reset by peer"));
    let error = kube::Error::Service(Box::new(cut));
    assert_eq!(said(&error), "ServiceError: reset by peer");
    let nested = kube::core::request::Error::Validation("no name".into());
    let error = kube::Error::BuildRequest(nested);
    let text = "Failed to build request: failed to validate request: no name";
    assert_eq!(said(&error), text);
}

#[test]
fn a_request_that_was_never_sent_is_not_repeated() {
    let error = kube::core::request::Error::Validation("no name".into());
    check(&kube::Error::BuildRequest(error), "invalid", Class::Terminal);
    check(&kube::Error::TlsRequired, "invalid", Class::Terminal);
}

#[test]
fn a_contested_field_names_its_manager() {
    let error = status(json!({"code": 409, "details": {"causes": [
        {"reason": "FieldManagerConflict", "message": "conflict with \"kubectl-patch\" using policy/v1", "field": ".spec.maxUnavailable"},
        {"reason": "FieldManagerConflict", "message": "conflict with \"helm\"", "field": ".spec.selector"},
    ]}}));
    let owner = |manager: &str, field: &str| Contested { manager: manager.into(), field: field.into() };
    let both = vec![owner("kubectl-patch", ".spec.maxUnavailable"), owner("helm", ".spec.selector")];
    assert_eq!(Failure::of(&error), Failure::FieldOwned(both));
}

#[rstest]
#[case::namespaced(
    r#"poddisruptionbudgets.policy "a" is forbidden: User "system:serviceaccount:h:h" cannot patch resource "poddisruptionbudgets" in API group "policy" in the namespace "shop""#,
    Some("patch poddisruptionbudgets.policy in namespace shop")
)]
#[case::cluster_wide(
    r#"pods is forbidden: User "u" cannot list resource "pods" in API group "" at the cluster scope"#,
    Some("list pods")
)]
#[case::subresource(
    r#"x "a" is forbidden: User "u" cannot patch resource "disruptionpolicies/status" in API group "holdfast.dev" at the cluster scope: RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found"#,
    Some("patch disruptionpolicies/status.holdfast.dev")
)]
#[case::a_sentence_of_somebody_else("admission webhook \"x\" denied the request: you cannot do this", None)]
fn permissions(#[case] message: &str, #[case] expected: Option<&str>) {
    let permission = Permission::parse(message).map(|permission| permission.to_string());
    assert_eq!(permission.as_deref(), expected);
}
