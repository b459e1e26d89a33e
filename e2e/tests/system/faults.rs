//! Faults that a real API server doesn't have on demand, between it and one controller that lives through all of them.
//!
//! 1. The watch of StatefulSets hangs with its connection open: nobody can know yet (step 9).
//! 2. Writes are answered with 409, with 429 (as a Status that asks for three seconds, and as plain text), with 500: each
//!    is tried again, not before the server wants, and then done; each is counted under its own name.
//! 3. All writes of forty workloads are throttled for a while: the whole controller waits, not each workload by itself.
//! 4. A write commits and its answer never comes: it isn't done twice.
//! 5. Connections go half-open: what is asked on them is given up and asked again on others, all of them new, and it leads on.
//! 6. The server takes two seconds for each request: everything is done, nothing is asked twice.
//! 7. The API server fails each status for a while: it isn't asked ever again at full speed.
//! 8. All watches but that of Deployments are cut and can't be made again: a new Deployment is seen, and nothing is written
//!    but the fact that the view is stale. The server isn't stormed; afterwards what happened meanwhile is found.
//! 9. The watch that hung was given up by now, and what it missed is done.
//! 10. A controller starts while each request takes two seconds, and sees ten thousand Deployments, of which one doesn't decode:
//!     that one's budget stays as it is, it is counted, the others go on, and the memory is what the facts need.

use std::time::Duration;

use anyhow::{Result, ensure};
use holdfast_api::ConditionType;
use holdfast_controller::access::TABLE;
use holdfast_e2e::{BUDGETS, BehindProxy, PATIENCE, Tenant, budget_of, deployment, has_condition, set};
use holdfast_testkit::eventually;
use holdfast_testkit::fault_proxy::{Answer, Edit, Fault, Injected, Rule, Which};
use kube::ResourceExt as _;
use kube::api::DeleteParams;
use serde_json::{Value, json};
use tokio::time::sleep;

const WRITES: &str = "holdfast_writes_total";
const WATCH_ERRORS: &str = "holdfast_watch_errors_total";
const SLOW: Duration = Duration::from_secs(2);
const CROWD: usize = 10_000;
/// A debug build with ten thousand Deployments; the release build is measured by the benchmarks.
const MOST_MEMORY: u64 = 64 << 20;
/// So many writes are under way at once, and no more are refused before the controller waits.
const WRITERS: usize = 24;

struct Story {
    behind: BehindProxy,
    /// Where the watch that hangs should see something.
    hidden: Tenant,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_is_lived_through_told_and_never_answered_with_a_storm() -> Result<()> {
    let behind = BehindProxy::start("faults").await?;
    let hidden = Tenant::move_in(behind.cluster.admin(), "hidden").await?;
    let mut story = Story { behind, hidden };
    story.behind.deploy(&["web"]).await?;
    story.settled().await?;

    story.a_watch_hangs().await?;
    story.refusals_are_waited_out().await?;
    story.throttling_slows_down_everything().await?;
    story.an_unanswered_write_is_not_repeated().await?;
    story.half_open_connections_are_left().await?;
    story.a_slow_server_is_waited_for().await?;
    story.a_failing_status_is_not_hammered().await?;
    story.nothing_is_written_blindly().await?;
    story.the_watch_that_hung_is_made_again().await?;
    story.ten_thousand_on_a_slow_server_and_one_does_not_decode().await?;
    story.behind.none_was_made_twice(&["web"])
}

fn stateful_set(name: &str) -> Value {
    let app = set(deployment("", name, 3), "/kind", json!("StatefulSet"));
    set(app, "/spec/serviceName", json!(name))
}

impl Story {
    async fn settled(&self) -> Result<()> {
        self.behind.settled(PATIENCE * 2).await
    }

    async fn a_watch_hangs(&self) -> Result<()> {
        ensure!(self.behind.proxy.hang(&Which::watches().of("statefulsets")) == 1);
        self.hidden.govern(json!({})).await?;
        self.hidden.apply(stateful_set("hidden")).await.map(drop)
    }

