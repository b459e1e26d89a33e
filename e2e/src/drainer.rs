//! A real drain through the Eviction API, by a drainer that isn't kubectl: one that asks each pod once, as tuppr's own does, or one
//! that asks again until its patience is over, as Talos does.
//!
//! What kubectl does as well: the pods are those that are there when it begins; of DaemonSets and of the node itself none is
//! asked; what was let go is waited for. Unlike kubectl it asks again twice a second, so that a story of many waves is
//! short. Absent: cordoning, and deleting what can't be evicted.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use futures::future::{join_all, try_join_all};
use holdfast_testkit::eventually;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, EvictParams, ListParams};
use kube::{Client, ResourceExt as _};
use tokio::time::sleep;

use crate::PATIENCE;

/// How long until it asks again.
const AGAIN: Duration = Duration::from_millis(500);

/// How often a drainer asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Once for each pod, all of them at the same time.
    Once,
    /// Again, for so long.
    For(Duration),
}

/// How a drain ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Who went.
    pub gone: Vec<String>,
    /// Who stayed, and what was answered last.
    pub left: Vec<(String, String)>,
}

/// What the eviction subresource answers.
enum Answer {
    Goes,
    Refused(String),
    /// Nobody ever answers otherwise.
    Never(String),
}

/// Drains a node, of which this is one namespace's pods.
pub async fn drain(client: &Client, namespace: &str, node: &str, asks: Asks) -> Result<Ended> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let began = Instant::now();
    let there = pods.list(&ListParams::default().fields(&format!("spec.nodeName={node}"))).await?;
    let asked = there.iter().filter(|pod| is_drained(pod)).map(async |pod| {
        let name = pod.name_any();
        Ok::<_, anyhow::Error>((pod, name.clone(), ask(&pods, &name, asks, began).await?))
    });
    let mut ended = Ended::default();
    let mut going = Vec::new();
    for asked in join_all(asked).await {
        let (pod, name, answer) = asked?;
        match answer {
            Answer::Goes => {
                going.push(pod);
                ended.gone.push(name);
            }
            Answer::Refused(why) | Answer::Never(why) => ended.left.push((name, why)),
        }
    }
    try_join_all(going.into_iter().map(|pod| is_gone(&pods, pod))).await?;
    ended.gone.sort();
    ended.left.sort();
    Ok(ended)
}

/// Whether a drain is about it: those of DaemonSets and of the node itself stay.
#[must_use]
pub fn is_drained(pod: &Pod) -> bool {
    let owners = pod.owner_references();
    !owners.iter().any(|owner| owner.kind == "DaemonSet" || owner.kind == "Node")
}

async fn ask(pods: &Api<Pod>, name: &str, asks: Asks, began: Instant) -> Result<Answer> {
    loop {
        let answer = evict(pods, name).await?;
        match (&answer, asks) {
            (Answer::Goes | Answer::Never(_), _) | (Answer::Refused(_), Asks::Once) => return Ok(answer),
            (Answer::Refused(_), Asks::For(patience)) if patience < began.elapsed() + AGAIN => return Ok(answer),
            (Answer::Refused(_), Asks::For(_)) => sleep(AGAIN).await,
        }
    }
}

async fn evict(pods: &Api<Pod>, name: &str) -> Result<Answer> {
    match pods.evict(name, &EvictParams::default()).await {
        Ok(_) => Ok(Answer::Goes),
        Err(kube::Error::Api(status)) => match status.code {
            404 => Ok(Answer::Goes),
            429 | 403 => Ok(Answer::Refused(said(&status))),
            500 if status.message.contains("more than one PodDisruptionBudget") => Ok(Answer::Never(said(&status))),
            _ => bail!("evicting {name}: {status:?}"),
        },
        Err(error) => Err(error).with_context(|| format!("evicting {name}")),
    }
}

fn said(status: &kube::core::Status) -> String {
    let mut causes = status.details.iter().flat_map(|details| &details.causes).map(|cause| cause.message.clone());
    causes.next_back().unwrap_or_else(|| status.message.clone())
}

async fn is_gone(pods: &Api<Pod>, pod: &Pod) -> Result<()> {
    let name = pod.name_any();
    eventually(&format!("the end of {name}"), PATIENCE, async || {
        let found = pods.get_opt(&name).await?;
        ensure!(found.is_none_or(|found| found.uid() != pod.uid()), "it is still there");
        Ok(())
    })
    .await
}
