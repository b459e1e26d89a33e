//! Where the fields of objects were written, without their values.
//!
//! The values of a checkout are several times its text, and when its facts are known nobody asks for more than places.
//! A field that stands where the one above it does is left out, as whoever asks is shown that one anyway: so of an object
//! that was inferred little is left. Absent: a bound of its own for one object; all of them together have one, beyond which
//! what is asked for is shown where the nearest kept one above it is.

use ecow::EcoString;
use foldhash::HashMap;

use crate::node::Entry;
use crate::path::{self, Segment};
use crate::{Mapping, Node, Object, Origin, Value};

/// More fields than checkouts have: aliases can stand for any number.
const MOST: usize = 1 << 24;

/// What the outlines of objects have in common.
#[derive(Debug, Default)]
pub(super) struct Outlines {
    /// Keys by their text: there are few, again and again.
    keys: HashMap<EcoString, u32>,
    /// How many fields there are.
    kept: usize,
    /// Those of the object that is being added, each before those below it.
    fields: Vec<Field>,
}

/// The fields of an object.
#[derive(Debug)]
pub(super) struct Outline(Box<[Field]>);

/// As small as can be: there are as many as values in a checkout.
#[derive(Clone, Copy, Debug)]
struct Field {
    origin: Origin,
    step: Step,
    /// Behind the last one below it.
    end: u32,
}

/// The way to a field from the one above it: an index, or else the number of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step(u32);

impl Step {
    const INDEX: u32 = 1 << 31;

    fn key(number: u32) -> Self {
        Self(number)
    }

    fn index(index: usize) -> Self {
        Self(Self::INDEX | place(index))
    }
}

/// The same, before it is known whether it is kept.
#[derive(Clone, Copy)]
enum Written<'a> {
    Key(&'a str),
    Index(usize),
}

impl Outlines {
    /// Adds an object, with the labels of its owner.
    pub(super) fn add(&mut self, object: &Object) -> Outline {
        let origin = object.root.origin;
        self.fields.push(Field { origin, step: Step::index(0), end: 0 });
        match object.root.as_mapping().zip(object.added()) {
            Some((root, (added, at))) => self.root(root, added.map(|(key, _)| key), at, origin),
            None => self.below(&object.root, origin),
        }
        self.fields[0].end = place(self.fields.len());
        self.kept += self.fields.len();
        let outline = Outline(self.fields.as_slice().into());
        self.fields.clear();
        outline
    }

    /// What is below an object to which an owner adds labels.
    fn root(&mut self, root: &Mapping, added: [&str; 2], at: Origin, above: Origin) {
        for entry in root.iter() {
            match entry.value.as_mapping().filter(|_| entry.key == "metadata") {
                Some(metadata) => self.field(Written::Key(&entry.key), place_of(entry), above, |this, above| {
                    this.metadata(metadata, added, at, above);
                }),
                None => self.entry(entry, above),
            }
        }
    }

    /// Metadata with the labels of an owner, which is named at a place.
    fn metadata(&mut self, metadata: &Mapping, added: [&str; 2], at: Origin, above: Origin) {
        let is_labels = |entry: &&Entry| entry.key == "labels";
        metadata.iter().filter(|entry| !is_labels(entry)).for_each(|entry| self.entry(entry, above));
        let labels = metadata.iter().find(is_labels).and_then(|entry| Some((entry, entry.value.as_mapping()?)));
        // Where there are none all of them are made there.
        let stands = labels.map_or(at, |(entry, _)| place_of(entry));
        self.field(Written::Key("labels"), stands, above, |this, above| {
            let own = labels.into_iter().flat_map(|(_, own)| own.iter());
            own.filter(|entry| !added.contains(&&*entry.key)).for_each(|entry| this.entry(entry, above));
            added.iter().for_each(|key| this.field(Written::Key(key), at, above, |_, _| {}));
        });
    }

    /// What is below a value that is shown at a place.
    fn below(&mut self, node: &Node, above: Origin) {
        match &node.value {
            Value::Mapping(mapping) => mapping.iter().for_each(|entry| self.entry(entry, above)),
            Value::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.field(Written::Index(index), item.origin, above, |this, above| this.below(item, above));
                }
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => {}
        }
    }

    fn entry(&mut self, entry: &Entry, above: Origin) {
        let written = Written::Key(&entry.key);
        self.field(written, place_of(entry), above, |this, above| this.below(&entry.value, above));
    }

    /// A field and what is below it, unless all of that is shown at the place above.
    fn field(&mut self, written: Written<'_>, at: Origin, above: Origin, below: impl FnOnce(&mut Self, Origin)) {
        let origin = if at.is_somewhere() { at } else { above };
        let start = self.fields.len();
        if MOST <= self.kept + start {
            return;
        }
        self.fields.push(Field { origin, step: Step::index(0), end: 0 });
        below(self, origin);
        let end = self.fields.len();
        if end == start + 1 && origin == above {
            self.fields.truncate(start);
            return;
        }
        self.fields[start].step = self.step(written);
        self.fields[start].end = place(end);
    }

    fn step(&mut self, written: Written<'_>) -> Step {
        match written {
            Written::Index(index) => Step::index(index),
            Written::Key(key) => Step::key(match self.keys.get(key) {
                Some(known) => *known,
                None => {
                    let new = place(self.keys.len());
                    self.keys.insert(key.into(), new);
                    new
                }
            }),
        }
    }

    /// Where the field at a path stands, or the nearest one above it.
    pub(super) fn find(&self, Outline(fields): &Outline, path: &str) -> Origin {
        let mut found = 0;
        for segment in path::parse(path) {
            let end = fields[found].end as usize;
            let Some(step) = self.step_of(&segment, &fields[found + 1..end]) else { break };
            let mut at = found + 1;
            while at < end && fields[at].step != step {
                at = fields[at].end as usize;
            }
            if end <= at {
                break;
            }
            found = at;
        }
        fields[found].origin
    }

    /// A segment among the fields below one; none when nothing is called so. A key that is a number is written as an index
    /// is.
    fn step_of(&self, segment: &Segment, below: &[Field]) -> Option<Step> {
        let known = |key: &str| self.keys.get(key).copied().map(Step::key);
        match segment {
            Segment::Key(key) => known(key),
            Segment::Index(index) if below.first()?.step.0 < Step::INDEX => known(&index.to_string()),
            Segment::Index(index) => Some(Step::index(*index)),
        }
    }
}

/// As a number that fits: nobody has more than [`MOST`] fields.
fn place(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn place_of(entry: &Entry) -> Origin {
    path::place(entry.at, entry.value.origin)
}

#[cfg(test)]
mod tests;
