//! What may happen to a leader and to its Lease: never do two write, and the other one takes over warm.
//!
//! Two controllers; the second reaches the API server through a proxy. Who leads is in brackets.
//!
//! 1. (first) The leader is stopped with `SIGSTOP` amid a burst of Deployments, with budgets and events that it hasn't
//!    written. The other takes over. The first goes on, and doesn't write any more: neither what was queued nor an event.
//! 2. (second) The leader alone is cut off from the API server: it stops, and then the other begins.
//! 3. (first) Again stopped amid a burst. Meanwhile somebody makes a stranger the holder who asks for a second, with a clock
//!    that is hours behind: that one gets the usual time, and then the other takes over.
//! 4. (second) The Lease is deleted; its holder is taken out; it asks for a second, or for 31 years, with clocks hours behind
//!    and ahead. It stays with its leader, who writes it as it should be at the next renewal.
//! 5. (second) The leader sees no pods any more and so decides nothing, while it renews its Lease: the other one says within half a
//!    minute that the leader's heartbeat is missing, and isn't ready either. Nobody writes.
//! 6. (second) A stranger holds it for 31 years: the leader yields at once. Then the standby is made the holder: it waits until
//!    every leader must have stopped, and begins.
//!
//! After each a new Deployment gets its budget. `HOLDFAST_SOAK=1` has ten pauses instead of two. Each credential's time of
//! writing, and every bound, is told by the audit log ([`super::reigns`]).

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use holdfast_e2e::churn::say;
use holdfast_e2e::{Cluster, NAMESPACE, PATIENCE, ServiceAccount, Tenant, deployment, is_soak, set};
use holdfast_testkit::audit::Mark;
use holdfast_testkit::fault_proxy::{Fault, Rule, Which};
use holdfast_testkit::{AuditEvent, AuditLog, ControlPlane, FaultProxy, Stopwatch, eventually};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::candidate::{Candidate, holder};
use super::reigns::{looks, reigns, renewals};
use super::{HANDOVER, TAKEOVER};

const NAME: &str = "unseated";
/// So long everybody waits after a Lease was last seen to change, or after it was edited by hand.
const LEASE: SignedDuration = SignedDuration::from_secs(15);
/// Deployments that come one upon the other, until the leader is stopped, at most.
const BURST: usize = 1_000;
/// How many of their budgets there are by then. Events are said a hundred at once, then twenty a second: after a long burst
/// some still wait.
const LONG_BURST: Range<usize> = 180..260;
const SHORT_BURST: Range<usize> = 1..60;
const PARALLEL: usize = 8;
const AHEAD_OR_BEHIND: SignedDuration = SignedDuration::from_hours(5);
/// So old a heartbeat may be, what it takes a standby to look at the Lease, and what else runs on the machine.
const NOTICED: SignedDuration = SignedDuration::from_secs(30 + 3 + 7);
const DROPPED: &str = "holdfast_events_dropped_total";

