//! From the events of the parser to trees.
//!
//! Values of sequences and mappings that aren't finished stand on two stacks that are shared by all levels, so that each
//! finished one is allocated once, at its size. What aliases stand for is shared and not copied, but it is counted, as
//! everybody who walks over the tree later pays for it.

use ecow::EcoString;
use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::{Dialect, Duplicate, ErrorKind, Limits, ParseError, Parsed, scalar, template};
use crate::node::{Entry, Mapping};
use crate::{FileId, Node, Origin, Value};

/// The values of a text.
pub(super) fn parse(dialect: Dialect, file: FileId, text: &str, limits: &Limits) -> Parsed {
    // One more than ours, so that ours is the one that speaks.
    let nesting = limits.depth + 1;
    let options = granit_parser::options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: nesting,
        block_nesting_limit: nesting,
    };
    let mut builder = Builder::new(dialect, file, *limits);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let error = builder.read(&mut parser).err().map(|error| explain(error, text));
    let Builder { documents, duplicates, other_key, .. } = builder;
    Parsed { documents, error, duplicates, other_key }
}

/// What breaks a template is never its real error.
fn explain(error: ParseError, text: &str) -> ParseError {
    match error.kind {
        ErrorKind::Syntax | ErrorKind::Key if template::is_template_until(text, error.at.line() as usize) => {
            ParseError {
                message: "this is a template, which is YAML only when it is rendered".to_owned(),
                kind: ErrorKind::Template,
                at: error.at,
            }
        }
        ErrorKind::Syntax
        | ErrorKind::Key
        | ErrorKind::Template
        | ErrorKind::Binary
        | ErrorKind::Encoding
        | ErrorKind::TooLarge
        | ErrorKind::TooDeep
        | ErrorKind::TooManyAliases
        | ErrorKind::Alias
        | ErrorKind::Merge => error,
    }
}

struct Builder {
    dialect: Dialect,
    file: FileId,
    limits: Limits,
    documents: Vec<Node>,
    duplicates: Vec<Duplicate>,
    other_key: Option<(EcoString, Origin)>,
    /// Sequences and mappings that are open.
    frames: Vec<Frame>,
    /// Items of the sequences that are open.
    items: Vec<Node>,
    /// Entries of the mappings that are open.
    entries: Vec<Entry>,
    /// Values with an anchor, by the number that the parser gave it.
    anchors: Vec<Option<Part>>,
    /// How many values aliases stand for so far.
    aliased: usize,
}

/// A finished value and how much it is.
#[derive(Clone)]
struct Part {
    node: Node,
    /// How many values it has, itself included.
    values: usize,
    /// How many levels of sequences and mappings it has.
    levels: usize,
}

struct Frame {
    form: Form,
    origin: Origin,
    anchor: usize,
    values: usize,
    levels: usize,
}

enum Form {
    /// From where its items stand.
    Sequence(usize),
    /// From where its entries stand, what is next, and what it merges.
    Mapping(usize, Next, Vec<Node>),
}

/// What comes next in a mapping.
enum Next {
    Key,
    Value(ecow::EcoString, Origin),
    Merged(Origin),
}

impl Part {
    fn scalar(value: Value, origin: Origin) -> Self {
        Self { node: Node::new(value, origin), values: 1, levels: 0 }
    }
}

