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
