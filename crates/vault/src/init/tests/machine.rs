//! Two controllers, one server, and everything that can happen between them, in any order.
//!
//! The model has the micro-steps of `run` (read and decide, write under the version that was read, check, announce, mark, send,
//! keep, give back), with crashes between all of them; decisions and documents are the real ones. What is modelled of time: a request reaches
//! the server within two minutes or never, and a task that dawdles for more than thirty seconds before it sends gives up.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;

use crate::init::claim::{Claim, Reading, Recorded, Stage};
use crate::init::gate::{Closed, Go};
use crate::init::next::{By, Facts, Holder, Spooled, Step, Stuck, Wait, next};
use crate::view::Server;

const PROMPT: i64 = 30;
const ON_ITS_WAY: i64 = 120;

#[derive(Clone, Copy, Debug)]
enum Event {
    /// A pass looks and decides.
    Decide(usize),
    /// What was decided is done.
    Act(usize),
    /// The task of a controller goes on by one step.
    Task(usize),
    /// The container ends; the spool stays.
    Crash(usize),
    /// The pod goes, with its spool.
    LosePod(usize),
    /// It leads now, or no longer; both may for a while.
    Lead(usize, bool),
    /// The server gets the oldest request on its way, and its answer arrives or not.
    Deliver { answered: bool },
    /// The oldest request is lost.
    Drop,
    /// Time goes by, in seconds.
    Later(i64),
    /// A person gives up the attempt that the claim names.
    GiveUp,
}

fn events() -> impl Strategy<Value = Event> {
    let who = 0usize..2;
    prop_oneof![
        6 => who.clone().prop_map(Event::Decide),
        6 => who.clone().prop_map(Event::Act),
        8 => who.clone().prop_map(Event::Task),
        1 => who.clone().prop_map(Event::Crash),
        1 => who.clone().prop_map(Event::LosePod),
        1 => (who, any::<bool>()).prop_map(|(who, leads)| Event::Lead(who, leads)),
        3 => any::<bool>().prop_map(|answered| Event::Deliver { answered }),
        1 => Just(Event::Drop),
        2 => prop_oneof![1i64..40, 100i64..400].prop_map(Event::Later),
        1 => Just(Event::GiveUp),
    ]
}

/// Where a task is.
#[derive(Clone, Debug)]
enum At {
    Check(Claim),
    Announce(Claim),
    Mark(Claim, i64),
    Sending(Claim, i64),
    Waiting(String),
    GiveBack(String),
    /// With the version under which it was read.
    Vacate(u64, String),
    Keep(String),
    Follow(Option<(u64, Claim, Step)>),
}

struct Controller {
    id: String,
    leads: bool,
    marks: BTreeSet<String>,
    answers: BTreeSet<String>,
    decided: Option<(u64, Reading, Step)>,
    task: Option<At>,
}

struct OnItsWay {
    attempt: String,
    since: i64,
    from: usize,
}

struct World {
    now: i64,
    serial: u64,
    version: u64,
    secret: BTreeMap<String, Vec<u8>>,
    discard: String,
    controllers: [Controller; 2],
    requests: Vec<OnItsWay>,
    /// The attempts whose requests the server got.
    got: Vec<String>,
    stored: BTreeSet<String>,
    admin: bool,
    root_lives: bool,
}

impl World {
    fn new() -> Self {
        let controller = |id: &str, leads| Controller {
            id: id.to_owned(),
            leads,
            marks: BTreeSet::new(),
            answers: BTreeSet::new(),
            decided: None,
            task: None,
        };
        Self {
            now: 1000,
            serial: 0,
            version: 1,
            secret: BTreeMap::new(),
            discard: String::new(),
            controllers: [controller("one", true), controller("two", false)],
            requests: Vec::new(),
            got: Vec::new(),
            stored: BTreeSet::new(),
            admin: false,
            root_lives: false,
        }
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_second(self.now).unwrap()
    }

