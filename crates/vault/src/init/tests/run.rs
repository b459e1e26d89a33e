//! The whole, against a cluster and a server that fail at every single request: killed before it, killed after it, refused,
//! and done with a lost answer. With the spool that the controller had, and with another one.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_api::VaultTransitUnseal;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::json;
use tokio::runtime::Runtime;

use super::world::{Fault, ROOT, SHARES, World};
use crate::builders::{pod, view};
use crate::claim::Keys;
use crate::client::{Clients, Options};
use crate::init::claim::{Reading, Stage};
use crate::init::failed::Failed;
use crate::init::kept::Kept;
use crate::init::next::{Step, Stuck, Wait};
use crate::init::order::{CONFIRM, Order};
use crate::init::spool::Spool;
use crate::init::{Asked, Initialiser, Progress};
use crate::rehearsal::{Ignorance, Outcome};
use crate::settings::Settings;
use crate::view::View;

const DEADLINE: Duration = Duration::from_secs(60);

/// A server, a cluster, the people who get the shares, and a folder for the spool.
pub(super) struct Stage0 {
    pub(super) world: World,
    servers: Runtime,
    people: Vec<age::x25519::Identity>,
    pub(super) folder: tempfile::TempDir,
}

impl Stage0 {
    pub(super) fn new() -> Self {
        let servers = runtime();
        let world = servers.block_on(World::start());
        let people = (0..3).map(|_| age::x25519::Identity::generate()).collect();
        Self { world, servers, people, folder: tempfile::tempdir().unwrap() }
    }

    fn resource(&self) -> VaultTransitUnseal {
        let recipients: Vec<String> = self.people.iter().map(|person| person.to_public().to_string()).collect();
        serde_json::from_value(json!({
            "apiVersion": "holdfast.dev/v1alpha1", "kind": "VaultTransitUnseal",
            "metadata": {
                "name": "b", "namespace": "shop", "uid": "resource", "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {
                "mode": "Manage",
                "target": {
                    "statefulSetRef": { "name": "vault" }, "port": self.world.port(), "allowHTTP": true,
                    "auth": { "serviceAccount": { "name": "holdfast-vault", "audience": "vault-b" } },
                },
                "seal": { "transit": { "address": "https://a.example", "key": "b" } },
                "token": { "secretRef": { "name": "token", "key": "token" } },
                "initialization": {
                    "enabled": true, "allowHTTPInit": true,
                    "keyStore": { "secretName": "keys", "age": { "recipients": recipients } },
                    "admin": { "serviceAccountRef": { "name": "vault-admin" } },
                },
            },
        }))
        .unwrap()
    }

    pub(super) fn initialiser(&self, folder: &Path) -> Initialiser {
        let clients = Clients::new(Options::new().with_allow_loopback(true));
        Initialiser::new(self.world.kube(), clients, Spool::open(folder).unwrap(), false)
    }

    fn view(&self) -> View {
        let first = if self.world.is_initialised() { pod(0) } else { pod(0).uninitialised() };
        let seen = view().with_pods(vec![first]).rehearsed(Outcome::Unknown(Ignorance::NoCanary));
        View { now: Timestamp::now(), ..seen }
    }

    async fn pass(&self, initialiser: &Initialiser, resource: &VaultTransitUnseal, leads: bool) -> Progress {
        let (settings, order) = (Settings::try_from(resource).unwrap(), Order::from(resource));
        // What can't be read for the view is tried once more.
        let seen = if leads { initialiser.look(&settings, &order).await.ok() } else { None };
        let (view, sighting) = (self.view(), seen.as_ref().map(|(_, sighting)| sighting));
        let asked = Asked { settings: &settings, order: &order, view: leads.then_some(&view), sighting, leads };
        let progress = initialiser.advance(asked).await;
        let shown = format!("{progress:?}");
        assert!(!shown.contains(ROOT) && SHARES.iter().all(|share| !shown.contains(share)), "{shown}");
        progress
    }

    /// Passes until nothing more comes of it.
    pub(super) async fn settle(&self, initialiser: &Initialiser) -> Step {
        let resource = self.resource();
        let seen = Mutex::new(String::new());
        let settle = async {
            loop {
                let progress = self.pass(initialiser, &resource, true).await;
                *seen.lock() = format!("{:?}, {:?}", progress.step, progress.failed);
                // One after the other, so that the same requests come in the same order each time.
                assert!(initialiser.drained().await, "it hangs");
                match progress.step {
                    Some(step @ (Step::Rest | Step::Stuck(_))) if progress.failed.is_none() || step != Step::Rest => {
                        return step;
                    }
                    _ => tokio::time::sleep(Duration::from_millis(2)).await,
                }
            }
        };
        tokio::time::timeout(DEADLINE, settle).await.unwrap_or_else(|_| {
            let state = self.world.state.lock();
            let hit = state.fault.and_then(|(at, _)| state.trace.get(at));
            let mut last = state.trace.clone();
            last.dedup();
            let troubles: Vec<_> = initialiser.troubles();
            panic!("it doesn't settle after {:?}, {hit:?}: {} {troubles:?}, {last:?}", state.fault, seen.lock())
        })
    }