struct Story {
    cluster: Cluster,
    proxy: FaultProxy,
    tenant: Tenant,
    /// The second is behind the proxy.
    pair: [Candidate; 2],
    /// As each called itself in the Lease when it led.
    names: [String; 2],
    /// Which of the pair leads.
    leader: usize,
    /// Whose turn it was, from the first until now.
    turns: Vec<usize>,
    apps: BTreeSet<String>,
    rng: fastrand::Rng,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_loses_its_lease_in_every_way_and_never_do_two_write() -> Result<()> {
    let seed = fastrand::u64(..);
    say(&format!("unseated: the moments of the pauses are those of seed {seed}"));
    let mut story = Story::begin(seed).await?;
    story.stopped_amid_a_burst().await?;
    story.cut_off().await?;
    story.stopped_and_replaced_by_a_stranger().await?;
    story.the_lease_is_edited_under_its_leader().await?;
    story.a_leader_that_decides_nothing_makes_nobody_ready().await?;
    story.the_standby_is_promoted().await?;
    if is_soak() {
        for _ in 0..8 {
            story.stopped_amid_a_burst().await?;
        }
    }
    let [first, second] = &story.pair;
    first.process.terminate(PATIENCE).await?;
    second.process.terminate(PATIENCE).await?;
    story.only_these_wrote()
}

impl Story {
    async fn begin(seed: u64) -> Result<Self> {
        // Without nodes: the Deployments are paused and have no pods.
        let cluster = Cluster::on(ControlPlane::builder().start().await?).await?;
        cluster.install(&json!({})).await?;
        let proxy = FaultProxy::before(&cluster.plane).await?;
        let tenant = Tenant::move_in(cluster.admin(), NAME).await?;
        tenant.govern(json!({})).await?;
        let first = Candidate::start(&cluster, "first", &[]).await?;
        first.says_that_it_leads(true).await?;
        let second = Candidate::start_behind(&cluster, &proxy, "second", &[&first]).await?;
        let names = [holder(&tenant.client).await?, String::new()];
        let (pair, apps, rng) = ([first, second], BTreeSet::new(), fastrand::Rng::with_seed(seed));
        let mut story = Self { cluster, proxy, tenant, pair, names, leader: 0, turns: vec![0], apps, rng };
        story.a_new_deployment_has_its_budget("begin").await?;
        Ok(story)
    }

    fn audit(&self) -> AuditLog {
        self.cluster.plane.audit()
    }

    fn leader(&self) -> &Candidate {
        &self.pair[self.leader]
    }

    fn standby(&self) -> &Candidate {
        &self.pair[1 - self.leader]
    }

    async fn stopped_amid_a_burst(&mut self) -> Result<()> {
        let before = self.dropped_by(self.leader()).await?;
        let stopped = self.stop_after(LONG_BURST).await?;
        self.standby().says_that_it_leads(true).await?;
        self.all_have_budgets().await?;
        self.taken_over("paused", &stopped).await?;
        self.the_stopped_one_goes_on().await?;
        let dropped = self.dropped_by(self.standby()).await? - before;
        say(&format!("unseated: {dropped} events were left to say when it was stopped"));
        ensure!(0.0 < dropped, "nothing was left to say when it was stopped");
        Ok(())
    }

    async fn stopped_and_replaced_by_a_stranger(&mut self) -> Result<()> {
        self.stop_after(SHORT_BURST).await?;
        let edited = self.stopwatch();
        self.edit(&held_by("stranger", 1, edited.began() - AHEAD_OR_BEHIND)).await?;
        self.standby().says_that_it_leads(true).await?;
        self.all_have_budgets().await?;
        let waited = self.taken_over("paused, a stranger the holder", &edited).await?;
        ensure!(LEASE <= waited, "the stranger had {waited:#} only");
        self.the_stopped_one_goes_on().await
    }

    /// Begins to measure what may depend on everybody here.
    fn stopwatch(&self) -> Stopwatch {
        self.cluster.plane.stopwatch(self.pair.iter().map(|candidate| candidate.process.id()))
    }

    /// Stops the leader while it writes; since when.
    async fn stop_after(&mut self, written: Range<usize>) -> Result<Stopwatch> {
        let (enough, mark, paused) = (self.rng.usize(written), self.audit().mark()?, RefCell::new(None));
        let names: Vec<String> = (0..BURST).map(|at| format!("burst-{}-{at}", self.turns.len())).collect();
        let stop = async {
            eventually("budgets to be written", PATIENCE * 2, async || {
                let written = self.budgets_since(mark)?.len();
                ensure!(enough <= written, "{written} of {enough}");
                Ok(())
            })
            .await?;
            self.leader().process.pause()?;
            paused.replace(Some(self.stopwatch()));
            Ok(())
        };
        let goes_on = |_: &&String| std::future::ready(paused.borrow().is_none());
        let burst = stream::iter(&names).take_while(goes_on).map(async |name| self.deploy(name).await.map(|()| name));
        let burst = burst.buffer_unordered(PARALLEL).try_collect::<Vec<_>>();
        let (deployed, ()) = tokio::try_join!(burst, stop)?;
        ensure!(enough < deployed.len(), "nothing was left to write when it was stopped");
        let paused = paused.into_inner().context("not paused")?;
        let open = self.budgets_since(mark)?.into_iter().filter(|event| paused.began() < event.done).count();
        say(&format!("unseated: stopped after {enough} of {} budgets, {open} unanswered", deployed.len()));
        self.apps.extend(deployed.into_iter().cloned());
        self.deploy_one("late").await?;
        Ok(paused)
    }

