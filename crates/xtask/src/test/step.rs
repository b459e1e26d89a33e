//! The steps of `cargo xtask test`, as data: what is run, with which tools, after what.

use holdfast_testkit::Tool;

/// How much is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// What needs no server.
    Quick,
    /// What continuous integration runs.
    Full,
    /// With the long forms.
    Soak,
}

/// The program of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// The cargo that runs us; what it prints is shown as it comes.
    Cargo,
    /// A tool, which is found or made first; what it prints is shown when it fails.
    Tool(Tool),
}

/// One command.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) program: Program,
    /// Separated by spaces; no argument holds one.
    pub(super) arguments: &'static str,
    pub(super) environment: &'static [(&'static str, &'static str)],
    /// What must be there besides the program.
    pub(super) needs: &'static [Tool],
    /// The step that must have passed.
    pub(super) after: Option<&'static str>,
}

const FORMAT: Step = Step::cargo("format", "fmt --all --check");

const CLIPPY: Step = Step::cargo("clippy", "clippy --workspace --all-targets -- -D warnings");

/// Without documentation tests, each of which is a program to link.
const QUICK_TESTS: Step = Step::cargo(
    "unit tests",
    "test --workspace --exclude holdfast-e2e --exclude holdfast-testkit --no-fail-fast --lib --bins --tests",
);

const UNIT_TESTS: Step =
    Step::cargo("unit tests", "test --workspace --exclude holdfast-e2e --exclude holdfast-testkit --no-fail-fast");

const DOCUMENTATION: Step = Step {
    environment: &[("RUSTDOCFLAGS", "-D warnings")],
    ..Step::cargo("documentation", "doc --workspace --no-deps --document-private-items")
};

const GENERATED: Step = Step::cargo("generated files", "xtask generate --check");

const CHART_LINT: Step = Step {
    environment: &[("KUBECONFIG", "/dev/null")],
    ..Step::tool("chart lint", Tool::Helm, "lint --strict charts/holdfast")
};

const CHART_TEMPLATE: Step = Step {
    environment: &[("KUBECONFIG", "/dev/null")],
    ..Step::tool("chart template", Tool::Helm, "template holdfast charts/holdfast --namespace holdfast-system")
};

const DEPENDENCIES: Step = Step::tool("dependencies", Tool::CargoDeny, "--log-level error check bans licenses sources");

const BINARY: Step = Step::cargo("binary", "build --package holdfast --bin holdfast");

const SERVERS: Step = Step {
    needs: &[
        Tool::ControlPlane,
        Tool::Kwok,
        Tool::Helm,
        Tool::Kustomize,
        Tool::PodSecurity,
        Tool::OpenBao,
        Tool::OlderOpenBao,
        Tool::Vault,
    ],
    after: Some(BINARY.name),
    ..Step::cargo("real servers", "test --package holdfast-testkit --package holdfast-e2e --no-fail-fast")
};

/// The demo of the Vault controller fails where the controller says something else than it tells.
const VAULT_DEMO: Step = Step {
    needs: &crate::demo::VAULT_TOOLS,
    after: Some(BINARY.name),
    ..Step::cargo("vault demo", "xtask demo vault --check")
};

/// Ten minutes of garbage.
const FUZZ: Step = Step::cargo("fuzzing", "xtask fuzz");

/// How a soak is asked for: the tests read the first, proptest the second.
const SOAK: &[(&str, &str)] = &[("HOLDFAST_SOAK", "1"), ("PROPTEST_CASES", "20000")];

impl Step {
    const fn cargo(name: &'static str, arguments: &'static str) -> Self {
        Self { name, program: Program::Cargo, arguments, environment: &[], needs: &[], after: None }
    }

    const fn tool(name: &'static str, tool: Tool, arguments: &'static str) -> Self {
        Self { name, program: Program::Tool(tool), arguments, environment: &[], needs: &[], after: None }
    }

    /// What a person types to run it again.
    pub(super) fn command_line(&self) -> String {
        let program = match self.program {
            Program::Cargo => "cargo",
            Program::Tool(tool) => tool.name(),
        };
        let environment: String = self.environment.iter().map(|(name, value)| format!("{name}='{value}' ")).collect();
        format!("{environment}{program} {}", self.arguments)
    }
}

/// The steps, the fast ones first.
pub(super) fn steps(extent: Extent) -> Vec<Step> {
    match extent {
        Extent::Quick => vec![FORMAT, CLIPPY, QUICK_TESTS, GENERATED],
        Extent::Full => full(&[]),
        Extent::Soak => {
            let mut steps = full(SOAK);
            steps.push(FUZZ);
            steps
        }
    }
}

fn full(environment: &'static [(&'static str, &'static str)]) -> Vec<Step> {
    let unit_tests = Step { environment, ..UNIT_TESTS };
    let servers = Step { environment, ..SERVERS };
    vec![
        FORMAT,
        CLIPPY,
        unit_tests,
        GENERATED,
        DOCUMENTATION,
        CHART_LINT,
        CHART_TEMPLATE,
        DEPENDENCIES,
        BINARY,
        VAULT_DEMO,
        servers,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_steps_need_no_tool() {
        for step in steps(Extent::Quick) {
            assert!(step.program == Program::Cargo && step.needs.is_empty(), "{step:?}");
        }
    }

    #[test]
    fn a_step_comes_after_what_it_needs() {
        let steps = steps(Extent::Full);
        for (index, step) in steps.iter().enumerate() {
            let before: Vec<&str> = steps[..index].iter().map(|step| step.name).collect();
            assert!(step.after.is_none_or(|other| before.contains(&other)), "{step:?}");
            assert!(!before.contains(&step.name), "{} is there twice", step.name);
        }
    }

    #[test]
    fn the_command_line_can_be_pasted_into_a_shell() {
        let line = "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items";
        assert_eq!(DOCUMENTATION.command_line(), line);
    }
}
