//! What a trial proves, and when canaries come and go.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::cause::Cause;
use crate::view::Reach;

fn container(uid: &str, restarts: u32) -> ContainerId {
    ContainerId { uid: uid.to_owned(), restarts }
}

fn led_by(active: &ContainerId) -> Witness {
    Witness { active: Some(active.clone()), running: vec![active.clone()] }
}

fn works(ledger: &Ledger, latest: u32) -> Trial {
    Trial {
        kept: ledger.canaries.iter().map(|canary| (canary.version, Ok(()))).collect(),
        fresh: Some(Ok(Fresh { version: latest, ciphertext: format!("vault:v{latest}:x") })),
    }
}

fn fails(ledger: &Ledger, version: u32, refusal: Refusal) -> Trial {
    let mut trial = works(ledger, version);
    for (kept, tried) in &mut trial.kept {
        if *kept == version {
            *tried = Err(refusal.clone());
        }
    }
    trial
}

fn versions(ledger: &Ledger) -> Vec<u32> {
    ledger.canaries.iter().map(|canary| canary.version).collect()
}

/// A ledger that saw B unseal under version 1.
fn proven() -> Ledger {
    let (first, second) = (container("a", 0), container("a", 1));
    let ledger = Ledger::default();
    let ledger = ledger.clone().after(&works(&ledger, 1), &led_by(&first), Timestamp::UNIX_EPOCH);
    ledger.clone().after(&works(&ledger, 1), &led_by(&second), Timestamp::UNIX_EPOCH)
}

#[test]
fn an_adopted_server_proves_nothing_before_its_next_unseal() {
    let first = container("a", 0);
    let ledger = Ledger::default();
    assert_eq!(judge(&works(&ledger, 3), &ledger), Outcome::Unknown(Ignorance::NoCanary));
    let ledger = ledger.clone().after(&works(&ledger, 3), &led_by(&first), Timestamp::UNIX_EPOCH);
    assert_eq!(versions(&ledger), [3]);
    assert_eq!(judge(&works(&ledger, 3), &ledger), Outcome::Unknown(Ignorance::NoEvidence));
    // The same life of the same container is no news.
    let again = ledger.clone().after(&works(&ledger, 3), &led_by(&first), Timestamp::UNIX_EPOCH);
    assert_eq!(again, ledger);
    let later = Timestamp::from_second(60).expect("a time");
    let ledger = ledger.clone().after(&works(&ledger, 3), &led_by(&container("a", 1)), later);
    assert_eq!((ledger.proven, ledger.since), (Some(3), Some(later)));
    assert_eq!(judge(&works(&ledger, 3), &ledger), Outcome::Passed);
}

#[test]
fn a_rotation_keeps_the_older_canary_until_the_leader_unsealed_under_the_newer() {
    let ledger = proven();
    let second = container("a", 1);
    let rotated = ledger.clone().after(&works(&ledger, 2), &led_by(&second), Timestamp::UNIX_EPOCH);
    assert_eq!((versions(&rotated), rotated.proven), (vec![1, 2], Some(1)));
    assert_eq!(judge(&works(&rotated, 2), &rotated), Outcome::Passed);
    // B may still be sealed with version 1.
    let outcome = judge(&fails(&rotated, 1, Refusal::VersionTooOld), &rotated);
    assert!(matches!(outcome, Outcome::Failed(Cause::KeyVersionTooOld, _)), "{outcome:?}");
    let third = rotated.clone().after(&works(&rotated, 2), &led_by(&container("a", 2)), Timestamp::UNIX_EPOCH);
    assert_eq!((versions(&third), third.proven), (vec![2], Some(2)));
}

#[test]
fn a_standby_that_unseals_is_no_witness() {
    let ledger = Ledger::default();
    let witness = led_by(&container("a", 0));
    let ledger = ledger.clone().after(&works(&ledger, 1), &witness, Timestamp::UNIX_EPOCH);
    let standby = Witness { active: None, running: vec![container("b", 0)] };
    let after = ledger.clone().after(&works(&ledger, 1), &standby, Timestamp::UNIX_EPOCH);
    assert_eq!(after, ledger);
}

#[test]
fn what_follows_a_replaced_key_is_no_evidence_for_the_old_one() {
    let ledger = proven();
    let replaced = fails(&ledger, 1, Refusal::KeyReplaced);
    let after = ledger.clone().after(&replaced, &led_by(&container("a", 9)), Timestamp::UNIX_EPOCH);
    assert_eq!(after, ledger);
    assert!(matches!(judge(&replaced, &after), Outcome::Failed(Cause::KeyReplaced, _)));
}

#[test]
fn a_trial_of_fewer_than_all_canaries_proves_nothing() {
    let ledger = proven();
    let second = container("a", 1);
    let ledger = ledger.clone().after(&works(&ledger, 2), &led_by(&second), Timestamp::UNIX_EPOCH);
    let mut trial = works(&ledger, 2);
    trial.kept.truncate(1);
    assert!(matches!(judge(&trial, &ledger), Outcome::Unknown(Ignorance::Untried(_))));
}

#[test]
fn a_token_that_could_make_the_key_anew_is_judged_by_the_canaries_alone() {
    let ledger = proven();
    let trial = Trial { fresh: None, ..works(&ledger, 1) };
    assert_eq!(judge(&trial, &ledger), Outcome::Passed);
    let after = ledger.clone().after(&trial, &led_by(&container("a", 7)), Timestamp::UNIX_EPOCH);
    assert_eq!(after, ledger, "without a fresh encryption the version of today isn't known");
}

