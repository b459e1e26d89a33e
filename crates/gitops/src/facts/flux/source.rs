//! Sources of Flux, and references to them.

use holdfast_model::ObjectKey;
use holdfast_model::repository::{Follows, Source, SourceRef};

use super::{field, text};
use crate::facts::identity::identity;
use crate::{Node, Object};

pub(super) fn read(object: &Object) -> Option<Source> {
    let kind = match object.kind.as_str() {
        "GitRepository" => "GitRepository",
        "OCIRepository" => "OCIRepository",
        "HelmRepository" => "HelmRepository",
        "HelmChart" => "HelmChart",
        "Bucket" => "Bucket",
        _ => return None,
    };
    let spec = object.root.get("spec");
    let url = text(spec, if kind == "HelmChart" { "chart" } else { "url" }).unwrap_or_default();
    Some(Source {
        identity: identity(object, kind),
        url: url.into(),
        interval: field(object, "interval").is_some(),
        oci: kind == "OCIRepository" || url.starts_with("oci://"),
        verified: field(object, "verify").is_some(),
        follows: follows(object, kind),
    })
}

/// Which of several ways to say it wins is the order of the API's own documentation.
fn follows(object: &Object, kind: &str) -> Follows {
    let reference = field(object, "ref");
    let of = |key| text(reference, key);
    if kind == "HelmChart" {
        return text(object.root.get("spec"), "version").map_or(Follows::Newest, version);
    }
    if of("digest").or(of("commit")).is_some() {
        return Follows::Digest;
    }
    if let Some(range) = of("semver") {
        return Follows::Range(range.into());
    }
    if let Some(tag) = of("name").or(of("tag")) {
        return Follows::Tag(tag.into());
    }
    of("branch").map_or(Follows::Newest, |branch| Follows::Branch(branch.into()))
}

fn version(version: &str) -> Follows {
    match Follows::is_exact(version) {
        true => Follows::Tag(version.into()),
        false => Follows::Range(version.into()),
    }
}

/// A reference; a namespace that isn't given is that of the object.
pub(super) fn reference(node: &Node, object: &Object) -> SourceRef {
    let of = |key| text(Some(node), key).unwrap_or_default();
    let namespace = text(Some(node), "namespace").unwrap_or(&object.namespace);
    SourceRef { kind: of("kind").into(), key: ObjectKey::new(namespace, of("name")) }
}
