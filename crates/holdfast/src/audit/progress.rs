//! A sign of life for what takes long: only on a terminal, and only past half a second.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Arguments;

/// Until then nobody wonders.
const PATIENCE: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);

/// Shown until it is dropped.
pub(super) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    pub(super) fn start(arguments: &Arguments) -> Self {
        if arguments.quiet || !io::stderr().is_terminal() {
            return Self(None);
        }
        let (done, waiting) = mpsc::channel();
        let message = format!("reading {}", arguments.name().escape_debug());
        let shown = thread::spawn(move || {
            if waiting.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let bar = ProgressBar::new_spinner().with_style(style).with_message(message);
            bar.enable_steady_tick(TICK);
            // An answer or a hung-up sender: both mean that it is over.
            let _ = waiting.recv();
            bar.finish_and_clear();
        });
        Self(Some((done, shown)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, shown)) = self.0.take() {
            drop(done);
            // It has ended, or ends at once; what it would panic of is only its drawing.
            let _ = shown.join();
        }
    }
}
