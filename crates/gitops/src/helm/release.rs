//! A HelmRelease as helm-controller sees it: names, namespaces, the chart, the effective values.

use ecow::EcoString;

use super::{Chart, Known, values};
use crate::object::named_at;
use crate::{Node, Object, Origin};

/// A release of a chart.
#[derive(Debug)]
pub(crate) struct Release<'a> {
    /// The HelmRelease.
    pub(crate) object: &'a Object,
    /// The name that Helm gives it.
    pub(crate) name: EcoString,
    /// Where its objects go.
    pub(crate) namespace: EcoString,
    pub(crate) chart: Option<Chart>,
    pub(crate) values: Node,
    /// Where its name is written.
    pub(crate) at: Origin,
}

impl<'a> Release<'a> {
    /// Reads a HelmRelease.
    pub(crate) fn read(object: &'a Object, known: &Known<'_>) -> Self {
        let field = |name: &str| object.root.at(&["spec", name]).and_then(Node::as_str);
        let target = field("targetNamespace").filter(|target| !target.is_empty());
        Self {
            name: release_name(field("releaseName"), target, &object.name),
            namespace: target.unwrap_or(&object.namespace).into(),
            chart: Chart::of(object, known),
            values: values::effective(object, known),
            at: named_at(&object.root),
            object,
        }
    }

    /// The value at a path; a null counts as not there.
    pub(crate) fn value(&self, path: &[&str]) -> Option<&Node> {
        self.values.at(path).filter(|value| !value.is_null())
    }

    /// The text at a path, with the two expressions that charts resolve in values.
    pub(crate) fn text(&self, path: &[&str]) -> Option<EcoString> {
        self.value(path)?.as_str().map(|text| self.expanded(text))
    }

    /// A text in which a chart would resolve the release's own names.
    pub(crate) fn expanded(&self, text: &str) -> EcoString {
        if !text.contains("{{") {
            return text.into();
        }
        let mut out = EcoString::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((action, after)) = after.split_once("}}") else { break };
            out.push_str(before);
            match action.trim_matches('-').trim() {
                ".Release.Name" => out.push_str(&self.name),
                ".Release.Namespace" => out.push_str(&self.namespace),
                _ => {
                    out.push_str("{{");
                    out.push_str(action);
                    out.push_str("}}");
                }
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// `<targetNamespace>-<name>` where a target namespace is set (`helmrelease_types.go`, `GetReleaseName`).
fn release_name(given: Option<&str>, target: Option<&str>, name: &str) -> EcoString {
    match (given.filter(|given| !given.is_empty()), target) {
        (Some(given), _) => given.into(),
        (None, Some(target)) => ecow::eco_format!("{target}-{name}"),
        (None, None) => name.into(),
    }
}
