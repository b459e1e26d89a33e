//! Every long-running task has a name, and none ends unnoticed.
//!
//! A task that ends, fails or panics before it was told to stop ends the process: a controller without one of its parts
//! looks alive and does nothing. When the process is told to stop, tasks get the grace time to end by themselves; what is
//! left is dropped. Errors name the task, and tell its own error but never a panic's message, which can hold anything.

use std::{collections::HashMap, error::Error, sync::Arc, sync::OnceLock, time::Duration};

use tokio::{
    task::{Id, JoinError, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

#[cfg(test)]
mod tests;

type BoxError = Box<dyn Error + Send + Sync>;

/// A task ended though nobody told it to.
#[derive(Debug, thiserror::Error)]
pub enum TaskEnded {
    /// With success, as if there were nothing more to do.
    #[error("task {0} ended unexpectedly")]
    Early(&'static str),
    /// With an error.
    #[error("task {name} failed")]
    Failed {
        /// As it was started.
        name: &'static str,
        /// What it said.
        #[source]
        source: BoxError,
    },
    /// With a panic, whose message is kept back.
    #[error("task {0} panicked")]
    Panicked(&'static str),
}

/// Whether all supervised tasks still run.
#[derive(Debug, Clone, Default)]
pub struct Liveness(Arc<OnceLock<&'static str>>);

impl Liveness {
    /// The first task that ended though nobody told it to.
    pub fn ended(&self) -> Option<&'static str> {
        self.0.get().copied()
    }
}

/// The tasks of the process.
pub struct Supervisor {
    tasks: JoinSet<Result<(), BoxError>>,
    names: HashMap<Id, &'static str>,
    stop: CancellationToken,
    liveness: Liveness,
}

impl Supervisor {
    /// `stop` tells all tasks to end, from outside or when one has ended.
    pub fn new(stop: CancellationToken) -> Self {
        Self { tasks: JoinSet::new(), names: HashMap::new(), stop, liveness: Liveness::default() }
    }

    /// To ask from elsewhere whether all tasks still run.
    pub fn liveness(&self) -> Liveness {
        self.liveness.clone()
    }

    /// Starts a task, which is to run until the token given to `new` is cancelled.
    pub fn spawn<E: Into<BoxError> + 'static>(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let handle = self.tasks.spawn(async { task.await.map_err(Into::into) });
        self.names.insert(handle.id(), name);
    }

    /// Waits until the process is told to stop, or a task ends; then for the others, for at most `grace`.
    ///
    /// # Errors
    /// The first task that ended though nobody told it to; how tasks end after that, or after `stop`, is only logged.
    pub async fn run(mut self, grace: Duration) -> Result<(), TaskEnded> {
        let stop = self.stop.clone();
        let outcome = tokio::select! {
            biased;
            () = stop.cancelled() => Ok(()),
            ended = self.first_end() => Err(ended),
        };
        stop.cancel();
        if timeout(grace, self.wait_for_rest()).await.is_err() {
            let mut left: Vec<_> = self.names.into_values().collect();
            left.sort_unstable();
            tracing::warn!(tasks = left.join(" "), "tasks are dropped after the grace time");
        }
        outcome
    }

    async fn first_end(&mut self) -> TaskEnded {
        let Some(joined) = self.tasks.join_next_with_id().await else {
            // Without a task there is nothing to lose.
            return std::future::pending().await;
        };
        let (name, ended) = self.end_of(joined);
        // It can only be set here, and once.
        let _ = self.liveness.0.set(name);
        tracing::error!(task = name, error = %ended, "a task ended unexpectedly");
        ended
    }

    /// What fails while stopping is told, and changes nothing.
    async fn wait_for_rest(&mut self) {
        while let Some(joined) = self.tasks.join_next_with_id().await {
            if let (task, ended @ (TaskEnded::Failed { .. } | TaskEnded::Panicked(_))) = self.end_of(joined) {
                tracing::warn!(task, error = %ended, "a task failed while stopping");
            }
        }
    }

    fn end_of(&mut self, joined: Result<(Id, Result<(), BoxError>), JoinError>) -> (&'static str, TaskEnded) {
        let id = joined.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let name = self.names.remove(&id).unwrap_or("unnamed");
        let ended = match joined {
            Ok((_, Ok(()))) => TaskEnded::Early(name),
            Ok((_, Err(source))) => TaskEnded::Failed { name, source },
            Err(_) => TaskEnded::Panicked(name),
        };
        (name, ended)
    }
}
