//! `cargo xtask fuzz`: libFuzzer over everything that is decoded, with the pinned toolchain.
//!
//! The compiler's own pass counts coverage, so no nightly is needed; no sanitizer either, since the code is safe. It is an
//! optimised build that keeps all checks of a development build; coverage is counted in the crates of the workspace only.
//! What libFuzzer has learned stays in the target folder, and the next run goes on there. An input that fails is kept by
//! copying it to `fuzz/kept`, where ordinary tests feed it for ever.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use holdfast_fuzz::seeds;

use crate::cargo;

/// In the place of rustc, for the crates of the workspace only.
const INSTRUMENT: &str = "fuzz/instrument.sh";
/// Of the manifest; also the folder in which cargo puts what it builds.
const PROFILE: &str = "fuzzing";
/// An input that takes this many seconds hangs, one that needs this many MiB is a leak, and longer ones are cut.
const LIMITS: [&str; 3] = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=16384"];

#[derive(Debug, Args)]
pub(crate) struct Fuzz {
    /// For how long.
    #[arg(long, default_value_t = 600)]
    seconds: u32,
}

impl Fuzz {
    /// Blocks: nothing else goes on in this process.
    pub(crate) fn run(&self) -> Result<()> {
        ensure_cpp_compiler()?;
        let folder = target_folder().join("fuzz");
        eprintln!("Building the fuzzer (some minutes, once).");
        build()?;
        let (corpus, found, words) = (folder.join("corpus"), folder.join("found"), folder.join("words.dict"));
        prepare(&corpus, &found, &words)?;
        let fuzzer = target_folder().join(PROFILE).join("holdfast-fuzz");
        let status = Command::new(&fuzzer)
            .arg(&corpus)
            .arg(Path::new(cargo::ROOT).join("fuzz/kept"))
            .args([format!("-max_total_time={}", self.seconds), "-print_final_stats=1".to_owned()])
            .arg(format!("-dict={}", words.display()))
            .arg(format!("-artifact_prefix={}/", found.display()))
            .args(LIMITS)
            .status()
            .with_context(|| format!("starting {}", fuzzer.display()))?;
        ensure!(
            status.success(),
            "an input failed: copy it from {} to fuzz/kept, named after what it is",
            found.display()
        );
        Ok(())
    }
}

/// libFuzzer is C++ and built from source.
fn ensure_cpp_compiler() -> Result<()> {
    let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    let works = Command::new(&compiler).arg("--version").output().is_ok_and(|output| output.status.success());
    ensure!(works, "no C++ compiler ({}): install g++ or clang, or set CXX", compiler.display());
    Ok(())
}

fn build() -> Result<()> {
    let mut command = cargo::command();
    command
        .args([
            "build",
            "--profile",
            PROFILE,
            "--package",
            "holdfast-fuzz",
            "--features",
            "engine",
            "--bin",
            "holdfast-fuzz",
        ])
        .env("RUSTC_WORKSPACE_WRAPPER", Path::new(cargo::ROOT).join(INSTRUMENT))
        .current_dir(cargo::ROOT);
    let status = command.status().context("starting cargo")?;
    if !status.success() {
        bail!("the fuzzer can't be built");
    }
    Ok(())
}

/// The seeds go into the corpus, the field names into a dictionary.
fn prepare(corpus: &Path, found: &Path, words: &Path) -> Result<()> {
    fs::create_dir_all(corpus)?;
    fs::create_dir_all(found)?;
    for (index, seed) in seeds::all().iter().enumerate() {
        fs::write(corpus.join(format!("seed-{index:03}")), seed)?;
    }
    fs::write(words, dictionary(seeds::fields()))?;
    Ok(())
}

/// In libFuzzer's form: a quoted word on each line.
fn dictionary(words: &[String]) -> String {
    let plain =
        words.iter().filter(|word| word.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte)));
    plain.map(|word| format!("\"{word}\"\n")).collect()
}

fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(cargo::ROOT).join("target"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_has_only_words_that_need_no_escape() {
        let words = ["spec", "app.kubernetes.io/name", "a\"b", "a b", "é"].map(str::to_owned);
        assert_eq!(dictionary(&words), "\"spec\"\n\"app.kubernetes.io/name\"\n");
    }
}
