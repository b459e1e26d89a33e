//! What a control plane's folder holds, and the arguments its components are started with.
//!
//! The arguments are the least with which everything works and nothing listens beyond loopback: several of these programs
//! listen on all interfaces, or on fixed ports, unless they are told otherwise.

use std::path::{Path, PathBuf};

use anyhow::Result;
use kube::Client;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::builder::{Builder, Programs};
use super::{ControlPlane, Home};
use crate::component::{Component, Lifetime};
use crate::kubeconfig::{config_from, write, write_private};
use crate::port::Port;
use crate::{audit, cache, certificates, kubelet};

/// The users of a control plane: each gets a token and a kubeconfig. The components aren't administrators.
const USERS: [(&str, &str); 4] = [
    ("admin", "system:masters"),
    ("kwok", "system:masters"),
    ("system:kube-controller-manager", ""),
    ("system:kube-scheduler", ""),
];

/// Who the tokens of ServiceAccounts say that they are from.
pub const ISSUER: &str = "https://kubernetes.default";

/// Raised so that a test waits for the work and not for a client's own brake.
const CLIENT_RATE: [&str; 2] = ["--kube-api-qps=1000", "--kube-api-burst=2000"];

pub(super) fn admin_kubeconfig(home: &Path) -> PathBuf {
    kubeconfig_of(home, "admin")
}

pub(super) fn audit_log(home: &Path) -> PathBuf {
    home.join("audit.log")
}

pub(super) fn authority(home: &Path) -> PathBuf {
    home.join("ca.crt")
}

pub(super) fn account_key(home: &Path) -> PathBuf {
    home.join("sa.pub")
}

fn kubeconfig_of(home: &Path, user: &str) -> PathBuf {
    home.join(format!("{}.kubeconfig", user.trim_start_matches("system:")))
}

/// Writes everything the components read, and prepares them without starting any.
pub(super) async fn lay_out(
    builder: Builder,
    programs: Programs<'_>,
    home: Home,
    lifetime: Lifetime,
) -> Result<ControlPlane> {
    let ports = Ports::reserve()?;
    let path = home.path().to_owned();
    let server = format!("https://{}", ports.api_server.address());
    certificates::write_to(&path)?;
    write_users(&path, &server)?;
    write_private(&path.join("audit-policy.json"), &audit::policy().to_string())?;
    let admin = config_from(&admin_kubeconfig(&path)).await?;
    // Proves once that clients can be made, so that making one later can't fail.
    Client::try_from(admin.clone())?;
    let new = |name: &'static str, arguments: Vec<String>| {
        Component::new(name, programs.control_plane.join(name), &path, lifetime, arguments)
    };
    let kubelets = programs.kwok.map(|kwok| {
        kubelet::component(kwok.to_owned(), &path, lifetime, &kubeconfig_of(&path, "kwok"), &ports.kubelets.address())
    });
    Ok(ControlPlane {
        kubelets: kubelets.transpose()?,
        controllers: match builder.controllers {
            true => vec![
                new("kube-controller-manager", controller_manager(&path, &ports)),
                new("kube-scheduler", scheduler(&path, &ports)),
            ],
            false => Vec::new(),
        },
        api_server: new("kube-apiserver", api_server(&path, &ports, &builder)),
        etcd: new("etcd", etcd(&path, &ports)),
        nodes: builder.nodes,
        server,
        admin,
        home,
        _ports: ports.into_vec(),
    })
}

/// The ports of one control plane, ours as long as it lives.
struct Ports {
    etcd: Port,
    etcd_peers: Port,
    api_server: Port,
    controller_manager: Port,
    scheduler: Port,
    kubelets: Port,
}

impl Ports {
    fn reserve() -> Result<Self> {
        Ok(Self {
            etcd: Port::reserve()?,
            etcd_peers: Port::reserve()?,
            api_server: Port::reserve()?,
            controller_manager: Port::reserve()?,
            scheduler: Port::reserve()?,
            kubelets: Port::reserve()?,
        })
    }

