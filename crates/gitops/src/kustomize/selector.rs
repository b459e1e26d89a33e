//! Which objects a target means: regular expressions over kind, name and namespace, and selectors over labels and
//! annotations.

use ecow::EcoString;
use regex_lite::Regex;

use super::id::{Gvk, Id};
use super::patch::text_of;
use super::problem::{Problem, ProblemKind};
use super::resource::Resource;
use crate::Node;

/// A target.
pub(super) struct Selector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
    told: String,
}

/// One condition of a selector over pairs.
#[derive(Debug, PartialEq, Eq)]
enum Requirement {
    Has(EcoString),
    HasNot(EcoString),
    In(EcoString, Vec<EcoString>),
    NotIn(EcoString, Vec<EcoString>),
}

impl Selector {
    /// Reads a target.
    pub(super) fn read(target: &Node) -> Result<Self, Problem> {
        let regex = |field: &str| {
            let pattern = text_of(target, field);
            if pattern.is_empty() {
                return Ok(None);
            }
            Regex::new(&format!("^(?:{pattern})$")).map(Some).map_err(|_| {
                let at = target.get(field).map_or(target.origin, |value| value.origin);
                Problem::new(ProblemKind::Invalid, at, format!("{pattern} is no regular expression"))
            })
        };
        let pairs = |field: &str| {
            let at = target.get(field).map_or(target.origin, |value| value.origin);
            requirements(&text_of(target, field)).ok_or_else(|| {
                Problem::new(ProblemKind::Invalid, at, format!("{} is no selector", text_of(target, field)))
            })
        };
        Ok(Self {
            group: regex("group")?,
            version: regex("version")?,
            kind: regex("kind")?,
            name: regex("name")?,
            namespace: regex("namespace")?,
            labels: pairs("labelSelector")?,
            annotations: pairs("annotationSelector")?,
            told: tell(target),
        })
    }

    /// Whether an object is meant, by what it was called first or is called now.
    pub(super) fn selects(&self, resource: &Resource) -> bool {
        let (now, first) = (resource.id(), resource.original_id());
        self.is_name(&now, &first)
            && self.is_namespace(&now, &first)
            && self.is_kind(&now.gvk)
            && self.has_pairs(resource)
    }

    fn is_name(&self, now: &Id, first: &Id) -> bool {
        is(self.name.as_ref(), &first.name) || is(self.name.as_ref(), &now.name)
    }

    fn is_namespace(&self, now: &Id, first: &Id) -> bool {
        [first, now].into_iter().any(|id| is(self.namespace.as_ref(), &id.effective_namespace()))
    }

    /// Whether the kind is meant.
    pub(super) fn is_kind(&self, gvk: &Gvk) -> bool {
        is(self.group.as_ref(), &gvk.group)
            && is(self.version.as_ref(), &gvk.version)
            && is(self.kind.as_ref(), &gvk.kind)
    }

    /// Whether kind, name and namespace of an id are meant, as they are written.
    pub(super) fn is_id(&self, id: &Id) -> bool {
        self.is_kind(&id.gvk) && is(self.name.as_ref(), &id.name) && is(self.namespace.as_ref(), &id.namespace)
    }

    /// Whether it says nothing about kind, name and namespace.
    pub(super) fn is_any_id(&self) -> bool {
        [&self.group, &self.version, &self.kind, &self.name, &self.namespace].into_iter().all(Option::is_none)
    }

    /// Whether it says something about labels or annotations.
    pub(super) fn asks_for_pairs(&self) -> bool {
        !self.labels.is_empty() || !self.annotations.is_empty()
    }

    /// Whether labels and annotations are meant.
    pub(super) fn has_pairs(&self, resource: &Resource) -> bool {
        let meets = |requirements: &[Requirement], field: &str| {
            requirements.iter().all(|requirement| {
                requirement.is_met(|key| resource.pairs(field).find(|(name, _)| *name == key).map(|(_, value)| value))
            })
        };
        meets(&self.labels, "labels") && meets(&self.annotations, "annotations")
    }

