//! What cargo built: the test programs by package and target, and the program that ships.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::step::Tests;

/// A test program, and where cargo would run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TestProgram {
    pub(super) path: PathBuf,
    /// The folder of its package.
    pub(super) home: PathBuf,
}

/// All programs so far.
#[derive(Debug, Default)]
pub(super) struct Built {
    tests: BTreeMap<(String, Option<String>), TestProgram>,
    /// `holdfast`, where nobody builds over it.
    pub(super) holdfast: Option<PathBuf>,
}

impl Built {
    /// Takes a line of what cargo says with `--message-format=json`; others than those about programs tell nothing.
    pub(super) fn hears(&mut self, line: &str, kept_in: &Path) -> Result<()> {
        let Ok(message) = serde_json::from_str::<Value>(line) else { return Ok(()) };
        let Some(path) = message["executable"].as_str() else { return Ok(()) };
        let manifest = message["manifest_path"].as_str().context("a program without a package")?;
        let home = Path::new(manifest).parent().context("a package without a folder")?;
        let target = &message["target"];
        let (kind, name) = (target["kind"][0].as_str().unwrap_or_default(), target["name"].as_str());
        match (kind, message["profile"]["test"].as_bool()) {
            ("test", _) => self.adds(home, name, path),
            ("lib", Some(true)) => self.adds(home, None, path),
            ("bin", Some(false)) if name == Some("holdfast") => {
                // Whoever builds other packages later puts another one, with other features, at that place.
                let (kept, copy) = (kept_in.join("holdfast"), kept_in.join("holdfast.new"));
                std::fs::copy(path, &copy).with_context(|| format!("copying {path} to {}", copy.display()))?;
                // One that runs from there is left alone.
                std::fs::rename(&copy, &kept)?;
                self.holdfast = Some(kept);
            }
            _ => {}
        }
        Ok(())
    }

    /// Packages are named after their folders here.
    fn adds(&mut self, home: &Path, target: Option<&str>, path: &str) {
        let folder = home.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let program = TestProgram { path: path.into(), home: home.to_owned() };
        self.tests.insert((format!("holdfast-{folder}"), target.map(str::to_owned)), program);
    }

    /// The program of these tests.
    pub(super) fn tests(&self, tests: Tests) -> Result<TestProgram> {
        let key = (tests.package.to_owned(), tests.target.map(str::to_owned));
        self.tests.get(&key).cloned().with_context(|| format!("cargo built no {tests:?}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(folder: &str, kind: &str, name: &str, test: bool, executable: &str) -> String {
        json!({
            "reason": "compiler-artifact", "manifest_path": format!("/src/{folder}/Cargo.toml"), "executable": executable,
            "target": {"kind": [kind], "name": name}, "profile": {"test": test},
        })
        .to_string()
    }

    #[test]
    fn programs_are_known_by_package_and_target() {
        let mut built = Built::default();
        for line in [
            "not json".to_owned(),
            json!({"reason": "compiler-artifact", "executable": null}).to_string(),
            message("e2e", "test", "system", true, "/target/system-1"),
            message("crates/testkit", "lib", "holdfast_testkit", true, "/target/testkit-2"),
        ] {
            built.hears(&line, Path::new("/nowhere")).unwrap();
        }
        let system = built.tests(Tests { package: "holdfast-e2e", target: Some("system") }).unwrap();
        assert_eq!(system, TestProgram { path: "/target/system-1".into(), home: "/src/e2e".into() });
        let library = built.tests(Tests { package: "holdfast-testkit", target: None }).unwrap();
        assert_eq!(library.path, Path::new("/target/testkit-2"));
        assert!(built.tests(Tests { package: "holdfast-e2e", target: None }).is_err());
    }

    #[test]
    fn the_program_that_ships_is_kept_where_nobody_builds_over_it() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("made");
        std::fs::write(&made, "a program").unwrap();
        let mut built = Built::default();
        let line = message("crates/holdfast", "bin", "holdfast", false, &made.to_string_lossy());
        built.hears(&line, folder.path()).unwrap();
        std::fs::write(&made, "another").unwrap();
        let kept = built.holdfast.unwrap();
        assert_eq!(std::fs::read_to_string(kept).unwrap(), "a program");
    }
}
