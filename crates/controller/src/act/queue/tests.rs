//! What waits, in which order, and what a newer plan does to it.

use holdfast_policy::disruption::{Preconditions, Reason};
use tokio::time::{Duration, timeout};

use super::*;

fn withdrawal(namespace: &str, name: &str, reason: Reason) -> Job {
    let seen = Preconditions { uid: "u".into(), version: "1".into() };
    let write = Write::Withdraw { key: ObjectKey::new(namespace, name), workload: None, seen, reason };
    Job { write, since: Instant::now() }
}

fn waits(queue: &Queue, namespace: &str, names: &[&str], reason: Reason) {
    let jobs = names.iter().map(|name| withdrawal(namespace, name, reason)).collect();
    assert_eq!(queue.replace(&namespace.into(), jobs), 0);
}

async fn next(queue: &Queue) -> String {
    let job = timeout(Duration::from_secs(5), queue.next()).await.expect("a job");
    job.write.key().to_string()
}

#[tokio::test]
async fn namespaces_take_turns() {
    let queue = Queue::default();
    waits(&queue, "a", &["1", "2"], Reason::NotWanted);
    waits(&queue, "b", &["1"], Reason::NotWanted);
    assert_eq!([next(&queue).await, next(&queue).await, next(&queue).await], ["a/1", "b/1", "a/2"]);
}

#[tokio::test]
async fn what_ends_an_overlap_goes_first() {
    let queue = Queue::default();
    waits(&queue, "a", &["1"], Reason::NotWanted);
    waits(&queue, "b", &["1"], Reason::Overlap);
    assert_eq!(next(&queue).await, "b/1");
}

#[tokio::test]
async fn a_newer_plan_replaces_what_waits_but_not_what_is_under_way() {
    let queue = Queue::default();
    waits(&queue, "a", &["1", "2"], Reason::NotWanted);
    assert_eq!(next(&queue).await, "a/1");
    waits(&queue, "a", &["3"], Reason::NotWanted);
    assert!(queue.is_under_way(&ObjectKey::new("a", "1")));
    assert_eq!(queue.len(), 2);
    assert_eq!(next(&queue).await, "a/3");
    queue.ended(&ObjectKey::new("a", "1"));
    assert!(!queue.is_under_way(&ObjectKey::new("a", "1")));
    assert_eq!(queue.len(), 1);
}

#[tokio::test]
async fn what_does_not_fit_is_counted() {
    let queue = Queue::default();
    let jobs = (0..=CAPACITY).map(|at| withdrawal("a", &at.to_string(), Reason::NotWanted)).collect();
    assert_eq!(queue.replace(&"a".into(), jobs), 1);
    assert_eq!(queue.replace(&"a".into(), Vec::new()), 0);
    assert_eq!(queue.len(), 0);
}

#[tokio::test]
async fn a_worker_that_waits_is_woken() {
    let queue = std::sync::Arc::new(Queue::default());
    let waiting = tokio::spawn({
        let queue = std::sync::Arc::clone(&queue);
        async move { next(&queue).await }
    });
    tokio::task::yield_now().await;
    waits(&queue, "a", &["1"], Reason::NotWanted);
    assert_eq!(waiting.await.expect("the worker"), "a/1");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_handed_out_while_the_server_wants_to_be_left_alone() {
    let queue = Queue::default();
    waits(&queue, "a", &["1", "2"], Reason::Overlap);
    let since = Instant::now();
    queue.pause(Duration::from_secs(3));
    queue.pause(Duration::from_secs(1));
    assert_eq!(next(&queue).await, "a/1");
    assert_eq!(since.elapsed().as_secs(), 3);
    assert_eq!(next(&queue).await, "a/2");
    assert_eq!(since.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn no_server_can_silence_us_for_ever() {
    let queue = Queue::default();
    waits(&queue, "a", &["1"], Reason::NotWanted);
    let since = Instant::now();
    queue.pause(Duration::from_secs(86_400));
    assert_eq!(queue.next().await.write.key().to_string(), "a/1");
    assert_eq!(since.elapsed(), LONGEST_PAUSE);
}

#[tokio::test(start_paused = true)]
async fn it_is_idle_when_nothing_waits_and_nothing_is_under_way() {
    let queue = Queue::default();
    queue.idle().await;
    waits(&queue, "a", &["1", "2"], Reason::NotWanted);
    let idle = async || timeout(Duration::from_secs(5), queue.idle()).await.is_ok();
    assert!(!idle().await);
    next(&queue).await;
    next(&queue).await;
    assert!(!idle().await);
    queue.ended(&ObjectKey::new("a", "1"));
    let ended = async { queue.ended(&ObjectKey::new("a", "2")) };
    assert!(tokio::join!(idle(), ended).0);
}
