//! The story, step by step: something happens to the servers, and the controller must say what it is within a deadline.
//!
//! 1. There is no token: one is made, and B comes up.
//! 2. The power fails, and A needs its person.
//! 3. The token is revoked.
//! 4. The key is made anew, which nobody notices.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use holdfast_api::VaultTransitUnsealStatus;
use holdfast_e2e::vault::{KEY, condition};
use serde_json::json;

use super::super::table::new_table;
use super::birth;
use super::ear::Ear;
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
    told: Vec<Told>,
}

impl<'a> Story<'a> {
    pub(super) fn new(stage: &'a Stage, ear: Ear, voice: &'a Voice) -> Self {
        Self { stage, ear, voice, told: Vec::new() }
    }

    /// Plays it; the table of what happened and what was said.
    pub(super) async fn play(mut self) -> Result<String> {
        self.token().await?;
        self.birth().await?;
        self.power_cut().await?;
        self.outage().await?;
        self.revocation().await?;
        self.new_key().await?;
        Ok(self.table())
    }

    async fn token(&mut self) -> Result<()> {
        self.voice.heading("2. From nothing to a B that is unsealed");
        self.voice.waits("waiting for a token to be made and delivered");
        let began = Instant::now();
        self.stage.apply_resource().await?;
        self.voice.did("A VaultTransitUnseal is applied: mode Manage, provision Token.");
        self.ear.status("TokenMissing", SOON, |status| cause(status) == "TokenMissing").await?;
        self.ear.event("TokenMinted", SOON).await?;
        self.stage.b()?.await_health(&[501], PATIENCE).await?;
        self.voice.did("B's container starts, as its variable has a value now. B was never initialised.");
        self.tell("There is no token", "TokenMissing; logged in to A, made one, wrote it to the Secret", began);
        Ok(())
    }

    async fn birth(&mut self) -> Result<()> {
        self.voice.waits("waiting for B to be initialised");
        let began = Instant::now();
        self.ear.status("NotInitialised", SOON, |status| cause(status) == "NotInitialised").await?;
        self.voice.did(birth::happen(self.stage).await?);
        self.ear
            .status("Unsealed True, WouldStart Unknown", PATIENCE, |status| {
                condition(status, "Unsealed").0 == "True"
                    && condition(status, "WouldStart") == ("Unknown", "NoEvidence")
            })
            .await?;
        self.tell("B is initialised", "NotInitialised; then Unsealed, and WouldStart Unknown: NoEvidence", began);

        let began = Instant::now();
        self.voice.did("B's person restarts it, so that it is seen unsealing itself once: kubectl delete pod vault-0");
        let uid = self.stage.restart_b().await?;
        self.up(&uid).await?;
        self.tell("B is restarted once", "WouldStart True: Rehearsed", began);
        self.list().await
    }

    async fn power_cut(&mut self) -> Result<()> {
        self.voice.heading("3. The power fails: A and B are gone together");
        self.voice.waits("waiting for the controller to notice");
        let began = Instant::now();
        self.stage.a.server.kill()?;
        self.stage.kubelet.power_cut();
        self.voice.did("A and B are killed in the same moment.");
        self.ear.status("TransitUnreachable", SOON, |status| cause(status) == "TransitUnreachable").await?;
        self.tell("The power fails", "TransitUnreachable, WouldStart False", began);

        self.voice.waits("waiting for B to give up");
        let began = Instant::now();
        self.stage.kubelet.power_on(&[POD]).await?;
        self.voice.did("The power is back. B is started by its node; A isn't, nobody is there.");
        self.stage.set.eventually(POD, |pod| waits(pod, "CrashLoopBackOff")).await?;
        self.voice
            .did("B couldn't reach A and ended. Its node waits before each next start: 10 s, 20 s, ... 5 minutes.");
        self.list().await?;
        self.tell(
            "B starts without A, and crash-loops",
            "TransitUnreachable still; next step Wait: TransitDown",
            began,
        );
        Ok(())
    }

