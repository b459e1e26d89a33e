//! A YAML value in which every value and every key knows where it was written.
//!
//! Cheap to clone (sequences and mappings are shared until changed), so a base that two overlays use is held once. The
//! order of keys is that of the file. Equality compares values and forgets where they stand.

use std::collections::{HashMap, hash_map};

use ecow::{EcoString, EcoVec};

use crate::Origin;

/// A value and where it was written.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it begins.
    pub origin: Origin,
}

/// What a YAML document can hold, as Kubernetes reads it.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant is YAML's own name")]
pub enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    String(EcoString),
    Sequence(EcoVec<Node>),
    Mapping(Mapping),
}

/// Keys and values in the order of the file; no key twice.
#[derive(Clone, Debug, Default)]
pub struct Mapping(EcoVec<Entry>);

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: EcoString,
    /// Where the key was written.
    pub at: Origin,
    /// The value.
    pub value: Node,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialEq for Mapping {
    /// Whatever the order, as in JSON.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.iter().all(|entry| other.get(&entry.key).is_some_and(|value| *value == entry.value))
    }
}

impl Node {
    /// A value that was written there.
    #[must_use]
    pub fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// A value that stands in no file.
    #[must_use]
    pub fn made(value: Value) -> Self {
        Self { value, origin: Origin::NONE }
    }

    /// The value under a key of a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_mapping()?.get(key)
    }

    /// The value at the end of a row of keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The text, of a string only.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        let Value::String(text) = &self.value else { return None };
        Some(text)
    }

    /// The truth value, of a boolean only.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        let Value::Bool(value) = self.value else { return None };
        Some(value)
    }

    /// The number, of an integer only.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        let Value::Integer(value) = self.value else { return None };
        Some(value)
    }

    /// The mapping, when it is one.
    #[must_use]
    pub fn as_mapping(&self) -> Option<&Mapping> {
        let Value::Mapping(mapping) = &self.value else { return None };
        Some(mapping)
    }

    /// The mapping, to change it.
    pub fn as_mapping_mut(&mut self) -> Option<&mut Mapping> {
        let Value::Mapping(mapping) = &mut self.value else { return None };
        Some(mapping)
    }

    /// The items of a sequence; none for everything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        let Value::Sequence(items) = &self.value else { return &[] };
        items
    }

    /// The items of a sequence, to change them.
    pub fn items_mut(&mut self) -> &mut [Self] {
        let Value::Sequence(items) = &mut self.value else { return &mut [] };
        items.make_mut()
    }

    /// A scalar as text; none for null, sequences and mappings.
    #[must_use]
    pub fn text(&self) -> Option<EcoString> {
        match &self.value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(value) => Some(ecow::eco_format!("{value}")),
            Value::Integer(value) => Some(ecow::eco_format!("{value}")),
            Value::Float(value) => Some(ecow::eco_format!("{value}")),
            Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// The entries of a mapping; none for everything else.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.as_mapping().into_iter().flat_map(Mapping::iter)
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }
}

impl Mapping {
    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The key and value under a key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key == key)
    }

    /// The value under a key, to change it; what it shares with others is copied first.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let at = self.0.iter().position(|entry| entry.key == key)?;
        Some(&mut self.0.make_mut()[at].value)
    }

    /// Puts a value under a key: in the place of the one that is there, else last.
    pub fn insert(&mut self, key: impl Into<EcoString>, at: Origin, value: Node) {
        let key = key.into();
        match self.0.iter().position(|entry| entry.key == key) {
            Some(known) => self.0.make_mut()[known] = Entry { key, at, value },
            None => {
                self.make_room();
                self.0.push(Entry { key, at, value });
            }
        }
    }

    /// Room for one more entry and for no other, while it is short: most that get one never get another, and there are
    /// many.
    fn make_room(&mut self) {
        const SHORT: usize = 8;
        let length = self.0.len();
        if (1..SHORT).contains(&length) && self.0.capacity() == length {
            let mut roomy = EcoVec::with_capacity(length + 1);
            roomy.extend(std::mem::take(&mut self.0));
            self.0 = roomy;
        }
    }

    /// The mapping with these entries, each in the place of the one with its key, else last.
    pub(crate) fn with(&self, entries: &[Entry]) -> Self {
        let mut all = EcoVec::with_capacity(self.len() + entries.len());
        all.extend(self.0.iter().cloned());
        let mut all = Self(all);
        for Entry { key, at, value } in entries {
            all.insert(key.clone(), *at, value.clone());
        }
        all
    }

    /// The value under a key, to change it; made from `new` where there is none.
    pub fn get_or_insert(&mut self, key: &str, at: Origin, new: impl FnOnce() -> Node) -> &mut Node {
        let index = self.0.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
            self.make_room();
            self.0.push(Entry { key: key.into(), at, value: new() });
            self.0.len() - 1
        });
        &mut self.0.make_mut()[index].value
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.0.iter().position(|entry| entry.key == key)?;
        Some(self.0.remove(at).value)
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.0.iter()
    }

    /// Keys and values, in order, to change the values.
    pub fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.0.make_mut().iter_mut()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Mapping {
    /// A mapping of entries of which some may have the same key: the last value stays, in the first one's place, as
    /// Kubernetes reads it. Tells of each that is given again.
    pub(crate) fn last_wins<I>(entries: I, mut again: impl FnMut(&Entry, &Entry)) -> Self
    where
        I: ExactSizeIterator<Item = Entry>,
    {
        let mut known = Keys::of(entries.len());
        let mut kept: EcoVec<Entry> = EcoVec::with_capacity(entries.len());
        for entry in entries {
            match known.find(&entry.key, &kept) {
                None => kept.push(entry),
                Some(at) => {
                    again(&kept[at], &entry);
                    kept.make_mut()[at] = entry;
                }
            }
        }
        Self(kept)
    }

    /// A mapping of entries of which some may have the same key: the first value stays.
    pub(crate) fn first_wins(entries: impl Iterator<Item = Entry>) -> Self {
        let entries: Vec<Entry> = entries.collect();
        let mut known = Keys::of(entries.len());
        let mut kept: EcoVec<Entry> = EcoVec::with_capacity(entries.len());
        for entry in entries {
            if known.find(&entry.key, &kept).is_none() {
                kept.push(entry);
            }
        }
        Self(kept)
    }
}

/// Where keys stand while a mapping is made. A row is looked through while it is short, as most are.
struct Keys(Option<HashMap<EcoString, usize>>);

impl Keys {
    const SHORT: usize = 16;

    fn of(length: usize) -> Self {
        Self((Self::SHORT < length).then(|| HashMap::with_capacity(length)))
    }

    /// Where the key stands among those kept; one that isn't there is expected next.
    fn find(&mut self, key: &EcoString, kept: &[Entry]) -> Option<usize> {
        match &mut self.0 {
            None => kept.iter().position(|entry| entry.key == *key),
            Some(known) => match known.entry(key.clone()) {
                hash_map::Entry::Occupied(at) => Some(*at.get()),
                hash_map::Entry::Vacant(free) => {
                    free.insert(kept.len());
                    None
                }
            },
        }
    }
}

impl FromIterator<Entry> for Mapping {
    /// Of a key given twice the last value stays, as Kubernetes reads it.
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let entries: Vec<Entry> = entries.into_iter().collect();
        Self::last_wins(entries.into_iter(), |_, _| {})
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}
