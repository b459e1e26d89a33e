//! What a server says of random pods in namespaces of every level and version, asked with `dryRun: All`.
//!
//! 1. An API server alone, with a namespace for each level and version, `latest` and some that aren't there yet included.
//! 2. Each pod is created: taken or refused as we say, with our words. Pods that aren't valid don't count, and are few.
//! 3. What was refused is created again with the changes that we name: the server takes it.
//!
//! The seed is printed and replayed by `HOLDFAST_SEED`; `HOLDFAST_SOAK=1` asks for many more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use fastrand::Rng;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use holdfast_e2e::churn::say;
use holdfast_e2e::is_soak;
use holdfast_pod_security::labels::{ENFORCE, ENFORCE_VERSION, LevelVersion};
use holdfast_pod_security::{Level, PodFacts, Version, evaluate, fixes, forbidden_detail};
use holdfast_testkit::ControlPlane;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use serde_json::{Value, json};

use super::cure::apply;
use super::pods::{Choices, pod};
use super::{AT_ONCE, SEED, seed_of_this_run, version_of_the_server};

/// Beyond the server's own, to which they all come down.
const NEWEST_LABEL: u64 = 40;

/// A pod, and where it is to be created.
struct Case {
    place: LevelVersion,
    pod: Value,
}

/// What became of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Taken,
    /// With the server's message.
    Refused(String),
    /// Not even looked at.
    Invalid(String),
}

#[derive(Default)]
struct Tally {
    taken: BTreeMap<Level, usize>,
    refused: BTreeMap<Level, usize>,
    messages: BTreeSet<String>,
    cured: usize,
    invalid: Vec<String>,
    disagreements: Vec<String>,
}

#[tokio::test]
async fn a_server_refuses_what_we_say_in_the_words_that_we_say() -> Result<()> {
    let seed = seed_of_this_run()?;
    say(&format!("pod security, refusals: {SEED}={seed}"));
    compare(seed).await.with_context(|| format!("to repeat it: {SEED}={seed}"))
}

async fn compare(seed: u64) -> Result<()> {
    let started = Instant::now();
    let plane = ControlPlane::builder().without_controllers().without_audit().start().await?;
    let client = plane.admin();
    let wanted = if is_soak() { 2_000 } else { 300 };
    let mut rng = Rng::with_seed(seed);
    // A tenth more: some aren't valid.
    let cases: Vec<Case> = (0..wanted + wanted / 10).map(|_| Case::draw(&mut rng)).collect();
    make_namespaces(&client, &cases).await?;

    let mut tally = Tally::default();
    let outcomes = stream::iter(&cases).map(|case| case.ask(&client)).buffer_unordered(AT_ONCE);
    outcomes.try_for_each(|outcome| std::future::ready(tally.add(outcome))).await?;
    say(&format!("pod security, refusals: {tally} after {:.0?}", started.elapsed()));
    ensure!(tally.disagreements.is_empty(), "{} disagreements: {:#?}", tally.disagreements.len(), tally.disagreements);
    ensure!(
        wanted <= tally.compared(),
        "too few are valid; the first others: {:#?}",
        tally.invalid.iter().take(5).collect::<Vec<_>>()
    );
    ensure!(wanted / 10 < tally.taken.values().sum(), "hardly any pod is taken");
    Ok(())
}

/// One for each place.
async fn make_namespaces(client: &Client, cases: &[Case]) -> Result<()> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let places: BTreeMap<String, LevelVersion> = cases.iter().map(|case| (name_of(&case.place), case.place)).collect();
    let making = stream::iter(places).map(|(name, place)| {
        let labels = json!({ENFORCE: place.level, ENFORCE_VERSION: place.version});
        let namespace = serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}}));
        let namespaces = &namespaces;
        async move { anyhow::Ok(namespaces.create(&PostParams::default(), &namespace?).await.map(drop)?) }
    });
    making.buffer_unordered(AT_ONCE).try_collect().await
}

/// `restricted-v1-25`
fn name_of(place: &LevelVersion) -> String {
    format!("{}-{}", place.level, place.version).replace('.', "-")
}