    fn reading(&self) -> Reading {
        Claim::read(&self.secret)
    }

    fn server(&self) -> Server {
        if self.got.is_empty() { Server::Blank } else { Server::Initialised }
    }

    fn decide(&self, who: usize, for_task: bool) -> (u64, Reading, Step) {
        let (reading, controller) = (self.reading(), &self.controllers[who]);
        let attempt = match &reading {
            Reading::Claim(claim) => Some(claim.attempt.clone()),
            Reading::Vacant | Reading::Unreadable(_) => None,
        };
        let has = |set: &BTreeSet<String>| match &attempt {
            Some(attempt) => set.contains(attempt),
            None => !set.is_empty(),
        };
        let spool = match (has(&controller.answers), attempt.is_some() && has(&controller.marks)) {
            (true, _) => Spooled::Answer,
            (false, true) => Spooled::Sent,
            (false, false) => Spooled::Nothing,
        };
        let ours = matches!(&reading, Reading::Claim(claim) if claim.holder == controller.id);
        let go = Go { pod: "vault-0".to_owned(), uid: "uid".to_owned(), service: "vault".to_owned() };
        let facts = Facts {
            claim: &reading,
            holder: if ours { Holder::Us } else { Holder::Another },
            spool,
            working: !for_task && controller.task.is_some(),
            server: self.server(),
            gate: if self.got.is_empty() { Ok(go) } else { Err(Closed::Initialised("vault-0".to_owned())) },
            wanted: true,
            discard: &self.discard,
            leads: controller.leads && !for_task,
            now: self.time(),
        };
        let step = next(&facts);
        (self.version, reading, step)
    }

    /// Writes under the version that was read.
    fn put(&mut self, version: u64, data: BTreeMap<String, Vec<u8>>) -> bool {
        if version != self.version {
            return false;
        }
        self.version += 1;
        self.secret = data;
        true
    }

    fn act(&mut self, who: usize, version: u64, reading: &Reading, step: &Step) {
        let now = self.time();
        match (step, reading) {
            (Step::Claim(go), _) => {
                self.serial += 1;
                let claim = Claim {
                    attempt: format!("attempt{}", self.serial),
                    pod: go.pod.clone(),
                    pod_uid: go.uid.clone(),
                    server: "server".to_owned(),
                    holder: self.controllers[who].id.clone(),
                    claimed: now,
                    touched: now,
                    stage: Stage::Unsent,
                };
                if self.put(version, claim.data()) {
                    self.controllers[who].task.get_or_insert(At::Check(claim));
                }
            }
            (Step::Send, Reading::Claim(claim)) => {
                self.controllers[who].task.get_or_insert(At::Check(claim.clone()));
            }
            (Step::Store, Reading::Claim(claim)) => {
                self.stored.insert(claim.attempt.clone());
                let recorded = Recorded { secret: "keys".to_owned(), count: 1, digest: None };
                self.put(version, claim.at(Stage::Stored(recorded), now).data());
            }
            (Step::ProveAdmin, Reading::Claim(claim)) => {
                self.admin = true;
                let recorded = claim.recorded().unwrap().clone();
                self.put(version, claim.at(Stage::AdminProven(recorded, "root".to_owned()), now).data());
            }
            (Step::RevokeRoot(by), Reading::Claim(claim)) => {
                assert!(*by == By::Accessor || self.controllers[who].answers.contains(&claim.attempt));
                self.root_lives = false;
                let recorded = claim.recorded().unwrap().clone();
                self.put(version, claim.at(Stage::Complete(recorded), now).data());
            }
            (Step::Discard, Reading::Claim(claim)) => {
                if self.put(version, BTreeMap::new()) {
                    self.controllers[who].marks.remove(&claim.attempt);
                }
            }
            (Step::Wipe, Reading::Claim(claim)) => {
                self.controllers[who].marks.remove(&claim.attempt);
                self.controllers[who].answers.remove(&claim.attempt);
            }
            (Step::Rest | Step::Wait(_) | Step::Stuck(_), _) => {}
            (_, Reading::Vacant | Reading::Unreadable(_)) => unreachable!("{step:?} without a claim"),
        }
    }

