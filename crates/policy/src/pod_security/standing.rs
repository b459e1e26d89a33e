//! The strictest level that everything in a namespace meets, and what stands in the way of a stricter one.
//!
//! Judged from templates, those of suspended CronJobs and of workloads without replicas among them, and from live pods of
//! whatever owner: the API server sees live pods only.

use std::collections::BTreeSet;
use std::fmt;

use foldhash::{HashMap, HashMapExt as _};
use holdfast_model::facts::Workload;
use holdfast_model::{NamespaceView, PodOwner, Text, WorkloadRef};
use holdfast_pod_security::{Level, PodFacts, Version, Violation, allows, evaluate, strictest};

/// How a namespace stands at one version.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// The version.
    pub version: Version,
    /// The strictest level that everything meets; `Restricted` where nothing runs.
    pub level: Level,
    /// What runs, or would.
    subjects: Vec<Subject<'a>>,
    /// The workloads of which a pod is there.
    alive: BTreeSet<WorkloadRef>,
    /// Whether pods come and go whose maker is a custom resource, or nobody: no template says what they will be.
    pub unknown_makers: bool,
}

/// A template or a live pod.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// Whose it is.
    pub who: Who<'a>,
    /// What the checks read of it.
    pub facts: &'a PodFacts,
    /// The strictest level that it meets.
    pub level: Level,
}

/// Whose pod it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who<'a> {
    /// The template of a workload.
    Template(&'a Workload),
    /// A live pod.
    Pod(&'a Text),
}

impl Who<'_> {
    /// With what the path of a field begins: a pod's own, or that of the template.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Template(workload) => workload.id.kind.template(),
            Self::Pod(_) => "",
        }
    }
}

impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template(workload) => write!(f, "{}", workload.id),
            Self::Pod(name) => write!(f, "Pod {name}"),
        }
    }
}

impl<'a> Standing<'a> {
    /// Looks at everything in a namespace.
    #[must_use]
    pub fn of(view: NamespaceView<'a>, version: Version) -> Self {
        // Replicas share their facts, so most is asked for once.
        let mut known: HashMap<*const PodFacts, Level> = HashMap::new();
        let mut level_of =
            |facts: &'a PodFacts| *known.entry(std::ptr::from_ref(facts)).or_insert_with(|| strictest(version, facts));
        let templates =
            view.workloads().filter_map(|workload| Some((Who::Template(workload), &**workload.security.as_ref()?)));
        let mut subjects: Vec<Subject<'a>> =
            templates.map(|(who, facts)| Subject { who, facts, level: level_of(facts) }).collect();
        let (mut unknown_makers, mut alive) = (false, BTreeSet::new());
        for (name, pod) in view.pods() {
            match view.owner_of(pod) {
                PodOwner::Custom(_) | PodOwner::Nobody => unknown_makers = true,
                PodOwner::Workload(id) => drop(alive.insert(id)),
                PodOwner::Node(_) | PodOwner::Unknown(_) => {}
            }
            let facts = &*pod.security;
            subjects.push(Subject { who: Who::Pod(name), facts, level: level_of(facts) });
        }
        let level = subjects.iter().map(|subject| subject.level).min().unwrap_or(Level::Restricted);
        Self { version, level, subjects, alive, unknown_makers }
    }

    /// Whether nothing runs, or would.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty()
    }

    /// The templates.
    pub fn templates(&self) -> impl Iterator<Item = (&'a Workload, &Subject<'a>)> {
        self.subjects.iter().filter_map(|subject| match subject.who {
            Who::Template(workload) => Some((workload, subject)),
            Who::Pod(_) => None,
        })
    }

    /// What doesn't meet a level, templates first; a pod only where it isn't said of the template of the same form.
    pub fn failing(&self, level: Level) -> impl Iterator<Item = &Subject<'a>> {
        let mut seen: Vec<&PodFacts> = Vec::new();
        self.subjects.iter().filter(move |subject| {
            let fails = subject.level < level;
            let is_pod = matches!(subject.who, Who::Pod(_));
            if !fails || (is_pod && seen.iter().any(|facts| std::ptr::eq(*facts, subject.facts))) {
                return false;
            }
            seen.push(subject.facts);
            true
        })
    }

    /// Whether a live pod doesn't meet a level, so that the API server's rehearsal of it must object.
    #[must_use]
    pub fn is_shown_live(&self, level: Level) -> bool {
        let live = |subject: &&Subject<'_>| matches!(subject.who, Who::Pod(_));
        self.subjects.iter().filter(live).any(|subject| subject.level < level)
    }

    /// Whether of everything that doesn't meet a level a pod is there.
    #[must_use]
    pub fn is_all_live(&self, level: Level) -> bool {
        self.failing(level).all(|subject| match subject.who {
            Who::Template(workload) => self.alive.contains(&workload.id),
            Who::Pod(_) => true,
        })
    }

    /// What stands in the way of a level.
    pub fn in_the_way(&self, level: Level) -> impl Iterator<Item = (&Subject<'a>, Vec<Violation>)> {
        self.failing(level).map(move |subject| (subject, evaluate(level, self.version, subject.facts)))
    }

    /// What meets a level at this version but not at another.
    pub fn broken_by(&self, level: Level, version: Version) -> impl Iterator<Item = &Subject<'a>> {
        let meets = move |subject: &&Subject<'a>| level <= subject.level && !allows(level, version, subject.facts);
        let mut seen: Vec<&PodFacts> = Vec::new();
        self.subjects.iter().filter(meets).filter(move |subject| {
            let is_new = !seen.iter().any(|facts| std::ptr::eq(*facts, subject.facts));
            seen.push(subject.facts);
            is_new
        })
    }
}
