//! The line that says what is going on.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A line with a spinner and the time.
pub(super) fn progress(message: &str) -> ProgressBar {
    let progress = ProgressBar::new_spinner().with_message(message.to_owned());
    // Without a terminal nothing would be drawn, so it is said once.
    if progress.is_hidden() {
        eprintln!("{message}");
    }
    progress.set_style(
        ProgressStyle::with_template("{spinner} {elapsed:>4} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    progress.enable_steady_tick(Duration::from_millis(120));
    progress
}
