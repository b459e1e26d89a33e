//! What is done next about the labels of a namespace: never down, never over somebody else's, never before the time.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_api::{Mode, NamespaceState};
use holdfast_model::facts::Namespace;
use holdfast_model::{Kind, NamespaceView, Text};
use holdfast_pod_security::labels::{AUDIT, AUDIT_VERSION, ENFORCE, ENFORCE_VERSION, LevelVersion, WARN, WARN_VERSION};
use holdfast_pod_security::{Level, Version};
use jiff::Timestamp;

use super::{Labelled, Progress, Settings, Standing};
use crate::duration::in_words;
use crate::policies::Judged;
use crate::{Policies, RuleId};

/// The kinds without which nobody knows what runs.
pub const JUDGED: [Kind; 8] = [
    Kind::Namespace,
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::ReplicaSet,
    Kind::Job,
    Kind::CronJob,
    Kind::Pod,
];

/// When it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// For how long the namespace was watched without a break since it was asked last.
    pub watched: Duration,
    /// The present, by the clock: only for days.
    pub now: Timestamp,
    /// Whether an upgrade of nodes is under way: nothing is raised meanwhile.
    pub frozen: bool,
}

/// What is to be done about a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// In one word.
    pub state: NamespaceState,
    /// The strictest level that everything meets; none where nothing runs.
    pub level: Option<Level>,
    /// Where it is going, when it isn't there.
    pub target: Option<Level>,
    /// Why it stays where it is, or what happened.
    pub message: Option<String>,
    /// What to write now.
    pub step: Option<Step>,
    /// When to ask again though nothing changed.
    pub recheck_after: Option<Duration>,
}

/// A write of labels: all that are ours afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The namespace's UID: one that is made anew under its name is another.
    pub uid: Box<str>,
    /// The labels; what isn't among them and is ours goes.
    pub labels: BTreeMap<Text, String>,
    /// What has to be rehearsed before.
    pub rehearsal: Rehearsal,
    /// Whether a label of ours goes.
    pub withdraws: bool,
}

/// What is asked of the API server before a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rehearsal {
    /// Nothing: what is enforced stays as it is.
    None,
    /// Whether any pod objects to this; an objection is remembered.
    Raise(LevelVersion),
    /// Whether the namespace gets stricter without our label; if it does, `otherwise` is written.
    Withdraw {
        /// The labels that stay then.
        otherwise: BTreeMap<Text, String>,
    },
}

/// Looks at a namespace once more.
///
/// `settings` is the policy that decides; none where no policy selects the namespace.
#[must_use]
pub fn advise(
    view: NamespaceView<'_>,
    settings: Option<&Settings>,
    policies: &Policies,
    progress: &mut Progress,
    moment: Moment,
) -> Option<Advice> {
    let namespace = view.namespace()?;
    let server = policies.server();
    let standing = Standing::of(view, server.version());
    let cap = settings.map_or(Level::Privileged, |settings| settings.ceiling);
    let cap = if standing.unknown_makers { cap.min(Level::Baseline) } else { cap };
    let case = Case {
        view,
        namespace,
        policies,
        labelled: Labelled::of(namespace, server),
        goal: standing.level.min(cap),
        standing,
        moment,
    };
    if let Some(unreadable) = JUDGED.into_iter().find(|kind| view.is_unreadable(*kind, None)) {
        return Some(case.waits(format!("a {unreadable} can't be read: nobody can tell what it meets")));
    }
    // What is there and ours we wrote, also where nobody could remember it.
    progress.wrote.extend(namespace.writers.ours.iter().cloned());
    progress.watch(case.standing.level, moment.watched, moment.now);
    let Some(settings) = settings else { return Some(case.withdraw(None, progress)) };
    Some(case.decide(settings, progress))
}

