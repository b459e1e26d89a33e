//! The table of charts. A row is a fact that was read, with the version it was read in; extend it the same way.

use super::{Budget, Known, Replicas, Switch, Text, Workload};

/// The labels that `helm create` gives.
const STANDARD: &[(&str, Text)] =
    &[("app.kubernetes.io/name", Text::Name("")), ("app.kubernetes.io/instance", Text::Release)];

/// The same of a chart that tells its controller from its other parts.
const CONTROLLER: &[(&str, Text)] = &[
    ("app.kubernetes.io/name", Text::Name("")),
    ("app.kubernetes.io/instance", Text::Release),
    ("app.kubernetes.io/component", Text::Is("controller")),
];

/// One Deployment as `helm create` makes it.
const fn deployment(replicas: Replicas, budget: Option<Budget>) -> Workload {
    Workload {
        kind: "Deployment",
        name: Text::Fullname(""),
        labels: STANDARD,
        more: &[],
        replicas,
        when: &[],
        budget,
        apart: false,
        values: &[],
    }
}

const PDB: &[&str] = &["podDisruptionBudget"];
const REPLICA_COUNT: Replicas = Replicas::At(&["replicaCount"], 1);
const REPLICAS: Replicas = Replicas::At(&["replicas"], 1);

/// All charts that were read, by name.
pub(in crate::helm) const CHARTS: &[Known] = &[
    Known { name: "cert-manager", read: "1.21.1", workloads: CERT_MANAGER },
    Known { name: "chaski", read: "0.5.0", workloads: &[deployment(REPLICA_COUNT, Some(Budget::Enabled(PDB, None)))] },
    Known { name: "cilium", read: "1.16", workloads: CILIUM },
    Known { name: "cloudnative-pg", read: "0.29.0", workloads: &[deployment(REPLICA_COUNT, None)] },
    Known { name: "coredns", read: "1.46.2", workloads: COREDNS },
    Known { name: "descheduler", read: "0.36.0", workloads: DESCHEDULER },
    Known { name: "dragonfly-operator", read: "1.6.1", workloads: &[deployment(REPLICA_COUNT, None)] },
    Known {
        name: "echo",
        read: "0.2.3",
        workloads: &[Workload {
            when: &[Switch::Off(&["autoscaling", "enabled"])],
            ..deployment(REPLICA_COUNT, Some(Budget::Enabled(PDB, None)))
        }],
    },
    // Later ones have a replicaCount, which may be 0 or 1.
    Known { name: "external-dns", read: "1.21.1", workloads: &[deployment(Replicas::Fixed(1), None)] },
    Known { name: "external-secrets", read: "2.9.0", workloads: EXTERNAL_SECRETS },
    // What a FluxInstance makes is flux-operator's.
    Known { name: "flux-instance", read: "0.49.0", workloads: &[] },
    Known { name: "flux-operator", read: "0.49.0", workloads: &[deployment(Replicas::Fixed(1), None)] },
    Known { name: "gateway-helm", read: "1.9.0-rc.1", workloads: ENVOY_GATEWAY },
    Known { name: "ingress-nginx", read: "4.15.1", workloads: INGRESS_NGINX },
    Known { name: "keda", read: "2.20.2", workloads: KEDA },
    Known { name: "kube-prometheus-stack", read: "88.5.3", workloads: KUBE_PROMETHEUS_STACK },
    Known {
        name: "kube-state-metrics",
        read: "8.4.0",
        workloads: &[Workload {
            when: &[Switch::Off(&["autosharding", "enabled"])],
            ..deployment(Replicas::Repeating(&["replicas"], 1), Some(Budget::Present(PDB)))
        }],
    },
    Known { name: "longhorn", read: "1.12.0-dev", workloads: LONGHORN },
    Known {
        name: "metrics-server",
        read: "3.13.1",
        workloads: &[deployment(REPLICAS, Some(Budget::Enabled(PDB, None)))],
    },
    Known { name: "miroir", read: "0.11.22", workloads: MIROIR },
    Known { name: "node-feature-discovery", read: "0.2.1", workloads: NODE_FEATURE_DISCOVERY },
    Known {
        name: "prometheus-adapter",
        read: "5.3.0",
        workloads: &[deployment(REPLICAS, Some(Budget::Enabled(PDB, None)))],
    },
    Known {
        name: "prometheus-blackbox-exporter",
        read: "11.17.2",
        workloads: &[Workload {
            when: &[Switch::Says(&["kind"], "Deployment", "Deployment")],
            ..deployment(REPLICAS, Some(Budget::Present(PDB)))
        }],
    },
    Known { name: "proxmox-csi-plugin", read: "0.5.4", workloads: PROXMOX_CSI },
    Known { name: "reloader", read: "2.2.16", workloads: RELOADER },
    Known { name: "rook-ceph", read: "1.20.6", workloads: ROOK_CEPH },
    // Its pods are the operator's.
    Known { name: "rook-ceph-cluster", read: "1.20.6", workloads: &[] },
    Known { name: "spegel", read: "0.7.4", workloads: SPEGEL },
    Known { name: "tuppr", read: "0.5.0", workloads: &[deployment(REPLICA_COUNT, None)] },
    Known { name: "volsync", read: "0.17.0", workloads: VOLSYNC },
];

