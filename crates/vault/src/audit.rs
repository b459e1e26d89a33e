//! The audit log: a line for each write towards a server or the cluster, whether it came about or not.
//!
//! No acts are what only tells of ourselves (the status, events, the Lease), a login and its end, and the encryption of canaries,
//! which stores nothing. Whoever writes does so through [`told`], so that the line can't be forgotten; nothing secret is in one.

use std::fmt::Display;

use holdfast_api::VaultTransitUnseal;
use holdfast_runtime::failure::{self, Failure, said};

use crate::client;
use crate::init::{self, Failed};
use crate::settings::Settings;

/// Spelled as they are told, each once.
macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident => $told:literal,)+) => {
        /// What is done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Act {
            $($(#[$doc])* $name,)+
        }

        impl Act {
            /// All of them.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)+];

            /// As the log spells it.
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $told,)+
                }
            }
        }
    };
}

acts! {
    /// B's token was renewed.
    RenewToken => "renew-token",
    /// A token was made.
    MintToken => "mint-token",
    /// It was written into its Secret.
    DeliverToken => "deliver-token",
    /// The transit engine was mounted.
    EnableTransit => "enable-transit",
    /// A transit key was made.
    CreateKey => "create-key",
    /// A policy was written, on A or B.
    WritePolicy => "write-policy",
    /// The role that makes tokens was written.
    WriteTokenRole => "write-token-role",
    /// The token that we made was revoked.
    RevokeToken => "revoke-token",
    /// The role that made it was deleted.
    DeleteTokenRole => "delete-token-role",
    /// Its policy was deleted.
    DeletePolicy => "delete-policy",
    /// The resource is held until what we made is taken back.
    AddFinalizer => "add-finalizer",
    /// It is let go.
    RemoveFinalizer => "remove-finalizer",
    /// A stuck pod was deleted.
    DeletePod => "delete-pod",
    /// The claim of an initialisation was made.
    ClaimInitialisation => "claim-initialisation",
    /// It says how far the initialisation came, or that its holder is still there.
    AdvanceClaim => "advance-claim",
    /// It was dropped.
    DiscardAttempt => "discard-attempt",
    /// The request that makes the keys was sent.
    Initialise => "initialise",
    /// The shares were written into their Secret, and read back.
    StoreRecoveryKeys => "store-recovery-keys",
    /// An auth method was mounted on B.
    EnableAuth => "enable-auth",
    /// It was told the keys of this cluster.
    ConfigureAuth => "configure-auth",
    /// A role of it was written.
    WriteAuthRole => "write-auth-role",
    /// The administrator's role logged in.
    ProveAdmin => "prove-admin",
    /// The root token was revoked, and looked up.
    RevokeRoot => "revoke-root",
    /// The answer of an initialisation was overwritten in the spool.
    WipeSpool => "wipe-spool",
}

/// The resource for which something is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct For<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> From<&'a Settings> for For<'a> {
    fn from(settings: &'a Settings) -> Self {
        Self { namespace: &settings.namespace, name: &settings.name }
    }
}

impl<'a> From<&'a VaultTransitUnseal> for For<'a> {
    fn from(resource: &'a VaultTransitUnseal) -> Self {
        let meta = &resource.metadata;
        let text = |text: &'a Option<String>| text.as_deref().unwrap_or_default();
        Self { namespace: text(&meta.namespace), name: text(&meta.name) }
    }
}

/// Why an act didn't come about, in words that repeat nothing secret.
pub(crate) trait Refused {
    fn class(&self) -> &'static str;
    fn words(&self) -> impl Display;
}

impl Refused for client::Error {
    fn class(&self) -> &'static str {
        match self.class() {
            client::Class::Transient => "transient",
            client::Class::Permanent => "permanent",
            client::Class::Configuration => "configuration",
            client::Class::Denied => "denied",
        }
    }

    fn words(&self) -> impl Display {
        self
    }
}

impl Refused for kube::Error {
    fn class(&self) -> &'static str {
        match Failure::of(self).class() {
            failure::Class::Retry => "retry",
            failure::Class::Wait(_) => "wait",
            failure::Class::Conflict => "conflict",
            failure::Class::Forbidden => "forbidden",
            failure::Class::Terminal => "terminal",
        }
    }

    /// What isn't the API server's answer could quote what was written.
    fn words(&self) -> impl Display {
        let is_answer = matches!(self, Self::Api(_));
        if is_answer { said(self) } else { Failure::of(self).reason().to_owned() }
    }
}

impl Refused for Failed {
    fn class(&self) -> &'static str {
        match self.class() {
            init::Class::Retry => "retry",
            init::Class::Person => "person",
            init::Class::Lost => "lost",
        }
    }

    fn words(&self) -> impl Display {
        self
    }
}

/// Does an act on an object, and tells how it went.
pub(crate) async fn told<'a, T, E: Refused>(
    whom: impl Into<For<'a>>,
    act: Act,
    object: &str,
    doing: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let outcome = doing.await;
    let (For { namespace, name }, act) = (whom.into(), act.as_str());
    match &outcome {
        Ok(_) => tracing::info!(target: "holdfast_audit", act, namespace, name, object, result = "success"),
        Err(error) => {
            let (class, error) = (error.class(), error.words());
            tracing::warn!(target: "holdfast_audit", act, namespace, name, object, result = "failure", class, %error);
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Act;

    #[test]
    fn each_act_has_a_name_of_its_own_in_the_documentation() {
        let names: BTreeSet<_> = Act::ALL.iter().map(|act| act.as_str()).collect();
        assert_eq!(names.len(), Act::ALL.len());
        let page = include_str!("../../../docs/vault.md");
        let (_, list) = page.split_once("Each act is a line in the log").expect("a list of the acts");
        let (list, _) = list.split_once("\n\n").expect("its end");
        let told: BTreeSet<_> = list.split('`').skip(1).step_by(2).filter(|told| *told != "holdfast_audit").collect();
        assert_eq!(told, names);
    }
}
