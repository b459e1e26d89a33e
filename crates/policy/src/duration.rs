//! Durations as people write them in specs: `5m`, `1d12h`.

use std::time::Duration;

const UNITS: [(char, u64); 4] = [('d', 24 * 3600), ('h', 3600), ('m', 60), ('s', 1)];

/// A duration such as `1d12h`; zero is one.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let (mut rest, mut seconds) = (text, 0_u64);
    if rest.is_empty() {
        return None;
    }
    for (unit, length) in UNITS {
        let Some((count, after)) = rest.split_once(unit) else { continue };
        let count: u64 = count.bytes().all(|byte| byte.is_ascii_digit()).then(|| count.parse().ok())??;
        seconds = seconds.checked_add(count.checked_mul(length)?)?;
        rest = after;
    }
    rest.is_empty().then(|| Duration::from_secs(seconds))
}

/// The same in words.
#[must_use]
pub fn in_words(duration: Duration) -> String {
    let (mut rest, mut words) = (duration.as_secs(), String::new());
    for (unit, length) in UNITS {
        if length <= rest {
            words.push_str(&format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    if words.is_empty() { "0s".to_owned() } else { words }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("7d", Some(604_800))]
    #[case("1d12h", Some(129_600))]
    #[case("90s", Some(90))]
    #[case("0s", Some(0))]
    #[case("1h30m", Some(5_400))]
    #[case("", None)]
    #[case("7", None)]
    #[case("d", None)]
    #[case("+7d", None)]
    #[case("1m2h", None)]
    #[case("1.5h", None)]
    #[case("99999999999999999999d", None)]
    #[case("999999999999999999d", None)]
    fn durations(#[case] text: &str, #[case] seconds: Option<u64>) {
        assert_eq!(parse(text), seconds.map(Duration::from_secs));
    }

    #[rstest]
    #[case(0, "0s")]
    #[case(90, "1m30s")]
    #[case(604_800, "7d")]
    #[case(129_601, "1d12h1s")]
    fn words(#[case] seconds: u64, #[case] expected: &str) {
        let words = in_words(Duration::from_secs(seconds));
        assert_eq!(words, expected);
        assert_eq!(parse(&words), Some(Duration::from_secs(seconds)));
    }
}