    /// A controller of its own until it settles, or is killed by the world's fault.
    fn controller(&self, folder: &Path) -> Option<Step> {
        let controller = runtime();
        let end = controller.block_on(async {
            let initialiser = self.initialiser(folder);
            tokio::select! {
                step = self.settle(&initialiser) => Some(step),
                () = self.world.killed.notified() => None,
            }
        });
        controller.shutdown_background();
        end
    }

    /// Complete, and everything is as it must be then.
    #[track_caller]
    fn is_complete(&self, of: &str) {
        let Reading::Claim(claim) = self.world.claim() else { panic!("{of}: no claim") };
        let Stage::Complete(recorded) = &claim.stage else { panic!("{of}: {:?}", claim.stage) };
        assert_eq!((recorded.secret.as_str(), recorded.count), ("keys", 3), "{of}");
        let data = self.world.data_of("keys");
        for (index, person) in self.people.iter().enumerate() {
            let sealed = &data[&format!("{}.share-{}.age", claim.attempt, index + 1)];
            let share = STANDARD.decode(age::decrypt(person, sealed).unwrap()).unwrap();
            let hex: String = share.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, SHARES[index], "{of}");
        }
        let state = self.world.state.lock();
        assert_eq!(state.inits, 1, "{of}");
        assert!(!state.tokens.values().any(|(_, policy)| policy == "root"), "{of}: the root token lives");
        let logins: BTreeSet<&str> = state.logins.iter().map(String::as_str).collect();
        assert_eq!(logins, BTreeSet::from(["kubernetes/admin", "kubernetes/holdfast"]), "{of}");
    }

    /// Made beforehand, for a controller that may not create any.
    pub(super) fn with_empty_secrets(&self) {
        for name in ["holdfast-init-vault", "keys"] {
            let metadata = json!({ "name": name, "resourceVersion": "0", "labels": { "theirs": "stays" } });
            self.world.state.lock().secrets.insert(name.to_owned(), json!({ "metadata": metadata }));
        }
    }

    fn spooled(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path().join("holdfast-init")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Checks every point, several at a time: most of the time goes by in waiting.
pub(super) fn everywhere(points: usize, check: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    match next.fetch_add(1, Ordering::Relaxed) {
                        at if at < points => check(at),
                        _ => break,
                    }
                }
            });
        }
    });
}

/// The requests of an initialisation without faults, in their order.
fn requests() -> Vec<String> {
    let stage = Stage0::new();
    assert_eq!(stage.controller(stage.folder.path()), Some(Step::Rest));
    stage.is_complete("without faults");
    assert_eq!(stage.spooled(), ["id"]);
    stage.world.state.lock().trace.clone()
}

/// Whether it changes something in the cluster: what is tried only doesn't, and a token of a ServiceAccount is no object.
fn is_write(request: &str) -> bool {
    let writes = ["POST /api", "PATCH /api"].iter().any(|begin| request.starts_with(begin));
    writes && !request.ends_with("/token") && !request.ends_with("(dry run)")
}

fn is_init(request: &str) -> bool {
    request == "POST /v1/sys/init"
}

#[test]
fn a_blank_server_is_initialised_and_every_share_can_be_read() {
    let trace = requests();
    assert_eq!(trace.iter().filter(|request| is_init(request)).count(), 1, "{trace:#?}");
}

/// Nothing is lost by a kill but what was being answered at that moment, as long as the pod stays.
#[test]
fn killed_at_any_request_it_is_complete_after_a_restart_or_the_outcome_is_known_to_be_unknown() {
    let trace = requests();
    assert!(20 < trace.len(), "{trace:#?}");
    for fault in [Fault::KilledBefore, Fault::KilledAfter] {
        everywhere(trace.len(), |at| {
            let stage = Stage0::new();
            stage.world.state.lock().fault = Some((at, fault));
            let end = stage.controller(stage.folder.path()).or_else(|| stage.controller(stage.folder.path()));
            let (hit, inits) = {
                let state = stage.world.state.lock();
                (state.trace.get(at).cloned().unwrap_or_default(), state.inits)
            };
            let of = format!("{fault:?} at {at}, {hit}");
            match (is_init(&hit), fault) {
                (true, Fault::KilledBefore) => {
                    assert_eq!((end, inits), (Some(Step::Stuck(Stuck::Abandoned)), 0), "{of}");
                }
                (true, _) => assert_eq!((end, inits), (Some(Step::Stuck(Stuck::OutcomeUnknown)), 1), "{of}"),
                (false, _) => {
                    assert_eq!(end, Some(Step::Rest), "{of}");
                    stage.is_complete(&of);
                    assert_eq!(stage.spooled(), ["id"], "{of}");
                }
            }
        });
    }
}

