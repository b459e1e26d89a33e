//! Files and objects for the tests of facts.

use std::sync::Arc;

use holdfast_model::{Confidence, Position, Repository};

use super::{FileFacts, Paths, read_object, read_tree};
use crate::yaml::{Limits, parse};
use crate::{FileId, Node, Object, Origin, SourceFile};

struct Listed(Vec<Arc<str>>);

impl Paths for Listed {
    fn position(&self, origin: Origin) -> Option<Position> {
        let file = self.0.get(origin.file().index())?;
        Some(Position { file: Arc::clone(file), line: origin.line(), column: origin.column() })
    }
}

/// The facts of files, each a path and its text.
pub(super) fn files(files: &[(&str, &str)]) -> Repository {
    let mut facts = FileFacts::default();
    let paths = Listed(files.iter().map(|(path, _)| (*path).into()).collect());
    for (index, (path, text)) in files.iter().enumerate() {
        let id = FileId::new(index).unwrap();
        let parsed = parse(id, text.as_bytes(), &Limits::default());
        assert!(parsed.error.is_none(), "{path}: {:?}", parsed.error);
        let file = SourceFile { id, path: (*path).into(), refused: None, documents: parsed.documents };
        facts.read(&file, &paths);
    }
    let mut repository = facts.into_repository();
    read_tree(&paths.0, &mut repository);
    repository
}

/// The facts of the objects of a text.
pub(super) fn objects(text: &str) -> Repository {
    let mut repository = Repository::default();
    let paths = Listed(vec!["objects.yaml".into()]);
    for root in parse(FileId::new(0).unwrap(), text.as_bytes(), &Limits::default()).documents {
        read_object(&object(root), &paths, &mut repository);
    }
    repository
}

fn object(root: Node) -> Object {
    let text = |path: &[&str]| root.at(path).and_then(Node::as_str).unwrap_or_default().into();
    Object {
        api_version: text(&["apiVersion"]),
        kind: text(&["kind"]),
        namespace: text(&["metadata", "namespace"]),
        name: text(&["metadata", "name"]),
        confidence: Confidence::Declared,
        owner: None,
        labelled: None,
        root,
    }
}