    fn into_vec(self) -> Vec<Port> {
        vec![self.etcd, self.etcd_peers, self.api_server, self.controller_manager, self.scheduler, self.kubelets]
    }
}

fn write_users(home: &Path, server: &str) -> Result<()> {
    let mut tokens = String::new();
    for (user, groups) in USERS {
        let token = random_token()?;
        tokens.push_str(&format!("{token},{user},{user},{groups}\n"));
        write(&kubeconfig_of(home, user), server, &authority(home), "default", &token)?;
    }
    write_private(&home.join("tokens.csv"), &tokens)
}

fn random_token() -> Result<String> {
    let mut bytes = [0; 24];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system has no randomness"))?;
    Ok(cache::hex(&bytes))
}

fn etcd(home: &Path, ports: &Ports) -> Vec<String> {
    let clients = format!("http://{}", ports.etcd.address());
    let peers = format!("http://{}", ports.etcd_peers.address());
    vec![
        format!("--data-dir={}", home.join("etcd").display()),
        format!("--listen-client-urls={clients}"),
        format!("--advertise-client-urls={clients}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
        // As kubeadm has it. The API server sends no bookmarks of a kind before etcd told it anything of it.
        "--watch-progress-notify-interval=5s".to_owned(),
        // Nothing here survives a power failure, and need not.
        "--unsafe-no-fsync".to_owned(),
        "--log-level=error".to_owned(),
    ]
}

fn api_server(home: &Path, ports: &Ports, builder: &Builder) -> Vec<String> {
    let file = |name: &str| home.join(name).display().to_string();
    let mut arguments = vec![
        format!("--etcd-servers=http://{}", ports.etcd.address()),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", ports.api_server.number()),
        format!("--tls-cert-file={}", file("server.crt")),
        format!("--tls-private-key-file={}", file("server.key")),
        format!("--client-ca-file={}", file("ca.crt")),
        format!("--token-auth-file={}", file("tokens.csv")),
        "--authorization-mode=RBAC".to_owned(),
        format!("--service-account-issuer={ISSUER}"),
        format!("--service-account-key-file={}", file("sa.pub")),
        format!("--service-account-signing-key-file={}", file("sa.key")),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        "--allow-privileged=true".to_owned(),
    ];
    if builder.audit {
        arguments.push(format!("--audit-policy-file={}", file("audit-policy.json")));
        arguments.push(format!("--audit-log-path={}", audit_log(home).display()));
        // In megabytes; beyond it the log would be rotated and readers would miss events.
        arguments.push("--audit-log-maxsize=10000".to_owned());
    }
    arguments.extend(builder.api_server_arguments.iter().cloned());
    arguments
}

fn controller_manager(home: &Path, ports: &Ports) -> Vec<String> {
    let mut arguments = client(home, "system:kube-controller-manager", &ports.controller_manager);
    arguments.extend([
        format!("--service-account-private-key-file={}", home.join("sa.key").display()),
        format!("--root-ca-file={}", authority(home).display()),
        "--use-service-account-credentials=true".to_owned(),
        "--concurrent-deployment-syncs=20".to_owned(),
        "--concurrent-replicaset-syncs=20".to_owned(),
        // Fake kubelets that get no processor for a while aren't nodes that failed, whose pods would stop being ready.
        "--node-monitor-grace-period=10m".to_owned(),
    ]);
    arguments
}

fn scheduler(home: &Path, ports: &Ports) -> Vec<String> {
    client(home, "system:kube-scheduler", &ports.scheduler)
}

/// What the controller manager and the scheduler have in common.
fn client(home: &Path, user: &str, port: &Port) -> Vec<String> {
    let mut arguments = vec![
        format!("--kubeconfig={}", kubeconfig_of(home, user).display()),
        "--leader-elect=false".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", port.number()),
    ];
    arguments.extend(CLIENT_RATE.map(str::to_owned));
    arguments
}
