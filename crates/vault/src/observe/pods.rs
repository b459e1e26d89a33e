//! B's pods, one by one: what the kubelet says of the container, and what the server in it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod as RawPod};

use super::{Eyes, Secrets, reach};
use crate::client::{Address, AddressError, Client, Error, HealthState, Kind, Phase, ServerSpec, Unsendable};
use crate::rehearsal::ContainerId;
use crate::settings::Settings;
use crate::view::{Answer, Container, Ended, Pod, ServerFacts, Serving, StatefulSet, Target};
use crate::wiring::server_container;

/// The clients of the servers, by the UID of their pod.
pub(super) type Doors = BTreeMap<String, Client>;

/// The pods of the set, by ordinal, what each answers, and how it was asked.
pub(super) async fn observe(
    eyes: &Eyes,
    settings: &Settings,
    secrets: &Secrets<'_>,
    set: Option<&StatefulSet>,
    pods: &[Arc<RawPod>],
    unsealed: &BTreeSet<ContainerId>,
) -> (Vec<Pod>, Doors) {
    let Some(set) = set else { return (Vec::new(), Doors::new()) };
    let ca = match &settings.target.verify.ca_secret_ref {
        Some(reference) => match secrets.authority(reference).await {
            Ok(ca) => Ok(Some(ca)),
            Err(why) => Err(why),
        },
        None => Ok(None),
    };
    let owned = pods.iter().filter(|pod| is_owned(pod, &set.uid));
    let looks = owned.map(|raw| {
        let ca = ca.clone();
        async move {
            let mut pod = facts(raw, settings)?;
            let client = match ca {
                Ok(ca) => client(eyes, settings, set, raw, ca),
                Err(why) => Err(Answer::Unseen(why)),
            };
            pod.answer = match (&pod.container, &client) {
                (Container::Running { .. }, Ok(client)) => ask(client).await,
                (Container::Running { .. }, Err(answer)) => answer.clone(),
                (Container::Waiting(_) | Container::Ended(_), _) => {
                    Answer::Unseen("its container doesn't run".to_owned())
                }
            };
            pod.was_unsealed = pod.container_id().is_some_and(|id| unsealed.contains(&id));
            Some((pod, client.ok()))
        }
    });
    let mut seen: Vec<(Pod, Option<Client>)> = join_all(looks).await.into_iter().flatten().collect();
    seen.sort_by_key(|(pod, _)| pod.ordinal);
    let doors = seen.iter().filter_map(|(pod, client)| Some((pod.uid.clone(), client.clone()?))).collect();
    (seen.into_iter().map(|(pod, _)| pod).collect(), doors)
}

fn is_owned(pod: &RawPod, set: &str) -> bool {
    pod.metadata.owner_references.iter().flatten().any(|owner| owner.uid == set && owner.controller == Some(true))
}

/// What the API server tells of a pod; `None` for one without what every pod has.
fn facts(raw: &RawPod, settings: &Settings) -> Option<Pod> {
    let meta = &raw.metadata;
    let name = meta.name.clone()?;
    let ordinal = name.rsplit_once('-')?.1.parse().ok()?;
    let revision = meta.labels.as_ref().and_then(|labels| labels.get("controller-revision-hash")).cloned();
    Some(Pod {
        ordinal,
        uid: meta.uid.clone()?,
        created: meta.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0),
        revision: revision.unwrap_or_default(),
        leaving: meta.deletion_timestamp.is_some(),
        container: container(raw, settings),
        answer: Answer::Unseen("it wasn't asked".to_owned()),
        was_unsealed: false,
        voter: None,
        name,
    })
}

fn container(raw: &RawPod, settings: &Settings) -> Container {
    let waiting = |why: &str| Container::Waiting(why.to_owned());
    let server =
        raw.spec.as_ref().and_then(|spec| server_container(spec, &settings.target.container, settings.target.port));
    let Some(server) = server else { return waiting("it has no such container") };
    let statuses = raw.status.iter().filter_map(|status| status.container_statuses.as_ref()).flatten();
    match statuses.into_iter().find(|status| status.name == server.name) {
        Some(status) => state(status),
        None => waiting("it isn't started yet"),
    }
}

fn state(status: &ContainerStatus) -> Container {
    let restarts = u32::try_from(status.restart_count).unwrap_or_default();
    let now = status.state.as_ref();
    if let Some(running) = now.and_then(|state| state.running.as_ref()) {
        let since = running.started_at.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
        return Container::Running { since, restarts };
    }
    // One that waits for its next start has ended before, which says more than that it waits.
    let before = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let ended = now.and_then(|state| state.terminated.as_ref()).or(before);
    match (ended, now.and_then(|state| state.waiting.as_ref())) {
        (Some(ended), _) => {
            let at = ended.finished_at.as_ref().map(|time| time.0);
            Container::Ended(Ended { code: ended.exit_code, at, restarts })
        }
        (None, Some(waiting)) => Container::Waiting(waiting.reason.clone().unwrap_or_default()),
        (None, None) => Container::Waiting(String::new()),
    }
}