    fn budgets_since(&self, mark: Mark) -> Result<Vec<AuditEvent>> {
        let writes = self.audit().writes_by(ServiceAccount::USER, mark)?.into_iter();
        Ok(writes.filter(|event| event.is_about("poddisruptionbudgets.policy")).collect())
    }

    /// How many events it didn't say, in all its life.
    async fn dropped_by(&self, who: &Candidate) -> Result<f64> {
        Ok(who.process.metrics().await?.sum(DROPPED, &[]).unwrap_or_default())
    }

    /// It was the leader until it was stopped, and takes note that it isn't.
    async fn the_stopped_one_goes_on(&mut self) -> Result<()> {
        let (stopped, resumed) = (self.standby(), Timestamp::now());
        stopped.process.resume()?;
        self.looks_at_the_lease(stopped, resumed).await?;
        stopped.says_that_it_leads(false).await?;
        stopped.process.ready(PATIENCE).await?;
        self.a_new_deployment_has_its_budget("resumed").await
    }

    async fn cut_off(&mut self) -> Result<()> {
        ensure!(self.leader().name == "second", "the way of the other isn't through the proxy");
        let cut = self.stopwatch();
        let refused = self.proxy.inject(Rule::new(Which::any(), Fault::Cut));
        let frozen = self.proxy.freeze(&Which::calls());
        ensure!(0 < frozen && 0 < self.proxy.cut(&Which::watches()), "it isn't connected through the proxy");
        self.deploy_one("cut-off").await?;
        self.leader().says_that_it_leads(false).await?;
        self.standby().says_that_it_leads(true).await?;
        self.all_have_budgets().await?;
        self.taken_over("cut off", &cut).await?;
        ensure!(0 < refused.lift(), "it didn't even try");
        self.a_new_deployment_has_its_budget("joined").await
    }

    async fn the_lease_is_edited_under_its_leader(&mut self) -> Result<()> {
        let leases = self.leases();
        let (edited, params) = (self.stopwatch(), DeleteParams::default());
        leases.delete("holdfast", &params).await?;
        self.stays("the Lease deleted", &edited).await?;
        let (leader, now) = (holder(&self.tenant.client).await?, Timestamp::now());
        for (what, edit) in [
            ("the holder taken out", json!({ "spec": { "holderIdentity": null } })),
            ("a second, hours ago", held_by(&leader, 1, now - AHEAD_OR_BEHIND)),
            ("31 years, hours ahead", held_by(&leader, 1_000_000_000, now + AHEAD_OR_BEHIND)),
        ] {
            let edited = self.stopwatch();
            self.edit(&edit).await?;
            self.stays(what, &edited).await?;
        }
        Ok(())
    }

    /// The leader renews its Lease soon after it was edited, and goes on.
    async fn stays(&mut self, what: &str, watch: &Stopwatch) -> Result<()> {
        let (leader, edited) = (self.leader(), watch.began());
        let renewed = eventually(&format!("a renewal after: {what}"), PATIENCE, async || {
            let renewals = renewals(&self.audit(), &leader.credential)?.into_iter();
            renewals.map(|event| event.at).find(|at| edited < *at).context("none")
        })
        .await?;
        let took = renewed.duration_since(edited);
        say(&format!("unseated: {what}: {took:#} until its leader wrote it again"));
        ensure!(took <= watch.allows(HANDOVER)?, "{what}: it was written again after {took:#} only");
        ensure!(holder(&self.tenant.client).await?.starts_with(leader.name), "{what}: somebody else leads");
        leader.says_that_it_leads(true).await?;
        self.a_new_deployment_has_its_budget("stays").await
    }

