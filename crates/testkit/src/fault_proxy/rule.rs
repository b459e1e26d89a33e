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
    spared: usize,
    times: usize,
}

impl Rule {
    /// For each of them, until it is lifted.
    pub fn new(which: Which, fault: Fault) -> Self {
        Self { which, fault, spared: 0, times: usize::MAX }
    }

    /// Not for the first so many.
    pub fn after(self, spared: usize) -> Self {
        Self { spared, ..self }
    }

    /// Only for the first so many, of those that aren't spared.
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

    /// How many requests took effect by now, of those whose answers never come.
    pub fn unanswered(&self) -> usize {
        self.active.unanswered.load(Ordering::SeqCst)
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
pub(super) struct Active {
    rule: Rule,
    met: AtomicUsize,
    struck: AtomicUsize,
    unanswered: AtomicUsize,
}

impl Active {
    pub(super) fn fault(&self) -> &Fault {
        &self.rule.fault
    }

    /// A request took effect, and its answer is kept back.
    pub(super) fn keeps_back(&self) {
        self.unanswered.fetch_add(1, Ordering::SeqCst);
    }

    fn strikes(&self, request: &Request) -> bool {
        if !self.rule.which.means(request) || self.rule.times <= self.struck.load(Ordering::SeqCst) {
            return false;
        }
        let spared = self.met.fetch_add(1, Ordering::SeqCst) < self.rule.spared;
        if !spared {
            self.struck.fetch_add(1, Ordering::SeqCst);
        }
        !spared
    }
}

/// The rules in force, in the order in which they came: the first that means a request, and doesn't spare it, decides about it.
#[derive(Debug, Default)]
pub(super) struct Rules(Mutex<Vec<Arc<Active>>>);

impl Rules {
    pub(super) fn inject(self: &Arc<Self>, rule: Rule) -> Injected {
        let active = Arc::new(Active {
            rule,
            met: AtomicUsize::new(0),
            struck: AtomicUsize::new(0),
            unanswered: AtomicUsize::new(0),
        });
        self.all().push(Arc::clone(&active));
        Injected { rules: Arc::clone(self), active }
    }

    pub(super) fn strike(&self, request: &Request) -> Option<Arc<Active>> {
        self.all().iter().find(|active| active.strikes(request)).map(Arc::clone)
    }

    fn all(&self) -> MutexGuard<'_, Vec<Arc<Active>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_spares_the_first_and_ends_after_so_many() {
        let rules = Arc::new(Rules::default());
        let rule = rules.inject(Rule::new(Which::writes().of("secrets"), Fault::Cut).after(1).times(2));
        let struck = |line: &str| {
            let request = Request::parse(&http::Method::POST, &line.parse().unwrap());
            rules.strike(&request).is_some()
        };
        let secrets = "/api/v1/namespaces/shop/secrets";
        let others = "/api/v1/namespaces/shop/configmaps";
        let all = [others, secrets, others, secrets, secrets, secrets].map(struck);
        assert_eq!(all, [false, false, false, true, true, false]);
        assert_eq!((rule.unanswered(), rule.lift()), (0, 2));
    }
}
