//! What files tell of draining every node.

use std::borrow::Cow;

use holdfast_model::ObjectKey;
use holdfast_policy::drain::Verdict;
use holdfast_policy::drain::outlook::{Concerned, Outlook};
use schemars::JsonSchema;
use serde::Serialize;

use super::rows::Rows;
use super::some;
use crate::clean::clean;

/// What files tell of draining every node, though they don't tell which pod is where. Exceptions and the choice of rules don't matter
/// here.
#[derive(Serialize, JsonSchema)]
pub(super) struct Drain<'a> {
    /// `Blocks` where something surely stays, `Unknown` where something may, `Interrupts` where something is surely interrupted,
    /// `Unknown` where something may be, else `Clean`. Null when a drain evicts nothing.
    #[schemars(extend("enum" = ["Clean", "Interrupts", "Blocks", "Unknown", null]))]
    verdict: Option<&'static str>,
    /// How many stay where they are.
    blocks: usize,
    /// How many are interrupted.
    interrupts: usize,
    /// How many serve on.
    clean: usize,
    /// Of how many it can't be told.
    unknown: usize,
    /// What a drain evicts pods of, in order of namespace, kind and name.
    #[schemars(with = "Vec<Item<'a>>")]
    items: Rows<'a, Concerned, Item<'a>>,
    /// HelmReleases of which nothing is known that makes pods: their charts have none, or aren't at hand.
    unseen: Vec<Release<'a>>,
}

/// A HelmRelease.
#[derive(Serialize, JsonSchema)]
struct Release<'a> {
    /// Its namespace.
    namespace: Cow<'a, str>,
    /// Its name.
    name: Cow<'a, str>,
}

/// A workload, a bare pod, or a custom resource that makes pods.
#[derive(Serialize, JsonSchema)]
struct Item<'a> {
    /// Its kind.
    kind: &'a str,
    /// Its effective namespace.
    namespace: Option<Cow<'a, str>>,
    /// Its name.
    name: Cow<'a, str>,
    /// What a drain does to it.
    #[schemars(extend("enum" = ["Clean", "Interrupts", "Blocks", "Unknown"]))]
    verdict: &'static str,
    /// Why, in one word: as in `holdfast drain --format json`, or for `Unknown` `PlacementUnknown`, `JobPods`, `Uncounted` or
    /// `OperatorDecides`.
    reason: Option<&'static str>,
    /// The same as a clause.
    message: Option<String>,
    /// The budgets over its pods that are in the files.
    budgets: Vec<Cow<'a, str>>,
}

impl<'a> Drain<'a> {
    pub(super) fn new(outlook: &'a Outlook) -> Self {
        Self {
            verdict: (!outlook.is_empty()).then(|| word(outlook.verdict())),
            blocks: outlook.count(Some(Verdict::Blocks)),
            interrupts: outlook.count(Some(Verdict::Interrupts)),
            clean: outlook.count(Some(Verdict::Clean)),
            unknown: outlook.count(None),
            items: Rows::new(&outlook.concerned, Item::new),
            unseen: outlook.unseen.iter().map(release).collect(),
        }
    }
}

fn release(key: &ObjectKey) -> Release<'_> {
    Release { namespace: clean(&key.namespace), name: clean(&key.name) }
}

impl<'a> Item<'a> {
    fn new(concerned: &'a Concerned) -> Self {
        let subject = &concerned.subject;
        Self {
            kind: subject.kind,
            namespace: some(&subject.namespace).map(clean),
            name: clean(&subject.name),
            verdict: word(concerned.fate.verdict()),
            reason: concerned.fate.reason(),
            message: concerned.fate.message().map(|message| clean(&message).into_owned()),
            budgets: concerned.budgets.iter().map(|name| clean(name)).collect(),
        }
    }
}

fn word(verdict: Option<Verdict>) -> &'static str {
    verdict.map_or("Unknown", Verdict::as_str)
}
