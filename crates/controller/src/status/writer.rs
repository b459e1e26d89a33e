//! Writes statuses: the leader only, at most once a second, and only where something but a time is different. While
//! writes fail they come ever more slowly, and not before the server wants: nobody waits for a status.

use std::sync::Arc;
use std::time::Duration;

use holdfast_api::{DisruptionPolicy, NamespaceSecurityPolicy, PolicyException};
use holdfast_model::{ObjectKey, Text};
use holdfast_policy::{PolicyKind, PolicyRef};
use holdfast_runtime::backoff::Exponential;
use holdfast_runtime::failure::{Class, Failure, said};
use holdfast_runtime::lease::Leadership;
use jiff::Timestamp;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::{Board, Frozen, exception, policy, security};
use crate::access::Concern;
use crate::metrics::{Metrics, Verb};
use crate::permissions::Permissions;
use crate::view::{Known, Readable, View};

/// The field manager of everything under `status`.
pub(crate) const FIELD_MANAGER: &str = "holdfast/status";
/// The concern, as it is written in metrics.
pub(crate) const CONCERN: &str = "status";
/// Statuses are written at most this often.
const PACE: Duration = Duration::from_secs(1);
/// How long after one that failed.
const RETRY: Exponential = Exponential::new(PACE, LONGEST);
/// However long the server asks us to wait, it is asked again after this.
const LONGEST: Duration = Duration::from_secs(15);
/// The first status after a while comes after this, so that it shows what came of the change.
const SETTLE: Duration = Duration::from_millis(200);
/// How long one write may take.
const ANSWER: Duration = Duration::from_secs(5);
/// A view that isn't in step for longer than this is told.
const STALE: Duration = Duration::from_secs(10);

/// What statuses are made from.
pub(crate) struct Writer {
    pub(crate) client: Client,
    pub(crate) view: Arc<View>,
    pub(crate) board: Arc<Board>,
    pub(crate) permissions: Arc<Permissions>,
    pub(crate) leadership: Leadership,
    pub(crate) metrics: Metrics,
    pub(crate) stop: CancellationToken,
}

/// What every status says beside its own object.
#[derive(Debug, Clone)]
pub(super) struct Circumstances {
    /// Why nothing can be decided, when nothing can.
    pub(super) stale: Option<String>,
    /// What is missing to write budgets.
    pub(super) lacking: Vec<String>,
    /// What is missing to write labels.
    pub(super) lacking_labels: Vec<String>,
    /// Withdrawals that the brake holds.
    pub(super) braked: Option<usize>,
    /// Withdrawals of labels that the brake holds.
    pub(super) braked_levels: Option<usize>,
    /// Withdrawals that wait for an upgrade.
    pub(super) frozen: Option<Frozen>,
    pub(super) now: Timestamp,
}

/// A status that has to be written.
#[derive(Debug)]
pub(super) enum Due {
    Policy(Text, Value),
    Security(Text, Value),
    Exception(ObjectKey, Value),
}

/// How a round of writes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// Nothing was due.
    Nothing,
    All,
    /// Some have to be tried again, none before this long.
    NotAll {
        at_least: Duration,
    },
}

impl Written {
    fn failed(self, class: Class) -> Self {
        let asked = match class {
            Class::Wait(wait) => wait,
            Class::Retry | Class::Conflict | Class::Forbidden | Class::Terminal => Duration::ZERO,
        };
        match self {
            Self::NotAll { at_least } => Self::NotAll { at_least: at_least.max(asked) },
            Self::Nothing | Self::All => Self::NotAll { at_least: asked },
        }
    }
}

