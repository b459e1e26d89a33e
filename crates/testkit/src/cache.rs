//! The tool cache: pinned programs that were built or fetched once, kept by name and version in the user's cache folder.
//!
//! Invariants: a folder appears complete or not at all (it is filled elsewhere and renamed); two processes never fill the
//! same one at once; a program is handed out only when its digest is still the recorded one and it still runs. What fails
//! that check is thrown away and made again. Nothing is ever removed for being old.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use ring::digest;

/// What to keep, and how to tell a good copy from a bad one.
#[derive(Debug, Clone)]
pub(crate) struct Recipe<'a> {
    /// The name of the tool, which is the name of its folder.
    pub(crate) name: &'a str,
    /// Everything that decides the content, so that two versions never share a folder.
    pub(crate) version: &'a str,
    /// The program to verify, relative to the folder.
    pub(crate) program: &'a str,
    /// Arguments with which the program shows that it runs, and ends.
    pub(crate) check: &'a [&'a str],
    /// What is about to happen and how long it takes, for the person who waits.
    pub(crate) announcement: &'a str,
}

/// The folder that holds the tools.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// `$HOLDFAST_CACHE`, else `holdfast` in `$XDG_CACHE_HOME`, else in `~/.cache`.
    pub fn locate() -> Result<Self> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = set("HOLDFAST_CACHE")
            .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("holdfast")))
            .or_else(|| set("HOME").map(|home| home.join(".cache/holdfast")))
            .context("no cache folder: set HOLDFAST_CACHE, XDG_CACHE_HOME or HOME")?;
        fs::create_dir_all(&root).with_context(|| format!("creating the cache folder {}", root.display()))?;
        Ok(Self { root: root.canonicalize().context("resolving the cache folder")? })
    }

    /// Where the cache is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a tool is or would be kept.
    fn folder(&self, recipe: &Recipe<'_>) -> PathBuf {
        self.root.join("tools").join(recipe.name).join(recipe.version)
    }

    /// A tool that is there already and passes its checks.
    pub(crate) fn kept(&self, recipe: &Recipe<'_>) -> Option<PathBuf> {
        let folder = self.folder(recipe);
        verify(&folder, recipe).is_ok().then_some(folder)
    }

    /// The folder of a tool, which `make` fills when it isn't there or no longer passes its checks.
    pub(crate) fn provide(&self, recipe: &Recipe<'_>, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        if let Some(folder) = self.kept(recipe) {
            return Ok(folder);
        }
        let _lock = self.lock(recipe)?;
        // Whoever held the lock before may have been making just this.
        if let Some(folder) = self.kept(recipe) {
            return Ok(folder);
        }
        self.make(recipe, make).with_context(|| format!("getting {} {}", recipe.name, recipe.version))
    }

    fn make(&self, recipe: &Recipe<'_>, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let folder = self.folder(recipe);
        if folder.exists() {
            say(&format!("{} no longer passes its checks and is made again", folder.display()));
            fs::remove_dir_all(&folder)?;
        }
        let parent = self.root.join("tools").join(recipe.name);
        fs::create_dir_all(&parent)?;
        let prefix = format!(".making-{}-", recipe.version);
        remove_leftovers(&parent, &prefix)?;
        say(&format!("getting {} {}: {}", recipe.name, recipe.version, recipe.announcement));
        let started = std::time::Instant::now();
        let making = tempfile::Builder::new().prefix(&prefix).tempdir_in(&parent)?;
        make(making.path())?;
        record(making.path(), recipe)?;
        fs::rename(making.path(), &folder)?;
        say(&format!("got {} {} in {:.0} s", recipe.name, recipe.version, started.elapsed().as_secs_f64()));
        Ok(folder)
    }

    /// Held while a tool is being made; the system releases it when the process ends, however it ends.
    fn lock(&self, recipe: &Recipe<'_>) -> Result<File> {
        let locks = self.root.join("locks");
        fs::create_dir_all(&locks)?;
        let lock = File::create(locks.join(format!("{}-{}", recipe.name, recipe.version)))?;
        if lock.try_lock().is_err() {
            say(&format!("another process is getting {} {}, waiting for it", recipe.name, recipe.version));
            lock.lock()?;
        }
        Ok(lock)
    }
}