    /// For people.
    pub(super) fn told(&self) -> &str {
        &self.told
    }
}

fn is(pattern: Option<&Regex>, text: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.is_match(text))
}

fn tell(target: &Node) -> String {
    let kind = text_of(target, "kind");
    let mut told = if kind.is_empty() { "object".to_owned() } else { kind.to_string() };
    let parts = [
        ("name", " called "),
        ("namespace", " in "),
        ("labelSelector", " with the labels "),
        ("annotationSelector", " with the annotations "),
    ];
    for (field, word) in parts {
        let text = text_of(target, field);
        if !text.is_empty() {
            told.push_str(word);
            told.push_str(&text);
        }
    }
    told
}

impl Requirement {
    fn is_met(&self, value: impl Fn(&EcoString) -> Option<EcoString>) -> bool {
        match self {
            Self::Has(key) => value(key).is_some(),
            Self::HasNot(key) => value(key).is_none(),
            Self::In(key, values) => value(key).is_some_and(|value| values.contains(&value)),
            Self::NotIn(key, values) => value(key).is_none_or(|value| !values.contains(&value)),
        }
    }
}

/// The conditions of a selector as `kubectl -l` takes it: `a=b,c!=d,e in (f, g),h,!i`.
fn requirements(text: &str) -> Option<Vec<Requirement>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        // A comma in brackets doesn't end a condition.
        let mut depth = 0_usize;
        let end = rest.find(|character: char| {
            match character {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            character == ',' && depth == 0
        });
        let (one, after) = end.map_or((rest, ""), |end| (&rest[..end], &rest[end + 1..]));
        found.push(requirement(one.trim())?);
        rest = after.trim();
    }
    Some(found)
}

fn requirement(text: &str) -> Option<Requirement> {
    if let Some(key) = text.strip_prefix('!') {
        return key_of(key).map(Requirement::HasNot);
    }
    if let Some((head, values)) = text.split_once('(') {
        let values = values.strip_suffix(')')?.split(',').map(|value| value.trim().into()).collect();
        let (key, word) = head.trim().rsplit_once(char::is_whitespace)?;
        return match word {
            "in" => Some(Requirement::In(key_of(key)?, values)),
            "notin" => Some(Requirement::NotIn(key_of(key)?, values)),
            _ => None,
        };
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Some(Requirement::NotIn(key_of(key)?, vec![value.trim().into()]));
    }
    if let Some((key, value)) = text.split_once('=') {
        let value = value.strip_prefix('=').unwrap_or(value);
        return Some(Requirement::In(key_of(key)?, vec![value.trim().into()]));
    }
    key_of(text).map(Requirement::Has)
}

fn key_of(text: &str) -> Option<EcoString> {
    let key = text.trim();
    let fine = |character: char| character.is_ascii_alphanumeric() || "-_./".contains(character);
    (!key.is_empty() && key.chars().all(fine)).then(|| key.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_a_row_of_conditions() {
        let found = requirements("a=b, c==d,e!=f ,g in (h, i),j notin (k),l,!m").unwrap();
        let expected = [
            Requirement::In("a".into(), vec!["b".into()]),
            Requirement::In("c".into(), vec!["d".into()]),
            Requirement::NotIn("e".into(), vec!["f".into()]),
            Requirement::In("g".into(), vec!["h".into(), "i".into()]),
            Requirement::NotIn("j".into(), vec!["k".into()]),
            Requirement::Has("l".into()),
            Requirement::HasNot("m".into()),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_selector_is_none() {
        assert!(
            ["a=b,,c", "a in b", "a > 1", "in (a)", "a in (b"].into_iter().all(|text| requirements(text).is_none())
        );
        assert_eq!(requirements("  ").unwrap(), []);
    }
}
