//! Does one step. Each write is told in the audit log, and what comes of the step as an event and in a metric; none of these ever
//! holds anything secret.

mod mint;
mod pod;
mod take_back;

pub(crate) use mint::MINTED;

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_runtime::events::{Announcement, Events};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client as Kube;

use crate::audit::{Act, told};
use crate::client::{Error, Says};
use crate::metrics::{Ended, Metrics};
use crate::next_step::{Memory, Step};
use crate::observe::{Look, Seen};
use crate::settings::Settings;

/// What acting needs.
pub(crate) struct Hands {
    /// Sends only while we lead.
    pub(crate) kube: Kube,
    pub(crate) metrics: Metrics,
    pub(crate) events: std::sync::Arc<Events<ObjectReference>>,
}

/// Whether something was done, so that the next look should come soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Nothing,
    Something,
}

impl Hands {
    /// Does the step.
    pub(crate) async fn execute(
        &self,
        step: &Step,
        settings: &Settings,
        look: &Look,
        seen: &mut Seen,
        memory: &mut Memory,
        about: &ObjectReference,
    ) -> Done {
        match step {
            Step::Rest | Step::Wait(_) => Done::Nothing,
            Step::Renew => self.renew(settings, look, seen, memory, about).await,
            Step::Mint(reason) => self.mint(*reason, settings, look, seen, memory, about).await,
            Step::Provision => self.provide(settings, look, seen, memory, about).await,
            Step::Delete { pod, uid } => self.delete(pod, uid, settings, about).await,
        }
    }

    async fn renew(
        &self,
        settings: &Settings,
        look: &Look,
        seen: &mut Seen,
        memory: &mut Memory,
        about: &ObjectReference,
    ) -> Done {
        let (Some(a), Some(secret)) = (&look.a, &look.secret) else { return Done::Nothing };
        memory.renewal_tried = Some(look.view.now);
        // For as long as the server finds right: the period of a periodic token, or the life that it was made with.
        match told(settings, Act::RenewToken, "auth/token/renew-self", a.renew_self(secret, Duration::ZERO)).await {
            Ok(renewed) => {
                self.metrics.renewed(Ended::Well);
                memory.renewal_failed = None;
                seen.capped = capped(&renewed.warnings);
                Done::Something
            }
            Err(error) => {
                let first = memory.renewal_failed.is_none();
                memory.renewal_failed = Some(Timestamp::now());
                self.metrics.renewed(Ended::Badly);
                if first {
                    self.announce(about, "TokenRenewalFailed", "RenewToken", true, renewal_note(&error));
                }
                Done::Nothing
            }
        }
    }

    pub(super) fn announce(
        &self,
        about: &ObjectReference,
        reason: &'static str,
        action: &'static str,
        warning: bool,
        note: String,
    ) {
        self.events.push(Announcement { about: about.clone(), reason, action, warning, note });
    }
}

fn renewal_note(error: &Error) -> String {
    let gone = error.says() == Some(Says::RoleGone);
    let hint = if gone { ": the role that made the token was deleted, so it ends" } else { "" };
    format!("the seal token couldn't be renewed ({}){hint}", error.kind)
}

/// What a server warned of when it gave a token less life than its role says.
fn capped(warnings: &[String]) -> Option<String> {
    warnings.iter().find(|warning| warning.contains("capped") || warning.contains("exceeded")).cloned()
}

/// Whose token it is, as it is noted on it.
pub(super) fn meta(settings: &Settings) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("managed-by".to_owned(), "holdfast".to_owned()),
        ("resource".to_owned(), format!("{}/{}", settings.namespace, settings.name)),
        ("uid".to_owned(), settings.uid.clone()),
    ])
}

#[cfg(test)]
mod tests;
