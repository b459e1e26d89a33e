//! Deployments, StatefulSets, DaemonSets and ReplicaSets.

use k8s_openapi::api::apps::v1 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_derive::Resource;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::template::{Containers, Template};
use super::{Shape, annotation, count, meta, name, owner, uid};
use crate::facts::{Fact, FluxHints, OptOut, Rare, Singleness, Voters, Workload};
use crate::selector::{RawSelector, Selection};
use crate::{Kind, Labels, Text, WorkloadKind, WorkloadRef};

/// The annotation that says a StatefulSet's replicas vote.
pub(super) const QUORUM: &str = "holdfast.dev/quorum";

/// The annotation of what is inferred from a chart that makes so many replicas whatever its values say.
pub const REPLICAS_FIXED: &str = "holdfast.dev/replicas-fixed";

/// The annotation of what is inferred from a chart that takes the number of replicas from a value: which value.
pub const REPLICAS_VALUE: &str = "holdfast.dev/replicas-value";

/// The annotation of what is inferred from a chart whose pods each say all there is, such as an exporter of the cluster's state.
pub const REPLICAS_REPEAT: &str = "holdfast.dev/replicas-repeat";

/// The annotation of what is inferred from a chart that makes a budget when a value says so: which value.
pub const BUDGET_VALUE: &str = "holdfast.dev/budget-value";

/// The annotation of what is inferred by mere convention, from the values of a chart that nobody read.
pub const GUESSED: &str = "holdfast.dev/guessed";

/// A Deployment.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "api::Deployment", crates(kube_core = "::kube_core"))]
pub struct Deployment {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: DeploymentSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct DeploymentSpec {
    replicas: Option<i32>,
    selector: Option<RawSelector>,
    template: Template,
    strategy: Option<Strategy>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Strategy {
    r#type: Option<String>,
}

/// A StatefulSet.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "api::StatefulSet", crates(kube_core = "::kube_core"))]
pub struct StatefulSet {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: StatefulSetSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StatefulSetSpec {
    replicas: Option<i32>,
    selector: Option<RawSelector>,
    template: StatefulSetTemplate,
    volume_claim_templates: Option<Vec<IgnoredAny>>,
    pod_management_policy: Option<Text>,
}

/// One template, read for both of its uses.
#[derive(Clone, Debug, Default)]
struct StatefulSetTemplate {
    plain: Template,
    containers: Containers,
}

impl<'de> Deserialize<'de> for StatefulSetTemplate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let plain = Template::deserialize(&value).map_err(serde::de::Error::custom)?;
        let containers = Containers::deserialize(&value).map_err(serde::de::Error::custom)?;
        Ok(Self { plain, containers })
    }
}

/// A DaemonSet.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "api::DaemonSet", crates(kube_core = "::kube_core"))]
pub struct DaemonSet {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: TemplateSpec,
}

/// A ReplicaSet. Those of Deployments are kept only as the link between the pod and its Deployment.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "api::ReplicaSet", crates(kube_core = "::kube_core"))]
pub struct ReplicaSet {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: TemplateSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct TemplateSpec {
    replicas: Option<i32>,
    selector: Option<RawSelector>,
    template: Template,
}

impl Shape for Deployment {
    const KIND: Kind = Kind::Deployment;

    fn fact(mut self) -> Fact {
        let kind = self.spec.strategy.and_then(|strategy| strategy.r#type);
        let says = |name: &str| annotation(&self.metadata, name) == Some("true");
        let guessed = says(GUESSED);
        let singleness = Singleness {
            recreate: kind.as_deref() == Some("Recreate"),
            volume: self.spec.template.has_claim(),
            fixed: says(REPLICAS_FIXED),
            repeats: says(REPLICAS_REPEAT),
        };
        let value = |name: &str| annotation(&self.metadata, name).map(Text::from);
        let (replicas_value, budget_value) = (value(REPLICAS_VALUE), value(BUDGET_VALUE));
        let read = Read::new(WorkloadKind::Deployment, &self.metadata, self.spec.selector.as_ref());
        let rare = Rare { replicas_value, budget_value, ..Rare::default() }.some();
        let workload = read.workload(self.spec.replicas, &mut self.spec.template);
        Fact::Workload(Workload { singleness, rare, guessed, ..workload })
    }
}

impl Shape for StatefulSet {
    const KIND: Kind = Kind::StatefulSet;

    fn fact(self) -> Fact {
        let StatefulSetTemplate { mut plain, containers } = self.spec.template;
        let claims = self.spec.volume_claim_templates.is_some_and(|claims| !claims.is_empty());
        let singleness = Singleness { volume: claims || plain.has_claim(), ..Singleness::default() };
        let voters = Voters { declared: annotation(&self.metadata, QUORUM) == Some("true"), ..containers.voters() };
        let read = Read::new(WorkloadKind::StatefulSet, &self.metadata, self.spec.selector.as_ref());
        let ordered = self.spec.pod_management_policy.as_deref() != Some("Parallel");
        let workload = read.workload(self.spec.replicas, &mut plain);
        let rare = Rare { voters: voters.relevant(), ..Rare::default() }.some();
        Fact::Workload(Workload { singleness, ordered, rare, ..workload })
    }
}

impl Shape for DaemonSet {
    const KIND: Kind = Kind::DaemonSet;