    /// Deploys `name` while the writes of its budget are refused so often; how long the shortest wait was.
    async fn refused(&mut self, name: &'static str, answer: Answer, times: usize, result: &str) -> Result<Duration> {
        let (proxy, labels) = (&self.behind.proxy, [("concern", "budgets"), ("verb", "apply"), ("result", result)]);
        let before = self.behind.metric(WRITES, &labels).await?;
        let (mark, fault) =
            (proxy.mark(), proxy.inject(Rule::new(budget_of(name), Fault::Answer(answer)).times(times)));
        self.behind.deploy(&[name]).await?;
        self.settled().await?;
        ensure!(fault.lift() == times);
        let requests = self.behind.proxy.since(mark);
        ensure!(requests.count(&budget_of(name)) == times + 1, "{:?}", requests.summary());
        let told = self.behind.metric(WRITES, &labels).await? - before;
        ensure!(told == f64::from(u32::try_from(times)?), "{result} is counted {told} times, not {times}");
        Ok(requests.gaps(&budget_of(name)).into_iter().min().unwrap_or_default())
    }

    async fn refusals_are_waited_out(&mut self) -> Result<()> {
        let seconds = Duration::from_secs;
        self.refused("conflict", Answer::conflict(), 2, "changed").await?;
        let wait = self.refused("throttled", Answer::throttled(3), 1, "throttled").await?;
        ensure!(seconds(3) <= wait, "asked again after {wait:?}");
        let wait = self.refused("flow-control", Answer::flow_control(), 2, "throttled").await?;
        ensure!(seconds(1) <= wait, "asked again after {wait:?}");
        let wait = self.refused("broken", Answer::broken(), 3, "server").await?;
        ensure!(Duration::from_millis(250) <= wait, "asked again after {wait:?}");
        Ok(())
    }

    async fn throttling_slows_down_everything(&mut self) -> Result<()> {
        let names: Vec<String> = (0..60).map(|at| format!("many-{at}")).collect();
        let which = Which::writes().of(BUDGETS);
        self.behind.deploy(&names[..30]).await?;
        let proxy = &self.behind.proxy;
        let (mark, rule) = (proxy.mark(), Rule::new(which.clone(), Fault::Answer(Answer::flow_control())));
        let fault = proxy.inject(rule);
        self.behind.deploy_unseen(&names[30..]).await?;
        // Thirty at least have been asked for twice.
        eventually("the server to refuse a while", PATIENCE, async || {
            ensure!(60 <= fault.struck(), "{} writes", fault.struck());
            Ok(())
        })
        .await?;
        let busiest = proxy.since(mark).busiest_second(&which);
        ensure!(busiest <= WRITERS, "{busiest} writes within a second to a server that asks for one without");
        fault.lift();
        self.behind.apps.extend(names.into_iter().skip(30));
        self.settled().await
    }

    async fn an_unanswered_write_is_not_repeated(&mut self) -> Result<()> {
        let (mark, result) = (self.behind.proxy.mark(), [("verb", "apply"), ("result", "unanswered")]);
        let fault = self.behind.proxy.inject(Rule::new(budget_of("committed"), Fault::Unanswered).times(1));
        self.behind.deploy(&["committed"]).await?;
        self.behind.reaches(WRITES, &result, 1.0).await?;
        ensure!(fault.lift() == 1);
        // What comes after it has been seen and done, and by then it wasn't tried again.
        self.behind.deploy(&["after"]).await?;
        self.settled().await?;
        ensure!(self.behind.tries(mark, "committed") == 1, "{} tries", self.behind.tries(mark, "committed"));
        Ok(())
    }

