//! The power fails: A and three pods in a raft are gone at once, and with them the disk of pod-0. What is left comes back in some
//! order, A among it or last, and meanwhile the controller is killed too.
//!
//! For each order in which three pods can come back (in CI as many as fit into half a minute, two at least; with `HOLDFAST_SOAK=1` all
//! six, with OpenBao and with Vault), with a controller that may delete pods, make tokens and initialise, and kubelets that let whoever ends
//! wait for ever longer, as real ones do (`HOLDFAST_SEED=...` repeats what is at random):
//! 1. Everything is killed with `-9`, and the disk is emptied.
//! 2. Pod by pod comes back, and the controller has looked after each. A comes back before one of them; or after them, when all
//!    of them wait in back-off, and before that it is sealed for a while, or isn't there. In the first round of that kind the
//!    controller is killed then, and another takes over, and pod-0 has nobody to ask to be let in: that is told.
//! 3. In the end B serves: one is active, two are its standbys, pod-0 is one of the three, and nothing is wrong any more.
//!
//! All the way:
//! * No `sys/init` is sent, by what passes before A and each pod. None but one cluster is seen in any pod, and the blank pod isn't
//!   initialised before A and both others are back, who alone can let it in.
//! * While A can't decrypt, the controller deletes no pod, by the audit log of the API server.

mod front;
mod witness;

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use holdfast_e2e::churn::say;
use holdfast_e2e::vault::{Delivery, People, Set};
use holdfast_e2e::{Cluster, is_soak};
use holdfast_testkit::audit::Mark;
use holdfast_testkit::server_kubelet::PodFacts;
use holdfast_testkit::vault::{Product, TransitServer};
use holdfast_testkit::{ControllerProcess, ServerKubelet, eventually};
use jiff::Timestamp;
use serde_json::{Value, json};

use self::front::Front;
use self::witness::Witness;
use crate::init;
use crate::stage::{self, Born, DEADLINE, KEY, Pair, USER, condition};

