//! Two budgets over one pod stop every drain, so ours gives way: at once, in whatever order things happen.
//!
//! 1. Forty workloads in four namespaces. Some have a budget of somebody else already, some get one while the policy starts to
//!    write, some later; some have one that begins to match because it, or the workload's template, changes; one
//!    namespace gets an umbrella over everything. Moments are drawn from a seed, which is printed (`HOLDFAST_SEED`
//!    repeats one).
//! 2. At the end each pod has exactly one budget, and the Eviction API would let it go (once the disruption controller
//!    was reminded of a budget that it forgot meanwhile).
//! 3. By the API server's own clock: no create or patch of ours was asked for more than a second after a matching foreign
//!    budget was acknowledged, and wherever ours was there too, our delete was through within that second.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures::future::try_join_all;
use holdfast_e2e::{PATIENCE, ServiceAccount, Shared, Tenant, deployment};
use holdfast_testkit::{AuditEvent, eventually};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::ResourceExt as _;
use kube::api::{Api, EvictParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

const BUDGETS: &str = "poddisruptionbudgets.policy";
const NAMESPACES: [&str; 4] = ["overlap-a", "overlap-b", "overlap-c", "overlap-umbrella"];
const WORKLOADS: usize = 10;
/// What the issue promises.
const LIMIT: SignedDuration = SignedDuration::from_secs(1);

/// How a foreign budget comes to cover a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// It doesn't.
    Alone,
    /// It is there before the policy.
    Before,
    /// It is created around the time when the policy starts to write.
    During,
    /// It is created after ours was.
    After,
    /// It is there, and its selector is patched to match.
    Widened,
    /// It is there, and the workload's template is patched to have its label.
    Relabelled,
    /// One budget over the whole namespace is created after ours were.
    Umbrella,
}

/// A workload and what will happen to it.
struct Racer {
    tenant: Tenant,
    name: String,
    course: Course,
    /// When, counted from the moment at which the policy is applied.
    delay: Duration,
}

#[tokio::test]
async fn no_overlap_is_begun_late_and_each_ends_within_a_second() -> Result<()> {
    let seed = std::env::var("HOLDFAST_SEED").ok().map(|seed| seed.parse()).transpose()?;
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    say(&format!("HOLDFAST_SEED={seed}"));
    let shared = Shared::get().await?;
    let mark = shared.cluster.plane.audit().mark()?;
    let racers = racers(&mut fastrand::Rng::with_seed(seed), shared.cluster.admin()).await?;
    try_join_all(racers.iter().map(Racer::prepare)).await?;
    let watch = shared.cluster.plane.stopwatch([shared.controller.id()]);
    race(&racers).await?;
    for racer in &racers {
        racer.settles().await.with_context(|| format!("seed {seed}"))?;
    }
    let events = shared.cluster.plane.audit().since(mark)?;
    let (limit, mut lags) = (watch.allows(LIMIT)?, Vec::new());
    for racer in &racers {
        lags.extend(
            racer.judge(&events, limit).with_context(|| format!("seed {seed}, {:?} {}", racer.course, racer.name))?,
        );
    }
    lags.sort_unstable();
    let refused = events.iter().filter(|event| racers.iter().any(|racer| racer.is_ours(event)) && !event.succeeded());
    let refused: Vec<String> = refused.map(|event| format!("{} {}", event.verb, event.code)).collect();
    say(&format!("{} overlaps, over after {lags:?} of {limit:#}; refused to us: {refused:?}", lags.len()));
    // Ours was there first wherever the other came afterwards, so these overlapped for sure.
    let certain = racers.iter().filter(|racer| matches!(racer.course, Course::After | Course::Umbrella)).count();
    ensure!(certain <= lags.len(), "{certain} overlaps were made, {} were seen", lags.len());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "whoever repeats a failed race needs its seed, and how close it was")]
fn say(what: &str) {
    println!("overlap: {what}");
}

/// The policies begin while foreign budgets come.
async fn race(racers: &[Racer]) -> Result<()> {
    let policies = racers.chunks(WORKLOADS).map(|chunk| chunk[0].tenant.govern(json!({})));
    let (policies, budgets) = tokio::join!(try_join_all(policies), try_join_all(racers.iter().map(Racer::run)));
    policies?;
    budgets?;
    let umbrella = racers.iter().find(|racer| racer.course == Course::Umbrella).context("no umbrella")?;
    let all: Vec<&str> = racers.iter().filter(|racer| racer.course == Course::Umbrella).map(|r| &*r.name).collect();
    let selector = json!({ "matchExpressions": [{ "key": "app", "operator": "In", "values": all }] });
    create(&umbrella.tenant, "umbrella", selector).await
}