impl Writer {
    /// Writes until told to stop.
    pub(crate) async fn run(mut self) -> Result<(), std::convert::Infallible> {
        let mut in_step = true;
        let mut failures = 0;
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                () = self.board.wait() => {}
                _ = self.leadership.changed() => {}
                // A view that goes out of step says nothing itself.
                () = sleep(STALE) => {
                    let was_in_step = std::mem::replace(&mut in_step, self.view.is_trusted());
                    if was_in_step && in_step {
                        continue;
                    }
                }
            }
            sleep(SETTLE).await;
            let next = Instant::now() + PACE;
            match self.write_all().await {
                Written::Nothing => {}
                Written::All => {
                    failures = 0;
                    sleep_until(next).await;
                }
                Written::NotAll { at_least } => {
                    let wait = RETRY.wait(failures).clamp(at_least.min(LONGEST), LONGEST);
                    failures = failures.saturating_add(1);
                    tokio::select! {
                        () = self.stop.cancelled() => return Ok(()),
                        () = sleep_until(next + wait) => {}
                    }
                }
            }
        }
    }

    /// Writes what is due.
    async fn write_all(&self) -> Written {
        let due = self.due();
        let mut written = if due.is_empty() { Written::Nothing } else { Written::All };
        for status in due {
            if !self.leadership.is_leader() {
                break;
            }
            let result = timeout(ANSWER, self.write(status)).await;
            let failure = match &result {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some((Failure::of(error), said(error))),
                Err(_) => Some((Failure::Unanswered, "no answer in time".to_owned())),
            };
            self.metrics.wrote(CONCERN, Verb::PatchStatus, failure.as_ref().map(|(failure, _)| failure));
            if let Some((failure, error)) = failure {
                // What is gone meanwhile has no status; everything else is tried again with the next change.
                if failure != Failure::NotFound {
                    tracing::warn!(error, "a status could not be written");
                    self.board.changed();
                    written = written.failed(failure.class());
                }
            }
        }
        written
    }

    fn due(&self) -> Vec<Due> {
        if !self.leadership.is_leader() {
            return Vec::new();
        }
        let Some(circumstances) = self.circumstances() else { return Vec::new() };
        self.view.read(|facts| {
            let policies = facts.policies.disruption.iter().filter_map(|(name, known)| {
                if !self.is_judged(PolicyKind::Disruption, known, &circumstances) {
                    return None;
                }
                let total = self.board.total(&PolicyRef::disruption(name.clone()));
                policy::due(name, known, &total, facts, &circumstances).map(|status| Due::Policy(name.clone(), status))
            });
            let levels = facts.policies.security.iter().filter_map(|(name, known)| {
                if !self.is_judged(PolicyKind::Security, known, &circumstances) {
                    return None;
                }
                let total = self.board.total(&PolicyRef::security(name.clone()));
                let levels = self.board.levels_of(name);
                let status = security::due(name, known, &total, &levels, facts, &circumstances);
                status.map(|status| Due::Security(name.clone(), status))
            });
            let exceptions = facts.policies.exceptions().filter_map(|(key, known)| {
                let excepted = self.board.excepted(&key.namespace, &key.name);
                exception::due(known, excepted, &circumstances).map(|status| Due::Exception(key.clone(), status))
            });
            policies.chain(levels).chain(exceptions).collect()
        })
    }

    /// Whether the numbers are about this form of the policy; what can't be decided at all is told without.
    fn is_judged<P: Readable>(&self, kind: PolicyKind, known: &Known<P>, circumstances: &Circumstances) -> bool {
        match known {
            Known::Decoded { raw, settings: Ok(_) } => {
                circumstances.stale.is_some() || self.board.has_judged(kind, raw.as_ref())
            }
            Known::Decoded { settings: Err(_), .. } | Known::Unreadable { .. } => true,
        }
    }

    /// None while the view is only just out of step.
    fn circumstances(&self) -> Option<Circumstances> {
        let lags = self.view.lags();
        let stale = if lags.is_empty() {
            None
        } else if lags.iter().all(|lag| lag.age < STALE) {
            return None;
        } else {
            let told = lags.iter().map(|lag| match &lag.trouble {
                Some(trouble) => format!("{}: {}", lag.source.as_str(), trouble.message),
                None => lag.source.as_str().to_owned(),
            });
            Some(told.collect::<Vec<_>>().join("; "))
        };
        Some(Circumstances {
            stale,
            lacking: self.permissions.lacking(Concern::Budgets),
            lacking_labels: self.permissions.lacking(Concern::PodSecurity),
            braked: self.board.braked(),
            braked_levels: self.board.braked_levels(),
            frozen: self.board.frozen(),
            now: Timestamp::now(),
        })
    }

    async fn write(&self, due: Due) -> Result<(), kube::Error> {
        let params = PatchParams::apply(FIELD_MANAGER);
        // Untyped, since what can't be read has a status too.
        let policies = |resource: ApiResource| Api::<DynamicObject>::all_with(self.client.clone(), &resource);
        match due {
            Due::Policy(name, status) => {
                let api = policies(ApiResource::erase::<DisruptionPolicy>(&()));
                api.patch_status(&name, &params, &Patch::Apply(status)).await.map(drop)
            }
            Due::Security(name, status) => {
                let api = policies(ApiResource::erase::<NamespaceSecurityPolicy>(&()));
                api.patch_status(&name, &params, &Patch::Apply(status)).await.map(drop)
            }
            Due::Exception(key, status) => {
                let api: Api<PolicyException> = Api::namespaced(self.client.clone(), &key.namespace);
                api.patch_status(&key.name, &params, &Patch::Apply(status)).await.map(drop)
            }
        }
    }
}
