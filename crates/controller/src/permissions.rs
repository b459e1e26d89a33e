//! Whether the roles that write are bound.
//!
//! Asked by SelfSubjectAccessReview when this process becomes the leader and after a refusal, and again only while
//! something is missing, ever more slowly up to once a minute. Until the answer is yes nothing is written, so a missing role
//! is told and never tried.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_runtime::backoff::Exponential;
use holdfast_runtime::lease::Leadership;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::api::{Api, PostParams};
use kube::{Client, Error};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::access::{Concern, TABLE};

/// When a missing permission is asked for again: a role is bound soon after it was found missing, or not for days.
const AGAIN: Exponential = Exponential::new(Duration::from_secs(5), Duration::from_secs(60));
/// How long the answer may take.
const ANSWER: Duration = Duration::from_secs(10);
/// How long to wait when nobody answers.
const RETRY: Duration = Duration::from_secs(2);

/// What is known of our permission to write for a concern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Permitted {
    /// Not asked yet.
    Unknown,
    /// All of it.
    All,
    /// These verbs are missing, each as `verb resource.group`.
    Lacking(Vec<String>),
}

/// What came of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    /// Nothing more has to be asked.
    Settled,
    /// Something is missing.
    Lacking,
    /// Nobody answered.
    None,
}

/// Our permissions, shared by whoever writes and whoever tells.
pub(crate) struct Permissions {
    known: Mutex<BTreeMap<Concern, Permitted>>,
    asked: Notify,
    changed: Notify,
}

impl Permissions {
    /// Budgets are what we are for; what else is written has to be wanted first ([`Permissions::want`]).
    pub(crate) fn new() -> Self {
        let known = Mutex::new(BTreeMap::from([(Concern::Budgets, Permitted::Unknown)]));
        Self { known, asked: Notify::new(), changed: Notify::new() }
    }

    /// What a concern lacks, as `verb resource.group`.
    pub(crate) fn lacking(&self, concern: Concern) -> Vec<String> {
        match self.known.lock().get(&concern) {
            Some(Permitted::Lacking(verbs)) => verbs.clone(),
            Some(Permitted::Unknown | Permitted::All) | None => Vec::new(),
        }
    }

    /// Whether a concern may write.
    pub(crate) fn may_write(&self, concern: Concern) -> bool {
        self.known.lock().get(&concern) == Some(&Permitted::All)
    }

    /// Has a concern asked for, or no longer: nobody is told of a role that nobody wants.
    pub(crate) fn want(&self, concern: Concern, wanted: bool) {
        let mut known = self.known.lock();
        match (wanted, known.contains_key(&concern)) {
            (true, false) => {
                known.insert(concern, Permitted::Unknown);
                self.asked.notify_one();
            }
            (false, true) => drop(known.remove(&concern)),
            (true, true) | (false, false) => {}
        }
    }

    /// Has one asked for again, now: something was refused.
    pub(crate) fn ask(&self, concern: Concern) {
        if let Some(known) = self.known.lock().get_mut(&concern) {
            *known = Permitted::Unknown;
        }
        self.asked.notify_one();
    }

    /// Waits until something else is known.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Asks when this process leads, for as long as the answer isn't yes.
    pub(crate) async fn run(
        &self,
        client: Client,
        mut leadership: Leadership,
        stop: CancellationToken,
    ) -> Result<(), std::convert::Infallible> {
        let mut lacked = 0;
        loop {
            let answer = if leadership.is_leader() { self.learn(&client).await } else { Answer::Settled };
            let wait = match answer {
                Answer::Settled => None,
                Answer::Lacking => Some(AGAIN.wait(lacked)),
                Answer::None => Some(RETRY),
            };
            lacked = if answer == Answer::Settled { 0 } else { lacked.saturating_add(1) };
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                () = self.asked.notified() => {}
                _ = leadership.changed() => {}
                () = after(wait) => {}
            }
        }
    }

    /// Asks once for what isn't known to be permitted.
    async fn learn(&self, client: &Client) -> Answer {
        let open = |(concern, known): (&Concern, &Permitted)| (*known != Permitted::All).then_some(*concern);
        let open: Vec<Concern> = self.known.lock().iter().filter_map(open).collect();
        let mut worst = Answer::Settled;
        for concern in open {
            worst = worst.max(self.learn_of(concern, client).await);
        }
        worst
    }

    async fn learn_of(&self, concern: Concern, client: &Client) -> Answer {
        match timeout(ANSWER, lacking(client, concern)).await {
            Ok(Ok(lacking)) if !lacking.is_empty() => {
                self.learned(concern, Permitted::Lacking(lacking));
                Answer::Lacking
            }
            Ok(Ok(_)) => self.permitted(concern),
            // Whether a review may be asked for is itself a permission; without it the writes tell.
            Ok(Err(Error::Api(status))) if status.code == 403 => self.permitted(concern),
            Ok(Err(error)) => {
                tracing::warn!(%error, "permissions can't be asked for");
                Answer::None
            }
            Err(_) => Answer::None,
        }
    }

    fn permitted(&self, concern: Concern) -> Answer {
        self.learned(concern, Permitted::All);
        Answer::Settled
    }

    fn learned(&self, concern: Concern, permitted: Permitted) {
        let mut known = self.known.lock();
        // Nobody wants it any more.
        let Some(before) = known.get_mut(&concern).filter(|before| **before != permitted) else { return };
        let role = concern.as_str();
        match &permitted {
            Permitted::Lacking(verbs) => tracing::warn!(role, missing = verbs.join(", "), "not permitted to write"),
            Permitted::All | Permitted::Unknown => tracing::debug!(role, "permitted to write"),
        }
        *before = permitted;
        drop(known);
        self.changed.notify_one();
    }
}

async fn after(wait: Option<Duration>) {
    match wait {
        Some(wait) => sleep(wait).await,
        None => std::future::pending().await,
    }
}

async fn lacking(client: &Client, concern: Concern) -> Result<Vec<String>, Error> {
    let mut lacking = Vec::new();
    for access in TABLE.iter().filter(|access| access.concern == concern) {
        for verb in access.verbs {
            if !may(client, verb, access.group, access.resource).await? {
                lacking.push(format!("{verb} {}.{}", access.resource, access.group));
            }
        }
    }
    Ok(lacking)
}

async fn may(client: &Client, verb: &str, group: &str, resource: &str) -> Result<bool, Error> {
    let attributes = ResourceAttributes {
        verb: Some(verb.to_owned()),
        group: Some(group.to_owned()),
        resource: Some(resource.to_owned()),
        ..ResourceAttributes::default()
    };
    let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), non_resource_attributes: None };
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    let answer = Api::<SelfSubjectAccessReview>::all(client.clone()).create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}
