//! Child processes that never outlive this one, even when it is killed with `-9`.
//!
//! A dead process can't clean up, but the system closes its pipes. So each child has a watchdog, a shell that waits for
//! the end of its standard input and then kills the child. The child itself begins as a shell that waits for our word
//! before it becomes the program, so there is no moment in which it runs unwatched. Both are in process groups of their
//! own: Ctrl-C ends us, and through the watchdog them.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result, ensure};

/// Becomes the program once a line came; ends when none does.
const GATE: &str = r#"read -r _ || exit 1; exec "$@" </dev/null"#;

/// Kills when the pipe is closed without a word.
const KILL: &str = r#"read -r _ || kill -9 "$0""#;

/// Removes a folder when the pipe is closed without a word; the programs that write there are being killed just then.
const REMOVE: &str = r#"read -r _ || { sleep 1; rm -rf -- "$0"; }"#;

/// A shell that acts when this process dies.
#[derive(Debug)]
struct Watchdog {
    shell: Child,
    leash: Option<ChildStdin>,
}

impl Watchdog {
    fn new(script: &str, subject: impl AsRef<OsStr>) -> Result<Self> {
        let mut shell = Command::new("sh")
            .args([OsStr::new("-c"), OsStr::new(script), subject.as_ref()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("starting a watchdog with sh")?;
        let leash = Some(shell.stdin.take().context("a watchdog without a pipe")?);
        Ok(Self { shell, leash })
    }

    /// Tells it that all is well, which ends it.
    fn dismiss(&mut self) {
        // If it is already gone there is nobody to tell.
        if let Some(mut leash) = self.leash.take() {
            let _ = leash.write_all(b"\n");
        }
        let _ = self.shell.wait();
    }
}

/// Removes a folder when this process dies before it could.
#[derive(Debug)]
pub(crate) struct Janitor(Watchdog);

impl Janitor {
    pub(crate) fn for_folder(folder: &Path) -> Result<Self> {
        Watchdog::new(REMOVE, folder).map(Self)
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        self.0.dismiss();
    }
}

/// A program that runs until it is dropped or this process ends.
#[derive(Debug)]
pub(crate) struct Supervised {
    child: Child,
    watchdog: Watchdog,
    ended: Option<ExitStatus>,
}

impl Supervised {
    /// Starts `program`; everything it prints goes to `log`.
    pub(crate) fn spawn(program: &Path, configure: impl FnOnce(&mut Command), log: &File) -> Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", GATE, "sh"]).arg(program);
        configure(&mut command);
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log.try_clone()?).process_group(0);
        let mut child = command.spawn().with_context(|| format!("starting {}", program.display()))?;
        let gate = child.stdin.take().context("a gate without a pipe")?;
        let watchdog = Watchdog::new(KILL, child.id().to_string())?;
        open(gate)?;
        Ok(Self { child, watchdog, ended: None })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait()?;
        }
        Ok(self.ended)
    }

    /// Sends it a signal by name, such as `STOP`.
    pub(crate) fn signal(&mut self, signal: &str) -> Result<()> {
        ensure!(self.ended()?.is_none(), "process {} has ended and can't be sent {signal}", self.id());
        signal_process(self.id(), signal)
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) -> Result<ExitStatus> {
        self.child.kill()?;
        let status = self.child.wait()?;
        self.ended = Some(status);
        Ok(status)
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        // A child that already ended can't be killed, and the watchdog must be told in either case.
        let _ = self.kill();
        self.watchdog.dismiss();
    }
}

fn open(mut gate: ChildStdin) -> Result<()> {
    gate.write_all(b"go\n").context("the shell that becomes the program ended before it did")
}

/// Sends a signal by name to a process by its id.
pub(crate) fn signal_process(id: u32, signal: &str) -> Result<()> {
    let status = Command::new("kill").args(["-s", signal, &id.to_string()]).status().context("running kill")?;
    ensure!(status.success(), "kill -s {signal} {id} ended with {status}");
    Ok(())
}

/// Starts a program that outlives this process, for a control plane that is left running.
pub(crate) fn spawn_detached(program: &Path, configure: impl FnOnce(&mut Command), log: &File) -> Result<Child> {
    let mut command = Command::new(program);
    configure(&mut command);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?).process_group(0);
    command.spawn().with_context(|| format!("starting {}", program.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::path::PathBuf;
    use std::time::Duration;

    use anyhow::ensure;

    use super::*;
    use crate::eventually::eventually;

    const DEADLINE: Duration = Duration::from_secs(30);

    fn shell(script: &str, folder: &Path) -> Supervised {
        let log = File::create(folder.join("log")).unwrap();
        let configure = |command: &mut Command| {
            command.args(["-c", script]);
        };
        Supervised::spawn(Path::new("/bin/sh"), configure, &log).unwrap()
    }

    async fn end_of(process: &mut Supervised) -> ExitStatus {
        eventually("the end of the process", DEADLINE, async || process.ended()?.context("it runs")).await.unwrap()
    }

    /// What the system does with our end of the pipe when we die.
    fn die(watchdog: &mut Watchdog) {
        watchdog.leash = None;
    }

    #[tokio::test]
    async fn a_program_dies_with_us() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("while :; do sleep 1; done", folder.path());
        assert_eq!(process.ended().unwrap(), None);
        die(&mut process.watchdog);
        assert_eq!(end_of(&mut process).await.signal(), Some(9));
    }

    #[tokio::test]
    async fn a_program_that_ends_by_itself_says_how() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("echo said; exit 3", folder.path());
        assert_eq!(end_of(&mut process).await.code(), Some(3));
        assert_eq!(std::fs::read_to_string(folder.path().join("log")).unwrap(), "said\n");
        assert!(process.signal("STOP").is_err());
    }

    #[tokio::test]
    async fn a_program_hears_the_signals_it_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("trap 'exit 7' TERM; while :; do sleep 0.01; done", folder.path());
        process.signal("STOP").unwrap();
        process.signal("CONT").unwrap();
        // Sent again and again, because the shell may not have come to its trap; before it, the signal ends it.
        let status = eventually("the end of the process", DEADLINE, async || {
            let _ = process.signal("TERM");
            process.ended()?.context("it runs")
        });
        let status = status.await.unwrap();
        assert!(status.code() == Some(7) || status.signal() == Some(15), "{status}");
    }

    #[tokio::test]
    async fn a_folder_goes_with_us_and_stays_while_we_live() {
        let kept = tempfile::tempdir().unwrap();
        drop(Janitor::for_folder(kept.path()).unwrap());
        assert!(kept.path().exists());

        let folder: PathBuf = tempfile::tempdir().unwrap().keep();
        let mut janitor = Janitor::for_folder(&folder).unwrap();
        die(&mut janitor.0);
        eventually("the folder to go", DEADLINE, async || {
            ensure!(!folder.exists(), "it is still there");
            Ok(())
        })
        .await
        .unwrap();
    }
}