const CERT_MANAGER: &[Workload] = &[
    Workload {
        labels: CONTROLLER,
        more: &[("app", Text::Name(""))],
        ..deployment(REPLICA_COUNT, Some(Budget::Enabled(PDB, Some(1))))
    },
    Workload {
        name: Text::Fullname("-webhook"),
        labels: &[
            ("app.kubernetes.io/name", Text::Is("webhook")),
            ("app.kubernetes.io/instance", Text::Release),
            ("app.kubernetes.io/component", Text::Is("webhook")),
        ],
        more: &[("app", Text::Is("webhook"))],
        values: &["webhook"],
        ..deployment(
            Replicas::At(&["webhook", "replicaCount"], 1),
            Some(Budget::Enabled(&["webhook", "podDisruptionBudget"], Some(1))),
        )
    },
    Workload {
        name: Text::Fullname("-cainjector"),
        labels: &[
            ("app.kubernetes.io/name", Text::Is("cainjector")),
            ("app.kubernetes.io/instance", Text::Release),
            ("app.kubernetes.io/component", Text::Is("cainjector")),
        ],
        more: &[("app", Text::Is("cainjector"))],
        when: &[Switch::On(&["cainjector", "enabled"], true)],
        values: &["cainjector"],
        ..deployment(
            Replicas::At(&["cainjector", "replicaCount"], 1),
            Some(Budget::Enabled(&["cainjector", "podDisruptionBudget"], Some(1))),
        )
    },
];

/// The agent and Hubble weren't read; only the operator has replicas that its users change.
const CILIUM: &[Workload] = &[Workload {
    name: Text::Is("cilium-operator"),
    labels: &[("io.cilium/app", Text::Is("operator")), ("name", Text::Is("cilium-operator"))],
    more: &[("app.kubernetes.io/name", Text::Is("cilium-operator"))],
    when: &[Switch::On(&["operator", "enabled"], true)],
    apart: true,
    values: &["operator"],
    ..deployment(
        Replicas::At(&["operator", "replicas"], 2),
        Some(Budget::Enabled(&["operator", "podDisruptionBudget"], None)),
    )
}];

const COREDNS: &[Workload] = &[Workload {
    labels: &[
        ("app.kubernetes.io/instance", Text::Release),
        ("k8s-app", Text::Value(&["k8sAppLabelOverride"], "coredns")),
        ("app.kubernetes.io/name", Text::Name("")),
    ],
    when: &[Switch::On(&["deployment", "enabled"], true), Switch::On(&["isClusterService"], true)],
    ..deployment(REPLICA_COUNT, Some(Budget::Present(PDB)))
}];

const DESCHEDULER: &[Workload] = &[Workload {
    when: &[Switch::Says(&["kind"], "Deployment", "CronJob")],
    ..deployment(REPLICAS, Some(Budget::Enabled(PDB, Some(1))))
}];

