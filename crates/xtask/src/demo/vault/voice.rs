//! Who tells the story: each line with the seconds since the beginning, above the progress line.

use std::time::Instant;

use indicatif::ProgressBar;

/// Tells on standard output.
#[derive(Clone)]
pub(super) struct Voice {
    progress: ProgressBar,
    began: Instant,
}

impl Voice {
    pub(super) fn new(progress: ProgressBar) -> Self {
        Self { progress, began: Instant::now() }
    }

    /// A chapter begins.
    pub(super) fn heading(&self, title: &str) {
        self.show(&format!("\n── {title}"));
    }

    /// What is waited for now.
    pub(super) fn waits(&self, what: &'static str) {
        self.progress.set_message(what);
    }

    /// Something was done, or happened, to the servers.
    pub(super) fn did(&self, what: &str) {
        self.line("  ", what);
    }

    /// Something that the controller said.
    pub(super) fn heard(&self, what: &str) {
        self.line("◂ ", what);
    }

    /// Text of several lines, such as a command's output.
    pub(super) fn quote(&self, text: &str) {
        let lines: Vec<String> =
            text.lines().map(|line| format!("             {line}").trim_end().to_owned()).collect();
        self.show(&lines.join("\n"));
    }

    pub(super) fn show(&self, text: &str) {
        self.progress.suspend(|| println!("{text}"));
    }

    /// The progress line goes.
    pub(super) fn end(&self) {
        self.progress.finish_and_clear();
    }

    fn line(&self, mark: &str, what: &str) {
        self.show(&format!("{:>7.1} s  {mark}{what}", self.began.elapsed().as_secs_f64()));
    }
}
