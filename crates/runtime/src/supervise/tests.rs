//! How tasks end, and what becomes of the others.

use std::{
    future::pending,
    io,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
};

use tokio::time::{Instant, sleep};

use super::*;

const GRACE: Duration = Duration::from_secs(20);

struct Fixture {
    supervisor: Supervisor,
    stop: CancellationToken,
    ended: Arc<AtomicBool>,
}

/// A supervisor with one task that takes five seconds to stop.
fn fixture() -> Fixture {
    let stop = CancellationToken::new();
    let mut supervisor = Supervisor::new(stop.clone());
    let ended = Arc::new(AtomicBool::new(false));
    let (told, done) = (stop.clone(), Arc::clone(&ended));
    supervisor.spawn("steady", async move {
        told.cancelled().await;
        sleep(Duration::from_secs(5)).await;
        done.store(true, SeqCst);
        Ok::<(), io::Error>(())
    });
    Fixture { supervisor, stop, ended }
}

/// Runs with one task more, and returns how that ended.
async fn check(task: impl Future<Output = Result<(), io::Error>> + Send + 'static, expected: &str) -> TaskEnded {
    let Fixture { mut supervisor, ended, .. } = fixture();
    let liveness = supervisor.liveness();
    supervisor.spawn("odd", task);
    let error = supervisor.run(GRACE).await.unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert_eq!(liveness.ended(), Some("odd"));
    assert!(ended.load(SeqCst), "the others were waited for");
    error
}

#[tokio::test(start_paused = true)]
async fn an_end_ends_all() {
    check(async { Ok(()) }, "task odd ended unexpectedly").await;
}

#[tokio::test(start_paused = true)]
async fn an_error_ends_all_and_is_told() {
    let error = check(async { Err(io::Error::other("disk full")) }, "task odd failed").await;
    assert_eq!(error.source().unwrap().to_string(), "disk full");
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_all_and_its_message_is_kept_back() {
    let task = async { std::panic::panic_any("s.secret-token".to_owned()) };
    let error = check(task, "task odd panicked").await;
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn tasks_get_the_grace_time_to_stop() {
    let Fixture { supervisor, stop, ended } = fixture();
    let liveness = supervisor.liveness();
    stop.cancel();
    supervisor.run(GRACE).await.unwrap();
    assert!(ended.load(SeqCst));
    assert_eq!(liveness.ended(), None);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_stop_is_dropped_after_the_grace_time() {
    let Fixture { mut supervisor, stop, ended } = fixture();
    supervisor.spawn("stuck", pending::<Result<(), io::Error>>());
    let since = Instant::now();
    stop.cancel();
    supervisor.run(GRACE).await.unwrap();
    assert_eq!(since.elapsed().as_secs(), GRACE.as_secs());
    assert!(ended.load(SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_while_stopping_is_no_failure_of_the_process() {
    let Fixture { mut supervisor, stop, .. } = fixture();
    let told = stop.clone();
    supervisor.spawn("odd", async move {
        told.cancelled().await;
        Err::<(), _>(io::Error::other("cut off"))
    });
    let (run, ()) = tokio::join!(supervisor.run(GRACE), async { stop.cancel() });
    run.unwrap();
}
