//! The claim: who set out to initialise which server, and how far that came.
//!
//! It lives in a Secret named after the StatefulSet, so that two resources for one server meet at it. It has no owner and
//! isn't pruned: what was initialised stays so when the resource goes. A document that isn't exactly as we write it is
//! `Unreadable`, which is a claim too: nobody initialises beside it. Only a Secret without any data is `Vacant`, whether
//! it was made beforehand or a person's word dropped the attempt that was in it. There is nothing secret in a claim.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::claim::Phase;
use crate::settings::LABEL;

/// How long an attempt whose holder can't be asked counts as being worked on, in seconds. The request takes two minutes at
/// most; the rest is for clocks that disagree.
pub const WORK: i64 = 300;

/// A holder that is held up says that it is still there when the claim is so old, in seconds.
const TOUCH: i64 = 100;

/// The annotation that keeps Flux from deleting what isn't in Git.
const PRUNE: (&str, &str) = ("kustomize.toolkit.fluxcd.io/prune", "disabled");

/// The name of the Secret of a StatefulSet's claim.
#[must_use]
pub fn secret_name(set: &str) -> String {
    format!("holdfast-init-{set}")
}

/// The labels of a Secret that we make for a resource.
#[must_use]
pub fn labels(resource: &str) -> BTreeMap<String, String> {
    let pairs = [("app.kubernetes.io/managed-by", "holdfast"), (LABEL, resource)];
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// The annotations of a Secret that we make.
#[must_use]
pub fn annotations() -> BTreeMap<String, String> {
    [(PRUNE.0.to_owned(), PRUNE.1.to_owned())].into()
}

/// What the Secret of a claim says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one of it in a pass")]
pub enum Reading {
    /// Nobody has claimed it.
    Vacant,
    /// Somebody has.
    Claim(Claim),
    /// Somebody has, and nobody knows who.
    Unreadable(Unreadable),
}

/// What is wrong with the document of a claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A key that we don't write.
    #[error("it has a key {0:?} that doesn't belong there")]
    Extra(String),
    /// A key that is missing.
    #[error("it lacks the key {0:?}")]
    Lacks(&'static str),
    /// A value that can't be.
    #[error("its key {0:?} holds what can't be there")]
    Value(&'static str),
    /// All values are possible, but aren't what was written together.
    #[error("it was edited by hand")]
    Edited,
}

/// A claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The attempt.
    pub attempt: String,
    /// The pod whose server is initialised.
    pub pod: String,
    /// Its UID at that time.
    pub pod_uid: String,
    /// The name by which its server is asked.
    pub server: String,
    /// Who claimed: the spool in which the answer is.
    pub holder: String,
    /// When it was claimed.
    pub claimed: Timestamp,
    /// When the holder last did something about it.
    pub touched: Timestamp,
    /// How far it came.
    pub stage: Stage,
}

/// How far it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The request isn't sent, nor will be before the holder has said so here: whoever drops a claim at this stage has kept it
    /// from being sent.
    Unsent,
    /// The request may have been sent.
    Claimed,
    /// The shares are stored, and were read back.
    Stored(Recorded),
    /// The administrator's role logged in; the root token lives, and has this accessor.
    AdminProven(Recorded, String),
    /// The root token is revoked.
    Complete(Recorded),
}

impl Stage {
    /// As the Secret spells it.
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Unsent => "Unsent",
            Self::Claimed => "Claimed",
            Self::Stored(_) => "Stored",
            Self::AdminProven(..) => "AdminProven",
            Self::Complete(_) => "Complete",
        }
    }
}

/// What was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The Secret.
    pub secret: String,
    /// How many shares.
    pub count: u8,
    /// Of the encrypted shares; `None` for plain ones, of which nothing is told.
    pub digest: Option<String>,
}

impl Claim {
    /// As conditions and metrics tell it; `at_work` is whether whoever holds it may still be at it.
    #[must_use]
    pub fn phase(&self, at_work: bool) -> Phase {
        let attempt = self.attempt.clone();
        match self.stage {
            Stage::Unsent => Phase::Claimed { attempt, may_be_lost: false },
            Stage::Claimed => Phase::Claimed { attempt, may_be_lost: !at_work },
            Stage::Stored(_) => Phase::Stored { attempt },
            Stage::AdminProven(..) => Phase::AdminProven { attempt },
            Stage::Complete(_) => Phase::Complete { attempt },
        }
    }

    /// What was stored, if something was.
    #[must_use]
    pub fn recorded(&self) -> Option<&Recorded> {
        match &self.stage {
            Stage::Unsent | Stage::Claimed => None,
            Stage::Stored(recorded) | Stage::AdminProven(recorded, _) | Stage::Complete(recorded) => Some(recorded),
        }
    }