const NAMESPACE: &str = "power";
const PODS: [&str; 3] = ["vault-0", "vault-1", "vault-2"];
const BLANK: &str = PODS[0];
const API: u16 = 8200;
/// Where the controller is listened to, on the address of each server.
const LISTENED: u16 = 8210;
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
/// How long CI begins new rounds.
const ENOUGH: Duration = Duration::from_secs(30);
/// A raft of three needs twenty seconds for a leader after a power failure, more on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// When A comes back.
#[derive(Clone, Copy, Debug)]
enum Back {
    /// Before the pod that is this one in the order.
    Before(usize),
    /// After all pods, when this was told for a while.
    LastAfter(&'static str),
}

#[derive(Clone, Copy, Debug)]
struct Round {
    order: [usize; 3],
    a: Back,
    /// The controller is killed, and the blank pod has nobody to ask.
    worst: bool,
}

/// At random, but for this: every second time A comes last, and the first time of these is the worst.
fn rounds(random: &mut Rng) -> Vec<Round> {
    let mut orders = ORDERS;
    random.shuffle(&mut orders);
    let sealed_first = random.bool();
    let round = |(index, order): (usize, [usize; 3])| {
        let sealed = (index / 2 % 2 == 0) == sealed_first;
        let a = match index % 2 {
            0 => Back::Before(random.usize(..3)),
            _ => Back::LastAfter(if sealed { "TransitSealed" } else { "TransitUnreachable" }),
        };
        Round { order, a, worst: index == 1 }
    };
    orders.into_iter().enumerate().map(round).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_comes_back_in_which_order_it_is_one_server_again() -> Result<()> {
    let seed = match env::var("HOLDFAST_SEED") {
        Ok(seed) => seed.parse().with_context(|| format!("HOLDFAST_SEED={seed} is no number"))?,
        Err(_) => fastrand::u64(..),
    };
    let (products, enough) = if is_soak() {
        (&[Product::OpenBao, Product::Vault][..], None)
    } else {
        (&[Product::OpenBao][..], Some(ENOUGH))
    };
    for product in products {
        say(&format!("power_cut: {product}, seed {seed}"));
        let told = Box::pin(story(*product, rounds(&mut Rng::with_seed(seed)), enough)).await;
        told.with_context(|| format!("{product}, seed {seed}"))?;
    }
    Ok(())
}

async fn story(product: Product, rounds: Vec<Round>, enough: Option<Duration>) -> Result<()> {
    let cluster = stage::cluster(&[NAMESPACE]).await?;
    let spool = tempfile::tempdir()?;
    let mut controller = init::controller(&cluster, &[NAMESPACE], spool.path()).await?;
    let mut site =
        Box::pin(Site::start(&cluster, spool.path(), product)).await.map_err(|error| controller.explain(error))?;
    let begun = Instant::now();
    for (index, round) in rounds.into_iter().enumerate() {
        if 2 <= index && enough.is_some_and(|enough| enough < begun.elapsed()) {
            break;
        }
        let began = Instant::now();
        let told = Box::pin(site.play(round, &mut controller)).await.with_context(|| format!("{round:?}"));
        let deleted = told.map_err(|error| controller.explain(error))?;
        say(&format!("power_cut: {round:?} took {:.1?}, and {deleted} pods were deleted", began.elapsed()));
    }
    Ok(())
}

/// What was cut off from power, and those who watch it.
struct Site<'a> {
    cluster: &'a Cluster,
    spool: &'a Path,
    pair: Pair,
    witness: Arc<Witness>,
    fronts: Vec<Front>,
    front_of_a: Front,
    /// Whether the blank pod has nobody to ask.
    lonely: Arc<AtomicBool>,
}

impl<'a> Site<'a> {
    /// Three pods that serve and vote, which the controller has seen to unseal.
    async fn start(cluster: &'a Cluster, spool: &'a Path, product: Product) -> Result<Self> {
        let a = TransitServer::start(product).await?;
        let token = a.grant(KEY, "24h").await?.token;
        stage::trust(&a, cluster, NAMESPACE).await?;
        let set = Set::create(&cluster.plane, NAMESPACE, 3, Delivery::Variable).await?;
        set.write_token(&token).await?;
        let (lonely, seal) = (Arc::<AtomicBool>::default(), a.seal_with(KEY, None));
        let is_lonely = Arc::clone(&lonely);
        let configure = move |facts: &PodFacts| {
            let mut config = facts.config_of_raft(3)?;
            config.seals.push(seal.clone());
            if facts.name == BLANK && is_lonely.load(Ordering::SeqCst) {
                config.join = vec!["http://127.0.0.1:9".to_owned()];
            }
            Ok(config.to_string())
        };
        let kubelet = ServerKubelet::builder(cluster.admin(), NAMESPACE, product, configure)
            .back_off(Duration::from_secs(5), Duration::from_secs(300));
        let pair = Pair::run(cluster, NAMESPACE, a, set, kubelet).await?;
        let mut fronts = Vec::new();
        for pod in PODS {
            pair.kubelet.endpoint(pod)?.await_health(&[501], DEADLINE).await?;
            fronts.push(Front::open(pair.kubelet.ip(pod)?).await?);
        }
        let front_of_a = Front::open(pair.a.server.ip()).await?;
        let born = pair.initialise().await?;
        pair.set.await_ready(3).await?;
        await_voters(&pair, &born).await?;
        let witness = Arc::new(Witness::of(&pair.kubelet).await?);
        let site = Self { cluster, spool, pair, witness, fronts, front_of_a, lonely };
        site.is_kept().await?;
        Ok(site)
    }

    async fn is_kept(&self) -> Result<()> {
        let mut spec = stage::managed();
        let address = format!("http://{}:{LISTENED}", self.pair.a.server.ip());
        let more = json!({
            "target": {"port": LISTENED}, "seal": {"transit": {"address": address}}, "restart": {"bootGrace": "5s"},
        });
        stage::merge(&mut spec, &more);
        // It is asked to initialise what never was, and told that the storage may be initialised: only what it sees keeps it.
        spec["initialization"] = People::new().initialization();
        init::accounts(self.cluster, NAMESPACE).await?;
        self.pair.apply(&spec).await?;
        init::confirm_storage(self.cluster, NAMESPACE, &self.pair).await?;
        self.is_well().await
    }

