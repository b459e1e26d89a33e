//! The sample repository: exactly the findings that were reviewed by hand, each with its file, line and column.
//!
//! `UPDATE_EXPECTED=1` writes the file anew, to be reviewed again.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::checkout::{BINARY, run};

#[test]
fn the_sample_has_exactly_the_findings_that_are_expected() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e/samples");
    let told = run(Command::new(BINARY).arg("audit").arg(samples.join("homelab")).args(["--format", "json"]));
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
    let report: Value = serde_json::from_str(&told.out).unwrap();
    let mut lines: Vec<_> = report["findings"].as_array().unwrap().iter().map(line).collect();
    lines.sort();
    let found: String = lines.into_iter().map(|(_, _, _, line)| line).collect();
    let file = samples.join("homelab.expected");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&file, &found).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap();
    let missing: Vec<_> = expected.lines().filter(|line| !found.lines().any(|other| other == *line)).collect();
    let surplus: Vec<_> = found.lines().filter(|line| !expected.lines().any(|other| other == *line)).collect();
    assert_eq!((missing, surplus), (Vec::new(), Vec::new()), "expected and not found, and found and not expected");
    assert_eq!(found, expected);
}

/// What it is sorted by, and the finding as one line.
fn line(finding: &Value) -> (String, u64, u64, String) {
    let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
    let (file, line) = (text(&finding["file"]), finding["line"].as_u64().unwrap());
    let (column, object) = (finding["column"].as_u64().unwrap(), &finding["object"]);
    let told = format!(
        "{file}:{line}:{column} {} {} {} {}{}{}\n",
        text(&finding["severity"]),
        text(&finding["rule"]),
        text(&object["kind"]),
        object["namespace"].as_str().map(|namespace| format!("{namespace}/")).unwrap_or_default(),
        text(&object["name"]),
        if finding["excepted"].is_null() { "" } else { " (excepted)" },
    );
    (file, line, column, told)
}
