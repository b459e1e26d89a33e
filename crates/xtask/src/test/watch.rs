//! Tells now and then what is going on while nothing is shown, so that a run that hangs says where.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Scope;
use std::time::{Duration, Instant};

use super::output::is_an_end;

/// Between two tellings.
const PERIOD: Duration = Duration::from_secs(60);
/// How the harness says that a test takes long.
const LONG: &str = " has been running for over 60 seconds";

/// All steps that run, shared by the lanes.
#[derive(Debug, Default)]
pub(super) struct Watch {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: BTreeMap<&'static str, Running>,
    over: bool,
}

#[derive(Debug)]
struct Running {
    since: Instant,
    ended: usize,
    /// Tests that the harness has complained of.
    long: Vec<String>,
}

/// A step that is watched until this is dropped.
pub(super) struct Watched<'a> {
    watch: &'a Watch,
    name: &'static str,
}

/// Ends the telling when it is dropped.
pub(super) struct Telling<'a>(&'a Watch);

impl Watch {
    pub(super) fn begins(&self, name: &'static str) -> Watched<'_> {
        let running = Running { since: Instant::now(), ended: 0, long: Vec::new() };
        self.state().running.insert(name, running);
        Watched { watch: self, name }
    }

    /// Tells until the answer is dropped. Where one step runs alone what it says is shown, so nothing is told.
    pub(super) fn tell_now_and_then<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) -> Telling<'scope> {
        scope.spawn(move || {
            let mut state = self.state();
            while !state.over {
                let (woken, timeout) = self.changed.wait_timeout(state, PERIOD).unwrap_or_else(PoisonError::into_inner);
                state = woken;
                if timeout.timed_out() && 1 < state.running.len() {
                    eprintln!("── {}", state.sentence());
                }
            }
        });
        Telling(self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn sentence(&self) -> String {
        let parts = self.running.iter().map(|(name, running)| {
            let Running { since, ended, long } = running;
            let mut part = format!("{name} for {} s", since.elapsed().as_secs());
            if *ended != 0 {
                part.push_str(&format!(", {ended} tests ended"));
            }
            if !long.is_empty() {
                part.push_str(&format!(", over a minute: {}", long.join(" ")));
            }
            part
        });
        format!("running: {}", parts.collect::<Vec<_>>().join("; "))
    }
}

impl Watched<'_> {
    /// A line of what it prints.
    pub(super) fn hears(&self, line: &str) {
        let mut state = self.watch.state();
        let Some(running) = state.running.get_mut(self.name) else { return };
        let test = line.strip_prefix("test ").and_then(|rest| rest.split_whitespace().next());
        let Some(test) = test else { return };
        if is_an_end(line) {
            running.ended += 1;
            running.long.retain(|long| long != test);
        } else if line.ends_with(LONG) {
            running.long.push(test.to_owned());
        }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.watch.state().running.remove(self.name);
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.0.state().over = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_is_told_with_the_tests_that_take_long() {
        let watch = Watch::default();
        let (system, clippy) = (watch.begins("system"), watch.begins("clippy"));
        for line in [
            "test kills::one has been running for over 60 seconds",
            "test faults::two has been running for over 60 seconds",
            "test kills::one ... ok",
            "running 3 tests",
        ] {
            system.hears(line);
        }
        let told = "running: clippy for 0 s; system for 0 s, 1 tests ended, over a minute: faults::two";
        assert_eq!(watch.state().sentence(), told);
        drop((system, clippy));
        assert!(watch.state().running.is_empty());
    }
}