    fn task(&mut self, who: usize) {
        let Some(at) = self.controllers[who].task.take() else { return };
        let after = self.task_step(who, at);
        self.controllers[who].task = after;
    }

    fn task_step(&mut self, who: usize, at: At) -> Option<At> {
        match at {
            At::Check(claim) => match self.server() {
                Server::Blank => Some(At::Announce(claim)),
                Server::Initialised | Server::Unseen => Some(At::GiveBack(claim.attempt)),
            },
            At::Announce(claim) => {
                let (version, now) = (self.version, self.time());
                let same = self.reading() == Reading::Claim(claim.clone());
                let announced = same && self.put(version, claim.at(Stage::Claimed, now).data());
                Some(if announced { At::Mark(claim, self.now) } else { At::GiveBack(claim.attempt) })
            }
            At::Mark(claim, began) if PROMPT < self.now - began => Some(At::GiveBack(claim.attempt)),
            At::Mark(claim, began) => Some(match self.controllers[who].marks.insert(claim.attempt.clone()) {
                true => At::Sending(claim, began),
                false => At::GiveBack(claim.attempt),
            }),
            At::Sending(claim, began) if PROMPT < self.now - began => {
                self.controllers[who].marks.remove(&claim.attempt);
                Some(At::GiveBack(claim.attempt))
            }
            At::GiveBack(attempt) => {
                let Reading::Claim(found) = self.reading() else { return None };
                let unsent = !self.controllers[who].marks.contains(&attempt) && found.attempt == attempt;
                unsent.then_some(At::Vacate(self.version, attempt))
            }
            At::Vacate(version, _) if self.put(version, BTreeMap::new()) => None,
            At::Vacate(_, attempt) => Some(At::GiveBack(attempt)),
            // From the last look at the clock to the first byte nothing can be put in between.
            At::Sending(claim, _) => {
                let attempt = claim.attempt;
                self.requests.push(OnItsWay { attempt: attempt.clone(), since: self.now, from: who });
                Some(At::Waiting(attempt))
            }
            At::Waiting(attempt) => {
                let on_its_way = self.requests.iter().any(|request| request.attempt == attempt);
                on_its_way.then_some(At::Waiting(attempt))
            }
            At::Keep(attempt) => {
                self.controllers[who].answers.insert(attempt);
                Some(At::Follow(None))
            }
            At::Follow(None) => {
                let (version, reading, step) = self.decide(who, true);
                match (step, reading) {
                    (Step::Rest | Step::Stuck(_) | Step::Claim(_) | Step::Send | Step::Discard, _) => None,
                    (Step::Wait(_), _) => Some(At::Follow(None)),
                    (step, Reading::Claim(claim)) => Some(At::Follow(Some((version, claim, step)))),
                    (_, Reading::Vacant | Reading::Unreadable(_)) => None,
                }
            }
            At::Follow(Some((version, claim, step))) => {
                self.act(who, version, &Reading::Claim(claim), &step);
                (step != Step::Wipe).then_some(At::Follow(None))
            }
        }
    }

