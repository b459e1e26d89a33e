//! A claim comes back as it was written, or as something that nobody initialises beside.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::init::claim::{Claim, Reading, Recorded, Stage, Unreadable, WORK, annotations, labels};

pub(super) fn claim(stage: Stage) -> Claim {
    let at = |second| Timestamp::from_second(second).unwrap();
    Claim {
        attempt: "0123456789abcdef".to_owned(),
        pod: "vault-0".to_owned(),
        pod_uid: "uid-0".to_owned(),
        server: "vault-0.vault.shop.svc".to_owned(),
        holder: "spool".to_owned(),
        claimed: at(1000),
        touched: at(1000),
        stage,
    }
}

pub(super) fn recorded() -> Recorded {
    Recorded { secret: "vault-recovery".to_owned(), count: 3, digest: Some("ab12".to_owned()) }
}

fn stages() -> impl Strategy<Value = Stage> {
    let recorded = (any::<u8>(), prop::option::of("[0-9a-f]{1,64}")).prop_map(|(count, digest)| Recorded {
        secret: "keys".to_owned(),
        count,
        digest,
    });
    prop_oneof![
        Just(Stage::Unsent),
        Just(Stage::Claimed),
        recorded.clone().prop_map(Stage::Stored),
        (recorded.clone(), "[a-zA-Z0-9]{1,24}").prop_map(|(recorded, accessor)| Stage::AdminProven(recorded, accessor)),
        recorded.prop_map(Stage::Complete),
    ]
}

proptest! {
    #[test]
    fn it_comes_back_as_it_was_written(stage in stages()) {
        let claim = claim(stage);
        prop_assert_eq!(Claim::read(&claim.data()), Reading::Claim(claim));
    }

    #[test]
    fn whatever_is_changed_by_hand_is_noticed(stage in stages(), key: Index, at: Index, bit in 0u8..8) {
        let mut data = claim(stage).data();
        let key = data.keys().nth(key.index(data.len())).cloned().unwrap();
        let value = data.get_mut(&key).unwrap();
        let at = at.index(value.len());
        value[at] ^= 1 << bit;
        let reading = Claim::read(&data);
        prop_assert!(matches!(&reading, Reading::Unreadable(_)), "{key}: {reading:?}");
    }

    #[test]
    fn a_document_that_lacks_a_key_or_has_one_more_is_no_vacancy(stage in stages(), key: Index) {
        let whole = claim(stage).data();
        let mut less = whole.clone();
        let key = whole.keys().nth(key.index(whole.len())).unwrap();
        less.remove(key);
        prop_assert!(matches!(Claim::read(&less), Reading::Unreadable(_)));
        let mut more = whole;
        more.insert("note".to_owned(), b"mine".to_vec());
        prop_assert_eq!(Claim::read(&more), Reading::Unreadable(Unreadable::Extra("note".to_owned())));
    }
}

#[test]
fn the_values_of_two_claims_make_no_third() {
    let (one, other) = (claim(Stage::Claimed).data(), claim(Stage::Complete(recorded())).data());
    let mut mixed = one.clone();
    mixed.insert("attempt".to_owned(), b"ffffffffffffffff".to_vec());
    assert_eq!(Claim::read(&mixed), Reading::Unreadable(Unreadable::Edited));
    let mut later = other;
    later.insert("phase".to_owned(), b"Stored".to_vec());
    assert_eq!(Claim::read(&later), Reading::Unreadable(Unreadable::Edited));
}

#[test]
fn only_a_secret_without_data_is_vacant() {
    assert_eq!(Claim::read(&BTreeMap::new()), Reading::Vacant);
    let foreign = BTreeMap::from([("password".to_owned(), b"x".to_vec())]);
    assert_eq!(Claim::read(&foreign), Reading::Unreadable(Unreadable::Extra("password".to_owned())));
}

#[test]
fn it_is_fresh_for_five_minutes_after_it_was_touched() {
    let claim = claim(Stage::Claimed);
    let at = |second| Timestamp::from_second(second).unwrap();
    assert!(claim.is_fresh(at(1000 + WORK - 1)));
    assert!(!claim.is_fresh(at(1000 + WORK)));
    // A clock that is behind makes nothing old.
    assert!(claim.is_fresh(at(10)));
}

#[test]
fn its_secret_is_told_apart_and_kept() {
    assert_eq!(labels("b")["holdfast.dev/vault"], "b");
    assert_eq!(annotations()["kustomize.toolkit.fluxcd.io/prune"], "disabled");
}
