//! Where something stands in a pod or a pod template. Nothing is written out before somebody prints it.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::facts::PodFacts;

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

    /// The end of it, from the field on.
    fn write_field(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field)?;
        if let Some(index) = self.item {
            write!(f, "[{index}]")?;
        }
        if self.tail.is_empty() { Ok(()) } else { write!(f, ".{}", self.tail) }
    }

    /// The place in words, with the names that this pod gives: whoever writes the values of a chart knows no positions.
    pub fn named<'a>(&'a self, pod: &'a PodFacts) -> impl fmt::Display {
        Named { path: self, pod }
    }
}

/// Where a container asks for capabilities.
pub(crate) const ADDED: &str = "securityContext.capabilities.add";

/// A path with names, for example `securityContext.privileged of container "app"`.
struct Named<'a> {
    path: &'a Path,
    pod: &'a PodFacts,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, pod } = self;
        let volume = path.item.and_then(|index| pod.volumes.iter().find(|(at, _)| *at == index));
        let container = pod.placed().find(|(place, _)| *place == path.place);
        match (&path.place, volume, container) {
            (Place::Pod, Some((_, volume)), _) if path.field == "volumes" && !path.tail.is_empty() => {
                write!(f, "{} of volume {:?}", path.tail, volume.name)
            }
            (Place::Pod, ..) => {
                path.write_field(f)?;
                f.write_str(" of the pod")
            }
            (Place::Container(_), _, Some((_, container))) => {
                let added =
                    container.security().capabilities.as_ref().map_or(&[][..], |capabilities| &capabilities.add);
                let item = path.item.filter(|_| path.field == ADDED).and_then(|index| added.get(index as usize));
                match item {
                    Some(capability) => write!(f, "{capability} of {ADDED}")?,
                    None => path.write_field(f)?,
                }
                write!(f, " of container {:?}", container.name)
            }
            (Place::Container(_), _, None) | (Place::Annotation(_), ..) => write!(f, "{path}"),
        }
    }
}

fn keys(dotted: &str) -> impl Iterator<Item = Segment<'_>> {
    dotted.split('.').filter(|key| !key.is_empty()).map(Segment::Key)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Pod => f.write_str("spec.")?,
            Place::Container(Slot { list, index }) => write!(f, "spec.{list}[{index}].")?,
            Place::Annotation(key) => write!(f, "metadata.annotations['{key}']")?,
        }
        self.write_field(f)
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn named(path: &Path, words: &str) {
        let pod = json!({"spec": {
            "initContainers": [{"name": "first"}],
            "containers": [
                {"name": "app", "securityContext": {"capabilities": {"add": ["CHOWN", "SETUID"]}}}, {"name": "sidecar"},
            ],
            "volumes": [{"name": "own", "emptyDir": {}}, {"name": "media", "nfs": {}}],
        }});
        let pod: PodFacts = serde_json::from_value(pod).unwrap();
        assert_eq!(path.named(&pod).to_string(), words);
    }

    #[test]
    fn a_path_is_told_with_the_names_of_its_pod() {
        let container = |list, index| Path::new(Place::Container(Slot { list, index }), "securityContext.privileged");
        named(&container("containers", 1), "securityContext.privileged of container \"sidecar\"");
        named(&container("initContainers", 0), "securityContext.privileged of container \"first\"");
        let port = Path::new(Place::Container(Slot { list: "containers", index: 0 }), "ports").item(1).then("hostPort");
        named(&port, "ports[1].hostPort of container \"app\"");
        let added = Path::new(Place::Container(Slot { list: "containers", index: 0 }), ADDED).item(1);
        named(&added, "SETUID of securityContext.capabilities.add of container \"app\"");
        named(&Path::new(Place::Pod, "hostPID"), "hostPID of the pod");
        named(&Path::new(Place::Pod, "volumes").item(1).then("nfs"), "nfs of volume \"media\"");
    }

    #[test]
    fn what_has_no_name_is_told_by_its_place() {
        let missing = Place::Container(Slot { list: "containers", index: 9 });
        named(&Path::new(missing, "ports"), "spec.containers[9].ports");
        named(&Path::new(Place::Pod, "volumes").item(7).then("nfs"), "volumes[7].nfs of the pod");
        named(&Path::annotation("example.org/a"), "metadata.annotations['example.org/a']");
    }

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