    /// It sees no pods any more, so what comes waits, while its Lease is renewed: nobody takes over, and nobody is to begin an
    /// upgrade on the strength of what it said last.
    async fn a_leader_that_decides_nothing_makes_nobody_ready(&mut self) -> Result<()> {
        ensure!(self.leader().name == "second", "the way of the other isn't through the proxy");
        for candidate in &self.pair {
            candidate.process.ready(PATIENCE).await?;
        }
        let pods = Which::watches().of("pods");
        let refused = self.proxy.inject(Rule::new(pods.clone(), Fault::Cut));
        ensure!(self.proxy.cut(&pods) == 1, "it watches no pods through the proxy");
        self.leader_says_not_ready("view").await?;
        self.deploy_one("undecided").await?;
        let holder = holder(&self.tenant.client).await?;
        let said = format!("no heartbeat of the leader ({holder})");
        let (last, noticed) = eventually("the standby to notice", PATIENCE * 4, async || {
            let (code, text) = self.standby().process.readyz().await?;
            ensure!(code == 503 && text.contains(&said), "{code}: {text}");
            ensure!(text.contains("[+]view ok"), "its own view is out of step: {text}");
            Ok((self.heartbeat().await?, Timestamp::now()))
        })
        .await?;
        let took = noticed.duration_since(last);
        say(&format!("unseated: a leader that decides nothing was noticed {took:#} after its last heartbeat"));
        ensure!(took <= NOTICED, "it took {took:#}");
        self.leader_says_not_ready(&said).await?;
        let renewed = renewals(&self.audit(), &self.leader().credential)?.pop().context("it never renewed")?.at;
        ensure!(last + SignedDuration::from_secs(20) < renewed, "it doesn't hold on to the Lease: {renewed}");
        self.leader().says_that_it_leads(true).await?;
        self.only_these_wrote()?;
        ensure!(self.tenant.budgets().get_opt(&self.undecided()).await?.is_none(), "it decided blindly");
        ensure!(0 < refused.lift(), "it didn't even try");
        self.all_have_budgets().await?;
        for candidate in &self.pair {
            candidate.process.ready(PATIENCE).await?;
        }
        self.only_these_wrote()
    }

    async fn leader_says_not_ready(&self, why: &str) -> Result<()> {
        eventually(&format!("the leader not to be ready: {why}"), PATIENCE, async || {
            let (code, text) = self.leader().process.readyz().await?;
            ensure!(code == 503 && text.contains(why), "{code}: {text}");
            Ok(())
        })
        .await
    }

    /// The last heartbeat on the Lease.
    async fn heartbeat(&self) -> Result<Timestamp> {
        let annotations = self.leases().get("holdfast").await?.metadata.annotations.unwrap_or_default();
        Ok(annotations.get("holdfast.dev/heartbeat").context("no heartbeat")?.parse()?)
    }

    /// The budget that waits for a decision.
    fn undecided(&self) -> String {
        let app = self.apps.iter().find(|app| app.starts_with("undecided"));
        format!("{}-deployment", app.map(String::as_str).unwrap_or_default())
    }

    async fn the_standby_is_promoted(&mut self) -> Result<()> {
        let promoted = self.names[1 - self.leader].clone();
        let now = Timestamp::now();
        self.edit(&held_by("stranger", 1_000_000_000, now + AHEAD_OR_BEHIND)).await?;
        self.leader().says_that_it_leads(false).await?;
        self.standby().says_that_it_leads(false).await?;
        self.deploy_one("orphan").await?;
        let edited = self.stopwatch();
        self.edit(&json!({ "spec": { "holderIdentity": promoted } })).await?;
        self.standby().says_that_it_leads(true).await?;
        self.all_have_budgets().await?;
        let waited = self.taken_over("the standby promoted", &edited).await?;
        ensure!(LEASE <= waited, "{waited:#}: a leader that can't see the Lease might still write");
        self.a_new_deployment_has_its_budget("promoted").await
    }

