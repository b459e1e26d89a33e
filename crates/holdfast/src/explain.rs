//! `holdfast explain`: the prose of a rule, the rules of a domain, or a list of all.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;
use holdfast_report::{Topic, explain_rule, list_rules};

use crate::audit::{Colour, look};
use crate::commands::print;

/// What is explained.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A rule, such as drain-blocked, or a domain; without it all rules are listed.
    rule: Option<String>,
    /// Whether to use colours; `auto` does on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Colour,
}

impl Explain {
    /// Runs the command.
    pub(crate) fn run(&self) -> ExitCode {
        let look = look(self.color, true);
        let mut text = Vec::new();
        let told = match self.rule.as_deref().map(Topic::parse).transpose() {
            Ok(None) => list_rules(None, look, &mut text),
            Ok(Some(Topic::Domain(domain))) => list_rules(Some(domain), look, &mut text),
            Ok(Some(Topic::Rule(rule))) => explain_rule(rule, look, &mut text),
            Err(error) => {
                let _ = writeln!(io::stderr(), "error: {error}\nremedy: `holdfast explain` lists all rules");
                return ExitCode::from(2);
            }
        };
        match told.and_then(|()| print(&text)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let _ = writeln!(io::stderr(), "error: it can't be written: {error}");
                ExitCode::from(2)
            }
        }
    }
}
