//! Arguments as typed. Each is also an environment variable, which is how the chart sets them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::audit;
use crate::drain::Drain;
use crate::explain::Explain;
use crate::pod_security;

/// Above the arguments that commands which only read files have no use for.
const CLUSTER: &str = "Cluster (for commands that use one)";
const LOG: &str = "Log (of commands that use a cluster)";

/// Keeps a Flux and Talos Kubernetes cluster upgradeable.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true, max_term_width = 110)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) cluster: Cluster,
    #[command(flatten)]
    pub(crate) logging: Logging,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which cluster.
#[derive(Debug, Args)]
pub(crate) struct Cluster {
    /// The kubeconfig file. Without it: $KUBECONFIG, else ~/.kube/config, else the pod's own account.
    #[arg(long, global = true, env = "HOLDFAST_KUBECONFIG", value_name = "FILE", help_heading = CLUSTER, hide_short_help = true)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig file.
    #[arg(long, global = true, env = "HOLDFAST_CONTEXT", help_heading = CLUSTER, hide_short_help = true)]
    pub(crate) context: Option<String>,
    /// The namespace of the Lease by which replicas agree who writes.
    #[arg(long, global = true, env = "HOLDFAST_LEASE_NAMESPACE", default_value = "holdfast-system")]
    #[arg(help_heading = CLUSTER, hide_short_help = true)]
    pub(crate) lease_namespace: String,
}