    /// The other one writes by now: warm, in time, and this one no more. Returns how long after `since` it began.
    async fn taken_over(&mut self, what: &str, watch: &Stopwatch) -> Result<SignedDuration> {
        let since = watch.began();
        self.leader = 1 - self.leader;
        self.turns.push(self.leader);
        self.names[self.leader] = holder(&self.tenant.client).await?;
        self.only_these_wrote()?;
        let reign = reigns(&self.audit())?.pop().context("nobody wrote")?;
        let waited = reign.first.duration_since(since);
        let took = renewals(&self.audit(), &reign.credential)?.into_iter().find(|event| since < event.at);
        let took = took.context("it doesn't hold the Lease")?.at.duration_since(since);
        let name = self.leader().name;
        say(&format!("unseated: {what}: {name} took the Lease after {took:#} and wrote after {waited:#}"));
        ensure!(waited <= watch.allows(TAKEOVER)?, "{what}: since {since}, but {reign:#?}");
        let anew = super::listed(&self.audit(), &self.leader().credential, since)?;
        ensure!(anew.is_empty(), "{what}: it wasn't warm: {anew:#?}");
        Ok(waited)
    }

    /// Each in its turn, and never two at once.
    fn only_these_wrote(&self) -> Result<()> {
        let wrote: Vec<String> = reigns(&self.audit())?.into_iter().map(|reign| reign.credential).collect();
        let turns: Vec<&str> = self.turns.iter().map(|turn| self.pair[*turn].credential.as_str()).collect();
        ensure!(wrote == turns, "expected {turns:?}, but these wrote: {:#?}", reigns(&self.audit())?);
        Ok(())
    }

    /// After that it knows who leads.
    async fn looks_at_the_lease(&self, who: &Candidate, since: Timestamp) -> Result<()> {
        eventually(&format!("{} to look at the Lease", who.name), PATIENCE, async || {
            let mut seen = looks(&self.audit(), &who.credential, since)?.into_iter();
            ensure!(seen.any(|look| look.succeeded()));
            Ok(())
        })
        .await
    }

    async fn a_new_deployment_has_its_budget(&mut self, name: &str) -> Result<()> {
        self.deploy_one(name).await?;
        self.all_have_budgets().await?;
        self.only_these_wrote()
    }

    async fn deploy_one(&mut self, name: &str) -> Result<()> {
        let name = format!("{name}-{}", self.apps.len());
        self.apps.insert(name.clone());
        self.deploy(&name).await
    }

    async fn deploy(&self, name: &str) -> Result<()> {
        let apps: Api<Deployment> = Api::namespaced(self.tenant.client.clone(), NAME);
        let app = set(deployment(NAME, name, 3), "/spec/paused", json!(true));
        apps.create(&PostParams::default(), &serde_json::from_value(app)?).await?;
        Ok(())
    }

    async fn all_have_budgets(&self) -> Result<()> {
        eventually(&format!("{} budgets", self.apps.len()), PATIENCE * 2, async || {
            let found = self.tenant.budgets().list(&ListParams::default()).await?;
            let found: BTreeSet<String> = found.into_iter().filter_map(|budget| budget.metadata.name).collect();
            let lacking: Vec<&String> =
                self.apps.iter().filter(|app| !found.contains(&format!("{app}-deployment"))).collect();
            ensure!(lacking.is_empty(), "{} lack theirs: {:?}", lacking.len(), lacking.first());
            Ok(())
        })
        .await
    }

    async fn edit(&self, patch: &Value) -> Result<()> {
        self.leases().patch("holdfast", &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    fn leases(&self) -> Api<Lease> {
        Api::namespaced(self.tenant.client.clone(), NAMESPACE)
    }
}

fn held_by(holder: &str, seconds: u32, renewed: Timestamp) -> Value {
    json!({ "spec": {
        "holderIdentity": holder, "leaseDurationSeconds": seconds, "renewTime": format!("{renewed:.6}"),
    } })
}
