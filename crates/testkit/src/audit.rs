//! The API server's audit log: who asked for what, when, and what was answered. It is the judge in tests that count
//! writes or compare permissions with use, because the controller under test can't embellish it.
//!
//! A request is logged once, when it is complete; a watch once, when it begins, since it may never end. What the control
//! plane's own components read isn't logged: nobody asks, and it would bury the rest.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// The users whose reads aren't logged, in the words of the audit policy.
const COMPONENTS: [&str; 4] = ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler", "kwok"];

/// Under which the API server tells tokens of one account apart.
const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

/// The verbs that change something.
const WRITES: [&str; 6] = ["create", "update", "patch", "apply", "delete", "deletecollection"];

/// The audit policy that the module's words describe.
pub(crate) fn policy() -> Value {
    let reads = json!(["get", "list", "watch"]);
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "users": COMPONENTS, "verbs": reads},
            {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"], "verbs": reads},
            {"level": "None", "users": COMPONENTS,
             "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]},
            {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*"]},
            {"level": "Metadata", "verbs": ["watch"], "omitStages": ["ResponseComplete"]},
            {"level": "Metadata", "omitStages": ["ResponseStarted"]},
        ],
    })
}

/// The audit log of one control plane.
#[derive(Debug, Clone)]
pub struct AuditLog {
    file: PathBuf,
}

/// A place in the log; what is written later comes after it. It may fall within a line that is just being written: that
/// event came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(u64);

impl AuditLog {
    /// The log in this file.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// The present end of the log.
    pub fn mark(&self) -> Result<Mark> {
        let metadata = self.file.metadata().with_context(|| format!("looking at {}", self.file.display()))?;
        Ok(Mark(metadata.len()))
    }

    /// Every event so far, in the order in which they were written.
    pub fn events(&self) -> Result<Vec<AuditEvent>> {
        self.since(Mark(0))
    }

    /// Every event that was written after the mark.
    pub fn since(&self, mark: Mark) -> Result<Vec<AuditEvent>> {
        let mut file = File::open(&self.file).with_context(|| format!("opening {}", self.file.display()))?;
        let mut text = String::new();
        // With the byte before the mark, which ends a line unless the mark fell within one.
        file.seek(SeekFrom::Start(mark.0.saturating_sub(1)))?;
        file.read_to_string(&mut text)?;
        let behind = if mark.0 == 0 { &text } else { text.split_once('\n').map_or("", |(_, behind)| behind) };
        parse(behind).with_context(|| format!("reading {}", self.file.display()))
    }

