//! Whether the leader decides, and doesn't merely live.
//!
//! Each part that evaluates says when evaluations become due and which of them it has completed; the elector refreshes the
//! heartbeat on the Lease only if each has completed something since the last time, or has nothing due. A part that hangs
//! stops the heartbeat, though its process renews the lease.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

/// How far evaluation had come; a ticket is taken before and handed back after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u64);

#[derive(Debug, Default)]
struct Counters {
    /// Evaluations asked for, and the last of them that a completed evaluation included.
    asked: AtomicU64,
    done: AtomicU64,
    /// Evaluations completed, and how many of them the last refresh knew of.
    completed: AtomicU64,
    beaten: AtomicU64,
}

/// The heartbeat of one part that evaluates, shared between it, whoever gives it work, and the elector.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    name: &'static str,
    counters: Arc<Counters>,
}

/// The heartbeats of all that evaluates: the leader is well when each of them is.
pub(super) struct Pulse(Vec<Heartbeat>);

impl Pulse {
    pub(super) fn new(hearts: Vec<Heartbeat>) -> Self {
        Self(hearts)
    }

    /// To be handed to `beaten` once the heartbeat on the Lease is refreshed; or whose heart doesn't beat.
    pub(super) fn beat(&self) -> Result<Vec<Ticket>, &'static str> {
        self.0.iter().map(|heart| heart.beat().ok_or(heart.name)).collect()
    }

    pub(super) fn beaten(&self, beat: &[Ticket]) {
        self.0.iter().zip(beat).for_each(|(heart, ticket)| heart.beaten(*ticket));
    }
}

impl Heartbeat {
    /// Of the part of this name, for which nothing is due yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, counters: Arc::default() }
    }

    /// Something waits for an evaluation from now on.
    pub fn due(&self) {
        self.counters.asked.fetch_add(1, SeqCst);
    }

    /// An evaluation begins, which includes all that is due now.
    pub fn begin(&self) -> Ticket {
        Ticket(self.counters.asked.load(SeqCst))
    }

    /// The evaluation that began with `ticket` came to its end, whatever it decided.
    pub fn completed(&self, ticket: Ticket) {
        self.counters.done.fetch_max(ticket.0, SeqCst);
        self.counters.completed.fetch_add(1, SeqCst);
    }

    /// `Some` when the heartbeat may be refreshed; to be handed to `beaten` once it is.
    fn beat(&self) -> Option<Ticket> {
        let completed = self.counters.completed.load(SeqCst);
        let none_due = self.counters.asked.load(SeqCst) <= self.counters.done.load(SeqCst);
        let refreshed = completed <= self.counters.beaten.load(SeqCst);
        (none_due || !refreshed).then_some(Ticket(completed))
    }

    fn beaten(&self, Ticket(completed): Ticket) {
        self.counters.beaten.fetch_max(completed, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pulse_beats_only_while_each_of_its_parts_does() {
        let parts = [Heartbeat::new("decide"), Heartbeat::new("forecast")];
        let pulse = Pulse::new(parts.to_vec());
        assert!(pulse.beat().is_ok(), "nothing is due");
        for part in &parts {
            part.due();
            assert_eq!(pulse.beat(), Err(part.name), "what is due isn't done, whatever the other does");
            part.completed(Ticket(0));
            let alive = pulse.beat().expect("it completes something, though more is due");
            pulse.beaten(&alive);
            assert_eq!(pulse.beat(), Err(part.name), "it hangs");
            part.completed(part.begin());
            assert!(pulse.beat().is_ok(), "it goes on");
        }
    }

    #[test]
    fn who_evaluates_nothing_is_well() {
        assert!(Pulse::new(Vec::new()).beat().is_ok());
    }
}