const EXTERNAL_SECRETS: &[Workload] = &[
    deployment(REPLICA_COUNT, Some(Budget::Enabled(PDB, Some(1)))),
    Workload {
        name: Text::Fullname("-webhook"),
        labels: &[("app.kubernetes.io/name", Text::Name("-webhook")), ("app.kubernetes.io/instance", Text::Release)],
        when: &[Switch::On(&["webhook", "create"], true)],
        values: &["webhook"],
        ..deployment(
            Replicas::At(&["webhook", "replicaCount"], 1),
            Some(Budget::Enabled(&["webhook", "podDisruptionBudget"], Some(1))),
        )
    },
    Workload {
        name: Text::Fullname("-cert-controller"),
        labels: &[
            ("app.kubernetes.io/name", Text::Name("-cert-controller")),
            ("app.kubernetes.io/instance", Text::Release),
        ],
        when: &[Switch::On(&["certController", "create"], true), Switch::Off(&["webhook", "certManager", "enabled"])],
        values: &["certController"],
        ..deployment(
            Replicas::At(&["certController", "replicaCount"], 1),
            Some(Budget::Enabled(&["certController", "podDisruptionBudget"], Some(1))),
        )
    },
];

const ENVOY_GATEWAY: &[Workload] = &[Workload {
    name: Text::Is("envoy-gateway"),
    labels: &[
        ("control-plane", Text::Is("envoy-gateway")),
        ("app.kubernetes.io/name", Text::Name("")),
        ("app.kubernetes.io/instance", Text::Release),
    ],
    when: &[Switch::Off(&["hpa", "enabled"])],
    values: &["deployment", "pod"],
    ..deployment(Replicas::At(&["deployment", "replicas"], 1), Some(Budget::AtLeastOne(PDB)))
}];

const INGRESS_NGINX: &[Workload] = &[Workload {
    name: Text::Fullname("-controller"),
    labels: CONTROLLER,
    when: &[
        Switch::Says(&["controller", "kind"], "Deployment", "Deployment"),
        Switch::Off(&["controller", "autoscaling", "enabled"]),
        Switch::Off(&["controller", "keda", "enabled"]),
    ],
    values: &["controller"],
    ..deployment(Replicas::At(&["controller", "replicaCount"], 1), Some(Budget::AboveOne(&["controller"], 1)))
}];

const KEDA: &[Workload] = &[
    Workload {
        name: Text::Value(&["operator", "name"], "keda-operator"),
        labels: &[("app", Text::Value(&["operator", "name"], "keda-operator"))],
        ..deployment(
            Replicas::At(&["operator", "replicaCount"], 1),
            Some(Budget::Present(&["podDisruptionBudget", "operator"])),
        )
    },
    Workload {
        name: Text::Is("keda-operator-metrics-apiserver"),
        labels: &[("app", Text::Is("keda-operator-metrics-apiserver"))],
        when: &[
            Switch::On(&["metricsServer", "enabled"], true),
            Switch::Says(&["operator", "name"], "keda-operator", "keda-operator"),
        ],
        ..deployment(
            Replicas::At(&["metricsServer", "replicaCount"], 1),
            Some(Budget::Present(&["podDisruptionBudget", "metricServer"])),
        )
    },
    Workload {
        name: Text::Value(&["webhooks", "name"], "keda-admission-webhooks"),
        labels: &[("app", Text::Value(&["webhooks", "name"], "keda-admission-webhooks"))],
        when: &[Switch::On(&["webhooks", "enabled"], true)],
        ..deployment(
            Replicas::At(&["webhooks", "replicaCount"], 1),
            Some(Budget::Present(&["podDisruptionBudget", "webhooks"])),
        )
    },
];

/// Prometheus and Alertmanager are custom resources, whose pods their operator makes.
const KUBE_PROMETHEUS_STACK: &[Workload] = &[Workload {
    name: Text::Value(&["prometheusOperator", "fullnameOverride"], "kube-prometheus-stack-operator"),
    labels: &[("app", Text::Is("kube-prometheus-stack-operator")), ("release", Text::Release)],
    when: &[Switch::On(&["prometheusOperator", "enabled"], true)],
    values: &["prometheusOperator"],
    ..deployment(Replicas::Fixed(1), None)
}];

