//! What Helm says of a release's values when the chart's schema rejects them.
//!
//! Helm itself holds values against `values.schema.json`; here its complaint is read, in the words of Helm 3 and Helm 4:
//! from whoever renders a chart, or from the status of a HelmRelease that somebody printed from a cluster.

use holdfast_model::repository::{Checked, Helm, Rejected};

use super::identity::identity;
use crate::{Node, Object};

/// How Helm begins, whatever the version.
const BEGIN: &str = "values don't meet the specifications of the schema(s) in the following chart(s):";

/// The most that is told of one release.
const MOST: usize = 10;

pub(super) fn read(object: &Object, helm: &mut Helm) {
    if !object.is("helm.toolkit.fluxcd.io", "HelmRelease") {
        return;
    }
    let conditions = object.root.at(&["status", "conditions"]).map_or(&[][..], Node::items);
    let messages = conditions.iter().filter_map(|condition| condition.get("message")?.as_str());
    if let Some(rejected) = messages.into_iter().find_map(rejected) {
        helm.checked.push(Checked { identity: identity(object, "HelmRelease"), rejected });
    }
}

/// A release whose chart has a schema, and that was rendered: with what Helm complained, when it did.
#[must_use]
pub fn checked(release: &Object, complaint: Option<&str>) -> Checked {
    let rejected = complaint.and_then(rejected).unwrap_or_default();
    Checked { identity: identity(release, "HelmRelease"), rejected }
}

/// What the schema rejects, when this is such a complaint.
#[must_use]
pub fn rejected(complaint: &str) -> Option<Vec<Rejected>> {
    let (_, said) = complaint.split_once(BEGIN)?;
    // A line for each value, unless somebody put it all on one.
    let said = if said.trim_end().contains('\n') { said.to_owned() } else { said.replace(" - ", "\n- ") };
    let lines = said.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let rejected: Vec<Rejected> = lines.filter_map(one).take(MOST).collect();
    (!rejected.is_empty()).then_some(rejected)
}

/// `replicas: Invalid type. Expected: integer, given: string` of Helm 3, `at '/replicas': got string, want integer` of
/// Helm 4 and the later 3.
fn one(line: &str) -> Option<Rejected> {
    let (at, message) = match line.strip_prefix("at '") {
        Some(rest) => rest.split_once("': ").map(|(at, message)| (pointer(at), message))?,
        None => line.split_once(": ").map(|(at, message)| (at.replace("(root)", ""), message))?,
    };
    let field = match at.as_str() {
        "" => "spec.values".to_owned(),
        at => format!("spec.values.{}", at.trim_start_matches('.')),
    };
    let message = message.trim_end_matches('.');
    Some(Rejected { field: field.into(), message: message.into() })
}

/// A JSON pointer as a field path.
fn pointer(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
    let mut path = String::new();
    for step in steps {
        let plain = step.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-');
        match (plain && !step.bytes().all(|c| c.is_ascii_digit()), path.is_empty()) {
            (true, true) => path.push_str(&step),
            (true, false) => {
                path.push('.');
                path.push_str(&step);
            }
            (false, _) => {
                path.push('[');
                path.push_str(&step);
                path.push(']');
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(complaint: &str, expected: &[(&str, &str)]) {
        let said = rejected(complaint).unwrap_or_default();
        let said: Vec<(&str, &str)> = said.iter().map(|it| (it.field.as_str(), it.message.as_str())).collect();
        assert_eq!(said, expected);
    }

    #[test]
    fn helm_3_names_the_value_with_dots() {
        check(
            "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n\
             - (root): Additional property replica is not allowed\n\
             - image.tag: Invalid type. Expected: string, given: number\n",
            &[
                ("spec.values", "Additional property replica is not allowed"),
                ("spec.values.image.tag", "Invalid type. Expected: string, given: number"),
            ],
        );
    }

    #[test]
    fn helm_4_names_the_value_by_a_pointer() {
        check(
            "values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n\
             - at '/containers/0/image': got number, want string\n\
             - at '': additional properties 'replica' not allowed\n\
             - at '/annotations/example.com~1mode': got number, want string\n",
            &[
                ("spec.values.containers[0].image", "got number, want string"),
                ("spec.values", "additional properties 'replica' not allowed"),
                ("spec.values.annotations[example.com/mode]", "got number, want string"),
            ],
        );
    }

    #[test]
    fn all_on_one_line_is_read_too() {
        check(
            "its chart doesn't render: values don't meet the specifications of the schema(s) in the following chart(s): \
             web: - at '/replicas': got string, want integer - at '/port': got string, want integer",
            &[("spec.values.replicas", "got string, want integer"), ("spec.values.port", "got string, want integer")],
        );
    }

    #[test]
    fn every_other_complaint_is_somebody_elses() {
        for complaint in ["", "Error: parse error at (web/templates/deployment.yaml:3): unclosed action"] {
            assert_eq!(rejected(complaint), None, "{complaint}");
        }
    }
}
