//! The arguments of `holdfast audit`, as typed.

use std::path::PathBuf;

use clap::builder::ArgPredicate;
use clap::{Args, ValueEnum};
use holdfast_gitops::HelmMode;
use holdfast_pod_security::{self as pod_security, Version};
use holdfast_policy::Severity;

use crate::pod_security::levels;

/// The path that means standard input.
const STDIN: &str = "-";

/// What is audited, and how it is told.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub(crate) struct Arguments {
    /// The checkout, a folder or a file of it; `-` judges manifests from standard input, as a renderer prints them.
    #[arg(required = false, required_unless_present = "emit")]
    #[arg(default_value_if("emit", ArgPredicate::IsPresent, "."), conflicts_with = "emit")]
    pub(crate) path: PathBuf,

    /// How it is told.
    #[arg(long, value_enum, default_value_t, help_heading = "Telling")]
    pub(crate) format: Format,
    /// Where to, instead of standard output.
    #[arg(long, short, value_name = "FILE", help_heading = "Telling")]
    pub(crate) output: Option<PathBuf>,
    /// One line for each finding that wants mending, and nothing else.
    #[arg(long, short, help_heading = "Telling")]
    pub(crate) quiet: bool,
    /// Whether to use colours; `auto` does on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", help_heading = "Telling")]
    pub(crate) color: Colour,

    /// Exit with 1 when there is a finding of this severity or worse that isn't excepted.
    #[arg(long, value_enum, value_name = "SEVERITY", help_heading = "Which findings")]
    pub(crate) fail_on: Option<Level>,
    /// Only these rules or domains.
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "Which findings")]
    only: Vec<String>,
    /// Not these rules or domains.
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "Which findings")]
    skip: Vec<String>,
    /// Only what isn't in this former report, which was written with --format json.
    #[arg(long, value_name = "FILE", help_heading = "Which findings")]
    pub(crate) baseline: Option<PathBuf>,
    /// Only what came since the branch left this commit, such as origin/main.
    #[arg(long, value_name = "GITREF", conflicts_with = "rendered", help_heading = "Which findings")]
    pub(crate) since: Option<String>,
    /// A file with DisruptionPolicies, NamespaceSecurityPolicies and PolicyExceptions that count beside those of the checkout.
    #[arg(long, value_name = "FILE", help_heading = "Which findings")]
    pub(crate) policy: Option<PathBuf>,

    /// Whether charts are rendered with Helm: where it is installed and the chart is at hand, never, or always.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", help_heading = "Charts")]
    pub(crate) helm: Helm,
    /// A folder with charts, unpacked or as archives. May be given several times.
    #[arg(long, value_name = "DIR", help_heading = "Charts")]
    pub(crate) charts: Vec<PathBuf>,
    /// Manifests that a renderer printed, joined to the files; `-` reads standard input. May be given several times.
    #[arg(long, value_name = "FILE", help_heading = "Charts")]
    pub(crate) rendered: Vec<PathBuf>,

    /// Reads nothing, and prints what makes an API server audit by itself.
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Pod security in a cluster")]
    pub(crate) emit: Option<Emit>,
    /// The level of the Pod Security Standards that the server warns of.
    #[arg(long, value_parser = levels(&WARNED), default_value_t = WARNED[0], requires = "emit", conflicts_with = "path")]
    #[arg(help_heading = "Pod security in a cluster")]
    pub(crate) level: pod_security::Level,
    /// The version of the standards: `v1.35` and the like, or `latest`, the newest that is known.
    #[arg(long, default_value_t = Version::Latest, requires = "emit", conflicts_with = "path", help_heading = "Pod security in a cluster")]
    pub(crate) version: Version,
}

/// The levels that forbid something.
const WARNED: [pod_security::Level; 2] = [pod_security::Level::Baseline, pod_security::Level::Restricted];

const AFTER: &str = "\
Exit codes: 0 no finding that --fail-on asks for, whatever else was found; 1 there is one; 2 it could not be told.

Examples:
  holdfast audit .
  holdfast audit . --since origin/main --fail-on high
  holdfast audit . --format sarif --output holdfast.sarif
  holdfast audit . --format json --output baseline.json && holdfast audit . --baseline baseline.json
  flate build all | holdfast audit . --rendered -
  kustomize build clusters/home | holdfast audit -
  holdfast audit --emit admission-policy --level restricted | kubectl apply -f -";

/// A format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs; the schema is docs/audit.schema.json.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for the test view of a CI system.
    Junit,
    /// For a comment on a pull request.
    Markdown,
    /// One page for a browser.
    Html,
}

/// What is printed for an API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// A ValidatingAdmissionPolicy for each check of a level, with a binding that warns and audits, and never denies.
    AdmissionPolicy,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// When charts are rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Helm {
    /// Where Helm is installed and the chart is at hand.
    #[default]
    Auto,
    /// Never: everything is inferred from values.
    Never,
    /// A chart that can't be rendered is a finding.
    Always,
}

/// A severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// Blocks a drain.
    Critical,
    /// Will hurt soon.
    High,
    /// Will hurt some day.
    Medium,
    /// Untidy or fragile.
    Low,
    /// Worth knowing.
    Info,
}

impl Arguments {
    /// Whether manifests come from standard input.
    pub(crate) fn is_stream(&self) -> bool {
        self.path.as_os_str() == STDIN
    }

    /// Whether this path means standard input.
    pub(crate) fn is_stdin(path: &std::path::Path) -> bool {
        path.as_os_str() == STDIN
    }

    /// The names of rules and domains that are asked for.
    pub(crate) fn only(&self) -> impl Iterator<Item = &str> {
        self.only.iter().map(|name| name.trim())
    }

    /// The names of rules and domains that are left out.
    pub(crate) fn skip(&self) -> impl Iterator<Item = &str> {
        self.skip.iter().map(|name| name.trim())
    }

    /// The name of what is read: of `.` the folder's own.
    pub(crate) fn name(&self) -> String {
        if self.is_stream() {
            return "standard input".to_owned();
        }
        let real = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let name = real.file_name().map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| self.path.display().to_string())
    }
}

impl From<Helm> for HelmMode {
    fn from(helm: Helm) -> Self {
        match helm {
            Helm::Auto => Self::Auto,
            Helm::Never => Self::Never,
            Helm::Always => Self::Always,
        }
    }
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Critical => Self::Critical,
            Level::High => Self::High,
            Level::Medium => Self::Medium,
            Level::Low => Self::Low,
            Level::Info => Self::Info,
        }
    }
}
