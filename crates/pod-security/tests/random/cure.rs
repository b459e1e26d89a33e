//! Applies a change to a pod as JSON.

use holdfast_pod_security::{Fix, Path, Segment};
use serde_json::{Map, Value};

pub(crate) fn apply(fix: &Fix, pod: &mut Value) {
    match fix {
        Fix::Set { path, value } => {
            *place(pod, path.segments()) = serde_json::from_str(value).expect("a value in JSON")
        }
        Fix::Remove { path } => drop(remove(pod, path)),
        Fix::Replace { path, by, value } => {
            let parent = remove(pod, path).expect("something to replace");
            parent[*by] = serde_json::from_str(value).expect("a value in JSON");
        }
    }
}

/// The place, made where it is missing.
fn place<'a>(pod: &'a mut Value, segments: impl Iterator<Item = Segment<'a>>) -> &'a mut Value {
    segments.fold(pod, |at, segment| match segment {
        Segment::Key(key) => {
            if at.is_null() {
                *at = Value::Object(Map::new());
            }
            &mut at[key]
        }
        Segment::Index(index) => &mut at[index],
    })
}

/// Takes the place away, and hands out what it was in if that is there.
fn remove<'a>(pod: &'a mut Value, path: &Path) -> Option<&'a mut Value> {
    let mut segments: Vec<Segment<'_>> = path.segments().collect();
    let last = segments.pop()?;
    let parent = segments.into_iter().try_fold(pod, |at, segment| match segment {
        Segment::Key(key) => at.get_mut(key),
        Segment::Index(index) => at.get_mut(index),
    })?;
    match last {
        Segment::Key(key) => drop(parent.as_object_mut()?.remove(key)),
        Segment::Index(index) => drop(parent.as_array_mut()?.remove(index)),
    }
    Some(parent)
}
