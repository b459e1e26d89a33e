//! What the eviction subresource answers, ours and the API server's in the same words, and whether they agree.
//!
//! Asked with `dryRun: All`, so nothing changes. The words are the HTTP status, the budget and the reason in our terms with
//! its numbers: of the API server's answer that is read from the message of the cause, which alone tells the cases apart.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use holdfast_model::Cluster;
use holdfast_policy::eviction::{Answer, Objection, Refusal, answer};
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, EvictParams};
use kube::core::Status;

/// So many questions at a time.
const AT_ONCE: usize = 24;
const SEVERAL: &str = "This pod has more than one PodDisruptionBudget";

/// How many answers of each kind there were, and those that aren't the same.
#[derive(Debug, Default)]
pub struct Comparison {
    /// By our code and reason.
    pub counts: BTreeMap<String, usize>,
    /// One line each.
    pub disagreements: Vec<String>,
}

impl Comparison {
    /// Asks for every pod of the namespaces that begin like this, and compares with what is worked out from the facts.
    pub async fn of(client: &Client, cluster: &Cluster, prefix: &str) -> Result<Self> {
        let views = cluster.namespace_names().filter(|name| name.starts_with(prefix));
        let views = views.filter_map(|name| cluster.namespace(name));
        let questions: Vec<_> = views
            .flat_map(|view| {
                view.pods().map(move |(name, pod)| {
                    let ours = answer(view, pod);
                    (view.name().to_string(), name.to_string(), kind(&ours), words(&ours))
                })
            })
            .collect();
        let asked = stream::iter(questions).map(|(namespace, pod, kind, ours)| async move {
            let theirs = ask(client, &namespace, &pod).await.with_context(|| format!("pod {namespace}/{pod}"))?;
            let differs =
                (ours != theirs).then(|| format!("{namespace}/{pod}: ours \"{ours}\", the server's \"{theirs}\""));
            anyhow::Ok((kind, differs))
        });
        let answers: Vec<_> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        let mut comparison = Self::default();
        for (kind, differs) in answers {
            *comparison.counts.entry(kind).or_default() += 1;
            comparison.disagreements.extend(differs);
        }
        comparison.disagreements.sort();
        Ok(comparison)
    }

    /// How many pods were asked for.
    #[must_use]
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pods, {} disagreements: {:?}", self.total(), self.disagreements.len(), self.counts)
    }
}

fn kind(answer: &Answer<'_>) -> String {
    let reason = match answer {
        Answer::Allowed(grant) => grant.reason(),
        Answer::Refused(Refusal::SeveralBudgets(_)) => "SeveralBudgets",
        Answer::Refused(Refusal::Budget(_, objection)) => objection.reason(),
    };
    format!("{} {reason}", answer.code())
}

fn words(answer: &Answer<'_>) -> String {
    let code = answer.code();
    match answer {
        // The API server doesn't say why a pod may go.
        Answer::Allowed(_) => code.to_string(),
        Answer::Refused(Refusal::SeveralBudgets(_)) => format!("{code} SeveralBudgets"),
        Answer::Refused(Refusal::Budget(name, objection)) => {
            let more = match objection {
                Objection::SyncFailed(why) => format!(": {why}"),
                Objection::NoneLeft { needs, has } => format!(": {needs} {has}"),
                Objection::NotObserved
                | Objection::Negative
                | Objection::TooManyUnconfirmed
                | Objection::CountsNone => String::new(),
            };
            format!("{code} {name} {}{more}", objection.reason())
        }
    }
}

async fn ask(client: &Client, namespace: &str, pod: &str) -> Result<String> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let mut only_asked = EvictParams::default();
    only_asked.post_options.dry_run = true;
    match pods.evict(pod, &only_asked).await {
        Ok(status) => Ok(status.code.to_string()),
        Err(kube::Error::Api(status)) => read(&status).with_context(|| format!("{status:?}")),
        Err(error) => Err(error.into()),
    }
}

fn read(status: &Status) -> Result<String> {
    let code = status.code;
    let details = status.details.as_ref();
    match code {
        500 if status.message.starts_with(SEVERAL) => Ok(format!("{code} SeveralBudgets")),
        429 => {
            let causes = details.map(|details| details.causes.as_slice()).unwrap_or_default();
            let [cause] = causes else { bail!("{} causes", causes.len()) };
            let said = cause.message.strip_prefix("The disruption budget ").context("another cause")?;
            let (budget, said) = said.split_once(' ').context("no budget")?;
            Ok(format!("{code} {budget} {}", cause_of(said)?))
        }
        403 => {
            let reason = match &status.message {
                said if said.contains("disruptions allowed is negative") => "Negative",
                said if said.contains("DisruptedPods map too big") => "TooManyUnconfirmed",
                _ => bail!("another refusal"),
            };
            let budget = details.map(|details| details.name.as_str()).unwrap_or_default();
            Ok(format!("{code} {budget} {reason}"))
        }
        _ => bail!("another answer"),
    }
}

/// From what follows the name of the budget.
fn cause_of(said: &str) -> Result<String> {
    const NOT_NOW: &str = "does not allow evicting pods currently";
    if said == "is still being processed by the server." {
        return Ok("NotObserved".to_owned());
    }
    if let Some(why) = said.strip_prefix(NOT_NOW).and_then(|rest| rest.strip_prefix(" because it failed sync: ")) {
        return Ok(format!("SyncFailed: {why}"));
    }
    if said.starts_with(NOT_NOW) {
        return Ok("CountsNone".to_owned());
    }
    let numbers = said.strip_prefix("needs ").and_then(|rest| rest.strip_suffix(" currently"));
    let (needs, has) = numbers.and_then(|rest| rest.split_once(" healthy pods and has ")).context("another cause")?;
    Ok(format!("NoneLeft: {needs} {has}"))
}
