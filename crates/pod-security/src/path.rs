//! Where something stands in a pod or a pod template. Nothing is written out before somebody prints it.

use std::fmt;

use serde::{Serialize, Serializer};

/// A place in a pod or pod template, for example `spec.containers[0].securityContext.privileged`.
///
/// Printed for people, taken apart with [`Path::segments`] by machines: the key of an annotation has dots of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    place: Place,
    /// Keys with dots between them.
    field: &'static str,
    /// The element, where the field is a list.
    item: Option<u32>,
    /// Further keys, within the element.
    tail: &'static str,
}

/// What a path starts from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Pod,
    Container(Slot),
    Annotation(Box<str>),
}

/// One container: its list, and its position in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    pub(crate) list: &'static str,
    pub(crate) index: u32,
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Segment<'a> {
    /// Into an object.
    Key(&'a str),
    /// Into a list.
    Index(usize),
}

impl Path {
    pub(crate) const fn new(place: Place, field: &'static str) -> Self {
        Self { place, field, item: None, tail: "" }
    }

    pub(crate) fn annotation(key: &str) -> Self {
        Self::new(Place::Annotation(key.into()), "")
    }

    pub(crate) fn item(self, index: u32) -> Self {
        Self { item: Some(index), ..self }
    }

    pub(crate) fn then(self, tail: &'static str) -> Self {
        Self { tail, ..self }
    }

    /// The steps from the pod or template to the place.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        let start = match &self.place {
            Place::Pod => [Some(Segment::Key("spec")), None, None],
            Place::Container(slot) => {
                let index = Segment::Index(slot.index as usize);
                [Some(Segment::Key("spec")), Some(Segment::Key(slot.list)), Some(index)]
            }
            Place::Annotation(key) => {
                [Some(Segment::Key("metadata")), Some(Segment::Key("annotations")), Some(Segment::Key(key))]
            }
        };
        let item = self.item.map(|index| Segment::Index(index as usize));
        start.into_iter().flatten().chain(keys(self.field)).chain(item).chain(keys(self.tail))
    }
}

fn keys(dotted: &str) -> impl Iterator<Item = Segment<'_>> {
    dotted.split('.').filter(|key| !key.is_empty()).map(Segment::Key)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Pod => write!(f, "spec.{}", self.field)?,
            Place::Container(Slot { list, index }) => write!(f, "spec.{list}[{index}].{}", self.field)?,
            Place::Annotation(key) => write!(f, "metadata.annotations['{key}']")?,
        }
        if let Some(index) = self.item {
            write!(f, "[{index}]")?;
        }
        if self.tail.is_empty() { Ok(()) } else { write!(f, ".{}", self.tail) }
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &Path, printed: &str, segments: &[Segment<'_>]) {
        assert_eq!(path.to_string(), printed);
        assert_eq!(path.segments().collect::<Vec<_>>(), segments);
        assert_eq!(serde_json::to_value(path).unwrap(), printed);
    }

    #[test]
    fn a_path_is_printed_and_taken_apart() {
        use Segment::{Index, Key};
        check(&Path::new(Place::Pod, "hostPID"), "spec.hostPID", &[Key("spec"), Key("hostPID")]);
        let container = Place::Container(Slot { list: "initContainers", index: 2 });
        check(
            &Path::new(container, "ports").item(1).then("hostPort"),
            "spec.initContainers[2].ports[1].hostPort",
            &[Key("spec"), Key("initContainers"), Index(2), Key("ports"), Index(1), Key("hostPort")],
        );
        check(
            &Path::annotation("example.org/a"),
            "metadata.annotations['example.org/a']",
            &[Key("metadata"), Key("annotations"), Key("example.org/a")],
        );
    }
}
