//! What a kubelet knows of a pod's container, and with that what it reports.

use jiff::Timestamp;

/// A container over all its starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) state: State,
    /// How the start before this one ended.
    pub(super) last: Option<Ended>,
    /// How often it was started again.
    pub(super) restarts: u32,
    pub(super) ready: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Waiting { reason: &'static str, message: String },
    Running { id: String, since: Timestamp },
    Ended(Ended),
}

/// The end of one start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) id: String,
    pub(super) code: i32,
    pub(super) reason: &'static str,
    /// What the log says, when the container asks for that.
    pub(super) message: Option<String>,
    pub(super) since: Timestamp,
    pub(super) at: Timestamp,
}

impl Life {
    pub(super) fn new() -> Self {
        let state = State::Waiting { reason: "ContainerCreating", message: String::new() };
        Self { state, last: None, restarts: 0, ready: false }
    }

    /// Whether it was ever started.
    pub(super) fn has_run(&self) -> bool {
        match &self.state {
            State::Waiting { .. } => self.last.is_some(),
            State::Running { .. } | State::Ended(_) => true,
        }
    }

    pub(super) fn starts(&mut self, id: String, since: Timestamp) {
        if self.has_run() {
            self.restarts += 1;
        }
        self.replace(State::Running { id, since });
    }

    pub(super) fn waits(&mut self, reason: &'static str, message: String) {
        self.replace(State::Waiting { reason, message });
    }

    pub(super) fn ends(&mut self, ended: Ended) {
        self.replace(State::Ended(ended));
    }

    /// What ended becomes the last that ended, as soon as it isn't the present state any more.
    fn replace(&mut self, state: State) {
        self.ready = false;
        if let State::Ended(ended) = std::mem::replace(&mut self.state, state) {
            self.last = Some(ended);
        }
    }
}
