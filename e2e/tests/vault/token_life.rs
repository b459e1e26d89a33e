//! The life of a seal token, on a clock on which it is short: the token is never missing where the server needs it.
//!
//! A token lives ten seconds without a renewal. Less can't be asked for: ten is the least that `spec.token.period` takes, and the
//! role on A has the same. So it is renewed every five, and whatever takes longer than that outlives the token.
//!
//! The controller is killed with `-9`, and B with it, so that B's start needs what is in the Secret:
//! 1. while the request for a token is on its way to A; while A's answer is on its way back;
//! 2. while the token is on its way into the Secret; when it is there, and the controller doesn't know yet; when it knows, and the
//!    status doesn't say so yet;
//! 3. while the request for a renewal is on its way, while its answer is.
//!
//! Then the controller is started again. Each time B comes up, and all is well, without anybody. In the end one token lives, the one
//! in the Secret, and A's audit log has no request to revoke any.
//!
//! What takes longer:
//! 1. The role on A is deleted. That is told while the token lives, and again when a renewal fails, and B doesn't start once the
//!    token is dead. The role is back: another token is made, and B starts.
//! 2. A is down for longer than a token lives, and B is killed. A is back: the same.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, slice};

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::churn::say;
use holdfast_e2e::{Cluster, NAMESPACE as SYSTEM};
use holdfast_testkit::fault_proxy::{Fault, Injected, Rule, Which};
use holdfast_testkit::vault::{Product, Server, TransitServer};
use holdfast_testkit::{ControllerProcess, FaultProxy, eventually};
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{self, DEADLINE, KEY, Pair, condition};
use crate::wire::{Half, Wire};

const API: u16 = 8200;
const PERIOD: Duration = Duration::from_secs(10);
/// A server that is started in vain waits four seconds at most for its next start; a mint that failed is tried again after thirty.
const START: Duration = Duration::from_secs(120);
/// Longer than this story takes.
const FOR_EVER: Duration = Duration::from_secs(3600);
/// The paths of the requests to A.
const MINT: &str = " /v1/auth/token/create/";
const RENEWAL: &str = " /v1/auth/token/renew-self ";

/// How far the controller had come when it was killed.
#[derive(Clone, Copy, Debug)]
enum Point {
    MintAsked,
    MintAnswered,
    SecretAsked,
    SecretWritten,
    StatusAsked,
    RenewalAsked,
    RenewalAnswered,
}

