//! The policies that `holdfast audit --emit admission-policy` writes say what we say, of every pod that a server takes.
//!
//! 1. An API server alone, with a namespace for each of some levels and versions, in which the policies of that one hold.
//! 2. Pods are created, as such and in everything that pods are made from: those of upstream, random ones, and one that
//!    is as large as it gets. The server warns of the checks that we find broken, in their words, and of no others.
//!    Objects that aren't valid don't count.
//! 3. Each policy has complained at least once. None had an expression that could not be evaluated: they fail here,
//!    where they are ignored in earnest.
//! 4. An ephemeral container is judged when it joins a pod.
//! 5. As they are written, they hold in every namespace but the exempt ones.
//!
//! The seed is printed and replayed by `HOLDFAST_SEED`; `HOLDFAST_SOAK=1` asks of every version that changed something,
//! and with every pod of upstream.

mod objects;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use holdfast_e2e::churn::say;
use holdfast_e2e::{Shared, is_soak, set};
use holdfast_pod_security::admission::{self, AdmissionPolicy};
use holdfast_pod_security::{Check, Level, PodFacts, Version, evaluate};
use holdfast_testkit::eventually::eventually;
use holdfast_testkit::{ControlPlane, Tool};
use k8s_openapi::api::admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Client;
use kube::api::{Api, PostParams};
use kube::client::Body;
use kube::core::Request;
use serde_json::{Value, json};

use objects::{KINDS, annotated, large, wrap};

use super::pods::{Choices, pod};
use super::{AT_ONCE, SEED, fixtures, seed_of_this_run};

/// How long a server may take until it heeds a policy.
const PATIENCE: Duration = Duration::from_secs(180);
const VERSIONS: [u64; 4] = [18, 24, 30, 35];
/// Every one in which a check came or changed, and those before and after all others.
const ALL_VERSIONS: [u64; 17] = [0, 7, 8, 18, 19, 22, 23, 24, 25, 27, 29, 30, 31, 32, 34, 35, 37];

/// The policies of a level and version, in a namespace of their own.
struct Set {
    level: Level,
    version: Version,
    namespace: String,
    /// By the name under which they are here.
    policies: BTreeMap<String, AdmissionPolicy>,
}

/// Something with pods, to be created.
#[derive(Clone)]
struct Case<'a> {
    set: &'a Set,
    path: &'static str,
    object: Value,
    broken: BTreeSet<Check>,
}

/// What a server says of an object.
enum Answer {
    Taken(Vec<String>),
    Invalid,
}

#[derive(Default)]
struct Tally {
    agreed: usize,
    warned: usize,
    templates: usize,
    invalid: usize,
    seen: BTreeSet<(String, Check)>,
}

#[tokio::test]
async fn a_server_warns_of_what_we_find_broken() -> Result<()> {
    let seed = seed_of_this_run()?;
    say(&format!("pod security, policies: {SEED}={seed}"));
    compare(seed).await.with_context(|| format!("to repeat it: {SEED}={seed}"))
}

async fn compare(seed: u64) -> Result<()> {
    let plane = ControlPlane::builder().without_controllers().without_audit().start().await?;
    let client = plane.admin();
    let versions: &[u64] = if is_soak() { &ALL_VERSIONS } else { &VERSIONS };
    let levels = [Level::Baseline, Level::Restricted];
    let sets: Vec<Set> =
        levels.iter().flat_map(|level| versions.iter().map(|minor| Set::new(*level, *minor))).collect();
    let making = stream::iter(&sets).map(|set| set.install(&client)).buffer_unordered(AT_ONCE);
    making.try_collect::<()>().await?;

    let mut cases = draw(&sets, &mut Rng::with_seed(seed)).await?;
    // Where something is wrong it is seen that the policies hold by now, and only then what they don't complain of.
    cases.sort_by_key(|case| case.broken.is_empty());
    let started = Instant::now();
    let deadline = started + PATIENCE;
    let mut tally = Tally::default();
    let answers = stream::iter(&cases).map(|case| case.agree(&client, deadline)).buffered(AT_ONCE);
    answers.try_for_each(|answer| std::future::ready(tally.add(answer))).await?;
    say(&format!(
        "pod security, policies: {} sets, {} objects agree ({} warned of, {} with templates), {} more invalid, after {:.0?}",
        sets.len(),
        tally.agreed,
        tally.warned,
        tally.templates,
        tally.invalid,
        started.elapsed(),
    ));
    let silent = sets.iter().flat_map(|set| set.silent(&tally)).collect::<Vec<_>>();
    ensure!(silent.is_empty(), "never complained: {silent:?}");
    ensure!(tally.invalid < tally.agreed, "too few are valid");
    an_ephemeral_container_is_judged(&client, &sets).await?;
    exempt_namespaces_are_left_alone(&client).await
}

