//! What a step prints, and when it is shown: as it comes, or whole when the step has ended.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, PipeReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result};

/// When the output of a step is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    AsItComes,
    /// Others are running; what they say isn't to be mixed.
    AtTheEnd,
}

/// Held while something is shown whole.
static SHOWING: Mutex<()> = Mutex::new(());

/// The output of a step that runs.
pub(super) struct Output {
    lines: Box<dyn Read + Send>,
    kept: Option<Kept>,
}

/// A file that has all of it so far, for whoever can't wait.
struct Kept {
    file: File,
    path: PathBuf,
    began: Instant,
}

impl Output {
    /// Starts the command. Its errors are shown at once, or go where its output goes.
    pub(super) fn of(command: &mut Command, shown: Shown, file: &Path) -> Result<(Child, Self)> {
        match shown {
            Shown::AsItComes => {
                let mut child = command.stdout(Stdio::piped()).spawn()?;
                let lines = Box::new(child.stdout.take().context("a child without an output")?);
                Ok((child, Self { lines, kept: None }))
            }
            Shown::AtTheEnd => {
                let (lines, ours): (PipeReader, _) = io::pipe()?;
                let child = command.stderr(ours.try_clone()?).stdout(ours).spawn()?;
                // The command holds our ends of the pipe, which would never end.
                command.stdout(Stdio::null()).stderr(Stdio::null());
                let open = File::create(file).with_context(|| format!("creating {}", file.display()))?;
                let kept = Kept { file: open, path: file.to_owned(), began: Instant::now() };
                Ok((child, Self { lines: Box::new(lines), kept: Some(kept) }))
            }
        }
    }

    /// Reads it to its end, line by line; what `hears` says isn't for people isn't shown.
    pub(super) fn read(self, mut hears: impl FnMut(&str) -> Result<Hearing>) -> Result<()> {
        let Self { lines, mut kept } = self;
        for line in BufReader::new(lines).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            if hears(&line)? == Hearing::NotForPeople {
                continue;
            }
            match &mut kept {
                None => println!("{line}"),
                Some(kept) => kept.keep(&line)?,
            }
        }
        kept.map_or(Ok(()), Kept::show)
    }
}

/// Whether a line is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hearing {
    ForPeople,
    NotForPeople,
}

impl Kept {
    /// When a test ended is worth knowing where several ran at once.
    fn keep(&mut self, line: &str) -> io::Result<()> {
        match is_an_end(line) {
            true => writeln!(self.file, "{:>5.0} s  {line}", self.began.elapsed().as_secs_f64()),
            false => writeln!(self.file, "{line}"),
        }
    }

    fn show(self) -> Result<()> {
        let _alone = SHOWING.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut kept, mut stdout) = (File::open(&self.path)?, io::stdout().lock());
        writeln!(stdout, "\n── {} ──", self.path.file_stem().unwrap_or_default().display())?;
        io::copy(&mut kept, &mut stdout)?;
        Ok(stdout.flush()?)
    }
}

/// Whether a line of the harness says that a test has ended.
pub(super) fn is_an_end(line: &str) -> bool {
    line.starts_with("test ") && [" ... ok", " ... FAILED"].iter().any(|end| line.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(shown: Shown, script: &str) -> (Vec<String>, String) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kept");
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let (mut child, output) = Output::of(&mut command, shown, &file).unwrap();
        let mut lines = Vec::new();
        output
            .read(|line| {
                lines.push(line.to_owned());
                Ok(if line == "secret" { Hearing::NotForPeople } else { Hearing::ForPeople })
            })
            .unwrap();
        assert!(child.wait().unwrap().success());
        (lines, std::fs::read_to_string(file).unwrap_or_default())
    }

    #[test]
    fn what_is_shown_at_the_end_has_errors_too_and_nothing_that_is_not_for_people() {
        let script = "echo one; echo two >&2; echo secret; echo 'test a::b ... ok'";
        let (lines, kept) = heard(Shown::AtTheEnd, script);
        assert_eq!(lines, ["one", "two", "secret", "test a::b ... ok"]);
        assert_eq!(kept, "one\ntwo\n    0 s  test a::b ... ok\n");
    }

    #[test]
    fn what_is_shown_as_it_comes_is_kept_nowhere() {
        let (lines, kept) = heard(Shown::AsItComes, "echo one");
        assert_eq!((lines, kept.as_str()), (vec!["one".to_owned()], ""));
    }
}