#[test]
fn killed_with_its_pod_it_is_complete_or_known_not_to_be() {
    let trace = requests();
    let ends = Mutex::new(BTreeSet::new());
    everywhere(trace.len(), |at| {
        let stage = Stage0::new();
        stage.world.state.lock().fault = Some((at, Fault::KilledAfter));
        let first = stage.controller(stage.folder.path());
        stage.world.age_claim();
        let elsewhere = tempfile::tempdir().unwrap();
        let end = first.or_else(|| stage.controller(elsewhere.path()));
        let of = format!("at {at}");
        assert!(stage.world.state.lock().inits <= 1, "{of}");
        match end {
            Some(Step::Rest) => stage.is_complete(&of),
            Some(Step::Stuck(stuck @ (Stuck::Abandoned | Stuck::OutcomeUnknown | Stuck::AdminNotProven))) => {
                ends.lock().insert(stuck.as_str());
                let Reading::Claim(claim) = stage.world.claim() else { panic!("{of}: no claim") };
                let proven = matches!(claim.stage, Stage::AdminProven(..) | Stage::Complete(_));
                assert!(!proven, "{of}: {stuck:?} though {:?}", claim.stage);
            }
            end => panic!("{of}: {end:?}"),
        }
    });
    assert_eq!(ends.into_inner(), BTreeSet::from(["AdminNotProven", "InitAbandoned", "InitOutcomeUnknown"]));
}

#[test]
fn a_request_that_fails_once_costs_nothing_but_the_answer_itself() {
    let trace = requests();
    for fault in [Fault::Refused, Fault::Lost] {
        everywhere(trace.len(), |at| {
            let stage = Stage0::new();
            stage.world.state.lock().fault = Some((at, fault));
            let end = stage.controller(stage.folder.path());
            let hit = stage.world.state.lock().trace.get(at).cloned().unwrap_or_default();
            let of = format!("{fault:?} at {at}, {hit}");
            match (is_init(&hit), fault) {
                (true, Fault::Lost) => assert_eq!(end, Some(Step::Stuck(Stuck::OutcomeUnknown)), "{of}"),
                (true, _) => assert_eq!(end, Some(Step::Stuck(Stuck::Abandoned)), "{of}"),
                (false, _) => {
                    assert_eq!(end, Some(Step::Rest), "{of}");
                    stage.is_complete(&of);
                }
            }
        });
    }
}

#[test]
fn of_two_controllers_one_initialises() {
    let stage = Stage0::new();
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let controllers = runtime();
    controllers.block_on(async {
        let both = [stage.initialiser(one.path()), stage.initialiser(other.path())];
        let ends = tokio::join!(stage.settle(&both[0]), stage.settle(&both[1]));
        assert_eq!(ends, (Step::Rest, Step::Rest));
    });
    stage.is_complete("two controllers");
}

/// The lead goes to another while the answer is on its way: the answer is stored all the same, and carried on with.
#[test]
fn the_loss_of_the_lead_cancels_nothing() {
    let stage = Stage0::new();
    let controller = runtime();
    controller.block_on(async {
        let (initialiser, resource) = (stage.initialiser(stage.folder.path()), stage.resource());
        let progress = stage.pass(&initialiser, &resource, true).await;
        assert!(matches!(progress.step, Some(Step::Claim(_))) && progress.failed.is_none(), "{progress:?}");
        assert!(initialiser.drained().await);
        stage.is_complete("without the lead");
        let progress = stage.pass(&initialiser, &resource, false).await;
        assert_eq!(progress.step, Some(Step::Rest));
    });
}