    async fn half_open_connections_are_left(&mut self) -> Result<()> {
        // As many connections as there are writers, all of them idle then.
        let names: Vec<String> = (0..30).map(|at| format!("burst-{at}")).collect();
        self.behind.deploy(&names).await?;
        self.settled().await?;
        self.told().await;
        let (proxy, given_up) = (&self.behind.proxy, [("result", "unanswered")]);
        let (mark, before) = (proxy.mark(), self.behind.metric(WRITES, &given_up).await?);
        let dead = proxy.freeze(&Which::calls());
        ensure!(5 < dead, "only {dead} connections are idle");
        self.behind.deploy(&["half-open"]).await?;
        self.settled().await?;
        // One after the other they would be found dead for minutes.
        let given_up = self.behind.metric(WRITES, &given_up).await? - before;
        ensure!((1.0..=4.0).contains(&given_up), "{given_up} writes were given up on {dead} connections");
        let requests = self.behind.proxy.since(mark);
        ensure!(self.behind.tries(mark, "half-open") == 1, "{:?}", requests.summary());
        // The new budget is told in an event, once, and once more where that was asked on a connection that froze.
        let events = requests.count(&Which::any().of("events"));
        let calls = requests.count(&Which::calls()) - requests.count(&Which::calls().of("events"));
        ensure!(calls <= 20 && events <= 1 + dead, "{:?}", requests.summary());
        self.behind.reaches("holdfast_leader", &[], 1.0).await
    }

    /// Waits until all events have been told: they let writes go first, for five seconds at most.
    async fn told(&self) {
        let (start, mut before) = (self.behind.proxy.mark(), usize::MAX);
        loop {
            let told = self.behind.proxy.since(start).count(&Which::any().of("events"));
            if told == before {
                return;
            }
            before = told;
            sleep(Duration::from_secs(6)).await;
        }
    }

    async fn a_slow_server_is_waited_for(&mut self) -> Result<()> {
        let names: Vec<String> = (0..30).map(|at| format!("slow-{at}")).collect();
        let proxy = &self.behind.proxy;
        let given_up = [("concern", "budgets"), ("result", "unanswered")];
        let before = self.behind.metric(WRITES, &given_up).await?;
        let (mark, fault) = (proxy.mark(), proxy.inject(Rule::new(Which::any(), Fault::Delay(SLOW))));
        self.behind.deploy(&names).await?;
        self.settled().await?;
        fault.lift();
        for name in &names {
            ensure!(self.behind.tries(mark, name) == 1, "{name}: {} tries", self.behind.tries(mark, name));
        }
        ensure!(self.behind.metric(WRITES, &given_up).await? == before, "something was given up");
        self.behind.reaches("holdfast_leader", &[], 1.0).await
    }

    async fn a_failing_status_is_not_hammered(&mut self) -> Result<()> {
        let (proxy, which) = (&self.behind.proxy, Which::writes().of("disruptionpolicies"));
        let labels = [("concern", "status"), ("verb", "patch-status"), ("result", "server")];
        let (mark, before) = (proxy.mark(), self.behind.metric(WRITES, &labels).await?);
        let fault = proxy.inject(Rule::new(which.clone(), Fault::Answer(Answer::broken())).times(3));
        self.behind.deploy(&["untold"]).await?;
        self.settled().await?;
        let apps = u32::try_from(self.behind.apps.len())?;
        self.behind
            .tenant
            .told(|status| {
                ensure!(status.managed == apps, "{status:?}");
                Ok(())
            })
            .await?;
        ensure!(fault.lift() == 3);
        let gaps = self.behind.proxy.since(mark).gaps(&which);
        ensure!(3 <= gaps.len() && gaps[0] < gaps[1] && gaps[0] * 3 / 2 < gaps[2], "asked again after {gaps:?}");
        ensure!(self.behind.metric(WRITES, &labels).await? == before + 3.0, "not counted");
        Ok(())
    }

