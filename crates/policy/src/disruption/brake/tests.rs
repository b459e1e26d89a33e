//! When withdrawals wait, and when they don't.

use jiff::{SignedDuration, Timestamp};

use super::{Brake, Braking};

const DELAY: SignedDuration = SignedDuration::from_mins(10);

fn brake() -> Brake {
    Brake::new(DELAY)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + seconds).expect("a time")
}

#[test]
fn a_few_withdrawals_never_wait() {
    assert_eq!(brake().judge(19, 19, at(0)), Braking::Go);
}

#[test]
fn many_that_are_a_small_share_do_not_wait() {
    assert_eq!(brake().judge(20, 100, at(0)), Braking::Go);
    assert_eq!(brake().judge(21, 100, at(0)), Braking::Hold(at(600)));
}

#[test]
fn what_trickles_is_counted_together() {
    let mut brake = brake();
    for second in 0..19 {
        assert_eq!(brake.judge(1, 40 - usize::try_from(second).expect("small"), at(second)), Braking::Go, "{second}");
        brake.withdrew(1, at(second));
    }
    assert_eq!(brake.judge(1, 21, at(19)), Braking::Hold(at(619)));
    assert!(brake.is_engaged());
}

#[test]
fn what_is_long_ago_is_not() {
    let mut brake = brake();
    brake.withdrew(19, at(0));
    assert_eq!(brake.judge(1, 21, at(61)), Braking::Go);
}

#[test]
fn after_the_delay_a_fresh_list_decides() {
    let mut brake = brake();
    assert_eq!(brake.judge(30, 40, at(0)), Braking::Hold(at(600)));
    assert_eq!(brake.judge(30, 40, at(599)), Braking::Hold(at(600)));
    assert_eq!(brake.judge(30, 40, at(600)), Braking::Look);
    assert_eq!(brake.judge(30, 40, at(601)), Braking::Looking);
    brake.looked();
    assert_eq!(brake.judge(30, 40, at(602)), Braking::Go);
    brake.withdrew(25, at(603));
    assert_eq!(brake.judge(5, 15, at(603)), Braking::Go, "what was looked at twice goes to its end");
    assert_eq!(brake.judge(0, 10, at(604)), Braking::Go);
    assert_eq!(brake.judge(1, 10, at(605)), Braking::Go, "and counts for nothing afterwards");
}

#[test]
fn only_what_was_looked_at_goes_on() {
    let mut brake = brake();
    brake.judge(30, 100, at(0));
    assert_eq!(brake.judge(30, 100, at(600)), Braking::Look);
    brake.looked();
    assert!(brake.is_engaged(), "until somebody asks what follows from the list");
    assert_eq!(brake.judge(30, 100, at(601)), Braking::Go);
    brake.withdrew(10, at(602));
    assert_eq!(brake.judge(39, 90, at(602)), Braking::Go, "nineteen more are a few");
    assert_eq!(brake.judge(60, 90, at(603)), Braking::Hold(at(1203)), "forty more are another mass");
}

/// Whatever happens in whatever order: beyond what was looked at and what a policy explains, fewer than [`LEAST`] or at
/// most one in [`SHARE`] go within any [`WINDOW`].
#[test]
fn no_order_of_events_lets_a_mass_through() {
    for seed in 0..500_u64 {
        let (mut brake, mut random, mut now) = (brake(), seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, 0);
        let mut next = |most: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % most).expect("small")
        };
        let (mut pending, mut gone): (usize, Vec<(i64, usize)>) = (0, Vec::new());
        // Never told that a list is fresh, so nothing is ever looked at.
        for _ in 0..300 {
            now += i64::try_from(next(20)).expect("small");
            pending += next(4);
            let recent: usize = gone.iter().filter(|(at, _)| now - at <= 60).map(|(_, count)| count).sum();
            let owned = 60_usize.saturating_sub(recent).max(pending);
            if brake.judge(pending, owned, at(now)) == Braking::Go && 0 < pending {
                assert!(recent + pending < 20 || (recent + pending) * 5 <= owned + recent, "seed {seed} at {now}");
                brake.withdrew(pending, at(now));
                gone.push((now, pending));
                pending = 0;
            }
        }
    }
}

#[test]
fn what_turns_out_to_be_a_mistake_is_forgotten() {
    let mut brake = brake();
    assert_eq!(brake.judge(30, 40, at(0)), Braking::Hold(at(600)));
    assert_eq!(brake.judge(0, 40, at(5)), Braking::Go);
    assert!(!brake.is_engaged());
    assert_eq!(brake.judge(30, 40, at(700)), Braking::Hold(at(1300)), "the next one waits as long");
}

#[test]
fn a_policy_that_changed_explains_what_follows() {
    let mut brake = brake();
    assert_eq!(brake.judge(30, 40, at(0)), Braking::Hold(at(600)));
    brake.explain(at(1));
    assert_eq!(brake.judge(30, 40, at(1)), Braking::Go);
    assert_eq!(brake.judge(30, 40, at(62)), Braking::Hold(at(662)), "for a minute");
}