async fn racers(random: &mut fastrand::Rng, client: kube::Client) -> Result<Vec<Racer>> {
    let mut racers = Vec::new();
    for namespace in NAMESPACES {
        let tenant = Tenant::move_in(client.clone(), namespace).await?;
        let mut courses = courses(namespace);
        random.shuffle(&mut courses);
        for (at, course) in courses.into_iter().enumerate() {
            let delay = Duration::from_millis(random.u64(0..1_500));
            racers.push(Racer { tenant: tenant.clone(), name: format!("w{at}"), course, delay });
        }
    }
    Ok(racers)
}

/// Every course in each namespace but the last.
fn courses(namespace: &str) -> Vec<Course> {
    use Course::{After, Alone, Before, During, Relabelled, Umbrella, Widened};
    match namespace {
        "overlap-umbrella" => vec![Umbrella; WORKLOADS],
        _ => vec![Alone, Before, During, During, During, During, After, Widened, Relabelled, Relabelled],
    }
}

impl Racer {
    fn foreign(&self) -> String {
        format!("foreign-{}", self.name)
    }

    fn ours(&self) -> String {
        format!("{}-deployment", self.name)
    }

    /// Everything that is there before the policy.
    async fn prepare(&self) -> Result<()> {
        self.tenant.apply(deployment(&self.tenant.name, &self.name, 2)).await?;
        // What is measured is the answer to a foreign budget, not how fast a cluster starts eighty pods.
        let deployments: Api<Deployment> = Api::namespaced(self.tenant.client.clone(), &self.tenant.name);
        eventually(&format!("the pods of {}/{}", self.tenant.name, self.name), PATIENCE, async || {
            let ready = deployments.get(&self.name).await?.status.and_then(|status| status.ready_replicas);
            ensure!(ready == Some(2), "{ready:?} are ready");
            Ok(())
        })
        .await?;
        let nobody = json!({ "matchLabels": { "foreign": self.name } });
        match self.course {
            Course::Before => self.create_foreign().await,
            Course::Widened | Course::Relabelled => create(&self.tenant, &self.foreign(), nobody).await,
            Course::Alone | Course::During | Course::After | Course::Umbrella => Ok(()),
        }
    }

    /// What happens meanwhile.
    async fn run(&self) -> Result<()> {
        match self.course {
            Course::Alone | Course::Before => return Ok(()),
            Course::After | Course::Umbrella => drop(self.tenant.budget(&self.ours()).await?),
            Course::During | Course::Widened | Course::Relabelled => {}
        }
        // Not to wait for anything: the moment is what is drawn.
        tokio::time::sleep(self.delay).await;
        let name = &self.tenant.name;
        match self.course {
            Course::During | Course::After => self.create_foreign().await?,
            Course::Widened => {
                let wider = json!({ "spec": { "selector": { "matchLabels": { "app": self.name, "foreign": null } } } });
                let patch = Patch::Merge(wider);
                self.tenant.budgets().patch(&self.foreign(), &PatchParams::default(), &patch).await?;
            }
            Course::Relabelled => {
                let labels = json!({ "app": self.name, "foreign": self.name });
                let template = json!({ "spec": { "template": { "metadata": { "labels": labels } } } });
                let deployments: Api<Deployment> = Api::namespaced(self.tenant.client.clone(), name);
                deployments.patch(&self.name, &PatchParams::default(), &Patch::Strategic(template)).await?;
            }
            Course::Alone | Course::Before | Course::Umbrella => {}
        }
        Ok(())
    }

    async fn create_foreign(&self) -> Result<()> {
        create(&self.tenant, &self.foreign(), json!({ "matchLabels": { "app": self.name } })).await
    }

    /// Waits until each of its pods has one budget, the right one, and could be evicted.
    async fn settles(&self) -> Result<()> {
        let what = format!("one budget over each pod of {:?} {}/{}", self.course, self.tenant.name, self.name);
        let expected = match self.course {
            Course::Alone => self.ours(),
            Course::Umbrella => "umbrella".to_owned(),
            Course::Before | Course::During | Course::After | Course::Widened | Course::Relabelled => self.foreign(),
        };
        let pods: Api<Pod> = Api::namespaced(self.tenant.client.clone(), &self.tenant.name);
        eventually(&what, PATIENCE, async || {
            let budgets = self.tenant.budgets().list(&ListParams::default()).await?.items;
            let of_app = ListParams::default().labels(&format!("app={}", self.name));
            let pods_there = pods.list(&of_app).await?.items;
            ensure!(pods_there.len() == 2, "{} pods", pods_there.len());
            for pod in &pods_there {
                let over: Vec<String> =
                    budgets.iter().filter(|budget| covers(budget, pod)).map(|b| b.name_any()).collect();
                ensure!(over == [expected.as_str()], "{} has {over:?}, not {expected}", pod.name_any());
                let mut only_asked = EvictParams::default();
                only_asked.post_options.dry_run = true;
                let answer = pods.evict(&pod.name_any(), &only_asked).await;
                if answer.is_err() && self.remind(budgets.iter().find(|b| b.name_any() == expected)).await? {
                    bail!("{expected} counted none of its pods, and was touched");
                }
                answer?;
            }
            Ok(())
        })
        .await
    }

