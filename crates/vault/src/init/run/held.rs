//! The answers that came to this process, each from its first moment until its attempt is complete.
//!
//! An answer comes once. So it is taken in before anything is done with it, and what fails afterwards costs nothing: shares
//! that couldn't be encrypted for their recipients stay as they came, in memory alone, and a spool that couldn't be written is
//! tried again, both by `bring` before each step.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use secrecy::SecretString;

use crate::init::failed::Failed;
use crate::init::recipients::{Recipients, Unsealable};
use crate::init::spool::{Answer, Spool, resource};

/// The answers, by attempt.
#[derive(Default)]
pub(super) struct Held(Mutex<BTreeMap<String, Holding>>);

/// An answer as it came. Everybody who has it can read it, so it is never written anywhere.
pub(super) struct Open {
    pub(super) attempt: String,
    /// Of which server: namespace and StatefulSet.
    pub(super) of: String,
    /// The resource that asked for it.
    pub(super) resource: String,
    /// The Secret that the shares are for.
    pub(super) secret: String,
    /// How many shares were asked for.
    pub(super) asked: u8,
    pub(super) recipients: Recipients,
    pub(super) shares: Vec<SecretString>,
    pub(super) root: SecretString,
}

impl Open {
    fn seal(&self) -> Result<Answer, Unsealable> {
        Ok(Answer {
            attempt: self.attempt.clone(),
            of: self.of.clone(),
            resource: self.resource.clone(),
            secret: self.secret.clone(),
            asked: self.asked,
            made: u8::try_from(self.shares.len()).unwrap_or(u8::MAX),
            root: self.root.clone(),
            parts: self.recipients.seal(&self.attempt, &self.shares)?,
        })
    }
}

enum Holding {
    Open(Open),
    /// As it is stored.
    Sealed {
        answer: Answer,
        /// Whether the spool has it.
        spooled: bool,
    },
}

impl Held {
    pub(super) fn take_in(&self, open: Open) {
        self.0.lock().insert(open.attempt.clone(), Holding::Open(open));
    }

    pub(super) fn has(&self, attempt: &str) -> bool {
        self.0.lock().contains_key(attempt)
    }

    /// Whether there is one of this server.
    pub(super) fn has_of(&self, of: &str) -> bool {
        self.0.lock().values().any(|holding| holding.of() == of)
    }

    /// The resources that asked for them, by namespace and name.
    pub(super) fn resources(&self) -> Vec<(String, String)> {
        self.0.lock().values().map(Holding::resource).collect()
    }

    /// The answer to an attempt, as it is stored.
    ///
    /// # Errors
    /// When its shares can't be encrypted yet.
    pub(super) fn answer(&self, attempt: &str) -> Result<Option<Answer>, Unsealable> {
        match self.0.lock().get(attempt) {
            None => Ok(None),
            Some(Holding::Open(open)) => open.seal().map(Some),
            Some(Holding::Sealed { answer, .. }) => Ok(Some(answer.clone())),
        }
    }

    /// Brings the answers of a server nearer to where they are safe: encrypts what isn't yet, and spools it.
    ///
    /// # Errors
    /// When that doesn't come about this time. The answer is here all the same.
    pub(super) fn bring(&self, of: &str, spool: &Spool) -> Result<(), Failed> {
        let mut all = self.0.lock();
        let ours = all.values_mut().filter(|holding| holding.of() == of);
        // Each is tried, whatever came of the one before.
        ours.map(|holding| holding.bring(spool, Open::seal)).fold(Ok(()), Result::and)
    }

    pub(super) fn forget(&self, attempt: &str) {
        self.0.lock().remove(attempt);
    }
}

impl Holding {
    fn resource(&self) -> (String, String) {
        match self {
            Self::Open(open) => resource(&open.of, &open.resource),
            Self::Sealed { answer, .. } => answer.resource(),
        }
    }

    fn of(&self) -> &str {
        match self {
            Self::Open(Open { of, .. }) | Self::Sealed { answer: Answer { of, .. }, .. } => of,
        }
    }