    fn fact(mut self) -> Fact {
        let read = Read::new(WorkloadKind::DaemonSet, &self.metadata, self.spec.selector.as_ref());
        Fact::Workload(read.workload(None, &mut self.spec.template))
    }
}

impl Shape for ReplicaSet {
    const KIND: Kind = Kind::ReplicaSet;

    fn fact(mut self) -> Fact {
        match owner(&self.metadata) {
            Some(owner) if owner.is(Kind::Deployment) => Fact::ReplicaOf { deployment: owner.name },
            _ => {
                let read = Read::new(WorkloadKind::ReplicaSet, &self.metadata, self.spec.selector.as_ref());
                Fact::Workload(read.workload(self.spec.replicas, &mut self.spec.template))
            }
        }
    }
}

/// What every workload has, before its kind's own facts are added.
pub(super) struct Read<'a> {
    kind: WorkloadKind,
    meta: &'a ObjectMeta,
    selection: Selection,
}

impl<'a> Read<'a> {
    pub(super) fn new(kind: WorkloadKind, meta: &'a ObjectMeta, selector: Option<&RawSelector>) -> Self {
        Self { kind, meta, selection: Selection::parse(selector) }
    }

    pub(super) fn workload(self, replicas: Option<i32>, template: &mut Template) -> Workload {
        Workload {
            id: WorkloadRef { kind: self.kind, name: name(self.meta) },
            uid: uid(self.meta),
            labels: Labels::of(self.meta.labels.as_ref()),
            template: template.labels(),
            placement: template.placement(),
            security: template.take_security(),
            selection: self.selection,
            replicas: replicas.map(count),
            ordered: false,
            owner: owner(self.meta),
            flux: FluxHints::of(self.meta),
            opt_out: OptOut::of(self.meta),
            singleness: Singleness::default(),
            guessed: false,
            rare: None,
        }
    }
}

#[cfg(test)]
mod tests {
    //! What is kept of a workload.

    use rstest::rstest;
    use serde_json::json;

    use super::{Deployment, Shape, StatefulSet};
    use crate::builders::{Manifest, WorkloadBuilder, deployment, stateful_set};
    use crate::facts::{Fact, Singleness, Workload};
    use crate::selector::Selection;

    fn read<S: Shape>(object: impl Manifest) -> Workload {
        let shape: S = serde_json::from_value(object.build()).unwrap();
        let Fact::Workload(workload) = shape.fact() else { panic!("it makes pods") };
        workload
    }

    #[test]
    fn an_object_of_which_only_the_name_is_there_can_be_read() {
        let bare = json!({ "metadata": { "name": "web" } });
        let web = read::<Deployment>(bare);
        assert_eq!((web.replicas, web.selection, web.template.is_empty()), (None, Selection::Absent, true));
    }

    #[rstest]
    #[case::nothing(deployment("shop/web"), false, false)]
    #[case::recreate(deployment("shop/web").recreating(), true, false)]
    #[case::a_volume(deployment("shop/web").with_volume(), false, true)]
    #[case::rolling(deployment("shop/web").with("/spec/strategy/type", "RollingUpdate"), false, false)]
    #[case::another_volume(
        deployment("shop/web").with("/spec/template/spec/volumes", json!([{ "name": "tmp", "emptyDir": {} }])), false, false
    )]
    fn what_makes_a_deployment_single(#[case] built: WorkloadBuilder, #[case] recreate: bool, #[case] volume: bool) {
        assert_eq!(read::<Deployment>(built).singleness, Singleness { recreate, volume, ..Singleness::default() });
    }

    #[test]
    fn the_claim_templates_of_a_stateful_set_are_volumes() {
        let claims = json!([{ "metadata": { "name": "data" } }]);
        let db = read::<StatefulSet>(stateful_set("shop/db").with("/spec/volumeClaimTemplates", claims));
        assert!(db.singleness.volume);
        assert!(!read::<StatefulSet>(stateful_set("shop/db")).singleness.volume);
    }

    #[test]
    fn what_may_show_a_quorum_is_kept_only_for_what_may_be_one() {
        let etcd = stateful_set("shop/db").image("quay.io/coreos/etcd:v3").argument("--name=a").env("CLUSTER", "yes");
        let etcd = read::<StatefulSet>(etcd);
        let voters = etcd.voters().unwrap();
        assert!(!voters.declared);
        assert_eq!(voters.images, ["quay.io/coreos/etcd:v3"]);
        assert_eq!(voters.words, ["--name=a", "CLUSTER=yes"]);
        assert_eq!(read::<StatefulSet>(stateful_set("shop/db").image("postgres:17").argument("-c")).rare, None);
        assert!(read::<StatefulSet>(stateful_set("shop/db").image("postgres:17").voting()).voters().unwrap().declared);
    }

    #[test]
    fn negative_replicas_which_only_a_file_can_hold_mean_none() {
        assert_eq!(read::<Deployment>(deployment("shop/web").replicas(-1)).replicas, Some(0));
    }
}