impl Set {
    fn new(level: Level, minor: u64) -> Self {
        let version = Version::Minor(minor);
        let namespace = format!("{level}-v1-{minor}");
        let policies = admission::policies(level, version, &admission::EXEMPT).into_iter();
        let named = policies.map(|policy| (format!("{}-{minor}", name(&policy)), policy));
        Self { level, version, namespace, policies: named.collect() }
    }

    /// Under names of its own, in a namespace of its own, and so that what can't be evaluated is seen.
    async fn install(&self, client: &Client) -> Result<()> {
        make_namespace(client, &self.namespace).await?;
        for (name, it) in &self.policies {
            let policy = set(serde_json::to_value(&it.policy)?, "/metadata/name", json!(name));
            let policy = set(policy, "/spec/failurePolicy", json!("Fail"));
            let binding = set(serde_json::to_value(&it.binding)?, "/metadata/name", json!(name));
            let mut binding = set(binding, "/spec/policyName", json!(name));
            let here = json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": [self.namespace]});
            binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
                .as_array_mut()
                .context("requirements")?
                .push(here);
            create(client, policy, binding).await.with_context(|| name.clone())?;
        }
        Ok(())
    }
}

fn name(policy: &AdmissionPolicy) -> String {
    let json = serde_json::to_value(&policy.policy).unwrap_or_default();
    json["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

async fn create(client: &Client, policy: Value, binding: Value) -> Result<()> {
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(client.clone());
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(client.clone());
    policies.create(&PostParams::default(), &serde_json::from_value(policy)?).await?;
    bindings.create(&PostParams::default(), &serde_json::from_value(binding)?).await?;
    Ok(())
}

async fn make_namespace(client: &Client, name: &str) -> Result<()> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
    namespaces.create(&PostParams::default(), &namespace).await?;
    Ok(())
}

/// For each set: the pods that upstream wrote for it, some of all that upstream wrote, random ones, a large one, and some
/// of these in what pods are made from.
async fn draw<'a>(sets: &'a [Set], rng: &mut Rng) -> Result<Vec<Case<'a>>> {
    let folder = Tool::PodSecurity.find_in_background().await?.path;
    let mut pool: BTreeMap<String, Value> = BTreeMap::new();
    let mut own: BTreeMap<(Level, Version), Vec<Value>> = BTreeMap::new();
    for (level, version, pod) in fixtures::pods(&folder)? {
        own.entry((level, version)).or_default().push(pod.clone());
        let mut nameless = pod.clone();
        nameless["metadata"]["name"] = json!("t");
        pool.insert(nameless.to_string(), pod);
    }
    let pool: Vec<Value> = pool.into_values().collect();
    let (some, random, wrapped) = if is_soak() { (pool.len(), 300, 150) } else { (40, 40, 30) };
    let mut cases = Vec::new();
    for set in sets {
        let mut pods = own.get(&(set.level, set.version)).cloned().unwrap_or_default();
        pods.extend(rng.choose_multiple(&pool, some).into_iter().cloned());
        pods.extend((0..random).map(|_| pod(&mut Choices(&mut |n| rng.usize(..n)))));
        let templates = rng.choose_multiple(&pods, wrapped).into_iter().cloned().collect::<Vec<_>>();
        pods.push(annotated());
        // It takes seconds, and the newest have most to look for.
        if Some(set.version) == sets.iter().map(|set| set.version).max() {
            pods.push(large());
        }
        for pod in pods {
            cases.push(Case::new(set, "/api/v1/namespaces/NS/pods", pod.clone(), &pod)?);
        }
        for pod in templates {
            let (path, object) = wrap(&pod, rng.usize(..KINDS));
            cases.push(Case::new(set, path, object, &pod)?);
        }
    }
    Ok(cases)
}

