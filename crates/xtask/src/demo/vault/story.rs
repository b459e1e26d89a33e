//! The story, step by step: something happens to the servers, and the controller must say what it is within a deadline.
//!
//! 1. There is no token: one is made, and B comes up. It is initialised, and its people get the shares.
//! 2. The power fails, and A needs its person.
//! 3. The token is revoked.
//! 4. The key is made anew, which nobody notices.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use holdfast_api::VaultTransitUnsealStatus;
use holdfast_api::vault_transit_unseal::{InitializationPhase, PodState};
use holdfast_e2e::vault::{KEY, condition};
use serde_json::json;

use super::super::table::new_table;
use super::birth::Birth;
use super::ear::{Ear, Mark};
use super::stage::{POD, Stage, waits};
use super::voice::Voice;

/// The controller looks every second; a busy machine needs more.
const SOON: Duration = Duration::from_secs(20);
/// Something has to start first.
const PATIENCE: Duration = Duration::from_secs(60);

/// A line of the table at the end.
struct Told {
    happened: &'static str,
    said: String,
    took: Duration,
}

pub(super) struct Story<'a> {
    stage: &'a Stage,
    ear: Ear,
    voice: &'a Voice,
    birth: Birth,
    told: Vec<Told>,
    /// From here on A answers.
    answers_since: Option<Mark>,
}

impl<'a> Story<'a> {
    pub(super) fn new(stage: &'a Stage, ear: Ear, voice: &'a Voice) -> Self {
        Self { stage, ear, voice, birth: Birth::new(), told: Vec::new(), answers_since: None }
    }

    /// Plays it; the table of what happened and what was said.
    pub(super) async fn play(mut self) -> Result<String> {
        self.token().await?;
        self.birth().await?;
        self.power_cut().await?;
        self.outage().await?;
        self.revocation().await?;
        self.new_key().await?;
        self.check_what_was_said()?;
        Ok(self.table())
    }

    async fn token(&mut self) -> Result<()> {
        self.voice.heading("2. From nothing to a B that is unsealed");
        self.voice.waits("waiting for a token to be made and delivered");
        let began = Instant::now();
        self.stage.apply_resource(&self.birth).await?;
        self.voice.did("A VaultTransitUnseal is applied: mode Manage, provision Token, initialization.enabled.");
        let status = self.cause("TokenMissing").await?;
        self.tell("There is no token", said(&status), began);
        self.ear.event("TokenMinted", SOON).await?;
        self.stage.b()?.await_health(&[501], PATIENCE).await?;
        self.voice.did("B's container starts, as its variable has a value now. B was never initialised.");
        self.tell("", "it logs in to A, makes one and writes it to the Secret: B starts".to_owned(), began);
        Ok(())
    }

    async fn birth(&mut self) -> Result<()> {
        self.voice.waits("waiting for B to be initialised");
        let began = Instant::now();
        self.birth.confirm_storage(self.stage).await?;
        self.voice.did(
            "A volume that is older than the resource may hold something. B's person looked into it, and confirms that it is empty.",
        );
        let complete = |status: &VaultTransitUnsealStatus| {
            let phase = status.initialization.as_ref().and_then(|known| known.phase);
            phase == Some(InitializationPhase::Complete) && condition(status, "Unsealed").0 == "True"
        };
        let status = self.ear.status("Unsealed True, the initialisation Complete", PATIENCE, complete).await?;
        self.birth.is_read(self.stage).await?;
        self.voice.did(
            "B is initialised: three shares are in the Secret `recovery`, each for one person (age); vault-admin logged in; the root token is revoked.",
        );
        self.tell("B was never initialised", format!("it is initialised; {}", said(&status)), began);

        let began = Instant::now();
        self.voice.did("B's person restarts it, so that it is seen unsealing itself once: kubectl delete pod vault-0");
        let status = self.restart().await?;
        self.tell("B is restarted once", said(&status), began);
        self.list().await
    }

    async fn power_cut(&mut self) -> Result<()> {
        self.voice.heading("3. The power fails: A and B are gone together");
        self.voice.waits("waiting for the controller to notice");
        let began = Instant::now();
        self.stage.a.server.kill()?;
        self.stage.kubelet.power_cut();
        self.voice.did("A and B are killed in the same moment.");
        let status = self.cause("TransitUnreachable").await?;
        self.tell("The power fails", said(&status), began);

        self.voice.waits("waiting for B to give up");
        let began = Instant::now();
        self.stage.kubelet.power_on(&[POD]).await?;
        self.voice.did("The power is back. B is started by its node; A isn't, nobody is there.");
        self.stage.set.eventually(POD, |pod| waits(pod, "CrashLoopBackOff")).await?;
        self.voice
            .did("B couldn't reach A and ended. Its node waits before each next start: 10 s, 20 s, ... 5 minutes.");
        let crashes = |status: &VaultTransitUnsealStatus| {
            let loops = status.pods.iter().any(|pod| pod.state == PodState::CrashLooping);
            loops && cause(status) == "TransitUnreachable"
        };
        let status = self.ear.status("a pod that crash-loops, TransitUnreachable", SOON, crashes).await?;
        self.tell("B starts without A, and crash-loops", said(&status), began);
        self.list().await
    }