/// A client of the server in a pod, or what to answer instead.
fn client(
    eyes: &Eyes,
    settings: &Settings,
    set: &StatefulSet,
    raw: &RawPod,
    ca: Option<Vec<u8>>,
) -> Result<Client, Answer> {
    let ip = raw.status.as_ref().and_then(|status| status.pod_ip.as_deref());
    let Some(ip) = ip.and_then(|ip| ip.parse::<IpAddr>().ok()) else {
        return Err(Answer::Unseen("it has no address yet".to_owned()));
    };
    let pod = raw.metadata.name.as_deref().unwrap_or_default();
    let name = server_name(pod, &set.service, &settings.namespace);
    let spec = pod_server(settings, &name, ip, ca).map_err(|error| Answer::Unseen(error.to_string()))?;
    eyes.clients.client(&spec).map_err(|error| answer_of(&error))
}

/// The name of the server in a pod, which isn't resolved: it is what the certificate bears. A set needn't have a Service.
pub(crate) fn server_name(pod: &str, service: &str, namespace: &str) -> String {
    let parts = [pod, service, namespace, "svc"];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
}

/// The server in the pod at `ip`, under the name of [`server_name`].
pub(crate) fn pod_server(
    settings: &Settings,
    name: &str,
    ip: IpAddr,
    ca: Option<Vec<u8>>,
) -> Result<ServerSpec, AddressError> {
    let scheme = if settings.target.tls { "https" } else { "http" };
    let address = Address::parse(&format!("{scheme}://{name}:{}", settings.target.port), true)?;
    let spec = ServerSpec::new(address).with_connect_to(ip).with_timeout(settings.timeout);
    Ok(reach::verified(spec, ca, &settings.target.verify.server_name))
}

/// What the server says of itself, and what it does.
async fn ask(client: &Client) -> Answer {
    match client.seal_status().await {
        Ok(status) => {
            let facts = reach::facts(&status);
            let serving = if facts.initialised && !facts.sealed { serving(client).await } else { Serving::Nothing };
            Answer::Told(facts, serving)
        }
        // OpenBao between a standby's migration and the step-down of its leader.
        Err(error) if error.refusal().is_some_and(|refusal| refusal.status() == 500) => match client.leader().await {
            Ok(_) => Answer::MigratedStandby,
            Err(_) => answer_of(&error),
        },
        Err(error) => answer_of(&error),
    }
}

async fn serving(client: &Client) -> Serving {
    match client.leader().await {
        Ok(leader) if leader.is_self || !leader.ha_enabled => Serving::Active,
        Ok(leader) if leader.leader_address.is_empty() => Serving::Leaderless,
        Ok(_) => Serving::Standby,
        Err(_) => Serving::Leaderless,
    }
}

fn answer_of(error: &Error) -> Answer {
    let kind = error.cause();
    match kind {
        Kind::Refused => Answer::Refused,
        Kind::TimedOut(Phase::Handshake | Phase::Answer | Phase::Body) => Answer::Hangs,
        Kind::Tls(_)
        | Kind::Unsendable(Unsendable::Ca | Unsendable::ServerName)
        | Kind::NotHttp
        | Kind::WantsHttps
        | Kind::NotVault { .. }
        | Kind::TooLarge
        | Kind::Malformed(_) => Answer::Garbled(kind.to_string()),
        Kind::Unsendable(Unsendable::Token | Unsendable::Path | Unsendable::Shares | Unsendable::Namespace)
        | Kind::Unresolvable
        | Kind::Forbidden(_)
        | Kind::Unreachable(_)
        | Kind::TimedOut(Phase::Turn | Phase::Resolve | Phase::Connect)
        | Kind::CutOff(_)
        | Kind::Redirected(_)
        | Kind::BreakerOpen { .. }
        | Kind::PacedOut
        | Kind::Answered(_) => Answer::Unseen(kind.to_string()),
    }
}

/// A glance at each pod: the same pods in the same lives, each in the health that it had.
pub(super) async fn are_as_before(settings: &Settings, pods: &[Arc<RawPod>], before: &Target, doors: &Doors) -> bool {
    let Ok(set) = &before.set else { return false };
    let owned: Vec<&Arc<RawPod>> = pods.iter().filter(|pod| is_owned(pod, &set.uid)).collect();
    if owned.len() != before.pods.len() {
        return false;
    }
    let looks = owned.into_iter().map(|raw| async move {
        let Some(now) = facts(raw, settings) else { return false };
        let Some(known) = before.pods.iter().find(|known| known.uid == now.uid) else { return false };
        let same = known.container == now.container && known.leaving == now.leaving;
        match (serves(&known.answer), doors.get(&known.uid)) {
            (Some(expected), Some(client)) if same => {
                client.health().await.is_ok_and(|health| well(health.state) == Some(expected))
            }
            _ => false,
        }
    });
    join_all(looks).await.into_iter().all(|same| same)
}

/// What a server does that is well; whatever is wrong is looked at as a whole.
fn serves(known: &Answer) -> Option<Serving> {
    match known {
        Answer::Told(
            ServerFacts { initialised: true, sealed: false, .. },
            serving @ (Serving::Active | Serving::Standby),
        ) => Some(*serving),
        Answer::Told(..)
        | Answer::MigratedStandby
        | Answer::Refused
        | Answer::Hangs
        | Answer::Garbled(_)
        | Answer::Unseen(_) => None,
    }
}

/// The same, of what its health says.
fn well(state: HealthState) -> Option<Serving> {
    match state {
        HealthState::Active => Some(Serving::Active),
        HealthState::Standby | HealthState::PerformanceStandby | HealthState::DisasterRecoverySecondary => {
            Some(Serving::Standby)
        }
        HealthState::StandbyWithoutActive
        | HealthState::Uninitialised
        | HealthState::Sealed
        | HealthState::RemovedFromCluster
        | HealthState::Other(_) => None,
    }
}
