//! Amounts of a resource, as `100m`, `1.5`, `128Mi` or `1e3`, exact to a thousandth.
//!
//! The syntax is that of `k8s.io/apimachinery/pkg/api/resource`: a decimal number and a suffix, binary (`Ki` to `Ei`),
//! decimal (`n` to `E`) or an exponent. What is finer than a thousandth is rounded up, as the scheduler's `MilliValue` does.

use thiserror::Error;

/// So many thousandths: of a processor, of a byte, of a pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milli(pub i64);

/// Why a text is no amount.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no quantity")]
pub struct QuantityError(String);

impl Milli {
    /// Whole ones.
    #[must_use]
    pub const fn whole(count: i64) -> Self {
        Self(count.saturating_mul(1_000))
    }

    /// Reads a quantity. What is too large to be told counts as the most there is.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let error = || QuantityError(text.to_owned());
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return Err(error());
        }
        let scale = Scale::parse(suffix).ok_or_else(error)?;
        let value = scale.apply(whole, fraction);
        Ok(Self(if negative { -value } else { value }))
    }

    /// The sum, at most what can be told.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, at least what can be told.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// What a number is multiplied with.
#[derive(Clone, Copy, Debug)]
enum Scale {
    Binary(u32),
    Decimal(i32),
}

impl Scale {
    fn parse(suffix: &str) -> Option<Self> {
        let decimal = |exponent| Some(Self::Decimal(exponent));
        match suffix {
            "" => decimal(0),
            "n" => decimal(-9),
            "u" => decimal(-6),
            "m" => decimal(-3),
            "k" => decimal(3),
            "M" => decimal(6),
            "G" => decimal(9),
            "T" => decimal(12),
            "P" => decimal(15),
            "E" => decimal(18),
            "Ki" => Some(Self::Binary(10)),
            "Mi" => Some(Self::Binary(20)),
            "Gi" => Some(Self::Binary(30)),
            "Ti" => Some(Self::Binary(40)),
            "Pi" => Some(Self::Binary(50)),
            "Ei" => Some(Self::Binary(60)),
            exponent => decimal(exponent.strip_prefix(['e', 'E'])?.parse().ok()?),
        }
    }

    /// In thousandths, rounded up.
    fn apply(self, whole: &str, fraction: &str) -> i64 {
        // Digits beyond these can't change the result by more than the rounding.
        let fraction = &fraction[..fraction.len().min(18)];
        let digits = format!("{whole}{fraction}");
        let Ok(digits) = digits.parse::<i128>() else { return i64::MAX };
        let places = i32::try_from(fraction.len()).unwrap_or(i32::MAX);
        let (factor, exponent) = match self {
            Self::Binary(bits) => (1_i128 << bits, 3 - places),
            Self::Decimal(exponent) => (1, exponent.saturating_add(3 - places)),
        };
        let value = digits.checked_mul(factor).and_then(|value| shifted(value, exponent));
        value.and_then(|value| i64::try_from(value).ok()).unwrap_or(i64::MAX)
    }
}

/// Times a power of ten, rounded up; none where that is too large.
fn shifted(value: i128, exponent: i32) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    let power = 10_i128.checked_pow(exponent.unsigned_abs());
    match (exponent < 0, power) {
        (false, power) => value.checked_mul(power?),
        (true, None) => Some(1),
        (true, Some(power)) => Some(value / power + i128::from(value % power != 0)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Milli;

    #[rstest]
    #[case("0", 0)]
    #[case("100m", 100)]
    #[case("1", 1_000)]
    #[case("+1.5", 1_500)]
    #[case(".5", 500)]
    #[case("5.", 5_000)]
    #[case("-2", -2_000)]
    #[case("128Mi", 128 * 1024 * 1024 * 1_000)]
    #[case("0.5Gi", 512 * 1024 * 1024 * 1_000)]
    #[case("1k", 1_000_000)]
    #[case("1e3", 1_000_000)]
    #[case("1E3", 1_000_000)]
    #[case("1e-3", 1)]
    #[case("1u", 1)]
    #[case("1n", 1)]
    #[case("1500u", 2)]
    #[case("0.0000000000000000001", 0)]
    #[case("8Ei", i64::MAX)]
    #[case("9E", i64::MAX)]
    #[case("1e99999", i64::MAX)]
    #[case("1e-99999", 1)]
    #[case("99999999999999999999999999999999999999999999", i64::MAX)]
    fn amounts_are_read_to_a_thousandth(#[case] text: &str, #[case] thousandths: i64) {
        assert_eq!(Milli::parse(text), Ok(Milli(thousandths)), "{text}");
    }

    #[rstest]
    #[case("")]
    #[case("m")]
    #[case(".")]
    #[case("1.2.3")]
    #[case("1 Gi")]
    #[case("1gi")]
    #[case("one")]
    #[case("1e")]
    #[case("--1")]
    fn what_is_none_is_an_error(#[case] text: &str) {
        assert!(Milli::parse(text).is_err(), "{text}");
    }
}
