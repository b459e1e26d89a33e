//! Whether the leader decides, and doesn't merely live.
//!
//! The engine says when evaluations become due and which of them it has completed; the elector refreshes the heartbeat
//! only if something was completed since the last time, or nothing is due. An engine that hangs stops the heartbeat,
//! though its process renews the lease.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

/// How far evaluation had come; a ticket is taken before and handed back after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

#[derive(Debug, Default)]
struct Counters {
    /// Evaluations asked for, and the last of them that a completed evaluation included.
    asked: AtomicU64,
    done: AtomicU64,
    /// Evaluations completed, and how many of them the last refresh knew of.
    completed: AtomicU64,
    beaten: AtomicU64,
}

/// The pulse of the engine, shared between it and the elector.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heartbeat(Arc<Counters>);

/// The pulses of all that evaluates: the leader is well when each of them is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pulse {
    /// Of the engine, which plans.
    pub(crate) decide: Heartbeat,
    /// Of the drain forecast, by which upgrades begin.
    pub(crate) forecast: Heartbeat,
}

impl Pulse {
    /// `Some` when the heartbeat may be refreshed; to be handed to `beaten` once it is.
    pub(super) fn beat(&self) -> Option<[Ticket; 2]> {
        Some([self.decide.beat()?, self.forecast.beat()?])
    }

    pub(super) fn beaten(&self, beat: Option<[Ticket; 2]>) {
        let [decide, forecast] = beat.map_or([None, None], |tickets| tickets.map(Some));
        self.decide.beaten(decide);
        self.forecast.beaten(forecast);
    }
}

impl Heartbeat {
    /// Something waits for an evaluation from now on.
    pub(crate) fn due(&self) {
        self.0.asked.fetch_add(1, SeqCst);
    }

    /// An evaluation begins, which includes all that is due now.
    pub(crate) fn begin(&self) -> Ticket {
        Ticket(self.0.asked.load(SeqCst))
    }

    /// The evaluation that began with `ticket` came to its end, whatever it decided.
    pub(crate) fn completed(&self, ticket: Ticket) {
        self.0.done.fetch_max(ticket.0, SeqCst);
        self.0.completed.fetch_add(1, SeqCst);
    }

    /// `Some` when the heartbeat may be refreshed; to be handed to `beaten` once it is.
    pub(super) fn beat(&self) -> Option<Ticket> {
        let completed = self.0.completed.load(SeqCst);
        let none_due = self.0.asked.load(SeqCst) <= self.0.done.load(SeqCst);
        let refreshed = completed <= self.0.beaten.load(SeqCst);
        (none_due || !refreshed).then_some(Ticket(completed))
    }

    pub(super) fn beaten(&self, beat: Option<Ticket>) {
        if let Some(Ticket(completed)) = beat {
            self.0.beaten.fetch_max(completed, SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pulse_beats_only_while_each_of_its_parts_does() {
        let pulse = Pulse::default();
        assert!(pulse.beat().is_some(), "nothing is due");
        for part in [&pulse.decide, &pulse.forecast] {
            part.due();
            assert!(pulse.beat().is_none(), "what is due isn't done, whatever the other does");
            part.completed(Ticket(0));
            let alive = pulse.beat();
            assert!(alive.is_some(), "it completes something, though more is due");
            pulse.beaten(alive);
            assert!(pulse.beat().is_none(), "it hangs");
            part.completed(part.begin());
            assert!(pulse.beat().is_some(), "it goes on");
        }
    }
}