impl<'a> Case<'a> {
    fn new(set: &'a Set, path: &'static str, object: Value, pod: &Value) -> Result<Self> {
        let facts = serde_json::from_value::<PodFacts>(pod.clone())?.defaulted();
        let violations = evaluate(set.level, set.version, &facts);
        Ok(Self { set, path, object, broken: violations.iter().map(|violation| violation.check).collect() })
    }

    /// Asks until the server says what we say. None when the object isn't valid.
    async fn agree(&self, client: &Client, deadline: Instant) -> Result<Option<&Self>> {
        loop {
            let url = self.path.replace("NS", &self.set.namespace);
            let Answer::Taken(warnings) = ask(client, &url, &self.object).await? else { return Ok(None) };
            match self.set.told(&warnings) {
                Ok(told) if told == self.broken => return Ok(Some(self)),
                told if deadline < Instant::now() => {
                    let Self { set: Set { namespace, .. }, object, broken, .. } = self;
                    let told = told.map_or_else(|error| error.to_string(), |told| format!("{told:?}"));
                    anyhow::bail!("{namespace}: ours {broken:?}, theirs {told}, who said {warnings:#?} of {object:#}");
                }
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

impl Set {
    /// The policies that never complained, without the one that can't: the server takes no unmasked `/proc` in a pod
    /// without users of its own, and this check takes it in one with.
    fn silent(&self, tally: &Tally) -> impl Iterator<Item = &str> {
        let seen = |check| tally.seen.contains(&(self.namespace.clone(), check));
        let can = |check| check != Check::ProcMount || self.version < Version::Minor(35);
        let silent = self.policies.iter().filter(move |(_, it)| can(it.check) && !seen(it.check));
        silent.map(|(name, _)| name.as_str())
    }

    /// The checks that the server's warnings are about.
    fn told(&self, warnings: &[String]) -> Result<BTreeSet<Check>> {
        let mut told = BTreeSet::new();
        for warning in warnings {
            let Some(rest) = warning.strip_prefix("Validation failed for ValidatingAdmissionPolicy '") else {
                continue;
            };
            let (name, rest) = rest.split_once('\'').context("no name")?;
            let Some(policy) = self.policies.get(name) else { continue };
            let (_, message) = rest.split_once("': ").context("no message")?;
            let json = serde_json::to_value(&policy.policy)?;
            let reason = json["spec"]["validations"][0]["message"].as_str().context("no reason")?;
            // With names: else the expression of the message could not be evaluated.
            ensure!(message.starts_with(&format!("{reason} (")), "{warning}");
            told.insert(policy.check);
        }
        Ok(told)
    }
}

impl Tally {
    fn add(&mut self, case: Option<&Case<'_>>) -> Result<()> {
        let Some(case) = case else {
            self.invalid += 1;
            return Ok(());
        };
        self.agreed += 1;
        self.warned += usize::from(!case.broken.is_empty());
        self.templates += usize::from(!case.path.ends_with("/pods"));
        self.seen.extend(case.broken.iter().map(|check| (case.set.namespace.clone(), *check)));
        Ok(())
    }
}

/// Creates an object without keeping it.
async fn ask(client: &Client, url: &str, object: &Value) -> Result<Answer> {
    let only_asked = PostParams { dry_run: true, ..PostParams::default() };
    let request = Request::new(url).create(&only_asked, serde_json::to_vec(object)?)?;
    answer(client, request.map(Body::from)).await
}

async fn answer(client: &Client, request: http::Request<Body>) -> Result<Answer> {
    let response = client.send(request).await?;
    let status = response.status().as_u16();
    if status == 422 {
        return Ok(Answer::Invalid);
    }
    let values = response.headers().get_all("warning").iter();
    let warnings = values.filter_map(|value| Some(unquoted(value.to_str().ok()?))).collect();
    let body = response.into_body().collect_bytes().await?;
    ensure!(status < 300, "{status}: {}", String::from_utf8_lossy(&body));
    Ok(Answer::Taken(warnings))
}

/// `299 - "text"`
fn unquoted(header: &str) -> String {
    let text = header.split_once('"').map_or(header, |(_, text)| text);
    text.trim_end_matches('"').replace("\\\"", "\"").replace("\\\\", "\\")
}

/// It can only join a pod that is there.
async fn an_ephemeral_container_is_judged(client: &Client, sets: &[Set]) -> Result<()> {
    for set in sets {
        let pods: Api<Pod> = Api::namespaced(client.clone(), &set.namespace);
        let plain = json!({"metadata": {"name": "joined"}, "spec": {"containers": [{"name": "a", "image": "i"}]}});
        let there = pods.create(&PostParams::default(), &serde_json::from_value(plain)?).await?;
        let mut joined = serde_json::to_value(there)?;
        joined["spec"]["ephemeralContainers"] =
            json!([{"name": "e", "image": "i", "securityContext": {"privileged": true}}]);
        let only_asked = PostParams { dry_run: true, ..PostParams::default() };
        let url = format!("/api/v1/namespaces/{}/pods", set.namespace);
        let request = Request::new(url).replace_subresource(
            "ephemeralcontainers",
            "joined",
            &only_asked,
            serde_json::to_vec(&joined)?,
        )?;
        let Answer::Taken(warnings) = answer(client, request.map(Body::from)).await? else {
            anyhow::bail!("{joined:#} is not valid")
        };
        let facts: PodFacts = serde_json::from_value(joined)?;
        let broken = evaluate(set.level, set.version, &facts).iter().map(|violation| violation.check).collect();
        let told = set.told(&warnings)?;
        ensure!(told == broken && told.contains(&Check::Privileged), "{}: {told:?}, ours {broken:?}", set.namespace);
        ensure!(warnings.iter().any(|warning| warning.ends_with(r#"privileged (container "e")"#)), "{warnings:?}");
    }
    Ok(())
}

async fn exempt_namespaces_are_left_alone(client: &Client) -> Result<()> {
    let policies = admission::policies(Level::Baseline, Version::Latest, &admission::EXEMPT);
    for it in &policies {
        create(client, serde_json::to_value(&it.policy)?, serde_json::to_value(&it.binding)?).await?;
    }
    let ours = policies.iter().map(|policy| (name(policy), policy.clone())).collect();
    let whole =
        Set { level: Level::Baseline, version: Version::Latest, namespace: "default".to_owned(), policies: ours };
    let wrong = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "t"},
        "spec": {"hostPID": true, "containers": [{"name": "a", "image": "i"}]},
    });
    let here = Case::new(&whole, "/api/v1/namespaces/NS/pods", wrong.clone(), &wrong)?;
    ensure!(here.agree(client, Instant::now() + PATIENCE).await?.is_some(), "it is valid");
    for exempt in ["kube-system", "kube-public"] {
        let answer = ask(client, &format!("/api/v1/namespaces/{exempt}/pods"), &wrong).await?;
        let Answer::Taken(warnings) = answer else { anyhow::bail!("it is valid") };
        ensure!(warnings.is_empty(), "{exempt}: {warnings:?}");
    }
    Ok(())
}

/// A server looks for fields that its kinds don't have, and tells in the status of a policy.
#[tokio::test]
async fn a_server_finds_no_mistake_in_an_expression() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    let api: Api<ValidatingAdmissionPolicy> = Api::all(client.clone());
    for (level, minor) in [(Level::Baseline, 18), (Level::Restricted, 24), (Level::Restricted, 37)] {
        for it in admission::policies(level, Version::Minor(minor), &[]) {
            // Not bound: nobody else is warned.
            let name = format!("{}-{minor}", name(&it));
            let policy = set(serde_json::to_value(&it.policy)?, "/metadata/name", json!(name));
            api.create(&PostParams::default(), &serde_json::from_value(policy)?).await?;
            let checked = eventually("the policy is looked at", PATIENCE, async || {
                let status = api.get(&name).await?.status.unwrap_or_default();
                ensure!(status.observed_generation.is_some(), "not yet");
                Ok(status)
            });
            let warnings = checked.await?.type_checking.unwrap_or_default().expression_warnings.unwrap_or_default();
            ensure!(warnings.is_empty(), "{name}: {warnings:#?}");
        }
    }
    Ok(())
}
