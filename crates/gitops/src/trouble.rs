//! A problem on its way out: with an origin in place of a position, as long as nobody has to be told.

use ecow::EcoString;
use holdfast_model::Subject;
use holdfast_model::repository::problems::{FILE, Problem, ProblemKind};

use crate::facts::Paths;
use crate::flux::Kustomization;
use crate::{Object, Origin};

/// A problem, and about what.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) kind: ProblemKind,
    about: About,
    at: Origin,
    pub(crate) message: String,
}

#[derive(Clone, Debug)]
enum About {
    /// The file in which it is.
    File,
    /// A Flux object.
    Object { kind: &'static str, namespace: EcoString, name: EcoString },
}

impl Trouble {
    /// One of a Kustomization.
    pub(crate) fn of(kind: ProblemKind, it: &Kustomization, at: Origin, message: String) -> Self {
        let at = if at.is_somewhere() { at } else { it.at };
        let about = About::Object { kind: "Kustomization", namespace: it.namespace.clone(), name: it.name.clone() };
        Self { kind, about, at, message }
    }

    /// One of another Flux object.
    pub(crate) fn of_object(kind: ProblemKind, named: &'static str, object: &Object, message: String) -> Self {
        let about = About::Object { kind: named, namespace: object.namespace.clone(), name: object.name.clone() };
        Self { kind, about, at: object.origin(), message }
    }

    /// One of a file.
    pub(crate) fn in_file(kind: ProblemKind, at: Origin, message: String) -> Self {
        Self { kind, about: About::File, at, message }
    }

    /// The same, for a person.
    pub(crate) fn told(&self, paths: &dyn Paths) -> Problem {
        let position = paths.position(self.at);
        let subject = match &self.about {
            About::Object { kind, namespace, name } => {
                Subject { kind, namespace: namespace.as_str().into(), name: name.as_str().into() }
            }
            About::File => {
                let file = position.as_ref().map(|position| &*position.file).unwrap_or_default();
                Subject { kind: FILE, namespace: "".into(), name: file.into() }
            }
        };
        Problem { kind: self.kind, subject, position, message: self.message.clone() }
    }
}
