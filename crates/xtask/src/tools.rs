//! `cargo xtask tools`: gets what the tests need, ahead of time, and says what it found where.

use anyhow::Result;
use comfy_table::{Table, presets};
use holdfast_testkit::Tool;
use holdfast_testkit::tools::Origin;

/// The arguments of the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Tools {
    /// Only these: go, control-plane, kubectl, kwok, helm, kustomize, pod-security, openbao, openbao-2.6, vault,
    /// cargo-deny.
    tools: Vec<Tool>,
}

impl Tools {
    pub(crate) fn run(self) -> Result<()> {
        let wanted = if self.tools.is_empty() { Tool::ALL.to_vec() } else { self.tools };
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["tool", "version", "from", "path"]);
        for tool in wanted {
            let found = tool.find()?;
            table.add_row([tool.name(), &found.version, origin(found.origin), &found.path.display().to_string()]);
        }
        println!("{table}");
        Ok(())
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Environment => "environment",
        Origin::Path => "PATH",
        Origin::Cache => "cache",
        Origin::ModuleCache => "Go's module cache",
    }
}
