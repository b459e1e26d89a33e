//! Why a request failed, and what that means for the next try.
//!
//! A `Failure` is what the API server (or the way to it) said, parsed once; `class()` is what to do about it, total over
//! all failures. Only the cause, reason and code of an answer are trusted where they exist; messages are parsed for
//! display and where Kubernetes offers nothing else (the missing permission, an unknown field, a quota). Nothing is
//! written here, and nothing is retried here.

use std::{error::Error as _, time::Duration};

use kube::core::response::{Status, StatusDetails};

mod permission;
#[cfg(test)]
mod tests;

pub use permission::Permission;

/// The API server's own flow control asks for one second in a header that is lost on the way to us.
const THROTTLED: Duration = Duration::from_secs(1);
/// A token is rotated, or a quota freed, by somebody else: asking more often only adds load.
const SOMEBODY_ELSE: Duration = Duration::from_secs(30);

/// What to do about a failed write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Try again after the object's own back-off; whether the write happened is unknown.
    Retry,
    /// Try again, but not before this long.
    Wait(Duration),
    /// The object isn't what we thought: plan again from the view.
    Conflict,
    /// We may not: the concern reports, and asks again slowly.
    Forbidden,
    /// The same request will always fail: wait for a change.
    Terminal,
}

/// A field that another manager owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contested {
    /// The other's name; empty when the server doesn't say it.
    pub manager: String,
    /// As the server writes it: `.spec.maxUnavailable`.
    pub field: String,
}

/// Why a write failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// 429, with the time the server asked for.
    Throttled(Duration),
    /// 409: an object of that name is there already.
    Exists,
    /// 409: resourceVersion or uid isn't the one we sent.
    Changed,
    /// 409: another manager owns fields that we would change.
    FieldOwned(Vec<Contested>),
    /// 403 by RBAC.
    NotPermitted(Permission),
    /// 403: the namespace is being deleted and takes nothing new.
    NamespaceTerminating,
    /// 403: a quota is used up.
    QuotaExceeded,
    /// 403 by admission, or in words we don't know.
    Denied,
    /// 401: our token isn't accepted, or we couldn't read it.
    Unauthorized,
    /// 404: the object, its namespace or its kind is gone.
    NotFound,
    /// The request can't be right: 400, 405, 413, 415, 422, an unknown field, or never sent.
    Invalid,
    /// The server failed: 5xx.
    Server,
    /// No whole answer: refused, cut, timed out, unreadable.
    Unanswered,
}

impl Failure {
    /// Of an error that the client returned.
    pub fn of(error: &kube::Error) -> Self {
        use kube::Error;
        match error {
            Error::Api(status) => Self::of_status(status),
            Error::HyperError(_)
            | Error::Service(_)
            | Error::FromUtf8(_)
            | Error::LinesCodecMaxLineLengthExceeded
            | Error::ReadEvents(_)
            | Error::SerdeError(_) => Self::Unanswered,
            Error::Auth(_) => Self::Unauthorized,
            Error::HttpError(_)
            | Error::BuildRequest(_)
            | Error::InferConfig(_)
            | Error::InferKubeconfig(_)
            | Error::Discovery(_)
            | Error::RustlsTls(_)
            | Error::TlsRequired
            | Error::ProxyProtocolUnsupported { .. }
            | Error::ProxyProtocolDisabled { .. } => Self::Invalid,
        }
    }

    /// Of an answer, whether it was a Status or text that the client made one of.
    pub fn of_status(status: &Status) -> Self {
        match status.code {
            401 => Self::Unauthorized,
            403 => Self::forbidden(status),
            404 => Self::NotFound,
            409 => Self::conflict(status),
            429 => Self::Throttled(retry_after(status).unwrap_or(THROTTLED)),
            408 | 410 => Self::Unanswered,
            400..=499 => Self::Invalid,
            // An apply with a field that the schema lacks is answered with 500, however often it is sent.
            500 if status.message.contains("field not declared in schema") => Self::Invalid,
            _ => Self::Server,
        }
    }

    fn forbidden(status: &Status) -> Self {
        if has_cause(status, "NamespaceTerminating") {
            return Self::NamespaceTerminating;
        }
        if let Some(permission) = Permission::parse(&status.message) {
            return Self::NotPermitted(permission);
        }
        if status.message.contains("exceeded quota") {
            return Self::QuotaExceeded;
        }
        Self::Denied
    }

    fn conflict(status: &Status) -> Self {
        let contested: Vec<_> = causes(status, "FieldManagerConflict")
            .map(|cause| Contested {
                manager: quoted(&cause.message).unwrap_or_default().to_owned(),
                field: cause.field.clone(),
            })
            .collect();
        match contested.is_empty() {
            false => Self::FieldOwned(contested),
            true if status.is_already_exists() => Self::Exists,
            true => Self::Changed,
        }
    }

    /// What to do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Throttled(wait) => Class::Wait(*wait),
            Self::Unauthorized | Self::QuotaExceeded => Class::Wait(SOMEBODY_ELSE),
            Self::Exists | Self::Changed | Self::FieldOwned(_) => Class::Conflict,
            Self::NotPermitted(_) => Class::Forbidden,
            Self::NamespaceTerminating | Self::Denied | Self::NotFound | Self::Invalid => Class::Terminal,
            Self::Server | Self::Unanswered => Class::Retry,
        }
    }

    /// The metric label and log field.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Throttled(_) => "throttled",
            Self::Exists => "exists",
            Self::Changed => "changed",
            Self::FieldOwned(_) => "field-owned",
            Self::NotPermitted(_) => "not-permitted",
            Self::NamespaceTerminating => "namespace-terminating",
            Self::QuotaExceeded => "quota-exceeded",
            Self::Denied => "denied",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not-found",
            Self::Invalid => "invalid",
            Self::Server => "server",
            Self::Unanswered => "unanswered",
        }
    }

    /// Every reason there is, for labels that exist from the start.
    pub const REASONS: [&'static str; 13] = [
        "throttled",
        "exists",
        "changed",
        "field-owned",
        "not-permitted",
        "namespace-terminating",
        "quota-exceeded",
        "denied",
        "unauthorized",
        "not-found",
        "invalid",
        "server",
        "unanswered",
    ];
}

/// An error in one line for logs and status: the server's own words, or all causes (kube shows the outermost only, or a
/// whole Status).
pub fn said(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return status.message.clone();
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let next = source.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = source.source();
    }
    text
}

/// The wait that a Status asks for, if it does.
pub fn retry_after(status: &Status) -> Option<Duration> {
    let seconds = status.details.as_ref()?.retry_after_seconds;
    (0 < seconds).then(|| Duration::from_secs(seconds.into()))
}

fn has_cause(status: &Status, reason: &str) -> bool {
    causes(status, reason).next().is_some()
}

fn causes<'a>(status: &'a Status, reason: &'a str) -> impl Iterator<Item = &'a kube::core::response::StatusCause> {
    let details: Option<&StatusDetails> = status.details.as_ref();
    let causes = details.map_or(&[][..], |details| &details.causes[..]);
    causes.iter().filter(move |cause| cause.reason == reason)
}

/// The first text in double quotes.
fn quoted(message: &str) -> Option<&str> {
    message.split('"').nth(1)
}
