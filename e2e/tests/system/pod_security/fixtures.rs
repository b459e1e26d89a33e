//! The pods that upstream tests itself with.
//!
//! A file's place says level, version and verdict, its name the check that it is about. What is in `pass` is allowed, as
//! written and as a server fills it in. What is in `fail` is not, by that check or one that stands in for it, and passes
//! once it is changed as we say. What passes restricted passes baseline.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::churn::say;
use holdfast_pod_security::{Level, PodFacts, Version, allows, evaluate, fixes, strictest};
use holdfast_testkit::Tool;
use serde_json::Value;

use super::cure::apply;

/// So that none is skipped unseen.
const FILES: usize = 4_537;

/// At restricted, the second says what the first says, and more.
const STAND_INS: [(&str, &str); 4] = [
    ("hostpathvolumes", "restrictedvolumes"),
    ("capabilities_baseline", "capabilities_restricted"),
    ("seccompprofile_baseline", "seccompprofile_restricted"),
    ("procmount", "procmount_restricted"),
];

struct Fixture {
    level: Level,
    version: Version,
    passes: bool,
    /// Without the number behind it.
    check: String,
    pod: Value,
}

#[tokio::test]
async fn upstreams_own_pods_are_judged_as_upstream_says() -> Result<()> {
    let folder = Tool::PodSecurity.find_in_background().await?.path;
    let files = files(&folder)?;
    ensure!(files.len() == FILES, "{} files instead of {FILES}", files.len());
    let mut wrong = Vec::new();
    for file in &files {
        let inside = file.strip_prefix(&folder)?;
        let fixture = Fixture::read(file, inside).with_context(|| file.display().to_string())?;
        if let Err(error) = fixture.judge() {
            wrong.push(format!("{}: {error:#}", inside.display()));
        }
    }
    ensure!(wrong.is_empty(), "{} of {FILES} are judged otherwise:\n{}", wrong.len(), wrong.join("\n"));
    say(&format!("pod security: {FILES} fixtures of upstream agree"));
    Ok(())
}

/// All pods, and what each was written for.
pub(super) fn pods(folder: &Path) -> Result<Vec<(Level, Version, Value)>> {
    let read = |file: PathBuf| {
        let fixture = Fixture::read(&file, file.strip_prefix(folder)?)?;
        Ok((fixture.level, fixture.version, fixture.pod))
    };
    files(folder)?.into_iter().map(read).collect()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut waiting = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

impl Fixture {
    /// `restricted/v1.5/fail/runasnonroot0.yaml`
    fn read(file: &Path, inside: &Path) -> Result<Self> {
        let parts: Vec<&str> = inside.iter().filter_map(|part| part.to_str()).collect();
        let [level, version, verdict, name] = parts[..] else { anyhow::bail!("another form") };
        ensure!(["pass", "fail"].contains(&verdict), "neither pass nor fail");
        Ok(Self {
            level: level.parse()?,
            version: version.parse()?,
            passes: verdict == "pass",
            check: name.trim_end_matches(".yaml").trim_end_matches(|c: char| c.is_ascii_digit()).to_owned(),
            pod: serde_saphyr::from_str(&fs::read_to_string(file)?)?,
        })
    }

    fn judge(&self) -> Result<()> {
        let written: PodFacts = serde_json::from_value(self.pod.clone())?;
        for pod in [&written, &written.clone().defaulted()] {
            let violations = evaluate(self.level, self.version, pod);
            ensure!(violations.is_empty() == self.passes, "{violations:?}");
            ensure!(allows(self.level, self.version, pod) == self.passes, "only half of us says so");
            let is_meant = |id: &str| {
                let id = id.to_lowercase();
                id == self.check || STAND_INS.contains(&(self.check.as_str(), id.as_str()))
            };
            let names_it = violations.iter().any(|violation| is_meant(violation.check.id()));
            ensure!(self.passes || names_it, "for another reason: {violations:?}");
        }
        if self.passes { self.passes_less(&written) } else { self.can_be_cured(&written) }
    }

    fn passes_less(&self, pod: &PodFacts) -> Result<()> {
        let strictest = strictest(self.version, pod);
        ensure!(self.level <= strictest, "only {strictest}");
        Ok(())
    }

    fn can_be_cured(&self, pod: &PodFacts) -> Result<()> {
        let mut cured = self.pod.clone();
        for fix in fixes(&evaluate(self.level, self.version, pod)) {
            apply(fix, &mut cured);
        }
        let left = evaluate(self.level, self.version, &serde_json::from_value(cured)?);
        ensure!(left.is_empty(), "after the changes: {left:?}");
        Ok(())
    }
}
