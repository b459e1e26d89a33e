//! The variables of a Kustomization: its own, and those of ConfigMaps and Secrets as far as Git shows them.
//!
//! An encrypted Secret shows which variables there are and not what they are. One that isn't in Git may hold any.

use ecow::EcoString;
use foldhash::HashMap;

use super::substitute::evaluate;
use crate::Node;

pub(super) use super::substitute::Lookup;

/// What variables a Kustomization has.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    values: HashMap<EcoString, Lookup>,
    /// Whether there may be more, in an object that isn't in Git.
    open: bool,
}

impl Variables {
    /// What a name stands for.
    pub(super) fn get(&self, name: &str) -> Lookup {
        match self.values.get(name) {
            Some(value) => value.clone(),
            None if self.open => Lookup::Unknown,
            None => Lookup::Undefined,
        }
    }

    /// Whether there is nothing to put in: Flux then leaves objects as they are, defaults and all.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && !self.open
    }

    /// Takes note of an object that isn't in Git.
    pub(super) fn open(&mut self) {
        self.open = true;
    }

    /// Takes the variables of a mapping in, over those that are there.
    pub(super) fn extend(&mut self, data: Option<&Node>) {
        for entry in data.into_iter().flat_map(Node::entries) {
            // A number or a truth value is no string, and the API server would refuse it; what is meant is clear.
            let text = entry.value.as_str().map(EcoString::from).or_else(|| scalar(&entry.value));
            let value = match text {
                Some(text) if is_encrypted(&text) => Lookup::Unknown,
                Some(text) => Lookup::Known(text.replace("\n", "")),
                None => Lookup::Unknown,
            };
            self.values.insert(entry.key.clone(), value);
        }
    }

    /// Takes the variables of a ConfigMap or Secret in.
    pub(super) fn extend_from(&mut self, object: &Node) {
        let secret = object.get("kind").and_then(Node::as_str) == Some("Secret");
        if secret {
            for entry in object.get("data").into_iter().flat_map(Node::entries) {
                // Base64 that nobody here needs decoded: values of Secrets are not for a report.
                self.values.insert(entry.key.clone(), Lookup::Unknown);
            }
            self.extend(object.get("stringData"));
        } else {
            self.extend(object.get("data"));
        }
    }
}

fn scalar(node: &Node) -> Option<EcoString> {
    let number = node.as_integer().map(|value| ecow::eco_format!("{value}"));
    number.or_else(|| node.as_bool().map(|value| ecow::eco_format!("{value}")))
}

fn is_encrypted(text: &str) -> bool {
    text.starts_with("ENC[") && text.ends_with(']')
}

/// Whether a text can be substituted without any variable: for paths that are needed before anything is built.
pub(super) fn without_variables(text: &str) -> Option<EcoString> {
    let evaluated = evaluate(text, &|_| Lookup::Undefined).ok()?;
    evaluated.undefined.is_empty().then_some(evaluated.text)
}