const POINTS: [Point; 7] = [
    Point::MintAsked,
    Point::MintAnswered,
    Point::SecretAsked,
    Point::SecretWritten,
    Point::StatusAsked,
    Point::RenewalAsked,
    Point::RenewalAnswered,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_the_controller_is_killed_the_server_starts() -> Result<()> {
    let cluster = stage::cluster(&["kills"]).await?;
    let world = World::start(&cluster, "kills").await?;
    let proxy = FaultProxy::before(&cluster.plane).await?;
    let mut controller = controller(&cluster, &proxy).await?;
    world.pair.initialise().await?;
    for point in POINTS {
        let begun = Instant::now();
        let told = Box::pin(world.killed_at(point, &proxy, controller, &cluster)).await;
        controller = told.with_context(|| format!("killed at {point:?}"))?;
        say(&format!("token_life: killed at {point:?}, all was well again after {:.1?}", begun.elapsed()));
    }
    let told = world.only_that_of_the_secret_lives().await.and_then(|()| world.nothing_was_revoked(POINTS.len() - 2));
    told.map_err(|error| controller.explain(error))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_outlasts_a_token_is_told_and_cured_without_anybody() -> Result<()> {
    let namespaces = ["role", "outage"];
    let cluster = stage::cluster(&namespaces).await?;
    let controller = stage::controller(&cluster, &namespaces).await?;
    let (role, outage) = (Box::pin(role_deleted(&cluster)), Box::pin(a_is_away(&cluster)));
    tokio::try_join!(role, outage).map_err(|error| controller.explain(error))?;
    Ok(())
}

/// A controller that acts at once: on this clock nobody waits until the Lease of the dead runs out.
async fn controller(cluster: &Cluster, proxy: &FaultProxy) -> Result<ControllerProcess> {
    let account = cluster.plane.service_account_kubeconfig(SYSTEM, "holdfast-vault").await?;
    let builder = ControllerProcess::builder(proxy.kubeconfig(&account)?).command("vault-controller");
    let builder = builder.argument("--namespaces=kills").argument("--allow-loopback-servers");
    let controller = builder.without_leader_election().log_level("info,holdfast_vault=debug").start()?;
    controller.ready(DEADLINE).await?;
    Ok(controller)
}

/// A with a log of what it was asked, and a B whose token the controller makes.
struct World {
    pair: Pair,
    to_a: Wire,
    events: Api<Event>,
    audit: TempDir,
}

impl World {
    /// The Secret is empty, so B doesn't run yet.
    async fn start(cluster: &Cluster, namespace: &'static str) -> Result<Self> {
        let audit = tempfile::tempdir()?;
        let a = TransitServer::start_as(Server::builder(Product::OpenBao).extra(audit_stanza(audit.path()))).await?;
        a.prepare(KEY, &period()).await?;
        stage::trust(&a, cluster, namespace).await?;
        let to_a = Wire::to((a.server.ip(), API).into(), (a.server.ip(), 0)).await?;
        let pair = Pair::prepare(cluster, namespace, Product::OpenBao, a, |kubelet| kubelet).await?;
        let mut spec = stage::managed();
        stage::merge(&mut spec, &json!({"token": {"period": period()}, "seal": {"transit": {"address": to_a.url()}}}));
        pair.apply(&spec).await?;
        Ok(Self { pair, to_a, events: Api::namespaced(cluster.admin(), namespace), audit })
    }

    /// Kills the controller there, and B too; another controller is started, and nobody does anything else.
    async fn killed_at(
        &self,
        point: Point,
        proxy: &FaultProxy,
        victim: ControllerProcess,
        cluster: &Cluster,
    ) -> Result<ControllerProcess> {
        let held = self.comes_to(point, proxy).await.map_err(|error| victim.explain(error))?;
        victim.kill()?;
        self.pair.kubelet.kill("vault-0")?;
        drop((victim, held));
        let heir = controller(cluster, proxy).await?;
        self.starts_and_is_well().await.map_err(|error| heir.explain(error))?;
        Ok(heir)
    }

    /// Waits until the controller has come so far, and lets it come no further.
    async fn comes_to(&self, point: Point, proxy: &FaultProxy) -> Result<Vec<Injected>> {
        let secret = |fault| proxy.inject(Rule::new(Which::writes().of("secrets"), fault).times(1));
        match point {
            Point::MintAsked => self.kept_back(MINT, Half::Request, true).await,
            Point::MintAnswered => self.kept_back(MINT, Half::Answer, true).await,
            Point::RenewalAsked => self.kept_back(RENEWAL, Half::Request, false).await,
            Point::RenewalAnswered => self.kept_back(RENEWAL, Half::Answer, false).await,
            Point::SecretAsked => self.struck(vec![secret(Fault::Delay(FOR_EVER))]).await,
            Point::SecretWritten => {
                let before = self.token().await?;
                let held = self.struck(vec![secret(Fault::Unanswered)]).await?;
                self.pair.another_token(&before).await?;
                Ok(held)
            }
            Point::StatusAsked => {
                // Nothing else is written while the Secret is.
                let mut held = self.struck(vec![secret(Fault::Delay(Duration::from_secs(1)))]).await?;
                let status = Which::writes().of("vaulttransitunseals");
                held.push(proxy.inject(Rule::new(status, Fault::Delay(FOR_EVER))));
                strikes(held.last().map(slice::from_ref).unwrap_or_default()).await?;
                Ok(held)
            }
        }
    }

    async fn kept_back(&self, request: &'static str, half: Half, mint: bool) -> Result<Vec<Injected>> {
        let kept = self.to_a.keep(request, half);
        if mint {
            self.needs_a_token().await?;
        }
        eventually(&format!("{half:?} of{request}"), DEADLINE, async || {
            ensure!(kept.is_there(), "it isn't sent");
            Ok(())
        })
        .await?;
        Ok(Vec::new())
    }

    async fn struck(&self, rules: Vec<Injected>) -> Result<Vec<Injected>> {
        self.needs_a_token().await?;
        strikes(&rules).await?;
        Ok(rules)
    }

    /// Somebody broke what is in the Secret.
    async fn needs_a_token(&self) -> Result<()> {
        self.pair.write_secret(BROKEN).await
    }

    async fn token(&self) -> Result<String> {
        let mut held = self.pair.secret().await?;
        Ok(held.remove("token").unwrap_or_default())
    }

    async fn starts_and_is_well(&self) -> Result<()> {
        self.pair.kubelet.endpoint("vault-0")?.await_health(&[200], START).await?;
        // Else the status may be that of before.
        self.pair.look().await?;
        self.pair
            .eventually("health", |status| status.diagnosis.is_none() && condition(status, "TokenHealthy").0 == "True")
            .await
            .map(drop)
    }

    /// What was made in vain ended by itself, and what was replaced too.
    async fn only_that_of_the_secret_lives(&self) -> Result<()> {
        eventually("one token", DEADLINE, async || {
            let held = self.pair.secret().await?.remove("accessor").context("the Secret has no accessor")?;
            let alive = self.alive().await?;
            // Accessors are secrets too: with one a token can be revoked.
            ensure!(
                alive == [held.as_str()],
                "{} live, among them that of the Secret: {}",
                alive.len(),
                alive.contains(&held)
            );
            Ok(())
        })
        .await
    }

    /// The accessors of the tokens of the role that are alive.
    async fn alive(&self) -> Result<Vec<String>> {
        let (_, listed) = self.pair.a.request("LIST", "auth/token/accessors", &Value::Null).await?;
        let listed = listed["data"]["keys"].as_array().context("no list of accessors")?;
        let mut alive = Vec::new();
        for accessor in listed.iter().filter_map(Value::as_str) {
            // Whoever ended meanwhile isn't alive.
            let (_, found) =
                self.pair.a.request("POST", "auth/token/lookup-accessor", &json!({"accessor": accessor})).await?;
            if found["data"]["role"] == KEY {
                alive.push(accessor.to_owned());
            }
        }
        Ok(alive)
    }

    /// And A was asked for so many tokens at least, else it isn't the log of this A.
    fn nothing_was_revoked(&self, made_at_least: usize) -> Result<()> {
        let asked = paths(&log_in(self.audit.path()))?;
        let revocations: Vec<&String> = asked.iter().filter(|path| path.contains("revoke")).collect();
        ensure!(revocations.is_empty(), "{revocations:?}");
        let count = |wanted: &str| asked.iter().filter(|path| path.as_str() == wanted).count();
        let (made, renewed) = (count(&format!("auth/token/create/{KEY}")), count("auth/token/renew-self"));
        say(&format!("token_life: A was asked for {made} tokens and {renewed} renewals, and to revoke none"));
        ensure!(made_at_least <= made && 2 <= renewed, "only {made} tokens and {renewed} renewals: {asked:?}");
        Ok(())
    }

    /// Waits for an event whose note has these words.
    async fn is_announced(&self, reason: &str, words: &str) -> Result<()> {
        eventually(&format!("the event {reason}"), DEADLINE, async || {
            let events = self.events.list(&ListParams::default()).await?;
            let notes = events.iter().filter(|event| event.reason.as_deref() == Some(reason));
            let notes: Vec<&str> = notes.filter_map(|event| event.note.as_deref()).collect();
            ensure!(notes.iter().any(|note| note.contains(words)), "{notes:?}");
            Ok(())
        })
        .await
    }
}

/// What no server takes for a token.
const BROKEN: &str = "broken\n";

async fn strikes(rules: &[Injected]) -> Result<()> {
    eventually("the write to be held", DEADLINE, async || {
        ensure!(rules.iter().all(|rule| 0 < rule.struck()), "it isn't sent");
        Ok(())
    })
    .await
}

async fn role_deleted(cluster: &Cluster) -> Result<()> {
    let world = World::start(cluster, "role").await?;
    let pair = &world.pair;
    pair.initialise().await?;
    world.starts_and_is_well().await?;
    let before = world.token().await?;
    pair.a.delete(&format!("auth/token/roles/{KEY}")).await?;
    pair.look().await?;
    let told = pair.status().await?.diagnosis.context("nothing is diagnosed")?;
    ensure!(told.cause == "TokenRoleUnsafe" && told.message.contains("there is no role b"), "{told:?}");
    world.is_announced("TokenRenewalFailed", "the role that made the token was deleted").await?;
    pair.eventually("the dead token to be told", |status| {
        let dead = status.diagnosis.as_ref().is_some_and(|found| found.cause == "TokenDead");
        dead && status.next_step.as_ref().is_some_and(|step| step.reason == "FailedJustNow")
    })
    .await?;
    world.is_announced("TokenMintFailed", "").await?;
    ensure!(!pair.restarts(Duration::from_secs(5)).await?, "it starts with a dead token");
    ensure!(world.token().await? == before, "a token was made though there is no role");

    // The key is there, and stays as it is.
    pair.a.prepare(KEY, &period()).await?;
    pair.another_token(&before).await?;
    world.starts_and_is_well().await?;
    world.nothing_was_revoked(2)
}

async fn a_is_away(cluster: &Cluster) -> Result<()> {
    let world = World::start(cluster, "outage").await?;
    let pair = &world.pair;
    pair.initialise().await?;
    world.starts_and_is_well().await?;
    let before = world.token().await?;
    pair.a.server.kill()?;
    let begun = Instant::now();
    pair.kubelet.kill("vault-0")?;
    pair.eventually("A to be away", |status| {
        let away = status.diagnosis.as_ref().is_some_and(|found| found.cause == "TransitUnreachable");
        away && condition(status, "WouldStart").0 == "False"
    })
    .await?;
    eventually("the token to outlive itself", DEADLINE, async || {
        ensure!(PERIOD * 3 / 2 < begun.elapsed(), "a renewal just before the end may still count");
        Ok(())
    })
    .await?;
    ensure!(world.token().await? == before, "a token was made though A is down");
    pair.a.start_again().await?;
    pair.another_token(&before).await?;
    world.starts_and_is_well().await?;
    world.nothing_was_revoked(2)
}

fn period() -> String {
    format!("{}s", PERIOD.as_secs())
}

fn log_in(folder: &Path) -> PathBuf {
    folder.join("audit.log")
}

fn audit_stanza(folder: &Path) -> String {
    let file = json!(log_in(folder));
    format!("audit \"file\" \"main\" {{\n  options {{\n    file_path = {file}\n  }}\n}}\n")
}

/// The paths of all requests, in their order. The last line may still be being written.
fn paths(log: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(log).with_context(|| format!("reading {}", log.display()))?;
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut paths = Vec::new();
    for line in complete.lines() {
        let entry: Value = serde_json::from_str(line).context("a line of A's audit log")?;
        if entry["type"] == "request" {
            paths.push(entry["request"]["path"].as_str().unwrap_or_default().to_owned());
        }
    }
    Ok(paths)
}