/// A pod, and what the server and we say about it.
struct Outcome<'a> {
    case: &'a Case,
    ours: Answer,
    theirs: Answer,
    /// What the server says about it as we would change it.
    cured: Option<Answer>,
}

impl Case {
    fn draw(rng: &mut Rng) -> Self {
        let level = match rng.u8(..10) {
            0 => Level::Privileged,
            1..5 => Level::Baseline,
            _ => Level::Restricted,
        };
        let version = if rng.u8(..6) == 0 { Version::Latest } else { Version::Minor(rng.u64(..=NEWEST_LABEL)) };
        let place = LevelVersion { level, version };
        Self { place, pod: pod(&mut Choices(&mut |n| rng.usize(..n))) }
    }

    async fn ask(&self, client: &Client) -> Result<Outcome<'_>> {
        let facts = serde_json::from_value::<PodFacts>(self.pod.clone())?.defaulted();
        let version = self.place.version.min(version_of_the_server()?);
        let violations = evaluate(self.place.level, version, &facts);
        let theirs = self.create(client, &self.pod).await?;
        let mut cured = None;
        if !violations.is_empty() && self.has_a_cure() && !matches!(theirs, Answer::Invalid(_)) {
            let mut pod = self.pod.clone();
            fixes(&violations).into_iter().for_each(|fix| apply(fix, &mut pod));
            cured = Some(self.create(client, &pod).await?);
        }
        let ours = match &violations[..] {
            [] => Answer::Taken,
            violations => Answer::Refused(format!(
                r#"pods "t" is forbidden: violates PodSecurity "{}": {}"#,
                self.place,
                forbidden_detail(violations)
            )),
        };
        Ok(Outcome { case: self, ours, theirs, cured })
    }

    /// From 1.8 to 1.24, restricted demanded of pods for Windows what these can't have.
    fn has_a_cure(&self) -> bool {
        let impossible = Version::Minor(8)..Version::Minor(25);
        self.pod["spec"]["os"]["name"] != "windows"
            || self.place.level != Level::Restricted
            || !impossible.contains(&self.place.version)
    }

    async fn create(&self, client: &Client, pod: &Value) -> Result<Answer> {
        let resource = ApiResource::erase::<Pod>(&());
        let pods: Api<DynamicObject> = Api::namespaced_with(client.clone(), &name_of(&self.place), &resource);
        let only_asked = PostParams { dry_run: true, ..PostParams::default() };
        match pods.create(&only_asked, &serde_json::from_value(pod.clone())?).await {
            Ok(_) => Ok(Answer::Taken),
            Err(kube::Error::Api(status)) if status.code == 403 => Ok(Answer::Refused(status.message)),
            Err(kube::Error::Api(status)) if status.code == 422 => Ok(Answer::Invalid(status.message)),
            Err(error) => bail!("{error:?} to {pod:#}"),
        }
    }
}

impl Tally {
    fn add(&mut self, outcome: Outcome<'_>) -> Result<()> {
        let Outcome { case, ours, theirs, cured } = outcome;
        let level = case.place.level;
        match &theirs {
            Answer::Taken => *self.taken.entry(level).or_default() += 1,
            Answer::Refused(message) => {
                *self.refused.entry(level).or_default() += 1;
                self.messages.insert(message.clone());
            }
            Answer::Invalid(message) => {
                self.invalid.push(message.clone());
                return Ok(());
            }
        }
        if ours != theirs {
            self.disagreements.push(format!("ours {ours:?}\ntheirs {theirs:?}\nof {:#}", case.pod));
        }
        match cured {
            None => {}
            Some(Answer::Taken) => self.cured += 1,
            Some(answer) => {
                self.disagreements.push(format!("not cured: {answer:?}\nwas {theirs:?}\nof {:#}", case.pod))
            }
        }
        Ok(())
    }

    fn compared(&self) -> usize {
        self.taken.values().chain(self.refused.values()).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} pods, taken {:?}, refused {:?} in {} messages, {} cured, {} disagreements, {} more invalid",
            self.compared(),
            self.taken,
            self.refused,
            self.messages.len(),
            self.cured,
            self.disagreements.len(),
            self.invalid.len(),
        )
    }
}
