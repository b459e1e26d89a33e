//! What is judged of an object: a template as the server judges the pod that is made of it.

use holdfast_gitops::Node;
use holdfast_pod_security::{Level, Offence, PodFacts, Version, evaluate, strictest};
use holdfast_report::{JudgedObject, LocatedViolation, Written};

use super::objects::{Kind, Object};

/// Judges an object; an error says where in the file something can't be read, and why.
pub(super) fn judge(
    file: &str,
    object: Object<'_>,
    asked: Option<Level>,
    version: Version,
) -> Result<JudgedObject, String> {
    let Object { kind, root } = object;
    let text = |field: &str| root.at(&["metadata", field]).and_then(Node::as_str);
    let name = text("name").or_else(|| text("generateName")).unwrap_or_default();
    let told = |node: &Node, why: &str| {
        format!("{}:{}: {} {name}: {why}", node.origin.line(), node.origin.column(), kind.name)
    };
    let pod = root.at(kind.pod).filter(|pod| pod.get("spec").is_some_and(|spec| !spec.is_null()));
    let pod = pod.ok_or_else(|| told(root, &format!("there is no {}spec", kind.pod_at)))?;
    let facts: PodFacts = pod.decode().map_err(|error| {
        let at = if error.origin.is_somewhere() { error.origin } else { pod.origin };
        format!("{}:{}: {} {name}: {}{error}", at.line(), at.column(), kind.name, kind.pod_at)
    })?;
    let facts = facts.defaulted();
    let level = asked.unwrap_or_else(|| strictest(version, &facts));
    let violations = evaluate(if asked.is_some() { level } else { next(level) }, version, &facts);
    Ok(JudgedObject {
        file: file.to_owned(),
        line: root.origin.line(),
        kind: kind.name,
        namespace: text("namespace").map(str::to_owned),
        name: name.to_owned(),
        pod_at: kind.pod_at,
        level,
        allowed: asked.is_none() || violations.is_empty(),
        violations: violations
            .into_iter()
            .map(|violation| LocatedViolation {
                written: violation.offences.iter().map(|offence| written(root, kind, offence)).collect(),
                violation,
            })
            .collect(),
    })
}

/// The next stricter level; of the strictest itself.
const fn next(level: Level) -> Level {
    match level {
        Level::Privileged => Level::Baseline,
        Level::Baseline | Level::Restricted => Level::Restricted,
    }
}

/// What stands at the place of an offence, or as near to it as there is something.
fn written(root: &Node, kind: Kind, offence: &Offence) -> Written {
    let found = root.find(&format!("{}{}", kind.pod_at, offence.path));
    Written {
        value: found.complete.then(|| found.node.to_json()),
        line: found.origin.line(),
        column: found.origin.column(),
    }
}