const LONGHORN: &[Workload] = &[
    Workload {
        kind: "DaemonSet",
        name: Text::Is("longhorn-manager"),
        labels: &[("app", Text::Is("longhorn-manager"))],
        ..deployment(Replicas::PerNode, None)
    },
    Workload {
        name: Text::Is("longhorn-driver-deployer"),
        labels: &[("app", Text::Is("longhorn-driver-deployer"))],
        ..deployment(Replicas::Fixed(1), None)
    },
    Workload {
        name: Text::Is("longhorn-ui"),
        labels: &[("app", Text::Is("longhorn-ui"))],
        values: &["longhornUI"],
        ..deployment(Replicas::At(&["longhornUI", "replicas"], 2), None)
    },
];

/// The agents weren't read.
const MIROIR: &[Workload] = &[Workload {
    name: Text::Fullname("-controller"),
    labels: CONTROLLER,
    values: &["global"],
    ..deployment(REPLICA_COUNT, Some(Budget::OneAtATime))
}];

const NODE_FEATURE_DISCOVERY: &[Workload] = &[
    Workload {
        name: Text::Fullname("-master"),
        labels: &[
            ("app.kubernetes.io/name", Text::Name("")),
            ("app.kubernetes.io/instance", Text::Release),
            ("role", Text::Is("master")),
        ],
        when: &[Switch::On(&["master", "enable"], true)],
        values: &["master"],
        ..deployment(
            Replicas::At(&["master", "replicaCount"], 1),
            Some(Budget::Enabled(&["master", "podDisruptionBudget"], None)),
        )
    },
    Workload {
        kind: "DaemonSet",
        name: Text::Fullname("-worker"),
        labels: &[
            ("app.kubernetes.io/name", Text::Name("")),
            ("app.kubernetes.io/instance", Text::Release),
            ("role", Text::Is("worker")),
        ],
        when: &[Switch::On(&["worker", "enable"], true)],
        values: &["worker"],
        ..deployment(Replicas::PerNode, None)
    },
    Workload {
        name: Text::Fullname("-gc"),
        labels: &[
            ("app.kubernetes.io/name", Text::Name("")),
            ("app.kubernetes.io/instance", Text::Release),
            ("role", Text::Is("gc")),
        ],
        when: &[Switch::On(&["gc", "enable"], true)],
        values: &["gc"],
        ..deployment(
            Replicas::At(&["gc", "replicaCount"], 1),
            Some(Budget::Enabled(&["gc", "podDisruptionBudget"], None)),
        )
    },
];

/// The plugin on the nodes wasn't read.
const PROXMOX_CSI: &[Workload] = &[Workload { name: Text::Fullname("-controller"), ..deployment(REPLICA_COUNT, None) }];

const RELOADER: &[Workload] = &[Workload {
    name: Text::ReleaseAndChart,
    labels: &[("app", Text::ReleaseAndChart), ("release", Text::Release)],
    more: STANDARD,
    values: &["reloader", "deployment"],
    ..deployment(
        Replicas::OneUnless(&["reloader", "deployment", "replicas"], &["reloader", "enableHA"]),
        Some(Budget::Enabled(&["reloader", "podDisruptionBudget"], None)),
    )
}];

const ROOK_CEPH: &[Workload] = &[Workload {
    name: Text::Is("rook-ceph-operator"),
    labels: &[("app", Text::Is("rook-ceph-operator"))],
    when: &[Switch::Off(&["scaleDownOperator"])],
    ..deployment(Replicas::Fixed(1), None)
}];

const SPEGEL: &[Workload] = &[Workload {
    kind: "DaemonSet",
    labels: &[
        ("app.kubernetes.io/component", Text::Is("spegel")),
        ("app.kubernetes.io/name", Text::Name("")),
        ("app.kubernetes.io/instance", Text::Release),
    ],
    ..deployment(Replicas::PerNode, None)
}];

const VOLSYNC: &[Workload] = &[Workload {
    labels: &[
        ("control-plane", Text::Fullname("-controller")),
        ("app.kubernetes.io/name", Text::Name("")),
        ("app.kubernetes.io/instance", Text::Release),
    ],
    ..deployment(REPLICA_COUNT, None)
}];