    /// One power failure, from the cut to a server that serves; how many pods the controller deleted.
    async fn play(&mut self, round: Round, controller: &mut ControllerProcess) -> Result<usize> {
        let mark = self.cluster.plane.audit().mark()?;
        let witness = Arc::clone(&self.witness);
        let away = tokio::select! {
            // Ends only with what must never be seen.
            seen = witness.watch() => Err(seen),
            away = self.comes_back(round, controller) => away,
        }?;
        for front in self.fronts.iter_mut().chain([&mut self.front_of_a]) {
            let asked = front.asked();
            ensure!(!asked.is_empty(), "the controller never asked {}", front.ip);
            // Whether it is initialised may be asked.
            let births = asked.iter().filter(|line| line.contains(" /v1/sys/init") && !line.starts_with("GET "));
            let births: Vec<&String> = births.collect();
            ensure!(births.is_empty(), "{} was asked {births:?}", front.ip);
        }
        self.deletions(mark, away)
    }

    /// The time in which A couldn't decrypt.
    async fn comes_back(&mut self, round: Round, controller: &mut ControllerProcess) -> Result<[Timestamp; 2]> {
        self.lonely.store(round.worst, Ordering::SeqCst);
        let from = self.cut()?;
        let mut until = None;
        for (place, index) in round.order.into_iter().enumerate() {
            if let Back::Before(before) = round.a
                && before == place
            {
                until = Some(self.a_returns(false).await?);
            }
            self.pod_returns(index, until.is_some()).await?;
        }
        if let Back::LastAfter(cause) = round.a {
            let sealed = cause == "TransitSealed";
            if sealed {
                self.pair.a.server.start().await?;
                self.front_of_a.reopen().await?;
            }
            self.are_started_again().await?;
            self.waits_for_a(cause).await?;
            if round.worst {
                controller.kill()?;
                *controller = init::controller(self.cluster, &[NAMESPACE], self.spool).await?;
                // It leads once the Lease of the dead has run out.
                self.waits_for_a(cause).await?;
            }
            until = Some(self.a_returns(sealed).await?);
        }
        self.pair.kubelet.power_on(&[]).await?;
        if round.worst {
            self.blank_joins_once_it_may().await?;
        }
        self.pair.set.await_ready(3).await?;
        self.is_well().await?;
        Ok([from, until.context("A never came back")?])
    }

    /// Everything is gone at once; since when A can't decrypt.
    fn cut(&mut self) -> Result<Timestamp> {
        let from = Timestamp::now();
        self.pair.a.server.kill()?;
        self.pair.kubelet.power_cut();
        // A server that isn't there refuses connections.
        self.fronts.iter_mut().chain([&mut self.front_of_a]).for_each(Front::close);
        self.pair.kubelet.wipe_disk(BLANK)?;
        self.witness.is_cut();
        Ok(from)
    }

    /// Since when it can decrypt again, at the earliest.
    async fn a_returns(&mut self, is_up: bool) -> Result<Timestamp> {
        if !is_up {
            self.pair.a.server.start().await?;
            self.front_of_a.reopen().await?;
        }
        self.witness.comes("A");
        let until = Timestamp::now();
        self.pair.a.unseal().await?;
        Ok(until)
    }

    /// With an A that is well it comes to answer. The controller has looked at it, whatever there is.
    async fn pod_returns(&mut self, index: usize, a_is_well: bool) -> Result<()> {
        let (pod, kubelet) = (PODS[index], &self.pair.kubelet);
        let starts = kubelet.starts(pod)?;
        self.fronts[index].reopen().await?;
        self.witness.comes(pod);
        kubelet.release(pod)?;
        eventually(&format!("{pod} to be started"), DEADLINE, async || {
            ensure!(starts < kubelet.starts(pod)?, "it isn't");
            Ok(())
        })
        .await?;
        if a_is_well {
            kubelet.endpoint(pod)?.await_health(&[200, 429, 501, 503], DEADLINE).await?;
        }
        self.pair.look().await.map(drop)
    }