#[test]
fn each_refusal_is_one_cause() {
    let ledger = proven();
    let cases = [
        (Refusal::Dead, Some(Cause::TokenDead)),
        (Refusal::Denied, Some(Cause::TokenDenied)),
        (Refusal::KeyMissing, Some(Cause::KeyMissing)),
        (Refusal::KeyReplaced, Some(Cause::KeyReplaced)),
        (Refusal::VersionTooOld, Some(Cause::KeyVersionTooOld)),
        (Refusal::VersionTooNew, Some(Cause::TransitRestoredOld)),
        (Refusal::Silent(Reach::Sealed), Some(Cause::TransitSealed)),
        (Refusal::Silent(Reach::Hangs), Some(Cause::TransitHangs)),
        (Refusal::Other("500".to_owned()), None),
    ];
    for (refusal, expected) in cases {
        let outcome = judge(&fails(&ledger, 1, refusal), &ledger);
        let cause = match &outcome {
            Outcome::Failed(cause, _) => Some(*cause),
            Outcome::Passed | Outcome::Unknown(_) => None,
        };
        assert_eq!(cause, expected, "{outcome:?}");
        assert_ne!(outcome, Outcome::Passed);
    }
}

/// What may happen between two looks.
#[derive(Clone, Debug)]
enum Event {
    Rotate,
    Restart,
    /// The key is deleted and made anew.
    Replace,
    RaiseMin,
    Look,
}

/// A key and a server as they really are: the model that the ledger is compared with.
#[derive(Clone, Debug)]
struct Truth {
    /// Which making of the key this is.
    making: u32,
    latest: u32,
    min: u32,
    /// What B is sealed with.
    sealed_with: (u32, u32),
    unsealed: bool,
    container: u32,
    /// The making that each canary is of.
    canaries: Vec<(u32, u32)>,
    ledger: Ledger,
}

impl Truth {
    fn new() -> Self {
        Self {
            making: 0,
            latest: 1,
            min: 1,
            sealed_with: (0, 1),
            unsealed: true,
            container: 0,
            canaries: Vec::new(),
            ledger: Ledger::default(),
        }
    }

    fn opens(&self, (making, version): (u32, u32)) -> Result<(), Refusal> {
        if making != self.making {
            Err(Refusal::KeyReplaced)
        } else if version < self.min {
            Err(Refusal::VersionTooOld)
        } else if self.latest < version {
            Err(Refusal::VersionTooNew)
        } else {
            Ok(())
        }
    }

    fn trial(&self) -> Trial {
        let opened = |version: u32| {
            let known = self.canaries.iter().find(|(_, canary)| *canary == version).expect("a canary");
            self.opens(*known)
        };
        let kept = self.ledger.canaries.iter().map(|canary| (canary.version, opened(canary.version))).collect();
        let fresh = Fresh { version: self.latest, ciphertext: format!("{}:{}", self.making, self.latest) };
        Trial { kept, fresh: Some(Ok(fresh)) }
    }

    /// Whether the rehearsal says that B would start.
    fn step(&mut self, event: &Event) -> bool {
        match event {
            Event::Rotate => self.latest += 1,
            Event::Replace => (self.making, self.latest, self.min) = (self.making + 1, 1, 1),
            Event::RaiseMin => self.min = self.latest,
            Event::Restart => {
                self.container += 1;
                self.unsealed = self.opens(self.sealed_with).is_ok();
                if self.unsealed {
                    self.sealed_with = (self.making, self.latest);
                }
            }
            Event::Look => {}
        }
        let trial = self.trial();
        let verdict = judge(&trial, &self.ledger) == Outcome::Passed;
        let running = vec![container("b", self.container)];
        let active = self.unsealed.then(|| running[0].clone());
        self.ledger = self.ledger.clone().after(&trial, &Witness { active, running }, Timestamp::UNIX_EPOCH);
        for canary in &self.ledger.canaries {
            if !self.canaries.iter().any(|(_, version)| *version == canary.version) {
                self.canaries.push((self.making, canary.version));
            }
        }
        self.canaries.retain(|(_, version)| self.ledger.canaries.iter().any(|canary| canary.version == *version));
        verdict
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        2 => Just(Event::Rotate),
        3 => Just(Event::Restart),
        1 => Just(Event::Replace),
        1 => Just(Event::RaiseMin),
        4 => Just(Event::Look),
    ];
    prop::collection::vec(event, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    /// Whatever happens to key and server between two looks, `Passed` is never said of a server that wouldn't start.
    #[test]
    fn there_is_no_false_true(events in events()) {
        let mut truth = Truth::new();
        for event in &events {
            if truth.step(event) {
                prop_assert!(truth.opens(truth.sealed_with).is_ok(), "{truth:?}");
            }
        }
    }

    /// A look at what didn't change changes nothing.
    #[test]
    fn a_second_look_is_empty(events in events()) {
        let mut truth = Truth::new();
        for event in &events {
            truth.step(event);
        }
        truth.step(&Event::Look);
        let before = truth.ledger.clone();
        truth.step(&Event::Look);
        prop_assert_eq!(before, truth.ledger);
    }
}
