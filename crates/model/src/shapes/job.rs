//! Jobs and CronJobs: never given a budget, but their pods carry labels that a budget may select.

use k8s_openapi::api::batch::v1 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_derive::Resource;
use serde::Deserialize;

use super::template::Template;
use super::workload::Read;
use super::{Shape, meta};
use crate::facts::Fact;
use crate::{Kind, WorkloadKind};

/// A Job.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "api::Job", crates(kube_core = "::kube_core"))]
pub struct Job {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: JobSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct JobSpec {
    template: Template,
}

/// A CronJob.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "api::CronJob", crates(kube_core = "::kube_core"))]
pub struct CronJob {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: CronJobSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CronJobSpec {
    job_template: JobTemplate,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct JobTemplate {
    spec: JobSpec,
}

impl Shape for Job {
    const KIND: Kind = Kind::Job;

    fn fact(mut self) -> Fact {
        Fact::Workload(Read::new(WorkloadKind::Job, &self.metadata, None).workload(None, &mut self.spec.template))
    }
}

impl Shape for CronJob {
    const KIND: Kind = Kind::CronJob;

    fn fact(mut self) -> Fact {
        let template = &mut self.spec.job_template.spec.template;
        Fact::Workload(Read::new(WorkloadKind::CronJob, &self.metadata, None).workload(None, template))
    }
}
