//! `configMapGenerator` and `secretGenerator`.

use ecow::EcoString;

use super::accumulate::Builder;
use super::file::{Scalar, scalar};
use super::key_value::{self, Pair};
use super::problem::ProblemKind;
use super::resource::{Behavior, Resource};
use crate::node::{Entry, Mapping};
use crate::{Node, Origin, Value};

/// What is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    ConfigMap,
    Secret,
}

/// A value and where it stands.
struct Placed {
    pair: Pair,
    at: Origin,
}

/// Makes one; none when it has no name.
pub(super) fn make(
    builder: &mut Builder<'_>,
    folder: &str,
    kind: Kind,
    source: &Node,
    global: Option<&Node>,
) -> Option<Resource> {
    let Some(name) = source.get("name").and_then(scalar) else {
        builder.problems.add(ProblemKind::Invalid, source.origin, "a generator needs the name of what it makes");
        return None;
    };
    let pairs = pairs(builder, folder, source);
    let options = Options { local: source.get("options"), global };
    let mut root = Mapping::default();
    let mut set = |key: &str, value: Value, at: Origin| root.insert(key, at, Node::new(value, at));
    set("apiVersion", "v1".into(), name.at);
    set("kind", if kind == Kind::Secret { "Secret" } else { "ConfigMap" }.into(), name.at);
    set("metadata", Value::Mapping(metadata(source, &name, &options)), source.origin);
    if kind == Kind::Secret {
        let given = source.get("type").and_then(scalar);
        let text = given.as_ref().map_or("Opaque", |given| &given.text);
        set("type", text.into(), given.as_ref().map_or(name.at, |given| given.at));
    }
    let (text, binary) = data(kind, pairs);
    if !text.is_empty() || kind == Kind::Secret {
        set("data", Value::Mapping(text), name.at);
    }
    if !binary.is_empty() {
        set("binaryData", Value::Mapping(binary), name.at);
    }
    if options.flag("immutable") {
        set("immutable", Value::Bool(true), name.at);
    }
    let mut made = Resource::new(Node::new(Value::Mapping(root), source.origin));
    made.hashed = !options.flag("disableNameSuffixHash");
    made.behavior = behavior(builder, source);
    Some(made)
}

fn behavior(builder: &mut Builder<'_>, source: &Node) -> Behavior {
    match source.get("behavior").map(|behavior| (behavior, behavior.as_str().unwrap_or_default())) {
        Some((_, "replace")) => Behavior::Replace,
        Some((_, "merge")) => Behavior::Merge,
        Some((_, "create" | "")) | None => Behavior::Create,
        Some((node, _)) => {
            let message = "the behavior of a generator is create, replace or merge";
            builder.problems.add(ProblemKind::Invalid, node.origin, message);
            Behavior::Create
        }
    }
}

fn metadata(source: &Node, name: &Scalar, options: &Options<'_>) -> Mapping {
    let mut metadata = Mapping::default();
    metadata.insert("name", name.at, Node::new(Value::String(name.text.clone()), name.at));
    if let Some(namespace) = source.get("namespace").and_then(scalar) {
        metadata.insert("namespace", namespace.at, Node::new(Value::String(namespace.text), namespace.at));
    }
    for field in ["labels", "annotations"] {
        let pairs = options.pairs(field);
        if !pairs.is_empty() {
            let at = pairs.iter().next().map_or(name.at, |pair| pair.at);
            metadata.insert(field, at, Node::new(Value::Mapping(pairs), at));
        }
    }
    metadata
}

/// What is said for one generator wins over what is said for all; a switch is on when either says so.
struct Options<'a> {
    local: Option<&'a Node>,
    global: Option<&'a Node>,
}

impl Options<'_> {
    fn flag(&self, name: &str) -> bool {
        [self.local, self.global]
            .into_iter()
            .flatten()
            .any(|options| options.get(name).and_then(Node::as_bool) == Some(true))
    }

    fn pairs(&self, field: &str) -> Mapping {
        let both = [self.global, self.local].into_iter().flatten().filter_map(|options| options.get(field));
        let entries = both.flat_map(Node::entries).map(|entry| Entry {
            key: entry.key.clone(),
            at: entry.at,
            value: Node::new(Value::String(entry.value.text().unwrap_or_default()), entry.value.origin),
        });
        entries.collect()
    }
}