    /// The writes of one user after the mark, dry runs excepted.
    pub fn writes_by(&self, user: &str, mark: Mark) -> Result<Vec<AuditEvent>> {
        let events = self.since(mark)?.into_iter();
        Ok(events.filter(|event| event.user == user && event.is_write()).collect())
    }
}

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` ...
    pub verb: String,
    /// Who asked, such as `system:serviceaccount:holdfast-system:holdfast`.
    pub user: String,
    /// Which of the user's tokens, as `JTI=...`; empty for those that aren't a ServiceAccount's.
    pub credential: String,
    /// With which program.
    pub user_agent: String,
    /// The API group, empty for the core one.
    pub group: String,
    /// The plural of the kind; empty when the path isn't a resource's.
    pub resource: String,
    /// `status`, `eviction` ... or empty.
    pub subresource: String,
    /// Empty for cluster-scoped objects and for requests over all namespaces.
    pub namespace: String,
    /// Empty when the request wasn't about one object by name. A create is logged with the name it sent.
    pub name: String,
    /// The HTTP status that was answered, or 0 when the connection ended before.
    pub code: u16,
    /// When the request came in.
    pub at: Timestamp,
    /// When it was answered; for a watch, when it began.
    pub done: Timestamp,
    /// The path with its query.
    pub uri: String,
}

impl AuditEvent {
    /// Whether it was to change something; a dry run wasn't.
    pub fn is_write(&self) -> bool {
        WRITES.contains(&self.verb.as_str()) && !self.is_dry_run()
    }

    /// Whether it only asked what would happen.
    pub fn is_dry_run(&self) -> bool {
        self.uri.contains("dryRun=All")
    }

    /// Whether it was about this kind of object, `resource.group` or `resource` in the core group.
    pub fn is_about(&self, resource: &str) -> bool {
        let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
        self.resource == resource && self.group == group
    }

    /// Whether it was answered with success.
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.code)
    }
}

/// The last line may still be being written, so only lines that end are read.
fn parse(text: &str) -> Result<Vec<AuditEvent>> {
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    complete
        .lines()
        .map(|line| {
            let event: RawEvent = serde_json::from_str(line).with_context(|| format!("audit event {line}"))?;
            Ok(event.into())
        })
        .collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEvent {
    verb: String,
    user: RawUser,
    #[serde(default)]
    user_agent: String,
    #[serde(default)]
    object_ref: RawObject,
    #[serde(default)]
    response_status: RawStatus,
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
    #[serde(rename = "requestURI")]
    request_uri: String,
}

#[derive(Deserialize)]
struct RawUser {
    /// Absent where the server couldn't tell (401).
    #[serde(default)]
    username: String,
    #[serde(default)]
    extra: BTreeMap<String, Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawObject {
    api_group: String,
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawStatus {
    code: u16,
}

impl From<RawEvent> for AuditEvent {
    fn from(raw: RawEvent) -> Self {
        let credential = raw.user.extra.get(CREDENTIAL).and_then(|values| values.first());
        Self {
            verb: raw.verb,
            credential: credential.cloned().unwrap_or_default(),
            user: raw.user.username,
            user_agent: raw.user_agent,
            group: raw.object_ref.api_group,
            resource: raw.object_ref.resource,
            subresource: raw.object_ref.subresource,
            namespace: raw.object_ref.namespace,
            name: raw.object_ref.name,
            code: raw.response_status.code,
            at: raw.request_received_timestamp,
            done: raw.stage_timestamp,
            uri: raw.request_uri,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = concat!(
        r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"1","stage":"ResponseComplete","#,
        r#""requestURI":"/apis/policy/v1/namespaces/shop/poddisruptionbudgets/web?fieldManager=x","verb":"patch","#,
        r#""user":{"username":"system:serviceaccount:hf:hf","groups":["system:authenticated"]},"sourceIPs":["127.0.0.1"],"#,
        r#""objectRef":{"resource":"poddisruptionbudgets","namespace":"shop","name":"web","apiGroup":"policy"},"#,
        r#""responseStatus":{"metadata":{},"code":201},"requestReceivedTimestamp":"2026-05-01T10:00:00.100000Z","#,
        r#""stageTimestamp":"2026-05-01T10:00:00.250000Z"}"#,
        "\n",
    );

    #[test]
    fn a_write_is_read_with_its_times_and_object() {
        let events = parse(PATCH).unwrap();
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert!(event.is_write() && event.succeeded() && event.is_about("poddisruptionbudgets.policy"));
        assert_eq!((event.namespace.as_str(), event.name.as_str(), event.code), ("shop", "web", 201));
        assert_eq!(event.done.duration_since(event.at).as_millis(), 150);
    }

    #[test]
    fn who_is_not_known_has_no_name() {
        let refused =
            PATCH.replace(r#""username":"system:serviceaccount:hf:hf","groups":["system:authenticated"]"#, "");
        let events = parse(&refused).unwrap();
        assert!(!events.is_empty() && events.iter().all(|event| event.user.is_empty()), "{events:?}");
    }

    #[test]
    fn a_dry_run_is_no_write() {
        let events = parse(&PATCH.replace("fieldManager=x", "dryRun=All")).unwrap();
        assert!(events.iter().all(|event| event.is_dry_run() && !event.is_write()));
    }

    #[test]
    fn a_line_that_is_still_being_written_is_left_for_later() {
        assert_eq!(parse(&format!("{PATCH}{}", &PATCH[..40])).unwrap().len(), 1);
        assert!(parse(&PATCH[..40]).unwrap().is_empty());
    }

    #[test]
    fn a_mark_within_a_line_is_behind_its_event() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let log = AuditLog::new(file.path());
        let write = |text: &str| std::io::Write::write_all(&mut file.as_file(), text.as_bytes()).unwrap();
        let (begun, rest) = PATCH.split_at(40);
        write(begun);
        let mark = log.mark().unwrap();
        assert!(log.since(mark).unwrap().is_empty());
        write(rest);
        assert!(log.since(mark).unwrap().is_empty());
        let whole = log.mark().unwrap();
        write(PATCH);
        assert_eq!(log.since(mark).unwrap().len(), 1);
        assert_eq!(log.since(whole).unwrap().len(), 1);
        assert_eq!(log.events().unwrap().len(), 2);
    }

    #[test]
    fn a_line_that_is_no_event_is_an_error() {
        assert!(parse("{}\n").is_err());
    }
}