    async fn nothing_is_written_blindly(&mut self) -> Result<()> {
        let (proxy, tenant) = (&self.behind.proxy, &self.behind.tenant);
        let (mark, mut open) = (proxy.mark(), 0);
        let deployments = self.behind.metric("holdfast_view_objects", &[("kind", "Deployment")]).await?;
        let faults: Vec<Injected> = blinded()
            .map(|watches| {
                let fault = proxy.inject(Rule::new(watches.clone(), Fault::Cut));
                open += proxy.cut(&watches);
                fault
            })
            .collect();
        ensure!(8 < open, "only {open} watches");
        self.behind.reaches("holdfast_view_stale", &[], 1.0).await?;
        // One comes, and is seen; budgets come and go, and nobody sees it.
        self.behind.deploy_unseen(&["seen"]).await?;
        self.behind.reaches("holdfast_view_objects", &[("kind", "Deployment")], deployments + 1.0).await?;
        tenant.budgets().delete("web-deployment", &DeleteParams::default()).await?;
        tenant.told(|status| has_condition(status, ConditionType::Ready, ("False", "ViewStale"))).await?;
        let requests = proxy.since(mark);
        ensure!(requests.count(&Which::writes().of(BUDGETS)) == 0, "written blindly: {:?}", requests.summary());
        let (asked, busiest) = (requests.count(&Which::watches()), requests.busiest_second(&Which::watches()));
        ensure!(asked <= 8 * open && busiest <= 3 * open, "{asked} watches were asked for, {busiest} within a second");
        drop(faults);
        self.behind.apps.insert("seen".to_owned());
        self.settled().await?;
        self.behind.reaches(WATCH_ERRORS, &[("reason", "connection")], 8.0).await
    }

    /// At most 90 seconds after the last bookmark.
    async fn the_watch_that_hung_is_made_again(&self) -> Result<()> {
        let idle = [("kind", "StatefulSet"), ("reason", "idle")];
        let what = "the silence to be noticed";
        self.behind
            .measured(what, PATIENCE * 5, |metrics| {
                ensure!(metrics.sum(WATCH_ERRORS, &idle) == Some(1.0), "not yet");
                Ok(())
            })
            .await?;
        self.hidden.budget("hidden-statefulset").await?;
        Ok(())
    }

    async fn ten_thousand_on_a_slow_server_and_one_does_not_decode(&mut self) -> Result<()> {
        let lived = self.behind.controller.usage()?;
        ensure!(lived.peak < MOST_MEMORY, "after all faults: {lived:?}");
        let (before, kind) = (self.behind.tenant.budget("web-deployment").await?, [("kind", "Deployment")]);
        let others: Vec<Value> = (0..CROWD).map(one_of_many).collect();
        let edit = Edit::malform(&self.behind.tenant.name, "web").crowd(&others);
        let proxy = &self.behind.proxy;
        let crowded = proxy.inject(Rule::new(Which::lists().of("deployments"), Fault::Edit(edit)));
        let slow = proxy.inject(Rule::new(Which::any(), Fault::Delay(SLOW)));
        self.behind.a_fresh_look_agrees().await?;
        ensure!(crowded.struck() == 1 && 20 < slow.lift());
        let count = f64::from(u32::try_from(CROWD)?);
        self.behind.reaches("holdfast_view_malformed_objects", &kind, 1.0).await?;
        self.behind.reaches("holdfast_view_objects", &kind, count).await?;
        let after = self.behind.tenant.budget("web-deployment").await?;
        ensure!(before.uid() == after.uid() && before.metadata.generation == after.metadata.generation, "{after:?}");
        let memory = self.behind.controller.usage()?;
        ensure!(memory.peak < MOST_MEMORY, "with {CROWD} Deployments: {memory:?}");
        Ok(())
    }
}

/// The watches of everything but Deployments.
fn blinded() -> impl Iterator<Item = Which> {
    let sources = TABLE.iter().filter(|access| access.source.is_some() && access.resource != "deployments");
    sources.map(|access| Which::watches().of(access.resource))
}

/// In a namespace of a hundred, with a pod template as long as usual.
fn one_of_many(at: usize) -> Value {
    let (namespace, name) = (format!("crowd-{}", at / 100), format!("app-{at}"));
    let app = deployment(&namespace, &name, 3);
    let app = set(app, "/metadata/uid", json!(format!("00000000-0000-4000-8000-{at:012}")));
    set(app, "/metadata/resourceVersion", json!("1"))
}
