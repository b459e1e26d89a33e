//! What the API server sends: events and pages, whose objects are decoded one by one.
//!
//! An object is kept as the bytes that arrived until its own type decodes it, so an object that doesn't decode costs
//! nothing but itself, and none is copied into a generic tree first (as kube's `DeserializeGuard` does, twice, with
//! `managedFields`). What can't be decoded still has a name, read leniently from its metadata.

use std::collections::BTreeMap;

use kube::{Resource, core::Status};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{Change, interruption::Interruption, interruption::Reason};

/// The annotation of the bookmark that ends a streaming list.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

#[derive(Deserialize)]
struct Line<'a> {
    r#type: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(default)]
    metadata: ListMeta,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ListMeta {
    resource_version: Option<String>,
    r#continue: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Header {
    metadata: Meta,
}

/// The few fields of metadata that the watch itself needs.
#[derive(Deserialize, Default, Debug)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::observe) struct Meta {
    pub(in crate::observe) namespace: Option<String>,
    pub(in crate::observe) name: Option<String>,
    pub(in crate::observe) resource_version: Option<String>,
    annotations: Option<BTreeMap<String, String>>,
}

/// One line of a watch.
pub(in crate::observe) enum Event<K> {
    /// Added or modified.
    Seen(Object<K>),
    Deleted(Meta),
    Bookmark {
        version: Option<String>,
        ends_list: bool,
    },
}

/// An object that was sent, decoded or not.
pub(in crate::observe) enum Object<K> {
    Whole(K),
    Malformed(Meta, String),
}

impl<K: Resource> Object<K> {
    pub(in crate::observe) fn key(&self) -> (Option<&str>, &str) {
        let (namespace, name) = match self {
            Self::Whole(object) => (&object.meta().namespace, &object.meta().name),
            Self::Malformed(meta, _) => (&meta.namespace, &meta.name),
        };
        (namespace.as_deref(), name.as_deref().unwrap_or_default())
    }

    pub(in crate::observe) fn version(&self) -> Option<&str> {
        match self {
            Self::Whole(object) => object.meta().resource_version.as_deref(),
            Self::Malformed(meta, _) => meta.resource_version.as_deref(),
        }
    }

    pub(in crate::observe) fn into_change(self) -> Change<K> {
        match self {
            Self::Whole(object) => Change::Applied(object),
            Self::Malformed(meta, error) => {
                Change::Malformed { namespace: meta.namespace, name: meta.name.unwrap_or_default(), error }
            }
        }
    }
}

/// One page of a list, its objects decoded.
pub(in crate::observe) struct Page<K> {
    pub(in crate::observe) objects: Vec<Object<K>>,
    pub(in crate::observe) version: Option<String>,
    pub(in crate::observe) next: Option<String>,
}

pub(in crate::observe) fn parse_event<K: Resource + DeserializeOwned>(line: &[u8]) -> Result<Event<K>, Interruption> {
    if let Some(object) = plain_object(line).and_then(|object| serde_json::from_slice(object).ok()) {
        return Ok(Event::Seen(Object::Whole(object)));
    }
    let Ok(parsed) = serde_json::from_slice::<Line<'_>>(line) else {
        return Err(parse_refusal(line));
    };
    match parsed.r#type {
        "ADDED" | "MODIFIED" => Ok(Event::Seen(parse_object(parsed.object))),
        "DELETED" => Ok(Event::Deleted(parse_meta(parsed.object))),
        "BOOKMARK" => Ok(bookmark(parse_meta(parsed.object))),
        "ERROR" => Err(parse_refusal(parsed.object.get().as_bytes())),
        other => Err(Interruption::new(Reason::Unreadable, format!("an event of the unknown type {other}"))),
    }
}

/// The object of an event that is written as the API server writes it, so that it needn't be read twice: once for where it
/// ends. A guess that the decoder proves; what it doesn't take is read the long way.
fn plain_object(line: &[u8]) -> Option<&[u8]> {
    let after = line.strip_prefix(br#"{"type":""#)?;
    let after = after.strip_prefix(b"ADDED").or_else(|| after.strip_prefix(b"MODIFIED"))?;
    after.strip_prefix(br#"","object":"#)?.trim_ascii_end().strip_suffix(b"}")
}

pub(in crate::observe) fn parse_page<K: Resource + DeserializeOwned>(text: &str) -> Result<Page<K>, Interruption> {
    let list: List<'_> =
        serde_json::from_str(text).map_err(|error| Interruption::new(Reason::Unreadable, error.to_string()))?;
    let items = list.items.unwrap_or_default();
    Ok(Page {
        objects: items.into_iter().map(parse_object).collect(),
        version: list.metadata.resource_version,
        next: list.metadata.r#continue.filter(|token| !token.is_empty()),
    })
}

fn parse_object<K: Resource + DeserializeOwned>(raw: &RawValue) -> Object<K> {
    match serde_json::from_str(raw.get()) {
        Ok(object) => Object::Whole(object),
        Err(error) => Object::Malformed(parse_meta(raw), error.to_string()),
    }
}

/// Where metadata itself is unreadable, nothing is known of the object.
fn parse_meta(raw: &RawValue) -> Meta {
    let header: Result<Header, _> = serde_json::from_str(raw.get());
    header.unwrap_or_default().metadata
}

fn bookmark<K>(meta: Meta) -> Event<K> {
    let annotations = meta.annotations.unwrap_or_default();
    let ends_list = annotations.get(INITIAL_EVENTS_END).is_some_and(|value| value == "true");
    Event::Bookmark { version: meta.resource_version, ends_list }
}

fn parse_refusal(text: &[u8]) -> Interruption {
    match serde_json::from_slice::<Status>(text) {
        Ok(status) => Interruption::of_status(&status),
        Err(error) => Interruption::new(Reason::Unreadable, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;

    use super::*;

    fn seen(line: &str) -> Option<ConfigMap> {
        match parse_event(line.as_bytes()) {
            Ok(Event::Seen(Object::Whole(object))) => Some(object),
            Ok(Event::Seen(Object::Malformed(..)) | Event::Deleted(_) | Event::Bookmark { .. }) | Err(_) => None,
        }
    }

    const OBJECT: &str = r#"{"metadata":{"name":"a"},"data":{"k":"}}"}}"#;

    #[test]
    fn an_event_is_read_alike_in_whatever_form_it_is_written() {
        let plain = format!("{{\"type\":\"ADDED\",\"object\":{OBJECT}}}\n");
        assert_eq!(plain_object(plain.as_bytes()), Some(OBJECT.as_bytes()));
        let expected = seen(&plain);
        assert!(expected.is_some());
        for other in [
            format!("{{\"type\":\"MODIFIED\",\"object\":{OBJECT}}}"),
            format!("{{ \"type\": \"ADDED\", \"object\": {OBJECT} }}\n"),
            format!("{{\"object\":{OBJECT},\"type\":\"ADDED\"}}\n"),
            format!("{{\"type\":\"ADDED\",\"object\":{OBJECT},\"more\":{{}}}}\n"),
        ] {
            assert_eq!(seen(&other), expected, "{other}");
        }
    }

    #[test]
    fn what_is_no_object_isnt_guessed_to_be_one() {
        for line in [
            r#"{"type":"ADDED","object":{"metadata":{"name":1}}}"#,
            r#"{"type":"ADDED","object":{"metadata":{}}"#,
            "{}",
        ] {
            assert_eq!(seen(line), None, "{line}");
        }
    }
}
