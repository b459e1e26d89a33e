//! What the fuzzer needs ten minutes for, in seconds: the inputs that were kept, the seeds, and a few thousand mutations
//! of both, the same each time.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;
use holdfast_fuzz::{check, mutation, seeds};

/// So many mutations; each input is changed again and again, so that they drift away from what is sound.
const ROUNDS: u64 = 4000;
/// How often an input is changed before the next begins.
const STEPS: usize = 8;

/// Names the input that fails.
#[track_caller]
fn passes(name: &str, bytes: &[u8]) {
    let outcome = catch_unwind(AssertUnwindSafe(|| check(bytes)));
    assert!(outcome.is_ok(), "{name}:\n{}", String::from_utf8_lossy(bytes));
}

#[test]
fn what_was_kept_passes() {
    let kept = seeds::kept();
    assert!(!kept.is_empty());
    kept.iter().for_each(|(path, bytes)| passes(&path.display().to_string(), bytes));
}

#[test]
fn the_manifests_of_the_checkout_pass() {
    let seeds = seeds::all();
    assert!(100 < seeds.len() && 50 < seeds::fields().len(), "{} seeds", seeds.len());
    seeds.iter().for_each(|seed| passes("a seed", seed.as_bytes()));
}

#[test]
fn mutations_pass() {
    let seeds: Vec<Vec<u8>> = seeds::all().into_iter().map(String::into_bytes).collect();
    let kept = seeds::kept().into_iter().map(|(_, bytes)| bytes).filter(|bytes| bytes.len() < 1 << 14);
    let pool: Vec<Vec<u8>> = seeds.into_iter().chain(kept).collect();
    for round in 0..ROUNDS / u64::try_from(STEPS).expect("a small number") {
        let mut random = Rng::with_seed(round);
        let mut input = random.choice(&pool).cloned().unwrap_or_default();
        if random.bool() {
            input = mutation::cross(&input, random.choice(&pool).map_or(&[][..], Vec::as_slice), &mut random);
        }
        for step in 0..STEPS {
            input = mutation::mutate(&input, &mut random);
            passes(&format!("mutation {step} of round {round}"), &input);
        }
    }
}