/// Tells the person who waits what is happening.
///
/// Written to the stream itself because the test harness swallows what `eprintln!` prints until the test has ended.
pub(crate) fn say(message: &str) {
    // A closed stderr must not fail a build.
    let _ = writeln!(std::io::stderr(), "holdfast: {message}");
}

/// The SHA-256 of a file, in hexadecimal.
fn digest_of(file: &Path) -> Result<String> {
    let mut content = File::open(file).with_context(|| format!("reading {}", file.display()))?;
    let mut context = digest::Context::new(&digest::SHA256);
    // The programs have up to 200 MB, and several test processes verify them at once.
    let mut piece = vec![0; 1 << 20];
    loop {
        match content.read(&mut piece)? {
            0 => return Ok(hex(context.finish().as_ref())),
            length => context.update(&piece[..length]),
        }
    }
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 over several pieces, each with its length so that no two lists share one.
pub(crate) fn fingerprint(pieces: &[&[u8]]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for piece in pieces {
        context.update(&(piece.len() as u64).to_be_bytes());
        context.update(piece);
    }
    hex(context.finish().as_ref())
}

fn digest_file(folder: &Path) -> PathBuf {
    folder.join("sha256")
}

fn record(folder: &Path, recipe: &Recipe<'_>) -> Result<()> {
    let program = folder.join(recipe.program);
    fs::write(digest_file(folder), digest_of(&program)?)?;
    runs(&program, recipe.check)
}

fn verify(folder: &Path, recipe: &Recipe<'_>) -> Result<()> {
    let program = folder.join(recipe.program);
    let recorded = fs::read_to_string(digest_file(folder))?;
    ensure!(digest_of(&program)? == recorded, "{} was changed since it was made", program.display());
    runs(&program, recipe.check)
}

fn runs(program: &Path, check: &[&str]) -> Result<()> {
    let status = Command::new(program)
        .args(check)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .with_context(|| format!("running {}", program.display()))?;
    ensure!(status.success(), "{} {} ended with {status}", program.display(), check.join(" "));
    Ok(())
}

/// Removes what a killed process was making; the caller holds the lock, so nobody is making it now.
fn remove_leftovers(parent: &Path, prefix: &str) -> Result<()> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const RECIPE: Recipe<'static> =
        Recipe { name: "greeter", version: "1", program: "greet", check: &[], announcement: "at once" };

    fn write_program(folder: &Path, text: &str) -> Result<()> {
        let program = folder.join("greet");
        fs::write(&program, text)?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    /// How often the program was made when it is asked for twice, with `between` in between.
    fn makes(between: impl Fn(&Path)) -> u32 {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache { root: root.path().to_owned() };
        let mut made = 0;
        for _ in 0..2 {
            let make = |folder: &Path| {
                made += 1;
                write_program(folder, "#!/bin/sh\nexit 0\n")
            };
            between(&cache.provide(&RECIPE, make).unwrap());
        }
        made
    }

    #[test]
    fn what_is_kept_is_not_made_again() {
        assert_eq!(makes(|_| {}), 1);
    }

    #[test]
    fn a_program_that_was_changed_is_made_again() {
        assert_eq!(makes(|folder| write_program(folder, "#!/bin/sh\nexit 0 # changed\n").unwrap()), 2);
    }

    #[test]
    fn a_program_that_is_gone_is_made_again() {
        assert_eq!(makes(|folder| fs::remove_file(folder.join("greet")).unwrap()), 2);
    }

    #[test]
    fn a_program_that_does_not_run_is_not_kept() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache { root: root.path().to_owned() };
        let error = cache.provide(&RECIPE, |folder| write_program(folder, "#!/bin/sh\nexit 3\n")).unwrap_err();
        assert!(format!("{error:#}").contains("exit status: 3"), "{error:#}");
        assert!(cache.kept(&RECIPE).is_none());
    }
}
