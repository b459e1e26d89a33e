//! What a trial of B's token and key came to.

use super::Ledger;
use crate::cause::Cause;
use crate::view::Reach;

/// Would B start now, as seen from the controller?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that its start needs was done with its own token.
    Passed,
    /// It wouldn't.
    Failed(Cause, String),
    /// It isn't known.
    Unknown(Ignorance),
}

/// Why it isn't known whether B would start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignorance {
    /// The token is known to B alone.
    TokenExternal,
    /// The pod template doesn't use the Secret, so B's token may be another one.
    TokenNotWired,
    /// There is no canary yet: B wasn't seen unsealed, or none may be made.
    NoCanary,
    /// B hasn't unsealed since there are canaries: which version it is sealed with isn't known.
    NoEvidence,
    /// The trial wasn't possible, with the reason.
    Untried(String),
}

impl Ignorance {
    /// As the reason of a condition.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::TokenExternal => "TokenExternal",
            Self::TokenNotWired => "TokenNotWired",
            Self::NoCanary => "NoCanary",
            Self::NoEvidence => "NoEvidence",
            Self::Untried(_) => "NotTried",
        }
    }

    /// As it is told.
    #[must_use]
    pub fn message(&self) -> String {
        let text = match self {
            Self::TokenExternal => "the token is known to the server alone, so it can't be tried",
            Self::TokenNotWired => "the pod template doesn't use the Secret, so the server's token may be another one",
            Self::NoCanary => "no canary has been kept yet: one is made when the server is seen unsealed",
            Self::NoEvidence => {
                "the token and the key work, but the server hasn't unsealed since this is watched: the version of the key that it is sealed with isn't known before its next start"
            }
            Self::Untried(reason) => reason,
        };
        text.to_owned()
    }
}

/// What A said to one request with B's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The token doesn't live.
    Dead,
    /// The token lives, and may not do it.
    Denied,
    /// The key isn't there.
    KeyMissing,
    /// The key isn't the one that encrypted this.
    KeyReplaced,
    /// This version may no longer decrypt.
    VersionTooOld,
    /// A doesn't know this version.
    VersionTooNew,
    /// A couldn't be asked.
    Silent(Reach),
    /// Anything else, with what was said.
    Other(String),
}

impl Refusal {
    /// What it means for B; `None` when it only means that nothing was found out.
    fn cause(&self) -> Option<Cause> {
        match self {
            Self::Dead => Some(Cause::TokenDead),
            Self::Denied => Some(Cause::TokenDenied),
            Self::KeyMissing => Some(Cause::KeyMissing),
            Self::KeyReplaced => Some(Cause::KeyReplaced),
            Self::VersionTooOld => Some(Cause::KeyVersionTooOld),
            Self::VersionTooNew => Some(Cause::TransitRestoredOld),
            Self::Silent(reach) => reach.cause(),
            Self::Other(_) => None,
        }
    }
}

impl Reach {
    /// What it means for B that A is so.
    #[must_use]
    pub const fn cause(&self) -> Option<Cause> {
        match self {
            Self::Answers => None,
            Self::Sealed | Self::Uninitialised => Some(Cause::TransitSealed),
            Self::StandbyOnly => Some(Cause::TransitStandbyOnly),
            Self::Unreachable(_) => Some(Cause::TransitUnreachable),
            Self::Hangs => Some(Cause::TransitHangs),
            Self::Tls(_) => Some(Cause::TransitTls),
            Self::NotVault(_) => Some(Cause::TransitNotVault),
            Self::Forbidden(_) => Some(Cause::TransitForbidden),
        }
    }

    /// As it is told.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Answers => "the transit server answers".to_owned(),
            Self::Sealed => "the transit server is sealed".to_owned(),
            Self::Uninitialised => "the transit server was never initialised".to_owned(),
            Self::StandbyOnly => "only a standby of the transit server answers".to_owned(),
            Self::Unreachable(why) => format!("the transit server can't be reached: {why}"),
            Self::Hangs => "the transit server accepts connections and doesn't answer".to_owned(),
            Self::Tls(why) => format!("TLS to the transit server fails: {why}"),
            Self::NotVault(why) => format!("what answers at the transit server's address is no Vault: {why}"),
            Self::Forbidden(why) => format!("the transit server's address may not be used: {why}"),
        }
    }
}

/// An encryption that was just made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// The version of the key.
    pub version: u32,
    /// The ciphertext.
    pub ciphertext: String,
}

/// What was tried with B's token, in this order; what follows a failure may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The kept canaries by version: whether each decrypts.
    pub kept: Vec<(u32, Result<(), Refusal>)>,
    /// A fresh encryption that was decrypted again. `None` when it wasn't tried, as the token might make the key anew.
    pub fresh: Option<Result<Fresh, Refusal>>,
}

impl Trial {
    fn refusal(&self) -> Option<&Refusal> {
        let kept = self.kept.iter().find_map(|(_, tried)| tried.as_ref().err());
        kept.or_else(|| self.fresh.as_ref().and_then(|fresh| fresh.as_ref().err()))
    }
}

/// What the trial says about B's next start. Never `Passed` without evidence.
#[must_use]
pub fn judge(trial: &Trial, ledger: &Ledger) -> Outcome {
    if let Some(refusal) = trial.refusal() {
        return match (refusal.cause(), refusal) {
            (Some(cause), Refusal::Silent(reach)) => Outcome::Failed(cause, reach.message()),
            (Some(cause), _) => Outcome::Failed(cause, explain(refusal, trial)),
            (None, _) => Outcome::Unknown(Ignorance::Untried(explain(refusal, trial))),
        };
    }
    let tried = |version: u32| trial.kept.iter().any(|(kept, _)| *kept == version);
    match ledger.proven {
        _ if ledger.canaries.is_empty() => Outcome::Unknown(Ignorance::NoCanary),
        None => Outcome::Unknown(Ignorance::NoEvidence),
        // Every version that B may be sealed with has to have been tried; a trial of fewer says nothing.
        Some(_) if ledger.canaries.iter().all(|canary| tried(canary.version)) => Outcome::Passed,
        Some(_) => Outcome::Unknown(Ignorance::Untried("not every canary was tried".to_owned())),
    }
}

fn explain(refusal: &Refusal, trial: &Trial) -> String {
    let version = trial.kept.iter().find(|(_, tried)| tried.is_err()).map(|(version, _)| *version);
    let of_version = version.map(|version| format!(" of version {version}")).unwrap_or_default();
    match refusal {
        Refusal::Dead => "the transit server doesn't know the token (any more)".to_owned(),
        Refusal::Denied => "the token lives, but may not use the key: its policy, the mount or the name of the key is wrong, or the key was deleted".to_owned(),
        Refusal::KeyMissing => "the transit key isn't there".to_owned(),
        Refusal::KeyReplaced => format!("what the key encrypted{of_version} no longer decrypts: it was made anew"),
        Refusal::VersionTooOld => {
            format!("what the key encrypted{of_version} may no longer be decrypted: min_decryption_version was raised")
        }
        Refusal::VersionTooNew => {
            format!(
                "the transit server doesn't know the key{of_version}: it was restored from before the rotation, or the key was made anew"
            )
        }
        Refusal::Silent(reach) => reach.message(),
        Refusal::Other(said) => format!("the transit server answered {said:?}"),
    }
}
