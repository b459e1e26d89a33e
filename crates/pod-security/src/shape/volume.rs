//! A volume: its name, and which kind of source it has. What the source says is not kept.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

/// A volume of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Volume {
    pub(crate) name: Box<str>,
    pub(crate) sources: Sources,
}

impl Volume {
    /// A volume with these keys next to its name, for example `emptyDir`: one, if it is valid.
    pub fn new<'a>(name: impl Into<Box<str>>, sources: impl IntoIterator<Item = &'a str>) -> Self {
        let sources = sources.into_iter().fold(Sources::default(), |sources, key| sources.with(key));
        Self { name: name.into(), sources }
    }
}

/// The sources of a volume as a set of bits. A valid one has one, but the checks say what they say about any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Sources(u32);

/// The sources that every level allows. The order of both lists is that of the bits.
pub(crate) const ALLOWED: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// Those that aren't, in the order in which the server looks for them.
const RESTRICTED: [&str; 21] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];

const FIRST_RESTRICTED: usize = ALLOWED.len();

/// A key that a newer release may know.
const UNKNOWN: usize = FIRST_RESTRICTED + RESTRICTED.len();

impl Sources {
    fn with(self, key: &str) -> Self {
        let allowed = ALLOWED.iter().position(|name| *name == key);
        let restricted = || RESTRICTED.iter().position(|name| *name == key).map(|at| FIRST_RESTRICTED + at);
        Self(self.0 | 1 << allowed.or_else(restricted).unwrap_or(UNKNOWN))
    }

    /// Whether every level allows it. Without a source, a volume is an `emptyDir`: every server fills that in, in
    /// templates too.
    pub(crate) const fn is_allowed(self) -> bool {
        self.0 == 0 || self.0 & ((1 << FIRST_RESTRICTED) - 1) != 0
    }

    /// Whether no level has anything to say against it.
    pub(crate) const fn is_harmless(self) -> bool {
        self.is_allowed() && self.0 >> FIRST_RESTRICTED & ((1 << RESTRICTED.len()) - 1) == 0
    }

    pub(crate) const fn has_host_path(self) -> bool {
        self.0 & (1 << FIRST_RESTRICTED) != 0
    }

    /// Those that the restricted level doesn't allow, by name.
    pub(crate) fn restricted(self) -> impl Iterator<Item = &'static str> {
        RESTRICTED
            .into_iter()
            .enumerate()
            .filter(move |(at, _)| self.0 & (1 << (FIRST_RESTRICTED + at)) != 0)
            .map(|(_, name)| name)
    }
}

impl<'de> Deserialize<'de> for Volume {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Volume;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a volume")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Volume, A::Error> {
        let mut volume = Volume::default();
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Name => volume.name = map.next_value::<Option<Box<str>>>()?.unwrap_or_default(),
                Key::Source(source) if map.next_value::<Option<IgnoredAny>>()?.is_some() => {
                    volume.sources = Sources(volume.sources.0 | source.0);
                }
                Key::Source(_) => {}
            }
        }
        Ok(volume)
    }
}

/// A key, recognised without a copy of its text.
enum Key {
    Name,
    Source(Sources),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_identifier(Text)
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        Ok(if key == "name" { Key::Name } else { Key::Source(Sources::default().with(key)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_has_a_bit_of_its_own() {
        for name in RESTRICTED {
            let sources = Sources::default().with(name);
            assert_eq!(sources.restricted().collect::<Vec<_>>(), [name]);
            assert!(!sources.is_allowed() && !sources.with("secret").is_harmless());
            assert_eq!(sources.has_host_path(), name == "hostPath");
        }
        for name in ALLOWED {
            let sources = Sources::default().with(name);
            assert!(sources.is_harmless() && sources.restricted().next().is_none(), "{name}");
        }
        assert!(Sources::default().is_harmless());
        let unknown = Sources::default().with("tomorrow");
        assert!(!unknown.is_allowed() && unknown.restricted().next().is_none());
    }

    #[test]
    fn only_the_kind_of_source_is_kept() {
        let read = |json: &str| serde_json::from_str::<Volume>(json).unwrap();
        assert_eq!(read(r#"{"hostPath":{"path":"/"},"name":"a"}"#), Volume::new("a", ["hostPath"]));
        assert_eq!(read(r#"{"name":"a","emptyDir":null,"secret":{}}"#), Volume::new("a", ["secret"]));
        assert_eq!(read(r#"{"name":null}"#), Volume::new("", []));
    }
}