    /// Whether whoever holds it may still be at it, judged by when it was touched.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now.as_second().saturating_sub(self.touched.as_second()) < WORK
    }

    /// Whether whoever holds it should say that it is still there.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        TOUCH <= now.as_second().saturating_sub(self.touched.as_second())
    }

    /// Later by so much, at a later stage.
    #[must_use]
    pub fn at(&self, stage: Stage, now: Timestamp) -> Self {
        Self { stage, touched: now, ..self.clone() }
    }

    /// As the data of its Secret.
    #[must_use]
    pub fn data(&self) -> BTreeMap<String, Vec<u8>> {
        let mut fields: BTreeMap<&str, String> = BTreeMap::from([
            (ATTEMPT, self.attempt.clone()),
            (POD, self.pod.clone()),
            (POD_UID, self.pod_uid.clone()),
            (SERVER, self.server.clone()),
            (HOLDER, self.holder.clone()),
            (CLAIMED, self.claimed.to_string()),
            (TOUCHED, self.touched.to_string()),
            (PHASE, self.stage.as_str().to_owned()),
        ]);
        if let Some(recorded) = self.recorded() {
            fields.insert(SECRET, recorded.secret.clone());
            fields.insert(SHARES, recorded.count.to_string());
            fields.extend(recorded.digest.clone().map(|digest| (DIGEST, digest)));
        }
        if let Stage::AdminProven(_, accessor) = &self.stage {
            fields.insert(ROOT_ACCESSOR, accessor.clone());
        }
        let checksum = checksum(&fields);
        fields.insert(CHECKSUM, checksum);
        fields.into_iter().map(|(key, value)| (key.to_owned(), value.into_bytes())).collect()
    }

    /// What the data of a Secret says.
    #[must_use]
    pub fn read(data: &BTreeMap<String, Vec<u8>>) -> Reading {
        if data.is_empty() {
            return Reading::Vacant;
        }
        match Self::parse(data) {
            Ok(claim) => Reading::Claim(claim),
            Err(unreadable) => Reading::Unreadable(unreadable),
        }
    }

    fn parse(data: &BTreeMap<String, Vec<u8>>) -> Result<Self, Unreadable> {
        let mut fields = Fields::of(data)?;
        let told = fields.take(CHECKSUM)?;
        if told != checksum(&fields.0) {
            return Err(Unreadable::Edited);
        }
        let claim = Self {
            attempt: fields.take(ATTEMPT)?,
            pod: fields.take(POD)?,
            pod_uid: fields.take(POD_UID)?,
            server: fields.take(SERVER)?,
            holder: fields.take(HOLDER)?,
            claimed: fields.parse(CLAIMED)?,
            touched: fields.parse(TOUCHED)?,
            stage: fields.stage()?,
        };
        match fields.0.into_keys().next() {
            Some(extra) => Err(Unreadable::Extra(extra.to_owned())),
            None => Ok(claim),
        }
    }
}

const ATTEMPT: &str = "attempt";
const POD: &str = "pod";
const POD_UID: &str = "podUID";
const SERVER: &str = "server";
const HOLDER: &str = "holder";
const CLAIMED: &str = "claimed";
const TOUCHED: &str = "touched";
const PHASE: &str = "phase";
const SECRET: &str = "secret";
const SHARES: &str = "shares";
const DIGEST: &str = "digest";
const ROOT_ACCESSOR: &str = "rootAccessor";
const CHECKSUM: &str = "checksum";
/// All keys that the data of a claim can have.
pub(super) const KEYS: [&str; 13] =
    [ATTEMPT, POD, POD_UID, SERVER, HOLDER, CLAIMED, TOUCHED, PHASE, SECRET, SHARES, DIGEST, ROOT_ACCESSOR, CHECKSUM];

/// What is left to be read.
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    fn of(data: &BTreeMap<String, Vec<u8>>) -> Result<Self, Unreadable> {
        let mut fields = BTreeMap::new();
        for (key, value) in data {
            let known = KEYS.into_iter().find(|known| known == key).ok_or_else(|| Unreadable::Extra(key.clone()))?;
            let text = std::str::from_utf8(value).map_err(|_| Unreadable::Value(known))?;
            fields.insert(known, text.to_owned());
        }
        Ok(Self(fields))
    }

    fn take(&mut self, key: &'static str) -> Result<String, Unreadable> {
        let value = self.0.remove(key).ok_or(Unreadable::Lacks(key))?;
        if value.is_empty() { Err(Unreadable::Value(key)) } else { Ok(value) }
    }

    fn parse<T: std::str::FromStr>(&mut self, key: &'static str) -> Result<T, Unreadable> {
        self.take(key)?.parse().map_err(|_| Unreadable::Value(key))
    }

    fn stage(&mut self) -> Result<Stage, Unreadable> {
        let phase = self.take(PHASE)?;
        match phase.as_str() {
            "Unsent" => Ok(Stage::Unsent),
            "Claimed" => Ok(Stage::Claimed),
            "Stored" => Ok(Stage::Stored(self.recorded()?)),
            "AdminProven" => Ok(Stage::AdminProven(self.recorded()?, self.take(ROOT_ACCESSOR)?)),
            "Complete" => Ok(Stage::Complete(self.recorded()?)),
            _ => Err(Unreadable::Value(PHASE)),
        }
    }

    fn recorded(&mut self) -> Result<Recorded, Unreadable> {
        let digest = if self.0.contains_key(DIGEST) { Some(self.take(DIGEST)?) } else { None };
        Ok(Recorded { secret: self.take(SECRET)?, count: self.parse(SHARES)?, digest })
    }
}

/// Tells an edit by hand: an attempt with another's phase would lead to another act.
fn checksum(fields: &BTreeMap<&str, String>) -> String {
    let mut hash = Sha256::new();
    for part in fields.iter().flat_map(|(key, value)| [*key, value.as_str()]) {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    in_hex(&hash.finalize())
}

/// Bytes as people compare them.
pub(super) fn in_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
