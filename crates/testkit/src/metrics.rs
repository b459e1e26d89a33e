//! A scrape of `/metrics`, read just enough to ask what a counter says.

use std::collections::BTreeMap;

/// One scrape.
#[derive(Debug, Clone)]
pub struct Metrics {
    text: String,
}

impl Metrics {
    /// The scrape as it was answered.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// The text itself.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The sum over all samples of that name with at least these labels; `None` when there is no such sample.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted = |sample: &Sample<'_>| {
            sample.name == name
                && labels.iter().all(|(label, value)| sample.labels.get(label).is_some_and(|v| v == value))
        };
        self.samples().filter(wanted).map(|sample| sample.value).reduce(|sum, value| sum + value)
    }

    /// The names of all samples, sorted, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.samples().map(|sample| sample.name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn samples(&self) -> impl Iterator<Item = Sample<'_>> {
        self.text.lines().filter(|line| !line.starts_with('#')).filter_map(Sample::parse)
    }
}

#[derive(Debug)]
struct Sample<'a> {
    name: &'a str,
    labels: BTreeMap<&'a str, String>,
    value: f64,
}

impl<'a> Sample<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, labels, rest) = match line.split_once('{') {
            Some((name, rest)) => {
                let (labels, rest) = parse_labels(rest)?;
                (name, labels, rest)
            }
            None => {
                let (name, rest) = line.split_once(' ')?;
                (name, BTreeMap::new(), rest)
            }
        };
        let value = rest.split_whitespace().next()?.parse().ok()?;
        Some(Self { name, labels, value })
    }
}

/// The labels up to the closing brace, and what follows it; values are unescaped.
fn parse_labels(mut rest: &str) -> Option<(BTreeMap<&str, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (label, quoted) = rest.split_once("=\"")?;
        let (value, after) = parse_value(quoted)?;
        labels.insert(label, value);
        rest = after;
    }
}

fn parse_value(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[index + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                escaped => value.push(escaped),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRAPE: &str = concat!(
        "# HELP writes_total Writes.\n# TYPE writes_total counter\n",
        "writes_total{verb=\"create\",result=\"ok\"} 3\n",
        "writes_total{verb=\"delete\",result=\"ok\"} 2\n",
        "writes_total{verb=\"create\",result=\"a \\\"}\\\" in it\"} 1\n",
        "leader 1\n# EOF\n",
    );

    #[test]
    fn samples_are_summed_over_the_labels_that_were_not_named() {
        let metrics = Metrics::new(SCRAPE);
        assert_eq!(metrics.sum("writes_total", &[("verb", "create")]), Some(4.0));
        assert_eq!(metrics.sum("writes_total", &[]), Some(6.0));
        assert_eq!(metrics.sum("writes_total", &[("result", "a \"}\" in it")]), Some(1.0));
        assert_eq!(metrics.sum("leader", &[]), Some(1.0));
    }

    #[test]
    fn what_is_not_there_is_not_zero() {
        assert_eq!(Metrics::new(SCRAPE).sum("writes_total", &[("verb", "patch")]), None);
        assert_eq!(Metrics::new(SCRAPE).names(), ["leader", "writes_total"]);
    }
}