impl Builder {
    fn new(dialect: Dialect, file: FileId, limits: Limits) -> Self {
        Self {
            dialect,
            file,
            limits,
            documents: Vec::new(),
            duplicates: Vec::new(),
            other_key: None,
            frames: Vec::new(),
            items: Vec::new(),
            entries: Vec::new(),
            anchors: Vec::new(),
            aliased: 0,
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what the parser may tell beside these is no value")]
    fn read<'a>(&mut self, parser: &mut Parser<'a, StrInput<'a>>) -> Result<(), ParseError> {
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| self.syntax(&error))?;
            match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let tag = tag.as_deref();
                    self.scalar(&text, style, tag, anchor, span)?;
                }
                Event::MappingStart(_, anchor, _) => {
                    let form = Form::Mapping(self.entries.len(), Next::Key, Vec::new());
                    self.open(form, anchor, span)?;
                }
                Event::SequenceStart(_, anchor, _) => self.open(Form::Sequence(self.items.len()), anchor, span)?,
                Event::MappingEnd | Event::SequenceEnd => self.close()?,
                Event::Alias(anchor) => self.alias(anchor, span)?,
                Event::UnresolvedAlias(name) => {
                    let message = format!("the alias *{name} has no anchor &{name} before it");
                    return Err(ParseError::new(ErrorKind::Alias, self.origin(span), message));
                }
                Event::DocumentStart(..) => self.anchors.clear(),
                _ => {}
            }
        }
        Ok(())
    }

    fn origin(&self, span: Span) -> Origin {
        Origin::new(self.file, span.start.line(), span.start.col() + 1)
    }

    fn syntax(&self, error: &ScanError) -> ParseError {
        let at = Origin::new(self.file, error.marker().line(), error.marker().col() + 1);
        if *error.kind() == granit_parser::ErrorKind::RecursionLimitExceeded {
            return self.too_deep(at);
        }
        ParseError::new(ErrorKind::Syntax, at, error.info())
    }

    fn too_deep(&self, at: Origin) -> ParseError {
        let message = format!("nested deeper than {} levels, which is all that is read", self.limits.depth);
        ParseError::new(ErrorKind::TooDeep, at, message)
    }

    /// Whether a key is what comes next.
    fn wants_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { form: Form::Mapping(_, Next::Key, _), .. }))
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        anchor: usize,
        span: Span,
    ) -> Result<(), ParseError> {
        let plain = style == ScalarStyle::Plain;
        let value = match tag {
            None if plain => scalar::scalar(text, self.dialect),
            None => None,
            Some(tag) => match tag.core_suffix() {
                Some("int" | "float" | "bool" | "null") => scalar::scalar(text, self.dialect),
                Some(_) | None => None,
            },
        };
        let origin = self.origin(span);
        if self.wants_key() {
            let merges = plain && tag.is_none() && text == "<<";
            let next = match value.as_ref().and_then(scalar::key) {
                None if merges => Next::Merged(origin),
                None => Next::Value(text.into(), origin),
                Some(key) => {
                    if !matches!(value, Some(Value::String(_))) {
                        self.other_key.get_or_insert_with(|| (key.clone(), origin));
                    }
                    Next::Value(key, origin)
                }
            };
            self.expect(next);
            if anchor != 0 {
                self.remember(anchor, Part::scalar(value.unwrap_or_else(|| text.into()), origin));
            }
            return Ok(());
        }
        let origin = if span.is_empty() { self.key_origin().unwrap_or(origin) } else { origin };
        self.add(Part::scalar(value.unwrap_or_else(|| text.into()), origin), anchor)
    }

    fn expect(&mut self, wanted: Next) {
        if let Some(Frame { form: Form::Mapping(_, next, _), .. }) = self.frames.last_mut() {
            *next = wanted;
        }
    }

    /// Where the key of the value that comes next stands: what isn't written at all is shown there.
    fn key_origin(&self) -> Option<Origin> {
        match self.frames.last()?.form {
            Form::Mapping(_, Next::Value(_, origin) | Next::Merged(origin), _) => Some(origin),
            Form::Mapping(_, Next::Key, _) | Form::Sequence(_) => None,
        }
    }

    fn open(&mut self, form: Form, anchor: usize, span: Span) -> Result<(), ParseError> {
        let origin = self.origin(span);
        if self.wants_key() {
            return Err(complex_key(origin));
        }
        if self.limits.depth <= self.frames.len() {
            return Err(self.too_deep(origin));
        }
        self.frames.push(Frame { form, origin, anchor, values: 1, levels: 0 });
        Ok(())
    }

    fn close(&mut self) -> Result<(), ParseError> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let value = match frame.form {
            Form::Sequence(start) => Value::Sequence(self.items.drain(start..).collect()),
            Form::Mapping(start, _, merged) => Value::Mapping(self.close_mapping(start, &merged)),
        };
        let part = Part { node: Node::new(value, frame.origin), values: frame.values, levels: frame.levels + 1 };
        self.add(part, frame.anchor)
    }

    fn close_mapping(&mut self, start: usize, merged: &[Node]) -> Mapping {
        let duplicates = &mut self.duplicates;
        let mapping = Mapping::last_wins(self.entries.drain(start..), |first, last| {
            duplicates.push(Duplicate { key: last.key.clone(), first: first.at, last: last.at });
        });
        if merged.is_empty() {
            return mapping;
        }
        let merged = merged.iter().flat_map(|node| match &node.value {
            Value::Sequence(items) => items.as_slice(),
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::String(_)
            | Value::Mapping(_) => std::slice::from_ref(node),
        });
        Mapping::first_wins(mapping.iter().chain(merged.flat_map(Node::entries)).cloned())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), ParseError> {
        let origin = self.origin(span);
        let Some(Some(part)) = self.anchors.get(anchor) else {
            let message = "an alias inside of what its anchor stands for never ends";
            return Err(ParseError::new(ErrorKind::Alias, origin, message));
        };
        if self.limits.depth < self.frames.len() + part.levels {
            return Err(self.too_deep(origin));
        }
        self.aliased = self.aliased.saturating_add(part.values);
        if self.limits.aliased < self.aliased {
            let message =
                format!("aliases stand for more than {} values, which is all that is read", self.limits.aliased);
            return Err(ParseError::new(ErrorKind::TooManyAliases, origin, message));
        }
        let mut part = part.clone();
        part.node.origin = origin;
        if self.wants_key() {
            let key = scalar::key(&part.node.value).ok_or_else(|| complex_key(origin))?;
            self.expect(Next::Value(key, origin));
            return Ok(());
        }
        self.add(part, 0)
    }

    fn remember(&mut self, anchor: usize, part: Part) {
        if self.anchors.len() <= anchor {
            self.anchors.resize_with(anchor + 1, || None);
        }
        self.anchors[anchor] = Some(part);
    }

    /// Puts a finished value where it belongs.
    fn add(&mut self, part: Part, anchor: usize) -> Result<(), ParseError> {
        if anchor != 0 {
            self.remember(anchor, part.clone());
        }
        let Part { node, values, levels } = part;
        let Some(frame) = self.frames.last_mut() else {
            // An empty document is none.
            if !node.is_null() {
                self.documents.push(node);
            }
            return Ok(());
        };
        frame.values = frame.values.saturating_add(values);
        frame.levels = frame.levels.max(levels);
        match &mut frame.form {
            Form::Sequence(_) => self.items.push(node),
            Form::Mapping(_, next, merged) => match std::mem::replace(next, Next::Key) {
                Next::Value(key, at) => self.entries.push(Entry { key, at, value: node }),
                Next::Merged(_) if is_mergeable(&node) => merged.push(node),
                Next::Merged(at) => {
                    let message = "a merge key (<<) takes a mapping, or a sequence of mappings";
                    return Err(ParseError::new(ErrorKind::Merge, at, message));
                }
                // Unreachable: scalars, aliases and whatever opens look first whether they are keys.
                Next::Key => return Err(complex_key(node.origin)),
            },
        }
        Ok(())
    }
}

fn is_mergeable(node: &Node) -> bool {
    node.as_mapping().is_some()
        || matches!(&node.value, Value::Sequence(items) if items.iter().all(|item| item.as_mapping().is_some()))
}

fn complex_key(at: Origin) -> ParseError {
    ParseError::new(ErrorKind::Key, at, "a key is a sequence or a mapping, which Kubernetes can't read")
}
