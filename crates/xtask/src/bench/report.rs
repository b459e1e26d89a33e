//! The figures of a benchmark: as a table for people, as JSON for whoever compares.

use std::fmt;
use std::time::Duration;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use serde_json::{Map, Value, json};

/// Figures in rows under the same headings.
#[derive(Debug)]
pub(super) struct Report {
    name: &'static str,
    headings: Vec<&'static str>,
    rows: Vec<Vec<Figure>>,
    notes: Vec<String>,
}

/// One figure, with its unit in its heading.
#[derive(Debug, Clone)]
pub(super) enum Figure {
    /// What the row is about.
    Name(String),
    Count(u64),
    /// With so many digits after the point.
    Number(f64, usize),
    /// Not to be had in this row.
    Nothing,
}

impl Figure {
    pub(super) fn name(name: impl Into<String>) -> Self {
        Self::Name(name.into())
    }

    pub(super) fn count(count: usize) -> Self {
        Self::Count(count as u64)
    }

    pub(super) fn seconds(duration: Duration) -> Self {
        Self::Number(duration.as_secs_f64(), 2)
    }

    pub(super) fn milliseconds(duration: Duration) -> Self {
        Self::Number(duration.as_secs_f64() * 1_000.0, 1)
    }

    pub(super) fn mebibytes(bytes: u64) -> Self {
        Self::Number(bytes as f64 / f64::from(1 << 20), 1)
    }

    fn value(&self) -> Value {
        match self {
            Self::Name(name) => json!(name),
            Self::Count(count) => json!(count),
            Self::Number(number, _) => json!(number),
            Self::Nothing => Value::Null,
        }
    }

    fn cell(&self) -> Cell {
        match self {
            Self::Name(name) => Cell::new(name),
            other => Cell::new(other).set_alignment(CellAlignment::Right),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Count(count) => write!(f, "{count}"),
            Self::Number(number, digits) => write!(f, "{number:.digits$}"),
            Self::Nothing => f.write_str("-"),
        }
    }
}

impl Report {
    pub(super) fn new(name: &'static str, headings: &[&'static str]) -> Self {
        Self { name, headings: headings.to_vec(), rows: Vec::new(), notes: Vec::new() }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn row(&mut self, figures: impl IntoIterator<Item = Figure>) {
        self.rows.push(figures.into_iter().collect());
    }

    /// A sentence below the table.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(super) fn json(&self) -> String {
        let row = |row: &Vec<Figure>| {
            let fields = self.headings.iter().zip(row).map(|(heading, figure)| ((*heading).to_owned(), figure.value()));
            Value::Object(fields.collect::<Map<_, _>>())
        };
        let rows: Vec<Value> = self.rows.iter().map(row).collect();
        format!("{:#}\n", json!({ "bench": self.name, "machine": machine(), "rows": rows, "notes": self.notes }))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(&self.headings);
        for row in &self.rows {
            table.add_row(row.iter().map(Figure::cell));
        }
        writeln!(f, "{} ({})\n{table}", self.name, machine())?;
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}

/// The machine in a line, so that a figure is never told without it.
fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let model = read("/proc/cpuinfo")
        .lines()
        .find_map(|line| Some(line.strip_prefix("model name")?.split_once(':')?.1.trim().to_owned()));
    let memory = read("/proc/meminfo")
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    let load = read("/proc/loadavg").split_whitespace().next().unwrap_or("unknown").to_owned();
    format!(
        "{processors} processors, {}, {} GiB, load {load} at the end",
        model.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        memory.unwrap_or_default().div_ceil(1 << 20),
    )
}

/// Of values that needn't be sorted: the one that so many of a hundred don't exceed.
pub(super) fn percentile(values: &[Duration], percent: usize) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&values, 50), Duration::from_millis(100));
        assert_eq!(percentile(&values, 99), Duration::from_millis(198));
        assert_eq!(percentile(&values[..1], 99), Duration::from_millis(200));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[test]
    fn table_and_json_say_the_same() {
        let mut report = Report::new("memory", &["size", "MiB"]);
        report.row([Figure::name("empty"), Figure::mebibytes(3 << 19)]);
        assert!(report.to_string().contains("│ empty ┆ 1.5 │"), "{report}");
        let json: Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(json["rows"][0], json!({ "size": "empty", "MiB": 1.5 }));
    }
}
