//! How an initialisation can end, and that it really is so.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use holdfast_api::VaultTransitUnsealStatus;
use holdfast_testkit::{ControllerProcess, eventually, give_up};
use holdfast_vault::init::claim::Stage;
use serde_json::{Value, json};

use super::DEADLINE;
use super::lane::Lane;
use super::watchman::Watchman;
use crate::init::people::{admin, no_root_token_lives, shares_open};
use crate::stage::condition;

/// The ends that there may be, as a person is told of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// It is ready.
    Complete,
    /// It is initialised, and nobody has the keys.
    OutcomeUnknown,
    /// It may have been sent, and wasn't done.
    Abandoned,
    /// The keys are there, the root token is lost, nobody was seen to get in.
    AdminNotProven,
}

impl End {
    /// `None` while there is something to come.
    pub(super) fn of(status: &VaultTransitUnsealStatus) -> Option<Self> {
        if condition(status, "Ready").0 == "True" {
            return Some(Self::Complete);
        }
        let (diagnosis, next) = (status.diagnosis.as_ref()?, status.next_step.as_ref()?);
        // A cause may be there for a moment; that nothing follows from it makes it an end.
        match (diagnosis.cause.as_str(), next.reason.as_str()) {
            ("InitOutcomeUnknown", "InitOutcomeUnknown") => Some(Self::OutcomeUnknown),
            ("InitAbandoned", "InitAbandoned") => Some(Self::Abandoned),
            ("AdminNotProven", "AdminNotProven") => Some(Self::AdminNotProven),
            _ => None,
        }
    }
}

impl Lane<'_> {
    /// Waits for an end, ends the controller, and looks whether it is as was told.
    pub(super) async fn ends(&self, controller: ControllerProcess, spool: &Path, watchman: Watchman) -> Result<End> {
        let end = eventually("an end", DEADLINE, async || {
            let status = self.status().await?;
            End::of(&status).with_context(|| json!(status).to_string())
        });
        let judged = async {
            let end = end.await?;
            if end == End::Complete {
                eventually("the spool to be empty", DEADLINE, async || crate::init::is_empty(spool)).await?;
            }
            Ok(end)
        };
        let end = judged.await.map_err(|error| controller.explain(error))?;
        controller.kill()?;
        let truth = Box::pin(self.is_true(end, &watchman)).await;
        truth.with_context(|| format!("{end:?} was told")).map_err(|error| controller.explain(error))?;
        Ok(end)
    }

    async fn is_true(&self, end: End, watchman: &Watchman) -> Result<()> {
        let inits = self.crossing.inits();
        ensure!(inits <= 1, "the server was asked {inits} times to initialise itself");
        let claim = self.claim().await?.context("no claim")?;
        let (client, b) = (self.ground.cluster.admin(), self.server()?);
        eventually("the server to say the same", DEADLINE, async || {
            let initialised = b.request("GET", "sys/init", None, &Value::Null).await?.1["initialized"] == true;
            ensure!(initialised == (end != End::Abandoned), "initialised: {initialised}");
            Ok(())
        })
        .await?;
        eventually("the watchman to have seen the same", DEADLINE, async || {
            let ready = watchman.saw_ready().map_err(give_up)?;
            ensure!(ready == (end == End::Complete), "ready: {ready}");
            Ok(())
        })
        .await?;
        match (end, &claim.stage) {
            (End::Complete, Stage::Complete(_)) => {
                b.await_health(&[200], DEADLINE).await?;
                let admin = admin(&client, self.namespace, &b).await?;
                no_root_token_lives(&b, &admin).await?;
                shares_open(&b, &admin, &self.people.shares(&client, self.namespace).await?).await
            }
            (End::AdminNotProven, Stage::Stored(_)) => {
                self.shares_are_its(&self.people.shares(&client, self.namespace).await?).await
            }
            (End::OutcomeUnknown | End::Abandoned, Stage::Claimed) => Ok(()),
            (_, stage) => bail!("the claim is at {stage:?}"),
        }
    }

    /// With them a person makes another root token: the server takes two of three.
    async fn shares_are_its(&self, shares: &[String]) -> Result<()> {
        let b = self.server()?;
        b.await_health(&[200], DEADLINE).await?;
        let (status, begun) = b.request("PUT", "sys/generate-root/attempt", None, &json!({})).await?;
        ensure!(status == 200, "{status} {}", begun["errors"]);
        let mut complete = Value::Null;
        for share in &shares[1..] {
            let (status, body) = b
                .request("PUT", "sys/generate-root/update", None, &json!({"key": share, "nonce": begun["nonce"]}))
                .await?;
            ensure!(status == 200, "a share isn't one: {status} {}", body["errors"]);
            complete = body["complete"].clone();
        }
        ensure!(complete == true, "two shares don't make a root token");
        Ok(())
    }
}