    fn bring(&mut self, spool: &Spool, seal: impl Fn(&Open) -> Result<Answer, Unsealable>) -> Result<(), Failed> {
        if let Self::Open(open) = self {
            *self = Self::Sealed { answer: seal(open)?, spooled: false };
        }
        if let Self::Sealed { answer, spooled: spooled @ false } = self {
            spool.keep(answer)?;
            *spooled = true;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use age::x25519::Identity;
    use holdfast_api::vault_transit_unseal::{AgeKeys, KeyStore};
    use secrecy::ExposeSecret as _;

    use super::*;

    const OF: &str = "shop/vault";
    const SHARE: &str = "Y2FuYXJ5LW9mLWEtc2hhcmU=";

    fn open(recipients: &[&Identity]) -> Open {
        let recipients = recipients.iter().map(|person| person.to_public().to_string()).collect::<Vec<_>>();
        let count = u8::try_from(recipients.len()).unwrap();
        let store =
            KeyStore { secret_name: "keys".to_owned(), age: Some(AgeKeys { recipients }), pgp: None, plaintext: None };
        Open {
            attempt: "a1".to_owned(),
            of: OF.to_owned(),
            resource: "b".to_owned(),
            secret: "keys".to_owned(),
            asked: count,
            recipients: Recipients::parse(&store, count).unwrap(),
            shares: vec![SecretString::from(SHARE); usize::from(count)],
            root: SecretString::from("s.canary-of-the-root-token"),
        }
    }

    #[test]
    fn what_cannot_be_encrypted_is_kept_in_memory_alone_and_tried_again() {
        let (person, folder) = (Identity::generate(), tempfile::tempdir().unwrap());
        let spool = Spool::open(folder.path()).unwrap();
        let mut holding = Holding::Open(open(&[&person]));
        let failed = holding.bring(&spool, |_| Err(Unsealable(0))).unwrap_err();
        assert_eq!(failed.to_string(), "share 1 can't be encrypted");
        assert!(spool.answer("a1").unwrap().is_none(), "it was written");
        holding.bring(&spool, Open::seal).unwrap();
        let (_, sealed) =
            spool.answer("a1").unwrap().unwrap().parts.iter().map(|(k, v)| (k.to_owned(), v.to_vec())).next().unwrap();
        assert_eq!(age::decrypt(&person, &sealed).unwrap(), SHARE.as_bytes());
    }

    #[test]
    fn a_spool_that_could_not_be_written_is_tried_again() {
        let (person, folder) = (Identity::generate(), tempfile::tempdir().unwrap());
        let spool = Spool::open(folder.path()).unwrap();
        let (there, away) = (folder.path().join("holdfast-init"), folder.path().join("away"));
        let held = Held::default();
        held.take_in(open(&[&person]));
        std::fs::rename(&there, &away).unwrap();
        assert!(matches!(held.bring(OF, &spool), Err(Failed::Spool(_))));
        assert!(held.bring("shop/other", &spool).is_ok());
        let answer = held.answer("a1").unwrap().unwrap();
        assert_eq!(answer.root.expose_secret(), "s.canary-of-the-root-token");
        std::fs::rename(&away, &there).unwrap();
        held.bring(OF, &spool).unwrap();
        // The same that was there before it was spooled: shares that are encrypted again look like others.
        assert_eq!(spool.answer("a1").unwrap().unwrap().parts, answer.parts);
        held.forget("a1");
        assert!(!held.has("a1") && !held.has_of(OF));
    }

    #[test]
    fn a_share_that_nobody_is_named_for_costs_none_of_the_others() {
        let (one, two) = (Identity::generate(), Identity::generate());
        let mut open = open(&[&one, &two]);
        open.shares.push(SecretString::from(SHARE));
        let answer = open.seal().unwrap();
        assert_eq!((answer.asked, answer.made, answer.parts.count()), (2, 3, 2));
    }
}