/// Whoever comes back without the lead before anything was sent leaves the claim to who leads by now.
#[test]
fn a_claim_of_which_nothing_was_sent_is_given_back_without_the_lead() {
    let trace = requests();
    // The claim, and what says that it is about to be sent.
    let writes = trace.iter().enumerate().filter(|(_, request)| is_write(request)).take(2);
    for (at, _) in writes {
        let stage = Stage0::new();
        stage.world.state.lock().fault = Some((at, Fault::KilledAfter));
        assert_eq!(stage.controller(stage.folder.path()), None);
        let controller = runtime();
        controller.block_on(async {
            let initialiser = stage.initialiser(stage.folder.path());
            let progress = stage.pass(&initialiser, &stage.resource(), false).await;
            assert_eq!(progress.step, Some(Step::Discard));
            assert_eq!((stage.world.claim(), progress.failed.is_none()), (Reading::Vacant, true));
            let progress = stage.pass(&initialiser, &stage.resource(), false).await;
            assert_eq!(progress.step, Some(Step::Rest));
        });
        assert_eq!(stage.controller(tempfile::tempdir().unwrap().path()), Some(Step::Rest));
        stage.is_complete("by another");
    }
}

/// Nothing is asked for twice in a look and what follows from it.
#[test]
fn a_look_reads_the_claim_once_and_lists_the_storage_once() {
    let trace = requests();
    let claimed = trace.iter().position(|request| is_write(request)).unwrap();
    let count = |part: &str| trace.iter().take(claimed).filter(|request| request.contains(part)).count();
    assert_eq!((count("secrets/holdfast-init-vault"), count("persistentvolumeclaims")), (1, 1), "{trace:#?}");
    let stage = Stage0::new();
    assert_eq!(stage.controller(stage.folder.path()), Some(Step::Rest));
    stage.world.state.lock().trace.clear();
    let controller = runtime();
    controller.block_on(async { stage.pass(&stage.initialiser(stage.folder.path()), &stage.resource(), true).await });
    let trace = stage.world.state.lock().trace.clone();
    assert_eq!(trace.iter().filter(|request| request.contains("secrets/holdfast-init-vault")).count(), 1, "{trace:?}");
}

/// Until it is stored the answer is in memory alone: a crash would lose it.
#[test]
fn a_spool_that_fails_when_the_answer_comes_is_tried_again_until_it_has_it() {
    let stage = Stage0::new();
    let (there, away) = (stage.folder.path().join("holdfast-init"), stage.folder.path().join("away"));
    let controller = runtime();
    controller.block_on(async {
        let (initialiser, resource) = (stage.initialiser(stage.folder.path()), stage.resource());
        let (from, to) = (there.clone(), away.clone());
        stage.world.state.lock().at_init = Some(Box::new(move |state| {
            std::fs::rename(from, to).unwrap();
            state.refused = Some("secrets/keys");
        }));
        let until = async |what: &str, is: &dyn Fn() -> bool| {
            let waits = async {
                while !is() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            };
            tokio::time::timeout(DEADLINE, waits).await.unwrap_or_else(|_| panic!("never: {what}"));
        };
        stage.pass(&initialiser, &resource, true).await;
        // It is spooled before it is stored.
        let tried = || {
            let state = stage.world.state.lock();
            0 < state.inits && state.trace.iter().any(|request| request.ends_with("secrets/keys") && is_write(request))
        };
        until("it is stored", &tried).await;
        assert!(away.exists() && !there.exists());
        std::fs::rename(&away, &there).unwrap();
        until("the spool has it", &|| stage.spooled().iter().any(|file| file.ends_with(".answer"))).await;
        stage.world.state.lock().refused = None;
        assert!(tokio::time::timeout(DEADLINE, initialiser.drained()).await.unwrap());
    });
    stage.is_complete("with a spool that failed");
    assert_eq!(stage.spooled(), ["id"]);
}

/// A spec that turned into nonsense must not cost the keys.
#[test]
fn what_was_answered_is_stored_as_it_was_asked_for() {
    let stage = Stage0::new();
    let trace = requests();
    // Killed when the keys are about to be stored.
    let at = trace.iter().position(|request| is_init(request)).unwrap();
    let store = trace.iter().enumerate().skip(at).find(|(_, request)| request.contains("secrets/keys")).unwrap().0;
    stage.world.state.lock().fault = Some((store, Fault::KilledBefore));
    assert_eq!(stage.controller(stage.folder.path()), None);
    let controller = runtime();
    controller.block_on(async {
        let initialiser = stage.initialiser(stage.folder.path());
        let mut resource = stage.resource();
        resource.spec.initialization = Default::default();
        let progress = stage.pass(&initialiser, &resource, true).await;
        assert_eq!(progress.step, Some(Step::Store));
        assert!(progress.failed.is_none(), "{progress:?}");
        let (settings, order) = (Settings::try_from(&resource).unwrap(), Order::from(&resource));
        let (birth, _) = initialiser.look(&settings, &order).await.unwrap();
        assert_eq!(birth.keys, Some(Keys { secret: "keys".to_owned(), count: 3, kept: Some(Kept::Stored) }));
        let progress = stage.pass(&initialiser, &resource, true).await;
        assert!(progress.failed.is_some(), "nobody is named who could get in: {progress:?}");
        assert_eq!(stage.settle(&initialiser).await, Step::Rest);
    });
    stage.is_complete("with another spec in between");
}

