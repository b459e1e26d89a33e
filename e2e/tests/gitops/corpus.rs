//! Overlays that nobody wrote: the same ones for the same seed, of everything that Kustomize does and we do too.
//!
//! Most of them build; some don't, on purpose or by chance, and then both have to refuse.

mod objects;
mod overlays;
mod patches;

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::Value;

/// The files of one case, by their paths; what is built is in the folder `overlay`.
pub(crate) type Files = BTreeMap<String, String>;

/// The case of a seed.
pub(crate) fn case(seed: u64) -> Files {
    let mut random = Rng::with_seed(seed);
    let mut files = Files::new();
    overlays::write(&mut random, &mut files);
    files
}

/// An object or a kustomization file as text: JSON is YAML too.
fn text(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// One of them.
fn one_of<T: Clone>(random: &mut Rng, all: &[T]) -> T {
    all[random.usize(..all.len())].clone()
}

/// Each of them with a chance of one in `in_so_many`.
fn some_of<T: Clone>(random: &mut Rng, all: &[T], in_so_many: u32) -> Vec<T> {
    all.iter().filter(|_| random.u32(..in_so_many) == 0).cloned().collect()
}
