//! How many pods a budget keeps or lets go: integers, percentages, and their rounding.
//!
//! Both kinds of percentage round **up**, as `GetScaledValueFromIntOrPercent(.., true)` does for `minAvailable` and
//! `maxUnavailable` alike (`kubernetes/pkg/controller/disruption/disruption.go`).

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An integer or a string, as the API writes amounts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum IntOrString {
    /// A number of pods.
    Int(i64),
    /// A percentage such as `30%`.
    String(String),
}

/// A number of pods or a share of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Amount {
    /// That many pods.
    Pods(u32),
    /// That share of the pods.
    Share(Percent),
}

/// A whole percentage, not negative; the API admits over 100 in a `minAvailable` of older objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Percent(u32);

/// Why an amount can't be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is neither a whole number of pods, 0 or more, nor a percentage such as 30%")]
pub struct AmountError(pub String);

impl Percent {
    /// The share of `pods`, rounded up.
    #[must_use]
    pub fn of(self, pods: u32) -> u32 {
        let share = (u64::from(self.0) * u64::from(pods)).div_ceil(100);
        u32::try_from(share).unwrap_or(u32::MAX)
    }

    /// The number before the sign.
    #[must_use]
    pub fn value(self) -> u32 {
        self.0
    }
}

impl Amount {
    /// The number of pods it means when there should be `pods`.
    #[must_use]
    pub fn of(self, pods: u32) -> u32 {
        match self {
            Self::Pods(count) => count,
            Self::Share(percent) => percent.of(pods),
        }
    }
}

impl TryFrom<&IntOrString> for Amount {
    type Error = AmountError;

    fn try_from(raw: &IntOrString) -> Result<Self, AmountError> {
        match raw {
            IntOrString::Int(count) => {
                u32::try_from(*count).map(Self::Pods).map_err(|_| AmountError(count.to_string()))
            }
            IntOrString::String(text) => parse_percent(text).ok_or_else(|| AmountError(text.clone())),
        }
    }
}

fn parse_percent(text: &str) -> Option<Amount> {
    let digits = text.strip_suffix('%')?;
    let plain = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten().map(|value| Amount::Share(Percent(value)))
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pods(count) => write!(f, "{count}"),
            Self::Share(percent) => write!(f, "{}%", percent.0),
        }
    }
}

impl From<Amount> for IntOrString {
    fn from(amount: Amount) -> Self {
        match amount {
            Amount::Pods(count) => Self::Int(count.into()),
            Amount::Share(_) => Self::String(amount.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    //! Rounding, and what is no amount.

    use rstest::rstest;
    use serde_json::{Value, json};

    use super::{Amount, IntOrString};

    #[track_caller]
    fn parse(raw: Value) -> Result<Amount, String> {
        let raw: IntOrString = serde_json::from_value(raw).unwrap();
        Amount::try_from(&raw).map_err(|error| error.to_string())
    }

    #[rstest]
    #[case::a_number(json!(2), 3, 2)]
    #[case::a_number_over_all(json!(5), 3, 5)]
    #[case::none(json!(0), 3, 0)]
    #[case::a_third_of_three_rounds_up(json!("30%"), 3, 1)]
    #[case::half_of_one_is_one(json!("50%"), 1, 1)]
    #[case::half_of_three_is_two(json!("50%"), 3, 2)]
    #[case::one_percent_of_one_is_one(json!("1%"), 1, 1)]
    #[case::one_percent_of_101_is_two(json!("1%"), 101, 2)]
    #[case::a_quarter_of_four_is_exact(json!("25%"), 4, 1)]
    #[case::all(json!("100%"), 7, 7)]
    #[case::nothing_of_many(json!("0%"), 7, 0)]
    #[case::more_than_all(json!("150%"), 2, 3)]
    #[case::a_share_of_none(json!("50%"), 0, 0)]
    #[case::as_many_as_there_can_be(json!("100%"), u32::MAX, u32::MAX)]
    #[case::more_than_can_be(json!("4294967295%"), u32::MAX, u32::MAX)]
    fn rounds_up(#[case] amount: Value, #[case] pods: u32, #[case] expected: u32) {
        assert_eq!(parse(amount).unwrap().of(pods), expected);
    }

    #[rstest]
    #[case::negative(json!(-1))]
    #[case::too_large(json!(4_294_967_296_i64))]
    #[case::a_number_as_text(json!("2"))]
    #[case::negative_share(json!("-5%"))]
    #[case::signed_share(json!("+5%"))]
    #[case::a_fraction(json!("2.5%"))]
    #[case::only_the_sign(json!("%"))]
    #[case::empty(json!(""))]
    #[case::a_space(json!("30 %"))]
    #[case::a_word(json!("half"))]
    #[case::too_large_a_share(json!("99999999999%"))]
    fn is_no_amount(#[case] raw: Value) {
        let error = parse(raw.clone()).unwrap_err();
        let shown = raw.as_str().map_or(raw.to_string(), ToOwned::to_owned);
        assert_eq!(
            error,
            format!("{shown:?} is neither a whole number of pods, 0 or more, nor a percentage such as 30%")
        );
    }

    #[rstest]
    #[case(json!(3))]
    #[case(json!("30%"))]
    fn is_written_back_as_it_was_read(#[case] raw: Value) {
        let amount = parse(raw.clone()).unwrap();
        assert_eq!(serde_json::to_value(IntOrString::from(amount)).unwrap(), raw);
        assert_eq!(amount.to_string(), raw.as_str().map_or(raw.to_string(), ToOwned::to_owned));
    }
}