/// A person who mends the spec needn't wait until the task gives up.
#[test]
fn a_spec_that_is_mended_is_what_a_task_goes_on_with() {
    let stage = Stage0::new();
    let controller = runtime();
    controller.block_on(async {
        let (initialiser, mended) = (stage.initialiser(stage.folder.path()), stage.resource());
        stage.world.state.lock().mounts.insert("taken".to_owned(), "userpass".to_owned());
        let mut wrong = mended.clone();
        wrong.spec.initialization.admin.as_mut().unwrap().mount = "taken".to_owned();
        stage.pass(&initialiser, &wrong, true).await;
        let stumbles = async {
            while !initialiser.troubles().iter().any(|failed| matches!(**failed, Failed::MountTaken { .. })) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(DEADLINE, stumbles).await.unwrap();
        let progress = stage.pass(&initialiser, &mended, true).await;
        assert_eq!(progress.step, Some(Step::Wait(Wait::AtWork)));
        assert!(tokio::time::timeout(DEADLINE, initialiser.drained()).await.unwrap());
    });
    stage.is_complete("with a spec that was mended");
}

#[test]
fn a_pod_that_is_another_gets_nothing() {
    let stage = Stage0::new();
    let controller = runtime();
    controller.block_on(async {
        let (initialiser, resource) = (stage.initialiser(stage.folder.path()), stage.resource());
        stage.world.state.lock().pod_uid = "another".to_owned();
        let progress = stage.pass(&initialiser, &resource, true).await;
        assert!(matches!(progress.step, Some(Step::Claim(_))), "{progress:?}");
        assert!(initialiser.drained().await);
        assert_eq!(stage.world.claim(), Reading::Vacant);
    });
    assert_eq!(stage.world.state.lock().inits, 0);
}

#[test]
fn older_storage_needs_its_uid_on_the_resource() {
    let stage = Stage0::new();
    stage.world.state.lock().volumes = vec![json!({
        "metadata": { "name": "data-vault-0", "uid": "pvc-0", "creationTimestamp": "2025-12-31T00:00:00Z" },
    })];
    let controller = runtime();
    controller.block_on(async {
        let (initialiser, mut resource) = (stage.initialiser(stage.folder.path()), stage.resource());
        let progress = stage.pass(&initialiser, &resource, true).await;
        let Some(Step::Wait(Wait::Closed(closed))) = &progress.step else { panic!("{progress:?}") };
        assert_eq!(closed.as_str(), "StorageOlderThanResource");
        assert_eq!(stage.world.claim(), Reading::Vacant);
        resource.metadata.annotations = Some([(CONFIRM.to_owned(), "x, pvc-0".to_owned())].into());
        let progress = stage.pass(&initialiser, &resource, true).await;
        assert!(matches!(progress.step, Some(Step::Claim(_))), "{progress:?}");
        assert!(initialiser.drained().await);
    });
    stage.is_complete("confirmed");
}

#[test]
fn empty_secrets_are_claimed_and_filled() {
    let stage = Stage0::new();
    stage.with_empty_secrets();
    assert_eq!(stage.controller(stage.folder.path()), Some(Step::Rest));
    stage.is_complete("made beforehand");
    let state = stage.world.state.lock();
    assert!(state.secrets.values().all(|secret| secret["metadata"]["labels"]["theirs"] == "stays"));
    assert!(
        !state.trace.iter().any(|request| request.starts_with("POST") && request.contains("/secrets")),
        "{:?}",
        state.trace
    );
}

#[test]
fn a_claim_that_somebody_edited_stops_everything() {
    let stage = Stage0::new();
    let metadata = json!({ "name": "holdfast-init-vault", "resourceVersion": "0" });
    let secret = json!({ "metadata": metadata, "data": { "phase": STANDARD.encode("Claimed") } });
    stage.world.state.lock().secrets.insert("holdfast-init-vault".to_owned(), secret);
    let end = stage.controller(stage.folder.path());
    assert!(matches!(end, Some(Step::Stuck(Stuck::ClaimUnreadable(_)))), "{end:?}");
    assert_eq!(stage.world.state.lock().inits, 0);
    drop(stage.servers);
}
