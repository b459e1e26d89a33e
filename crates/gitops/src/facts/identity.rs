//! Who a fact is about, from the metadata of an object.

use holdfast_model::Subject;
use holdfast_model::facts::OptOut;
use holdfast_model::repository::Identity;

use crate::Object;

/// The identity of an object; `kind` is its kind in the spelling that subjects keep.
pub(super) fn identity(object: &Object, kind: &'static str) -> Identity {
    let annotations = object.root.at(&["metadata", "annotations"]);
    Identity {
        subject: Subject { kind, namespace: object.namespace.as_str().into(), name: object.name.as_str().into() },
        labels: object.labels(),
        opt_out: OptOut::read(|key| annotations?.get(key)?.as_str()),
        owner: object.owner.clone(),
        confidence: object.confidence,
    }
}
