//! The target under libFuzzer. Not built but by `cargo xtask fuzz`.
#![no_main]
#![expect(unsafe_code, reason = "libFuzzer calls these by their C names, and exporting one counts as unsafe")]

use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target, fuzzer_mutate};

/// One mutation in so many knows nothing of JSON.
const BLIND: u8 = 3;

fuzz_target!(|bytes: &[u8]| holdfast_fuzz::check(bytes));

fuzz_mutator!(|bytes: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = fastrand::Rng::with_seed(seed.into());
    if random.u8(..BLIND) == 0 {
        return fuzzer_mutate(bytes, size, max_size);
    }
    let mutated = holdfast_fuzz::mutation::mutate(&bytes[..size], &mut random);
    copy(&mutated, bytes, max_size)
});

fuzz_crossover!(|one: &[u8], two: &[u8], out: &mut [u8], seed: u32| {
    let mut random = fastrand::Rng::with_seed(seed.into());
    let crossed = holdfast_fuzz::mutation::cross(one, two, &mut random);
    let room = out.len();
    copy(&crossed, out, room)
});

/// As much of it as there is room for.
fn copy(from: &[u8], to: &mut [u8], room: usize) -> usize {
    let length = from.len().min(room).min(to.len());
    to[..length].copy_from_slice(&from[..length]);
    length
}