    async fn outage(&mut self) -> Result<()> {
        self.voice.waits("waiting for A");
        let began = Instant::now();
        self.stage.a.server.start().await?;
        self.voice.did("A's person starts A. It is sealed, and nothing that it seals can start.");
        let status = self.cause("TransitSealed").await?;
        self.tell("A is back, sealed", said(&status), began);

        self.voice.waits("waiting for B");
        let began = Instant::now();
        self.stage.a.unseal().await?;
        self.voice.did("A's person unseals A with the share. From here on nobody does anything.");
        let passes = |status: &VaultTransitUnsealStatus| condition(status, "WouldStart").0 == "True";
        let status = self.ear.status("WouldStart True", PATIENCE, passes).await?;
        self.tell("A is unsealed", said(&status), began);
        self.answers_since = Some(self.ear.mark());
        let status = self.ear.status("Unsealed True, WouldStart True", PATIENCE, is_well).await?;
        self.stage.b_serves().await?;
        let how = if self.ear.has_heard("PodDeleted") { "its stuck pod was deleted" } else { "it came back by itself" };
        self.tell("B is back", format!("{how}; {}", said(&status)), began);
        self.list().await
    }

    async fn revocation(&mut self) -> Result<()> {
        self.voice.heading("4. B's token is revoked on A");
        self.voice.waits("waiting for the controller to notice");
        let before = self.stage.accessor().await?;
        let began = Instant::now();
        self.stage.a.revoke(&before).await?;
        self.voice.did("Somebody revokes the token. B goes on serving, and logs nothing.");
        let status = self.cause("TokenDead").await?;
        self.tell("The token is revoked; B serves on", said(&status), began);
        self.ear.event("TokenMinted", SOON).await?;
        let status = self.ear.status("nothing is wrong", SOON, is_well).await?;
        self.stage.b_serves().await?;
        ensure!(self.stage.accessor().await? != before, "the Secret holds the dead token still");
        self.tell("", format!("a new one is in the Secret; {}", said(&status)), began);

        let began = Instant::now();
        self.voice
            .did("B runs with the dead token in its environment until it is restarted: kubectl delete pod vault-0");
        let status = self.restart().await?;
        self.tell("B is restarted, with the new token", said(&status), began);
        self.list().await
    }

    async fn new_key(&mut self) -> Result<()> {
        self.voice.heading("5. A's key is lost, and made anew under the same name");
        self.voice.waits("waiting for the controller to notice");
        let began = Instant::now();
        self.stage.a.delete_key(KEY).await?;
        self.stage.a.create_key(KEY).await?;
        let text = json!({"plaintext": "dGVzdA=="});
        self.stage.a.post(&format!("transit/encrypt/{KEY}"), &text).await?;
        self.voice.did(
            "The key is deleted and made anew. A answers, the token lives, an encryption works: no other check sees it.",
        );
        let status = self.cause("KeyReplaced").await?;
        let verdict = (condition(&status, "WouldStart"), condition(&status, "Unsealed").0);
        ensure!(verdict == (("False", "KeyReplaced"), "True"), "it says {verdict:?}");
        self.stage.b_serves().await?;
        self.tell("The key is made anew; B serves on", said(&status), began);
        self.list().await?;
        self.voice.did(
            "B isn't restarted: it would stay sealed. While it serves there is time to restore A's key from a backup.",
        );
        Ok(())
    }

    /// While A answers nobody may say that it doesn't.
    fn check_what_was_said(&self) -> Result<()> {
        let since = self.answers_since.context("the story has no outage")?;
        self.ear.check_since(since, |status| cause(status).starts_with("Transit"))
    }

    async fn cause(&mut self, wanted: &str) -> Result<VaultTransitUnsealStatus> {
        self.ear.status(wanted, SOON, |status| cause(status) == wanted).await
    }

    /// B's person deletes its pod; waits until the controller says that the new one serves, and would again.
    async fn restart(&mut self) -> Result<VaultTransitUnsealStatus> {
        let uid = self.stage.restart_b().await?;
        let serves =
            |status: &VaultTransitUnsealStatus| is_well(status) && status.pods.iter().any(|pod| pod.uid == uid);
        let status = self.ear.status("the new pod is unsealed, WouldStart True", PATIENCE, serves).await?;
        self.stage.b_serves().await?;
        Ok(status)
    }

    async fn list(&self) -> Result<()> {
        self.voice.quote(&self.stage.listing().await?);
        Ok(())
    }

    fn tell(&mut self, happened: &'static str, said: String, began: Instant) {
        self.told.push(Told { happened, said, took: began.elapsed() });
    }

    fn table(&self) -> String {
        let mut table = new_table(["What happened", "What the controller said and did", "Seconds"]);
        for told in &self.told {
            table.add_row([told.happened.to_owned(), told.said.clone(), format!("{:.1}", told.took.as_secs_f64())]);
        }
        format!("\n{table}")
    }
}

/// A status in a few words: the cause, the verdicts, and the next step when there is one.
fn said(status: &VaultTransitUnsealStatus) -> String {
    let (verdict, reason) = condition(status, "WouldStart");
    let mut words = vec![format!("Unsealed {}, WouldStart {verdict}", condition(status, "Unsealed").0)];
    match cause(status) {
        "" => words[0].push_str(&format!(" ({reason})")),
        cause => words.insert(0, cause.to_owned()),
    }
    let next = status.next_step.iter().filter(|next| next.action != "None");
    words.extend(next.map(|next| format!("next {} ({})", next.action, next.reason)));
    words.join("; ")
}

fn cause(status: &VaultTransitUnsealStatus) -> &str {
    status.diagnosis.as_ref().map_or("", |found| found.cause.as_str())
}

/// It serves, it would start, and nothing is wrong.
fn is_well(status: &VaultTransitUnsealStatus) -> bool {
    let holds = |kind| condition(status, kind).0 == "True";
    holds("Unsealed") && holds("WouldStart") && cause(status).is_empty()
}
