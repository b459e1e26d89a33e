//! Operators that make the budgets of what they own: theirs is judged, ours would only fight it.

use holdfast_model::facts::Workload;
use holdfast_model::{NamespaceView, OwnerRef};

/// API groups of custom resources whose controllers write PodDisruptionBudgets themselves.
const MAKE_THEIR_OWN: [&str; 22] = [
    "acid.zalan.do",
    "ceph.rook.io",
    "clickhouse.altinity.com",
    "cluster.redpanda.com",
    "core.strimzi.io",
    "elasticsearch.k8s.elastic.co",
    "humio.com",
    "k8s.mariadb.com",
    "kafka.strimzi.io",
    "kibana.k8s.elastic.co",
    "longhorn.io",
    "minio.min.io",
    "monitoring.coreos.com",
    "mysql.oracle.com",
    "opensearch.opster.io",
    "pgv2.percona.com",
    "postgres-operator.crunchydata.com",
    "postgresql.cnpg.io",
    "psmdb.percona.com",
    "pxc.percona.com",
    "rabbitmq.com",
    "scylla.scylladb.com",
];

/// Whether the operator behind this API group makes budgets of its own.
#[must_use]
pub(super) fn makes_its_own(group: &str) -> bool {
    MAKE_THEIR_OWN.contains(&group)
}

/// The custom resource in which the chain of owners of a workload ends, when it does.
#[must_use]
pub(crate) fn custom_owner(view: NamespaceView<'_>, workload: &Workload) -> Option<OwnerRef> {
    let mut owner = workload.owner.as_ref()?;
    // A chain of built-in kinds has at most three links (CronJob, Job, pod); a cycle would be somebody's mistake.
    for _ in 0..3 {
        let Some(id) = owner.workload() else { break };
        owner = view.workload(&id)?.owner.as_ref()?;
    }
    let built_in = matches!(&*owner.group, "" | "apps" | "batch");
    (!built_in).then(|| owner.clone())
}