    async fn outage(&mut self) -> Result<()> {
        self.voice.waits("waiting for A");
        let began = Instant::now();
        self.stage.a.server.start().await?;
        self.voice.did("A's person starts A. It is sealed, and nothing that it seals can start.");
        self.ear.status("TransitSealed", SOON, |status| cause(status) == "TransitSealed").await?;
        self.tell("A is back, sealed", "TransitSealed", began);

        self.voice.waits("waiting for B");
        let began = Instant::now();
        self.stage.a.unseal().await?;
        self.voice.did("A's person unseals A with the share. From here on nobody does anything.");
        self.ear.status("Unsealed True, WouldStart True", PATIENCE, is_well).await?;
        self.stage.b_serves().await?;
        let how = match self.ear.has_heard("PodDeleted") {
            true => "rehearsed; its stuck pod was deleted, once; Unsealed",
            false => "rehearsed; B came back by itself; Unsealed",
        };
        self.tell("A is unsealed", how, began);
        self.list().await
    }

    async fn revocation(&mut self) -> Result<()> {
        self.voice.heading("4. B's token is revoked on A");
        self.voice.waits("waiting for the controller to notice");
        let before = self.stage.accessor().await?;
        let began = Instant::now();
        self.stage.a.revoke(&before).await?;
        self.voice.did("Somebody revokes the token. B goes on serving, and logs nothing.");
        self.ear.status("TokenDead", SOON, |status| cause(status) == "TokenDead").await?;
        self.tell("The token is revoked", "TokenDead, WouldStart False; B serves on", began);
        self.ear.event("TokenMinted", SOON).await?;
        self.ear.status("nothing is wrong", SOON, is_well).await?;
        self.stage.b_serves().await?;
        ensure!(self.stage.accessor().await? != before, "the Secret holds the dead token still");
        self.tell("", "a new one made and delivered; WouldStart True", began);

        let began = Instant::now();
        self.voice
            .did("B runs with the dead token in its environment until it is restarted: kubectl delete pod vault-0");
        let uid = self.stage.restart_b().await?;
        self.up(&uid).await?;
        self.tell("B is restarted", "Unsealed, with the new token", began);
        self.list().await
    }

    async fn new_key(&mut self) -> Result<()> {
        self.voice.heading("5. A's key is lost, and made anew under the same name");
        self.voice.waits("waiting for the controller to notice");
        let began = Instant::now();
        self.stage.a.delete_key(KEY).await?;
        self.stage.a.create_key(KEY).await?;
        self.stage.a.post(&format!("transit/encrypt/{KEY}"), &json!({"plaintext": "dGVzdA=="})).await?;
        self.voice.did("The key is deleted and made anew. A answers, the token lives, an encryption works: no other check sees it.");
        let status = self
            .ear
            .status("KeyReplaced", SOON, |status| {
                cause(status) == "KeyReplaced" && condition(status, "WouldStart") == ("False", "KeyReplaced")
            })
            .await?;
        self.stage.b_serves().await?;
        ensure!(
            condition(&status, "Unsealed").0 == "True",
            "B serves, and the controller says {:?}",
            condition(&status, "Unsealed")
        );
        self.tell("The key is made anew", "WouldStart False: KeyReplaced, while B serves on", began);
        self.list().await?;
        self.voice.did("B still serves, so it isn't restarted: it would stay sealed. There is time to restore A's key from its backup.");
        Ok(())
    }

    /// Waits until the controller says that the pod with this UID serves, and would again.
    async fn up(&mut self, uid: &str) -> Result<()> {
        let serves =
            |status: &VaultTransitUnsealStatus| status.pods.iter().any(|pod| pod.uid == uid) && is_well(status);
        self.ear.status("the new pod is unsealed, WouldStart True", PATIENCE, serves).await?;
        self.stage.b_serves().await
    }

    async fn list(&self) -> Result<()> {
        self.voice.quote(&self.stage.listing().await?);
        Ok(())
    }

    fn tell(&mut self, happened: &'static str, said: &str, began: Instant) {
        self.told.push(Told { happened, said: said.to_owned(), took: began.elapsed() });
    }

    fn table(&self) -> String {
        let mut table = new_table(["What happened", "What the controller said and did", "Seconds"]);
        for told in &self.told {
            table.add_row([told.happened.to_owned(), told.said.clone(), format!("{:.1}", told.took.as_secs_f64())]);
        }
        format!("\n{table}")
    }
}

fn cause(status: &VaultTransitUnsealStatus) -> &str {
    status.diagnosis.as_ref().map_or("", |found| found.cause.as_str())
}

/// It serves, it would start, and nothing is wrong.
fn is_well(status: &VaultTransitUnsealStatus) -> bool {
    let holds = |kind| condition(status, kind).0 == "True";
    holds("Unsealed") && holds("WouldStart") && cause(status).is_empty()
}
