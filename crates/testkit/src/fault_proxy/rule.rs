//! Which requests go wrong, how, and how often; rules come and go while requests pass.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::answer::Answer;
use super::edit::Edit;
use super::request::{Request, Which};

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It never reaches the server; this is the answer.
    Answer(Answer),
    /// It reaches the server and takes effect, but the answer never comes; the connection stays open.
    Unanswered,
    /// The connection ends before the server hears of it.
    Cut,
    /// It waits for so long before it reaches the server.
    Delay(Duration),
    /// What the server answers is changed on the way.
    Edit(Edit),
}

/// A fault for some requests.
#[derive(Debug, Clone)]
pub struct Rule {
    which: Which,
    fault: Fault,
    times: usize,
}

impl Rule {
    /// For each of them, until it is lifted.
    pub fn new(which: Which, fault: Fault) -> Self {
        Self { which, fault, times: usize::MAX }
    }

    /// Only for the first so many.
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }
}

/// A rule in force, until this is dropped.
#[derive(Debug)]
pub struct Injected {
    rules: Arc<Rules>,
    active: Arc<Active>,
}

impl Injected {
    /// How many requests it struck so far.
    pub fn struck(&self) -> usize {
        self.active.struck.load(Ordering::SeqCst)
    }

    /// Ends it; says how many requests it struck.
    pub fn lift(self) -> usize {
        self.struck()
    }
}

impl Drop for Injected {
    fn drop(&mut self) {
        self.rules.all().retain(|active| !Arc::ptr_eq(active, &self.active));
    }
}

#[derive(Debug)]
struct Active {
    rule: Rule,
    struck: AtomicUsize,
}

/// The rules in force, in the order in which they came: the first that means a request decides about it.
#[derive(Debug, Default)]
pub(super) struct Rules(Mutex<Vec<Arc<Active>>>);

impl Rules {
    pub(super) fn inject(self: &Arc<Self>, rule: Rule) -> Injected {
        let active = Arc::new(Active { rule, struck: AtomicUsize::new(0) });
        self.all().push(Arc::clone(&active));
        Injected { rules: Arc::clone(self), active }
    }

    pub(super) fn strike(&self, request: &Request) -> Option<Fault> {
        let rules = self.all();
        let due = |active: &&Arc<Active>| {
            active.rule.which.means(request) && active.struck.load(Ordering::SeqCst) < active.rule.times
        };
        let active = rules.iter().find(due)?;
        active.struck.fetch_add(1, Ordering::SeqCst);
        Some(active.rule.fault.clone())
    }

    fn all(&self) -> MutexGuard<'_, Vec<Arc<Active>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