    /// Touches a budget whose status counts no pod; false if it counts some, or was touched before.
    ///
    /// While two budgets cover a pod, the disruption controller brings one of them up to date, any (`getPdbForPod` in
    /// `pkg/controller/disruption/disruption.go`). The other stays stale also when it is alone again, until one of its
    /// pods or itself changes: pods that became ready during the second of the overlap may have been the last change.
    async fn remind(&self, budget: Option<&PodDisruptionBudget>) -> Result<bool> {
        let Some(budget) = budget else { return Ok(false) };
        let counts_some = budget.status.as_ref().is_some_and(|status| 0 < status.expected_pods);
        if counts_some || budget.annotations().contains_key("touched") {
            return Ok(false);
        }
        say(&format!("{}/{} was left stale by the overlap", self.tenant.name, budget.name_any()));
        let touch = Patch::Merge(json!({ "metadata": { "annotations": { "touched": "" } } }));
        self.tenant.budgets().patch(&budget.name_any(), &PatchParams::default(), &touch).await?;
        Ok(true)
    }

    /// What the audit log says; how long an overlap lasted, when there was one.
    fn judge(&self, events: &[AuditEvent], limit: SignedDuration) -> Result<Option<SignedDuration>> {
        let ours: Vec<&AuditEvent> = events.iter().filter(|event| self.is_ours(event)).collect();
        if self.course == Course::Alone {
            ensure!(ours.iter().any(|event| event.verb == "patch" && event.succeeded()), "none of ours was made");
            ensure!(ours.iter().all(|event| event.verb != "delete"), "ours was deleted: {ours:?}");
            return Ok(None);
        }
        let begun = events.iter().find(|event| self.begins(event)).context("the foreign write isn't in the log")?.done;
        let late = |event: &&&AuditEvent| event.verb == "patch" && limit < event.at.duration_since(begun);
        ensure!(ours.iter().find(late).is_none(), "written late, {begun} was the other's: {ours:#?}");
        let made = |event: &&&AuditEvent| event.verb == "patch" && event.succeeded();
        if !ours.iter().any(|event| made(&event)) {
            return Ok(None);
        }
        ensure!(self.course != Course::Before, "begun by us, {begun} was the other's: {ours:#?}");
        let ended = ours.iter().rev().find(|event| event.verb == "delete" && event.succeeded());
        let ended: Timestamp = ended.with_context(|| format!("ours was never deleted: {ours:#?}"))?.done;
        let lag = ended.duration_since(begun);
        ensure!(lag <= limit, "over only after {lag:#}, {begun} was the other's: {ours:#?}");
        Ok(Some(lag))
    }

    fn is_ours(&self, event: &AuditEvent) -> bool {
        event.user == ServiceAccount::USER
            && event.is_about(BUDGETS)
            && event.is_write()
            && event.namespace == self.tenant.name
            && event.name == self.ours()
    }

    /// The write with which the foreign budget came to match.
    fn begins(&self, event: &AuditEvent) -> bool {
        let (verb, resource, name) = match self.course {
            Course::Widened => ("patch", BUDGETS, self.foreign()),
            Course::Relabelled => ("patch", "deployments.apps", self.name.clone()),
            Course::Umbrella => ("create", BUDGETS, "umbrella".to_owned()),
            Course::Alone | Course::Before | Course::During | Course::After => ("create", BUDGETS, self.foreign()),
        };
        // 201 is the apply that made the Deployment.
        let code = if verb == "patch" { 200 } else { 201 };
        let of_a_person = !event.user.starts_with("system:");
        of_a_person
            && event.verb == verb
            && event.code == code
            && event.is_about(resource)
            && event.subresource.is_empty()
            && event.namespace == self.tenant.name
            && event.name == name
    }
}

async fn create(tenant: &Tenant, name: &str, selector: Value) -> Result<()> {
    let budget = json!({ "metadata": { "name": name }, "spec": { "maxUnavailable": 1, "selector": selector } });
    tenant.budgets().create(&PostParams::default(), &serde_json::from_value(budget)?).await?;
    Ok(())
}

/// By matchLabels or the one expression of the umbrella, which is all that is used here.
fn covers(budget: &PodDisruptionBudget, pod: &Pod) -> bool {
    let selector = budget.spec.as_ref().and_then(|spec| spec.selector.clone()).unwrap_or_default();
    let labels = pod.labels();
    let pairs = selector.match_labels.unwrap_or_default();
    let expressions = selector.match_expressions.unwrap_or_default();
    pairs.iter().all(|(key, value)| labels.get(key) == Some(value))
        && expressions.iter().all(|expression| {
            let values = expression.values.as_deref().unwrap_or_default();
            labels.get(&expression.key).is_some_and(|value| values.contains(value))
        })
}
