//! The steps of `cargo xtask test`, as data: what is run, with which tools, after what.

use holdfast_testkit::Tool;

/// The program of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// The cargo that runs us.
    Cargo,
    /// The cargo that runs us; the programs that it makes are for the steps that come after.
    Builds,
    /// Ourselves, as we were started: cargo would wait for who builds meanwhile.
    Xtask,
    /// The tests of a package that were built before, run by themselves for the same reason.
    Tests(Tests),
    /// A tool, which is found or made first; what it prints is shown when it fails.
    Tool(Tool),
}

/// A test program, as cargo calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tests {
    pub(super) package: &'static str,
    /// A file in `tests/`, or `None` for what is in the library.
    pub(super) target: Option<&'static str>,
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
    /// The steps that must have passed.
    pub(super) after: &'static [&'static str],
}

pub(super) const FORMAT: Step = Step::new("format", Program::Cargo, "fmt --all --check");

pub(super) const CLIPPY: Step = Step::new("clippy", Program::Cargo, "clippy --workspace --all-targets -- -D warnings");

/// Without documentation tests, each of which is a program to link.
pub(super) const QUICK_TESTS: Step = Step::new(
    "unit tests",
    Program::Cargo,
    "test --workspace --exclude holdfast-e2e --exclude holdfast-testkit --no-fail-fast --lib --bins --tests",
);

/// All that the steps after it run. Together, because cargo builds what several packages need once for each choice of packages.
pub(super) const BUILD: Step = Step::new("build", Program::Builds, "test --workspace --no-run");

pub(super) const UNIT_TESTS: Step = Step { after: &[BUILD.name], ..QUICK_TESTS };

pub(super) const DOCUMENTATION_TESTS: Step = Step {
    after: &[BUILD.name],
    ..Step::new("documentation tests", Program::Cargo, "test --workspace --no-fail-fast --doc")
};

pub(super) const DOCUMENTATION: Step = Step {
    environment: &[("RUSTDOCFLAGS", "-D warnings")],
    ..Step::new("documentation", Program::Cargo, "doc --workspace --no-deps --document-private-items")
};

pub(super) const GENERATED: Step = Step::new("generated files", Program::Xtask, "generate --check");

pub(super) const CHART_LINT: Step = Step {
    environment: &[("KUBECONFIG", "/dev/null")],
    ..Step::new("chart lint", Program::Tool(Tool::Helm), "lint --strict charts/holdfast")
};

pub(super) const CHART_TEMPLATE: Step = Step {
    environment: &[("KUBECONFIG", "/dev/null")],
    ..Step::new(
        "chart template",
        Program::Tool(Tool::Helm),
        "template holdfast charts/holdfast --namespace holdfast-system",
    )
};

pub(super) const DEPENDENCIES: Step =
    Step::new("dependencies", Program::Tool(Tool::CargoDeny), "--log-level error check bans licenses sources");

/// The program that ships, with no feature that only something else of the workspace wants.
pub(super) const BINARY: Step = Step::new("binary", Program::Builds, "build --package holdfast --bin holdfast");

pub(super) const TESTKIT: Step = Step {
    needs: &[Tool::ControlPlane, Tool::Kwok, Tool::Helm, Tool::OpenBao, Tool::OlderOpenBao, Tool::Vault],
    ..Step::tests("testkit", "holdfast-testkit", None)
};

pub(super) const CONTROL_PLANE: Step = Step {
    needs: &[Tool::ControlPlane, Tool::Kwok],
    ..Step::tests("control plane", "holdfast-testkit", Some("control_plane"))
};

pub(super) const HELM: Step =
    Step { needs: &[Tool::ControlPlane, Tool::Helm], ..Step::tests("helm", "holdfast-testkit", Some("helm")) };

pub(super) const GITOPS: Step =
    Step { needs: &[Tool::Helm, Tool::Kustomize], ..Step::tests("gitops", "holdfast-e2e", Some("gitops")) };

pub(super) const SYSTEM: Step = Step {
    needs: &[Tool::ControlPlane, Tool::Kwok, Tool::Helm, Tool::PodSecurity],
    after: &[BUILD.name, BINARY.name],
    ..Step::tests("system", "holdfast-e2e", Some("system"))
};

pub(super) const VAULT: Step = Step {
    needs: &[Tool::ControlPlane, Tool::Kwok, Tool::Helm, Tool::OpenBao, Tool::OlderOpenBao, Tool::Vault],
    after: &[BUILD.name, BINARY.name],
    ..Step::tests("vault", "holdfast-e2e", Some("vault"))
};

/// The demo of the Vault controller fails where the controller says something else than it tells.
pub(super) const VAULT_DEMO: Step = Step {
    needs: &crate::demo::VAULT_TOOLS,
    after: &[BINARY.name],
    ..Step::new("vault demo", Program::Xtask, "demo vault --check")
};

/// Ten minutes of garbage.
pub(super) const FUZZ: Step = Step::new("fuzzing", Program::Xtask, "fuzz");

impl Step {
    const fn new(name: &'static str, program: Program, arguments: &'static str) -> Self {
        Self { name, program, arguments, environment: &[], needs: &[], after: &[] }
    }

    const fn tests(name: &'static str, package: &'static str, target: Option<&'static str>) -> Self {
        let program = Program::Tests(Tests { package, target });
        Self { after: &[BUILD.name], ..Self::new(name, program, "") }
    }

    /// What a person types to run it again.
    pub(super) fn command_line(&self) -> String {
        let program = match self.program {
            Program::Cargo | Program::Builds => "cargo".to_owned(),
            Program::Xtask => "cargo xtask".to_owned(),
            Program::Tests(tests) => tests.command_line(),
            Program::Tool(tool) => tool.name().to_owned(),
        };
        let environment: String = self.environment.iter().map(|(name, value)| format!("{name}='{value}' ")).collect();
        let separator = match self.program {
            Program::Tests(_) => " -- ",
            Program::Cargo | Program::Builds | Program::Xtask | Program::Tool(_) => " ",
        };
        match self.arguments {
            "" => format!("{environment}{program}"),
            arguments => format!("{environment}{program}{separator}{arguments}"),
        }
    }
}

impl Tests {
    fn command_line(self) -> String {
        match self.target {
            Some(target) => format!("cargo test --package {} --test {target}", self.package),
            None => format!("cargo test --package {} --lib", self.package),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_can_be_pasted_into_a_shell() {
        let line = "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items";
        assert_eq!(DOCUMENTATION.command_line(), line);
        let two = Step { arguments: "--test-threads=2", ..SYSTEM };
        assert_eq!(two.command_line(), "cargo test --package holdfast-e2e --test system -- --test-threads=2");
        assert_eq!(TESTKIT.command_line(), "cargo test --package holdfast-testkit --lib");
    }
}