/// How it logs.
#[derive(Debug, Args)]
pub(crate) struct Logging {
    /// `json` for machines, `text` for people. Without it: text on a terminal, else JSON.
    #[arg(long, global = true, env = "HOLDFAST_LOG_FORMAT", value_enum, help_heading = LOG, hide_short_help = true)]
    pub(crate) log_format: Option<LogFormat>,
    /// error, warn, info, debug or trace; or directives such as `info,holdfast_controller=debug`.
    #[arg(long, global = true, env = "HOLDFAST_LOG_LEVEL", default_value = "info")]
    #[arg(help_heading = LOG, hide_short_help = true)]
    pub(crate) log_level: String,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Says what a Git checkout will do to the next drain and the next upgrade. Needs no cluster.
    // Its --version is that of the Pod Security Standards.
    #[command(disable_version_flag = true)]
    Audit(audit::Arguments),
    /// Says what draining the nodes of a cluster would do, and who stands in the way. Changes nothing.
    Drain(Drain),
    /// Explains a rule: why it matters, what happens otherwise, and the remedy. Without one it lists all.
    Explain(Explain),
    /// Says which level of the Pod Security Standards manifests keep, and what stands in the way. Needs no cluster.
    // Its --version is that of the standards.
    #[command(disable_version_flag = true)]
    PodSecurity(pod_security::Arguments),
    /// Watches a cluster, and keeps its disruption budgets, its drain forecast and its Pod Security labels as the policies ask.
    Controller(Controller),
    /// Keeps Vaults and OpenBaos startable that seal themselves with a transit key of another one.
    VaultController(VaultController),
    /// Takes back everything that is ours; what the chart runs before it is uninstalled.
    Withdraw,
    /// Prints the custom resource definitions.
    Crds,
    /// Prints completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

impl Command {
    /// Whether it answers a person at a prompt, who has no use for a log.
    pub(crate) const fn is_for_people(&self) -> bool {
        match self {
            Self::Audit(_) | Self::Drain(_) | Self::Explain(_) | Self::PodSecurity(_) => true,
            Self::Controller(_) | Self::VaultController(_) | Self::Withdraw | Self::Crds | Self::Completions { .. } => {
                false
            }
        }
    }
}

/// How the controller runs.
#[derive(Debug, Args)]
pub(crate) struct Controller {
    /// Where metrics are served, at /metrics.
    #[arg(long, env = "HOLDFAST_METRICS_ADDR", default_value = ":8080", value_parser = parse_address)]
    pub(crate) metrics_addr: SocketAddr,
    /// Where probes are answered, at /livez and /readyz.
    #[arg(long, env = "HOLDFAST_HEALTH_ADDR", default_value = ":8081", value_parser = parse_address)]
    pub(crate) health_addr: SocketAddr,
    /// Whether replicas elect a leader. Without, run only one.
    #[arg(long, env = "HOLDFAST_LEADER_ELECT", default_value_t = true, action = ArgAction::Set)]
    pub(crate) leader_elect: bool,
    /// How long a mass withdrawal waits that no change of a policy explains, such as 10m.
    #[arg(long, env = "HOLDFAST_BRAKE_DELAY", default_value = "10m", value_parser = parse_duration)]
    pub(crate) brake_delay: Duration,
    /// The name of this replica, for the Lease and for events.
    #[arg(long, env = "HOSTNAME", default_value = "holdfast", hide_env = true)]
    pub(crate) pod: String,
}

/// How the Vault controller runs.
#[derive(Debug, Args)]
pub(crate) struct VaultController {
    /// Where metrics are served, at /metrics.
    #[arg(long, env = "HOLDFAST_METRICS_ADDR", default_value = ":8080", value_parser = parse_address)]
    pub(crate) metrics_addr: SocketAddr,
    /// Where probes are answered, at /livez and /readyz.
    #[arg(long, env = "HOLDFAST_HEALTH_ADDR", default_value = ":8081", value_parser = parse_address)]
    pub(crate) health_addr: SocketAddr,
    /// Whether replicas elect a leader. Without, run only one.
    #[arg(long, env = "HOLDFAST_LEADER_ELECT", default_value_t = true, action = ArgAction::Set)]
    pub(crate) leader_elect: bool,
    /// The namespaces whose resources are kept, with commas between.
    #[arg(long, env = "HOLDFAST_VAULT_NAMESPACES", value_delimiter = ',', required = true)]
    pub(crate) namespaces: Vec<String>,
    /// Whether only Secrets labelled holdfast.dev/vault=NAME are read: for clusters without the chart's admission policy.
    #[arg(long, env = "HOLDFAST_VAULT_REQUIRE_LABEL", default_value_t = false, action = ArgAction::Set)]
    pub(crate) require_label: bool,
    /// Lets it connect to loopback addresses. For tests and the demo.
    #[arg(long)]
    pub(crate) allow_loopback_servers: bool,
    /// A folder in memory for the answer of an initialisation until it is stored. Without it nothing is initialised.
    #[arg(long, env = "HOLDFAST_VAULT_SPOOL", value_name = "FOLDER")]
    pub(crate) spool: Option<PathBuf>,
    /// The name of this replica, for the Lease and for events.
    #[arg(long, env = "HOSTNAME", default_value = "holdfast-vault", hide_env = true)]
    pub(crate) pod: String,
}

/// `:8080` listens on all addresses, of both families where there are two.
fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let full = if text.starts_with(':') { format!("[::]{text}") } else { text.to_owned() };
    full.parse().map_err(|_| format!("{text:?} is no address: write :8080 or 127.0.0.1:8080"))
}

pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let advice = || format!("{text:?} is no duration: write for example 10m or 90s");
    let span: jiff::SignedDuration = text.parse().map_err(|_| advice())?;
    Duration::try_from(span).map_err(|_| advice())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::{Arguments, parse_address, parse_duration};

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_port_alone_means_every_address() {
        assert_eq!(parse_address(":8080").map(|address| address.to_string()), Ok("[::]:8080".to_owned()));
        assert!(parse_address("8080").is_err());
    }

    #[test]
    fn durations_are_written_as_in_kubernetes() {
        assert_eq!(parse_duration("10m").map(|duration| duration.as_secs()), Ok(600));
        assert!(parse_duration("-1m").is_err());
        assert!(parse_duration("10").is_err());
    }
}