struct Case<'a> {
    view: NamespaceView<'a>,
    namespace: &'a Namespace,
    policies: &'a Policies,
    labelled: Labelled,
    /// What everything meets, at most what is asked for.
    goal: Level,
    standing: Standing<'a>,
    moment: Moment,
}

impl Case<'_> {
    fn decide(&self, settings: &Settings, progress: &mut Progress) -> Advice {
        if self.namespace.terminating {
            return Advice { message: Some("it is being deleted".to_owned()), ..self.advice(NamespaceState::Settled) };
        }
        if let Some(why) = settings.exempts(self.view.name(), self.policies.server()) {
            return self.withdraw(Some(why), progress);
        }
        if let Some(excepted) = self.excepted() {
            let message = Some(format!("excepted: {excepted}"));
            return Advice { message, ..self.advice(NamespaceState::Exempt) };
        }
        if settings.mode == Mode::Report {
            let withdrawn = self.withdraw(None, progress);
            let message = withdrawn.message.clone().or_else(|| self.why_below(settings));
            return Advice { state: self.reported(settings), message, ..withdrawn };
        }
        if self.standing.is_empty() {
            return self.advice(NamespaceState::Empty);
        }
        self.ratchet(settings, progress)
    }

    /// The namespace on its way up.
    fn ratchet(&self, settings: &Settings, progress: &mut Progress) -> Advice {
        let enforce = match self.enforce(progress) {
            Enforce::Ours(stated) => Some(stated),
            Enforce::Nobodys => None,
            // Whoever states the level decides about the namespace: what we told there stays as it is.
            Enforce::Others(who) => {
                let state = self.below(settings).unwrap_or(NamespaceState::Yielded);
                let message = Some(format!("its enforce label is left to {who}"));
                return Advice { message, ..self.advice(state) };
            }
        };
        let ours = self.ours();
        let mut labels = self.kept(&ours);
        self.advise_labels(&ours, progress, &mut labels);
        let stated = enforce.map(|stated| stated.level);
        let now = stated.unwrap_or(Level::Privileged);
        if progress.broken.is_none() {
            progress.broken = enforce.and_then(|stated| self.breaks(stated));
        }
        let soaked = [Level::Restricted, Level::Baseline]
            .into_iter()
            .find(|level| *level <= self.goal && settings.soak <= progress.soaked(*level));
        let raised = soaked.filter(|level| now < *level);
        let wanted = self.wanted(enforce, raised.filter(|_| progress.broken.is_none()));
        let changes = wanted != enforce;
        let target = (now < self.goal).then_some(self.goal);
        let advice = Advice { target, ..self.advice(NamespaceState::Settled) };
        let unchanged = |labels| self.step(labels, &ours, Rehearsal::None);
        if let Some(broken) = &progress.broken {
            let message = Some(broken.clone());
            return Advice { state: NamespaceState::Broken, message, step: unchanged(labels), ..advice };
        }
        if changes && self.moment.frozen {
            let message = Some("waits for the end of an upgrade".to_owned());
            return Advice { state: NamespaceState::Waiting, message, step: unchanged(labels), ..advice };
        }
        if changes && let Some((objection, left)) = progress.objection() {
            let (message, recheck_after) = (Some(objection.to_owned()), Some(left));
            return Advice {
                state: NamespaceState::Refused,
                message,
                recheck_after,
                step: unchanged(labels),
                ..advice
            };
        }
        if changes && let Some(wanted) = wanted {
            // What soaks beside is written first: a rehearsal that objects must not keep the warnings away.
            if let Some(step) = unchanged(labels.clone()) {
                return Advice { state: NamespaceState::Rising, step: Some(step), ..advice };
            }
            state(&mut labels, wanted);
            let step = self.step(labels, &ours, Rehearsal::Raise(wanted));
            return Advice { state: NamespaceState::Rising, step, ..advice };
        }
        if let Some(target) = target {
            let message =
                Some(format!("watched for {} of {}", progress.told(target, settings.soak), in_words(settings.soak)));
            let recheck_after = Some(progress.until_told(target, settings.soak));
            return Advice {
                state: NamespaceState::Soaking,
                message,
                recheck_after,
                step: unchanged(labels),
                ..advice
            };
        }
        let state = self.below(settings).unwrap_or(NamespaceState::Settled);
        Advice { state, message: self.why_below(settings), step: unchanged(labels), ..advice }
    }

    /// What its enforce label is to say. The version is the server's, moved up when everything meets the level there.
    fn wanted(&self, enforce: Option<LevelVersion>, raised: Option<Level>) -> Option<LevelVersion> {
        let version = self.standing.version;
        if let Some(level) = raised {
            return Some(LevelVersion { level, version });
        }
        let kept = enforce?;
        let moves = kept.version < version && kept.level <= self.standing.level && kept.level != Level::Privileged;
        Some(if moves { LevelVersion { version, ..kept } } else { kept })
    }

    /// The labels that only tell: at once what everything meets, never less than they say.
    fn advise_labels(&self, ours: &[Text], progress: &Progress, labels: &mut BTreeMap<Text, String>) {
        let said = [
            (WARN, WARN_VERSION, self.labelled.policy.warn.level),
            (AUDIT, AUDIT_VERSION, self.labelled.policy.audit.level),
        ];
        for (key, version, said) in said {
            let is_ours = ours.iter().any(|label| label == key);
            let is_there = self.namespace.labels.get(key).is_some();
            let is_free = is_ours || (!is_there && !progress.wrote.iter().any(|label| label == key));
            if !is_free || self.goal == Level::Privileged && !is_ours {
                continue;
            }
            let level = if is_ours { said.max(self.goal) } else { self.goal };
            labels.insert(key.into(), level.to_string());
            if ours.iter().any(|label| label == version) || self.namespace.labels.get(version).is_none() {
                labels.insert(version.into(), Version::Latest.to_string());
            }
        }
    }

    /// What is ours now: nothing of it goes by the way.
    fn kept(&self, ours: &[Text]) -> BTreeMap<Text, String> {
        let value = |label: &Text| Some((label.clone(), self.namespace.labels.get(label)?.to_string()));
        ours.iter().filter_map(value).collect()
    }

    /// Whose its enforce label is.
    fn enforce(&self, progress: &Progress) -> Enforce {
        let writers = &self.namespace.writers;
        let foreign = |label: &str| self.namespace.labels.get(label).is_some() && !writers.is_ours(label);
        if let Some(who) = writers.other(ENFORCE).or_else(|| writers.other(ENFORCE_VERSION)) {
            return Enforce::Others(who.to_string());
        }
        if foreign(ENFORCE) || foreign(ENFORCE_VERSION) {
            return Enforce::Others("whoever wrote it".to_owned());
        }
        match self.labelled.enforce {
            Some(stated) => Enforce::Ours(stated),
            None if progress.wrote.iter().any(|label| label == ENFORCE) => {
                Enforce::Others("whoever took ours away".to_owned())
            }
            None => Enforce::Nobodys,
        }
    }

    /// Why pods are refused by the very level that our label states.
    fn breaks(&self, stated: LevelVersion) -> Option<String> {
        let by = format!("violates PodSecurity \"{stated}\"");
        let broken = self.view.rejections().find(|rejection| rejection.message.starts_with(&by))?;
        Some(format!("pods of {} {} are refused: {}", broken.kind, broken.name, broken.message))
    }

    /// Takes back what is ours; what would tighten the namespace stays.
    fn withdraw(&self, why: Option<&str>, progress: &mut Progress) -> Advice {
        progress.rest();
        let advice = Advice { message: why.map(str::to_owned), ..self.advice(NamespaceState::Exempt) };
        let ours = self.ours();
        if ours.is_empty() || self.namespace.terminating || self.policies.is_security_unclear() {
            return advice;
        }
        let kept = self.labelled.enforce.filter(|_| self.namespace.writers.is_ours(ENFORCE));
        let mut labels = BTreeMap::new();
        let Some(kept) = kept else { return Advice { step: self.step(labels, &ours, Rehearsal::None), ..advice } };
        let default = self.policies.server().default;
        if kept.level == Level::Restricted || default.is_some_and(|default| default <= kept.level) {
            return Advice { step: self.step(labels, &ours, Rehearsal::None), ..advice };
        }
        let mut otherwise = BTreeMap::new();
        state(&mut otherwise, kept);
        // A rehearsal sees live pods only. It says something where all that could be refused is alive.
        if progress.objection().is_none() && self.standing.is_all_live(Level::Restricted) {
            let step = self.step(labels, &ours, Rehearsal::Withdraw { otherwise });
            return Advice { step, ..advice };
        }
        labels = otherwise;
        let message = Some("our enforce label stays: what holds without it might refuse pods".to_owned());
        Advice { message, step: self.step(labels, &ours, Rehearsal::None), ..advice }
    }

    /// A write, where anything would be different.
    fn step(&self, labels: BTreeMap<Text, String>, ours: &[Text], rehearsal: Rehearsal) -> Option<Step> {
        let same = |(key, value): (&Text, &String)| {
            ours.contains(key) && self.namespace.labels.get(key).is_some_and(|known| known == value.as_str())
        };
        let unchanged = ours.len() == labels.len() && labels.iter().all(same);
        let withdraws = ours.iter().any(|label| !labels.contains_key(label));
        (!unchanged).then(|| Step { uid: self.namespace.uid.clone(), labels, rehearsal, withdraws })
    }

    /// The labels that are ours.
    fn ours(&self) -> Vec<Text> {
        let mut ours = self.namespace.writers.ours.to_vec();
        ours.sort();
        ours
    }

    fn excepted(&self) -> Option<crate::Excepted> {
        let judged = Judged {
            namespace: self.view.name(),
            kind: Kind::Namespace.as_str(),
            name: self.view.name(),
            labels: &self.namespace.labels,
            opt_outs: [Some(&self.namespace.opt_out), None],
        };
        self.policies.excepted(RuleId::LevelBelowFloor, &judged, self.moment.now)
    }

    fn below(&self, settings: &Settings) -> Option<NamespaceState> {
        (self.standing.level < settings.floor).then_some(NamespaceState::BelowFloor)
    }

    fn why_below(&self, settings: &Settings) -> Option<String> {
        self.below(settings)?;
        let (subject, violations) = self.standing.in_the_way(settings.floor).next()?;
        Some(format!(
            "{} violates {}: {}",
            subject.who,
            settings.floor,
            holdfast_pod_security::forbidden_detail(&violations)
        ))
    }

    /// How it stands where nothing is written.
    fn reported(&self, settings: &Settings) -> NamespaceState {
        if self.standing.is_empty() {
            return NamespaceState::Empty;
        }
        let stated = self.labelled.policy.enforce.level;
        match self.below(settings) {
            Some(below) => below,
            None if stated < self.goal => NamespaceState::Waiting,
            None => NamespaceState::Settled,
        }
    }

    fn waits(&self, message: String) -> Advice {
        Advice { message: Some(message), ..self.advice(NamespaceState::Waiting) }
    }

    fn advice(&self, state: NamespaceState) -> Advice {
        let level = (!self.standing.is_empty()).then_some(self.standing.level);
        Advice { state, level, target: None, message: None, step: None, recheck_after: None }
    }
}

/// Whose the enforce label of a namespace is.
enum Enforce {
    Ours(LevelVersion),
    Others(String),
    Nobodys,
}

fn state(labels: &mut BTreeMap<Text, String>, stated: LevelVersion) {
    labels.insert(ENFORCE.into(), stated.level.to_string());
    labels.insert(ENFORCE_VERSION.into(), stated.version.to_string());
}
