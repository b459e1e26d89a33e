//! Any object into the cluster, by what its `kind` says: what watches do kind by kind.

use serde_json::Value;

use crate::shapes::{OfShape, Shape};
use crate::{Cluster, Kind, ObjectKey, Touched};

/// Takes an object in; one that doesn't decode is noted as unreadable, as a watch would.
///
/// # Panics
/// When the object is of a kind that isn't observed.
pub fn observe(cluster: &mut Cluster, object: &Value) -> Touched {
    let written = object["kind"].as_str().unwrap_or_default();
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == written);
    let Some(kind) = kind else { panic!("{written:?} is not a kind that is observed") };
    kind.with_shape(Decoding { cluster, object })
}

/// The cluster that holds all of these objects.
///
/// # Panics
/// When one of them is of a kind that isn't observed.
pub fn observe_all<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Cluster {
    let mut cluster = Cluster::default();
    for object in objects {
        observe(&mut cluster, object);
    }
    cluster
}

struct Decoding<'a> {
    cluster: &'a mut Cluster,
    object: &'a Value,
}

impl OfShape for Decoding<'_> {
    type Output = Touched;

    fn of<S: Shape>(self) -> Touched {
        let Self { cluster, object } = self;
        match S::deserialize(object) {
            Ok(shape) => cluster.apply(shape),
            Err(error) => {
                let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
                let key = ObjectKey::new(text("namespace"), text("name"));
                cluster.apply_unreadable(S::KIND, &key, &error.to_string())
            }
        }
    }
}
