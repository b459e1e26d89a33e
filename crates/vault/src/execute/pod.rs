//! Deletes a stuck pod: that one and no other of its name, and only while it is still what was seen.

use k8s_openapi::api::core::v1::{ObjectReference, Pod};
use kube::Api;
use kube::api::{DeleteParams, Preconditions};

use super::{Done, Hands};
use crate::audit::{Act, told};
use crate::metrics::Ended;
use crate::settings::Settings;

impl Hands {
    pub(super) async fn delete(&self, pod: &str, uid: &str, settings: &Settings, about: &ObjectReference) -> Done {
        let api: Api<Pod> = Api::namespaced(self.kube.clone(), &settings.namespace);
        let preconditions = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        match told(settings, Act::DeletePod, pod, api.delete(pod, &params)).await {
            Ok(_) => {
                self.metrics.deleted(Ended::Well);
                let note = format!("the pod {pod} was stuck, though its server would start now: deleted");
                self.announce(about, "PodDeleted", "DeletePod", false, note);
                Done::Something
            }
            // It is gone, or another one: nothing is stuck any more.
            Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Done::Something,
            Err(_) => {
                self.metrics.deleted(Ended::Badly);
                Done::Nothing
            }
        }
    }
}