fn pairs(builder: &mut Builder<'_>, folder: &str, source: &Node) -> Vec<Placed> {
    let mut found = Vec::new();
    let list = |field: &str| source.get(field).map(Node::items).unwrap_or_default().iter();
    for item in list("envs").chain(source.get("env")) {
        found.extend(variables(builder, folder, item));
    }
    for item in list("literals") {
        match item.text().as_deref().and_then(key_value::literal) {
            Some(pair) => found.push(Placed { pair, at: item.origin }),
            None => builder.problems.add(ProblemKind::Invalid, item.origin, "a literal is written key=value"),
        }
    }
    for item in list("files") {
        found.extend(file(builder, folder, item));
    }
    let mut known: Vec<Placed> = Vec::with_capacity(found.len());
    for placed in found {
        let key = &placed.pair.key;
        if !key_value::is_key(key) {
            builder.problems.add(ProblemKind::Invalid, placed.at, format!("{key} is no key that a ConfigMap may have"));
        } else if known.iter().any(|other| other.pair.key == *key) {
            builder.problems.add(ProblemKind::Clash, placed.at, format!("the key {key} is given twice"));
        } else {
            known.push(placed);
        }
    }
    known
}

fn variables(builder: &mut Builder<'_>, folder: &str, item: &Node) -> Vec<Placed> {
    let Some(written) = scalar(item) else { return Vec::new() };
    let Some((path, content)) = content(builder, folder, &written) else { return Vec::new() };
    let at = builder.files.id(&path).map_or(written.at, |id| Origin::new(id, 1, 1));
    match key_value::variables(&content) {
        Ok(pairs) => pairs.into_iter().map(|pair| Placed { pair, at }).collect(),
        Err(why) => {
            builder.problems.add(ProblemKind::Unreadable, written.at, format!("{path}: {why}"));
            Vec::new()
        }
    }
}

fn file(builder: &mut Builder<'_>, folder: &str, item: &Node) -> Option<Placed> {
    let text = item.text().unwrap_or_default();
    let Some((key, path)) = key_value::file(&text) else {
        builder.problems.add(ProblemKind::Invalid, item.origin, "a file is written path, or key=path");
        return None;
    };
    let written = Scalar { text: path.into(), at: item.origin };
    let (path, value) = content(builder, folder, &written)?;
    let at = builder.files.id(&path).map_or(item.origin, |id| Origin::new(id, 1, 1));
    Some(Placed { pair: Pair { key: key.to_owned(), value }, at })
}

fn content(builder: &mut Builder<'_>, folder: &str, written: &Scalar) -> Option<(String, Vec<u8>)> {
    let path = builder.file(folder, written)?;
    builder.read.insert(path.clone());
    match builder.files.bytes(&path) {
        Ok(content) => Some((path, content.into_owned())),
        Err(error) => {
            builder.problems.add(ProblemKind::Unreadable, written.at, format!("{path} can't be read: {error}"));
            None
        }
    }
}

/// `data` and `binaryData`: what is no text goes into the second, but in a Secret all of it is encoded.
fn data(kind: Kind, mut pairs: Vec<Placed>) -> (Mapping, Mapping) {
    pairs.sort_by(|one, two| one.pair.key.cmp(&two.pair.key));
    let (mut text, mut binary) = (Mapping::default(), Mapping::default());
    for Placed { pair, at } in pairs {
        let into = match (kind, str::from_utf8(&pair.value)) {
            (Kind::ConfigMap, Ok(value)) => {
                text.insert(pair.key.as_str(), at, Node::new(value.into(), at));
                continue;
            }
            (Kind::ConfigMap, Err(_)) => &mut binary,
            (Kind::Secret, _) => &mut text,
        };
        let value = Value::String(EcoString::from(key_value::base64(&pair.value)));
        into.insert(pair.key.as_str(), at, Node::new(value, at));
    }
    (text, binary)
}
