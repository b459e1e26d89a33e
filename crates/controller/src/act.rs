//! Carries writes out: a bounded number at a time, by the leader only, each within its time.
//!
//! A plan replaces what still waits for its namespace, so nothing is written that the newest plan doesn't want. A worker
//! asks right before each request whether this process leads and the view can be trusted. What came of a write goes back
//! to the engine; nothing is retried here, since the next plan knows better. A server that throttles one write is left
//! alone by all writers for as long as it asks: a thousand workloads that wait each by themselves would be a storm.

mod budget;
mod queue;

use std::sync::Arc;
use std::time::Duration;

use holdfast_policy::disruption::Write;
use holdfast_runtime::failure::{Failure, said};
use holdfast_runtime::lease::Leadership;
use kube::Client;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

pub(crate) use budget::Written;
pub(crate) use queue::{Job, Queue};

use crate::metrics::{Metrics, Verb};
use crate::view::View;

/// How many writes are under way at once. API priority and fairness seats about 50 of one account without queueing.
pub(crate) const WRITERS: usize = 24;
/// How long one write may take: a leader that lost its Lease must have stopped writing before another begins.
const ANSWER: Duration = Duration::from_secs(5);
/// The concern, as it is written in metrics.
pub(crate) const CONCERN: &str = "budgets";

/// What came of a job.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) job: Job,
    pub(crate) result: Result<Written, Refusal>,
}

/// Why a job wasn't done.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// We don't lead any more, or the view can't be trusted: nothing was sent, or nobody here waits for what comes of it.
    NotNow,
    /// The API server, or the way to it, failed.
    Failed { failure: Failure, message: String },
}

/// What a worker needs.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) client: Client,
    pub(crate) queue: Arc<Queue>,
    pub(crate) view: Arc<View>,
    pub(crate) leadership: Leadership,
    pub(crate) metrics: Metrics,
    pub(crate) outcomes: mpsc::UnboundedSender<Outcome>,
    pub(crate) stop: CancellationToken,
}

impl Worker {
    /// Works until told to stop; a write that has begun is brought to its end.
    pub(crate) async fn run(self) -> Result<(), std::convert::Infallible> {
        loop {
            let job = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                job = self.queue.next() => job,
            };
            let result = self.carry_out(&job).await;
            // The engine may be gone already when the process stops; then nobody needs to know.
            let _ = self.outcomes.send(Outcome { job, result });
        }
    }

    async fn carry_out(&self, job: &Job) -> Result<Written, Refusal> {
        if !self.leadership.is_leader() || !self.view.is_trusted() {
            return Err(Refusal::NotNow);
        }
        let answer = timeout(ANSWER, budget::execute(&self.client, &job.write)).await;
        // What became of it the next leader sees; it is no failure of ours.
        if !self.leadership.is_leader() && !matches!(answer, Ok(Ok(_))) {
            return Err(Refusal::NotNow);
        }
        let result = match answer {
            Ok(Ok(written)) => Ok(written),
            Ok(Err(error)) => Err((Failure::of(&error), said(&error))),
            Err(_) => Err((Failure::Unanswered, format!("no answer within {} seconds", ANSWER.as_secs()))),
        };
        self.metrics.wrote(CONCERN, verb(&job.write), result.as_ref().err().map(|(failure, _)| failure));
        if result.is_ok() {
            self.metrics.reacted(Instant::now().saturating_duration_since(job.since));
        }
        if let Err((Failure::Throttled(wait), _)) = &result {
            self.queue.pause(*wait);
        }
        result.map_err(|(failure, message)| Refusal::Failed { failure, message })
    }
}

fn verb(write: &Write) -> Verb {
    match write {
        Write::Withdraw { .. } => Verb::Delete,
        Write::Create(_) | Write::Update { .. } => Verb::Apply,
    }
}