    /// Until it was told whose turn it is, and every pod was seen to wait for its next start.
    async fn waits_for_a(&self, cause: &str) -> Result<()> {
        let mut waited = BTreeSet::new();
        eventually(&format!("{cause}, and pods that wait for it"), DEADLINE, async || {
            let status = self.pair.look().await?;
            let waits = status.pods.iter().filter(|pod| pod.state.as_str() == "CrashLooping");
            waited.extend(waits.map(|pod| pod.name.clone()));
            let found = status.diagnosis.as_ref().context("nothing is diagnosed")?;
            let next = status.next_step.as_ref().map(|step| step.reason.as_str());
            ensure!(found.cause == cause && next == Some("TransitDown"), "{} {next:?}", found.cause);
            ensure!(waited.len() == PODS.len(), "only {waited:?} waited");
            Ok(())
        })
        .await
    }

    async fn are_started_again(&self) -> Result<()> {
        let started = self.starts()?;
        eventually("every pod to be started once more", DEADLINE, async || {
            let again = self.starts()?.iter().zip(&started).all(|(now, before)| before < now);
            ensure!(again, "not every one is");
            Ok(())
        })
        .await
    }

    fn starts(&self) -> Result<Vec<u32>> {
        PODS.into_iter().map(|pod| self.pair.kubelet.starts(pod)).collect()
    }

    async fn blank_joins_once_it_may(&self) -> Result<()> {
        let told = self.pair.eventually("the blank pod to be told", |status| {
            let found = status.diagnosis.as_ref();
            found.is_some_and(|found| found.cause == "NotJoined" && found.message.contains(BLANK))
        });
        told.await?;
        self.lonely.store(false, Ordering::SeqCst);
        self.pair.kubelet.kill(BLANK)
    }

    async fn is_well(&self) -> Result<()> {
        eventually("one that leads two others", PATIENCE, async || {
            let mut seen = Vec::new();
            for pod in PODS {
                seen.push(self.pair.kubelet.endpoint(pod)?.health().await?);
            }
            seen.sort_unstable();
            ensure!(seen == [200, 429, 429], "{seen:?}");
            Ok(())
        })
        .await?;
        let well = self.pair.eventually("nothing to be wrong", |status| {
            status.diagnosis.is_none() && condition(status, "Unsealed").0 == "True"
        });
        well.await.map(drop)
    }

    /// How many pods the controller deleted, none of them in this time.
    fn deletions(&self, mark: Mark, [from, until]: [Timestamp; 2]) -> Result<usize> {
        let events = self.cluster.plane.audit().since(mark)?.into_iter();
        let writes: Vec<_> =
            events.filter(|event| event.user == USER && event.is_about("pods") && event.is_write()).collect();
        let blind: Vec<_> = writes.iter().filter(|event| from <= event.at && event.at <= until).collect();
        ensure!(blind.is_empty(), "while A couldn't decrypt: {blind:#?}");
        Ok(writes.len())
    }
}

/// Who has joined votes after twenty seconds only; without two who vote nothing is left of a server whose pod-0 lost its disk.
async fn await_voters(pair: &Pair, born: &Born) -> Result<()> {
    let leader = pair.kubelet.endpoint(BLANK)?;
    eventually("three voters", PATIENCE, async || {
        let path = "sys/storage/raft/configuration";
        let (status, body) = leader.request("GET", path, Some(&born.root), &Value::Null).await?;
        let servers = body["data"]["config"]["servers"].as_array().context("no servers")?;
        let voters = servers.iter().filter(|server| server["voter"] == true).count();
        ensure!(status == 200 && voters == 3, "{status}: {voters} of {}", servers.len());
        Ok(())
    })
    .await
}
