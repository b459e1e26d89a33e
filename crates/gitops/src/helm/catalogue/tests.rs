//! The table itself.

use std::collections::BTreeSet;

use super::CHARTS;

#[test]
fn each_chart_is_there_once_in_order_and_says_what_was_read() {
    let names: Vec<&str> = CHARTS.iter().map(|chart| chart.name).collect();
    let sorted: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names, sorted.into_iter().collect::<Vec<_>>());
    assert!(CHARTS.iter().all(|chart| chart.read.starts_with(|sign: char| sign.is_ascii_digit())));
}
