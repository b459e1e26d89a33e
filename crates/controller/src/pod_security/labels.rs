//! A write of the Pod Security labels of a namespace, and the rehearsal before it: the server's warnings are the answer.

use std::collections::BTreeMap;

use holdfast_model::Text;
use holdfast_model::shapes::SECURITY_MANAGER;
use holdfast_policy::pod_security::{Answer, Rehearsal, Step};
use http_body_util::BodyExt as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Patch, PatchParams};
use kube::client::Body;
use kube::core::{Request, Status};
use kube::{Client, Error, Resource as _};
use serde_json::json;

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Executed {
    /// These labels are ours now. Where a rehearsal objected to a withdrawal, what it said.
    Written { labels: BTreeMap<Text, String>, objection: Option<String> },
    /// A rehearsal objects to a raise: nothing was written.
    Objected(String),
    /// The namespace is exempt: nothing was written.
    Exempt,
}

/// Carries out a step: rehearses it where it has to be rehearsed, then writes it.
pub(crate) async fn execute(client: &Client, namespace: &Text, step: &Step) -> Result<Executed, Error> {
    let Step { uid, labels, rehearsal, .. } = step;
    let rehearsed = match rehearsal {
        Rehearsal::None => Answer::Silent,
        Rehearsal::Raise(_) | Rehearsal::Withdraw { .. } => {
            Answer::of(&apply(client, namespace, uid, labels, true).await?)
        }
    };
    let (labels, objection) = match (rehearsed, rehearsal) {
        (Answer::Exempt, Rehearsal::Raise(_)) => return Ok(Executed::Exempt),
        (Answer::Objects(objection), Rehearsal::Raise(_)) => return Ok(Executed::Objected(objection)),
        (Answer::Objects(objection), Rehearsal::Withdraw { otherwise }) => (otherwise, Some(objection)),
        (Answer::Silent | Answer::Exempt | Answer::Objects(_), _) => (labels, None),
    };
    apply(client, namespace, uid, labels, false).await?;
    Ok(Executed::Written { labels: labels.clone(), objection })
}

/// Rehearses labels, and changes nothing.
pub(super) async fn rehearse(
    client: &Client,
    namespace: &Text,
    uid: &str,
    labels: &BTreeMap<Text, String>,
) -> Result<Answer, Error> {
    apply(client, namespace, uid, labels, true).await.map(|warnings| Answer::of(&warnings))
}

/// Makes these the labels of ours, bound to the namespace that was seen; returns what the server warns of.
///
/// Never forced: a label that somebody else owns is answered with a conflict. The UID keeps a namespace from being made
/// again by a late write.
async fn apply(
    client: &Client,
    namespace: &Text,
    uid: &str,
    labels: &BTreeMap<Text, String>,
    rehearse: bool,
) -> Result<Vec<String>, Error> {
    let labels: BTreeMap<&str, &str> = labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let manifest = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": namespace.as_str(), "uid": uid, "labels": labels },
    });
    let params = PatchParams { dry_run: rehearse, ..PatchParams::apply(SECURITY_MANAGER) };
    let request = Request::new(Namespace::url_path(&(), None)).patch(namespace, &params, &Patch::Apply(&manifest));
    let answer = client.send(request.map_err(Error::BuildRequest)?.map(Body::from)).await?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    if !head.status.is_success() {
        let unparsed = || {
            let text = String::from_utf8_lossy(&body).into_owned();
            Status::failure(&text, "Failed to parse error data").with_code(head.status.as_u16())
        };
        let status = serde_json::from_slice(&body).unwrap_or_else(|_| unparsed());
        return Err(Error::Api(Box::new(status)));
    }
    let warnings = head.headers.get_all("warning").iter().filter_map(|value| text(value.to_str().ok()?));
    Ok(warnings.collect())
}

/// The text of a warning: `299 - "text"`, with quotes and backslashes escaped (RFC 7234, section 5.5).
fn text(header: &str) -> Option<String> {
    let (_, rest) = header.split_once('"')?;
    let (mut text, mut characters) = (String::with_capacity(rest.len()), rest.chars());
    loop {
        match characters.next()? {
            '"' => return Some(text),
            '\\' => text.push(characters.next()?),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn a_warning_is_taken_out_of_its_header() {
        let header = r#"299 - "existing pods in namespace \"shop\" violate \\ it""#;
        assert_eq!(text(header).as_deref(), Some(r#"existing pods in namespace "shop" violate \ it"#));
        assert_eq!(text("299 - none"), None);
        assert_eq!(text("299 - \"open"), None);
    }
}
