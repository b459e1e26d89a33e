//! Who a fact is about, from the metadata of an object.

use holdfast_model::facts::OptOut;
use holdfast_model::repository::Identity;
use holdfast_model::{Labels, Subject};

use crate::{Node, Object};

/// The identity of an object; `kind` is its kind in the spelling that subjects keep.
pub(super) fn identity(object: &Object, kind: &'static str) -> Identity {
    let metadata = object.root.get("metadata");
    let labels = metadata.and_then(|metadata| metadata.get("labels"));
    let pairs = labels.into_iter().flat_map(Node::entries);
    let labels: Labels = pairs.filter_map(|entry| Some((entry.key.as_str(), entry.value.as_str()?))).collect();
    let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
    Identity {
        subject: Subject { kind, namespace: object.namespace.as_str().into(), name: object.name.as_str().into() },
        labels,
        opt_out: OptOut::read(|key| annotations?.get(key)?.as_str()),
        owner: object.owner.clone(),
        confidence: object.confidence,
    }
}