    fn deliver(&mut self, answered: bool) {
        if self.requests.is_empty() {
            return;
        }
        let request = self.requests.remove(0);
        let first = self.got.is_empty();
        self.got.push(request.attempt.clone());
        self.root_lives |= first;
        let task = &mut self.controllers[request.from].task;
        if let Some(At::Waiting(attempt)) = task
            && *attempt == request.attempt
        {
            *task = (answered && first).then_some(At::Keep(request.attempt));
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Decide(who) => self.controllers[who].decided = Some(self.decide(who, false)),
            Event::Act(who) => {
                if let Some((version, reading, step)) = self.controllers[who].decided.take() {
                    self.act(who, version, &reading, &step);
                }
            }
            Event::Task(who) => self.task(who),
            Event::Crash(who) => {
                let controller = &mut self.controllers[who];
                (controller.task, controller.decided, controller.leads) = (None, None, false);
            }
            Event::LosePod(who) => {
                self.serial += 1;
                let id = format!("spool{}", self.serial);
                let (marks, answers) = (BTreeSet::new(), BTreeSet::new());
                self.controllers[who] = Controller { id, leads: false, marks, answers, decided: None, task: None };
            }
            Event::Lead(who, leads) => self.controllers[who].leads = leads,
            Event::Deliver { answered } => self.deliver(answered),
            Event::Drop => {
                if !self.requests.is_empty() {
                    self.requests.remove(0);
                }
            }
            Event::Later(seconds) => {
                self.now += seconds;
                let now = self.now;
                self.requests.retain(|request| now - request.since <= ON_ITS_WAY);
            }
            Event::GiveUp => {
                if let Reading::Claim(claim) = self.reading() {
                    self.discard = claim.attempt;
                }
            }
        }
        self.holds();
    }

    /// What must hold at every moment.
    fn holds(&self) {
        assert!(self.got.len() <= 1, "the server got {:?}", self.got);
        let Reading::Claim(claim) = self.reading() else { return };
        if let Stage::Unsent | Stage::Claimed = claim.stage {
            return;
        }
        assert_eq!(self.got, std::slice::from_ref(&claim.attempt), "the keys of another attempt count as stored");
        assert!(self.stored.contains(&claim.attempt), "{:?} without the keys", claim.stage);
        match claim.stage {
            Stage::Unsent | Stage::Claimed | Stage::Stored(_) => {}
            Stage::AdminProven(..) => assert!(self.admin),
            Stage::Complete(_) => assert!(self.admin && !self.root_lives),
        }
    }

