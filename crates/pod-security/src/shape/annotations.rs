//! The annotations of a pod: most are about something else and are passed over without a copy.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

pub(crate) const APP_ARMOR_ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";
pub(crate) const SECCOMP_POD_ANNOTATION: &str = "seccomp.security.alpha.kubernetes.io/pod";
pub(crate) const SECCOMP_ANNOTATION: &str = "container.seccomp.security.alpha.kubernetes.io/";

/// Whether a check reads the annotation with this key.
pub(crate) fn is_read(key: &str) -> bool {
    key.starts_with(APP_ARMOR_ANNOTATION) || key.starts_with(SECCOMP_ANNOTATION) || key == SECCOMP_POD_ANNOTATION
}

/// The annotations that a check reads.
#[derive(Debug, Clone, Default)]
pub struct Annotations(Vec<(Box<str>, Box<str>)>);

impl Annotations {
    /// Keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }
}

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Map)
    }
}

struct Map;

impl<'de> Visitor<'de> for Map {
    type Value = Annotations;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("annotations")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Annotations, A::Error> {
        let mut annotations = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            match key {
                Some(key) => annotations.push((key, map.next_value::<Option<Box<str>>>()?.unwrap_or_default())),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Annotations(annotations))
    }
}

/// The key, if it is read.
struct Key(Option<Box<str>>);

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
        Ok(Key(is_read(key).then(|| key.into())))
    }
}
