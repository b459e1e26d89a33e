//! How times are written in this resource, and within which bounds: days, hours, minutes and seconds, as in `7d` or `1h30m`.
//!
//! The API server checks form and bounds; [`parse_duration`] reads what it accepted, and more: it knows no bounds.

use std::time::Duration;

use schemars::{Schema, SchemaGenerator, json_schema};

const FORM: &str = "^([0-9]{1,4}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$";
/// In seconds. CEL knows no days, so they are read apart; as numbers, since the server can't tell how long a text becomes that
/// is put together.
const SECONDS: &str = "((self.indexOf('d') < 0 ? 0 : int(self.substring(0, self.indexOf('d'))) * 86400) + \
                       (self.endsWith('d') ? 0 : duration(self.substring(self.indexOf('d') + 1)).getSeconds()))";

/// Seconds of each unit, in the order in which they are written.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads a time such as `720h`, `30d` or `1h30m`; none when it isn't written like that.
///
/// Units come once each, the largest first; a number has at most six digits, so nothing overflows.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (mut rest, mut seconds) = (text, 0);
    for (unit, each) in UNITS {
        if let Some((number, after)) = rest.split_once(unit) {
            seconds += parse_number(number)? * each;
            rest = after;
        }
    }
    (rest.is_empty() && !text.is_empty()).then(|| Duration::from_secs(seconds))
}

fn parse_number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (digits && (1..=6).contains(&text.len())).then(|| text.parse().ok())?
}

/// What is written of a time that has these bounds, and how.
fn bounded(least: &str, most: &str, or_empty: bool, example: &str) -> Schema {
    let empty = if or_empty { "self == '' || " } else { "" };
    let seconds = |text| parse_duration(text).unwrap_or_default().as_secs();
    let bounds = format!("{SECONDS} >= {} && {SECONDS} <= {}", seconds(least), seconds(most));
    json_schema!({
        "type": "string",
        "maxLength": 32,
        "x-kubernetes-validations": [{
            "rule": format!("{empty}(size(self) > 0 && self.matches('{FORM}') && {bounds})"),
            "message": format!("a time from {least} to {most}, in days, hours, minutes and seconds: write for example {example}"),
        }],
    })
}

/// How long a token lives without being renewed.
pub(super) fn period(_: &mut SchemaGenerator) -> Schema {
    bounded("10s", "8760h", false, "720h, or 30d")
}

/// How often a token is replaced; empty for never.
pub(super) fn rotation(_: &mut SchemaGenerator) -> Schema {
    bounded("1m", "8760h", true, "2160h, or 90d; leave it out for never")
}

/// How long a container may take to serve.
pub(super) fn boot_grace(_: &mut SchemaGenerator) -> Schema {
    bounded("1s", "1h", false, "60s, or 2m")
}

/// How long an outage may last.
pub(super) fn outage(_: &mut SchemaGenerator) -> Schema {
    bounded("1m", "8760h", false, "168h, or 7d")
}

/// How often the servers are asked.
pub(super) fn interval(_: &mut SchemaGenerator) -> Schema {
    bounded("1s", "10m", false, "5s, or 1m")
}

/// How long a request may take.
pub(super) fn request_timeout(_: &mut SchemaGenerator) -> Schema {
    bounded("1s", "60s", false, "10s")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::hours("720h", Some(2_592_000))]
    #[case::days("30d", Some(2_592_000))]
    #[case::all_units("1d2h3m4s", Some(93_784))]
    #[case::nothing("0s", Some(0))]
    #[case::the_longest("9999d999999h", Some(9999 * 86_400 + 999_999 * 3_600))]
    #[case::empty("", None)]
    #[case::no_unit("720", None)]
    #[case::no_number("h", None)]
    #[case::another_order("1h1d", None)]
    #[case::twice("1h1h", None)]
    #[case::a_fraction("1.5h", None)]
    #[case::negative("-1h", None)]
    #[case::milliseconds("100ms", None)]
    #[case::not_ascii("١h", None)]
    #[case::too_many_digits("1000000s", None)]
    fn a_time_is_read_as_it_is_written(#[case] text: &str, #[case] seconds: Option<u64>) {
        assert_eq!(parse_duration(text), seconds.map(Duration::from_secs));
    }
}