    /// Nothing fails any more: where does it end?
    fn settle(&mut self) -> [Step; 2] {
        self.requests.clear();
        self.happen(Event::Lead(0, true));
        self.happen(Event::Lead(1, false));
        for _ in 0..8 {
            for who in [0, 1] {
                self.happen(Event::Decide(who));
                self.happen(Event::Act(who));
                (0..4).for_each(|_| self.happen(Event::Task(who)));
                self.happen(Event::Deliver { answered: true });
                (0..12).for_each(|_| self.happen(Event::Task(who)));
            }
            self.happen(Event::Later(100));
        }
        [0, 1].map(|who| self.decide(who, false).2)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn at_most_one_request_reaches_the_server_and_the_end_is_whole_or_known(
        events in prop::collection::vec(events(), 0..80),
    ) {
        let mut world = World::new();
        events.into_iter().for_each(|event| world.happen(event));
        let [leader, other] = world.settle();
        match leader {
            Step::Rest => {
                let complete = matches!(world.reading(), Reading::Claim(claim) if matches!(claim.stage, Stage::Complete(_)));
                prop_assert!(complete, "it rests at {:?} with {:?}", world.reading(), world.got);
                prop_assert!(world.controllers.iter().all(|controller| controller.answers.is_empty()));
                prop_assert_eq!(other, Step::Rest);
            }
            Step::Stuck(Stuck::OutcomeUnknown) => prop_assert!(!world.got.is_empty()),
            Step::Stuck(Stuck::AdminNotProven) => prop_assert!(!world.stored.is_empty()),
            Step::Stuck(Stuck::Abandoned) => prop_assert!(world.got.is_empty()),
            step @ (Step::Claim(_)
            | Step::Send
            | Step::Store
            | Step::ProveAdmin
            | Step::RevokeRoot(_)
            | Step::Wipe
            | Step::Discard
            | Step::Wait(_)
            | Step::Stuck(_)) => prop_assert!(false, "it ends at {step:?} with {:?}", world.reading()),
        }
    }
}

#[test]
fn without_faults_it_is_complete() {
    let mut world = World::new();
    assert_eq!(world.settle(), [Step::Rest, Step::Rest]);
    assert!(world.admin && !world.root_lives && world.got.len() == 1);
}

#[test]
fn a_crash_before_the_mark_costs_nothing() {
    let mut world = World::new();
    for event in [Event::Decide(0), Event::Act(0), Event::Task(0), Event::Crash(0)] {
        world.happen(event);
    }
    assert_eq!(world.settle()[0], Step::Rest);
    assert_eq!(world.got, ["attempt1"]);
}

/// The claim says by itself that nothing was sent: no spool has to.
#[test]
fn a_pod_that_is_lost_before_it_says_that_it_sends_costs_time_only() {
    let mut world = World::new();
    for event in [Event::Decide(0), Event::Act(0), Event::Task(0), Event::LosePod(0)] {
        world.happen(event);
    }
    world.happen(Event::Lead(1, true));
    assert_eq!(world.decide(1, false).2, Step::Wait(Wait::AtWork));
    assert_eq!(world.settle()[0], Step::Rest);
    assert_eq!(world.got, ["attempt3"]);
}

/// Whoever lost the lead before it sent gives the claim back: the other needn't wait until it looks old, nor a person.
#[test]
fn what_was_never_sent_is_given_back_with_the_lead() {
    let mut world = World::new();
    let events = [Event::Decide(0), Event::Act(0), Event::Task(0), Event::Task(0), Event::Crash(0)];
    events.into_iter().for_each(|event| world.happen(event));
    assert!(matches!(world.reading(), Reading::Claim(claim) if claim.stage == Stage::Claimed));
    world.happen(Event::Lead(1, true));
    [Event::Decide(0), Event::Act(0)].into_iter().for_each(|event| world.happen(event));
    assert_eq!(world.reading(), Reading::Vacant);
    assert!(matches!(world.decide(1, false).2, Step::Claim(_)));
    // A task that was late is the same.
    let mut world = World::new();
    let events = [Event::Decide(0), Event::Act(0), Event::Task(0), Event::Task(0), Event::Later(PROMPT + 1)];
    events.into_iter().for_each(|event| world.happen(event));
    (0..3).for_each(|_| world.happen(Event::Task(0)));
    assert_eq!(world.reading(), Reading::Vacant);
    assert!(world.requests.is_empty() && world.controllers[0].task.is_none());
}

#[test]
fn a_crash_after_the_mark_needs_a_person() {
    let mut world = World::new();
    let events = [Event::Decide(0), Event::Act(0), Event::Task(0), Event::Task(0), Event::Task(0), Event::Crash(0)];
    events.into_iter().for_each(|event| world.happen(event));
    assert_eq!(world.settle()[0], Step::Stuck(Stuck::Abandoned));
    assert!(world.got.is_empty());
    world.happen(Event::GiveUp);
    assert_eq!(world.settle()[0], Step::Rest);
    assert_eq!(world.got, ["attempt2"]);
}

#[test]
fn a_lost_answer_is_known_and_never_tried_again() {
    let mut world = World::new();
    let mut events = vec![Event::Decide(0), Event::Act(0)];
    events.resize(6, Event::Task(0));
    events.into_iter().for_each(|event| world.happen(event));
    world.happen(Event::Deliver { answered: false });
    world.happen(Event::GiveUp);
    let stuck = Step::Stuck(Stuck::OutcomeUnknown);
    assert_eq!(world.settle(), [stuck.clone(), stuck]);
}

#[test]
fn a_second_controller_waits_while_the_first_is_at_work() {
    let mut world = World::new();
    [Event::Decide(0), Event::Act(0), Event::Lead(1, true)].into_iter().for_each(|event| world.happen(event));
    assert_eq!(world.decide(1, false).2, Step::Wait(Wait::AtWork));
}
