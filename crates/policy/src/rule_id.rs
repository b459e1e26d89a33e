//! The names of the rules: one value, spelled for files and metrics (`drain-blocked`) and for the API (`DrainBlocked`).

use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing to mend.
    Info,
    /// Untidy or fragile.
    Low,
    /// Will hurt some day.
    Medium,
    /// Will hurt soon.
    High,
    /// Blocks a drain.
    Critical,
}

impl Severity {
    /// All of them, worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// The severity of this name, when there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == name)
    }

    /// As it is written in reports and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! rule_ids {
    ($($variant:ident => $id:literal,)*) => {
        /// Which rule; stable, since people write it into exceptions and alerts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each rule is documented where it is defined, and in its prose")]
        pub enum RuleId {
            $($variant,)*
        }

        impl RuleId {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// In kebab-case, for people and metrics.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)*
                }
            }

            /// In PascalCase, for conditions and events.
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)*
                }
            }
        }
    };
}

rule_ids! {
    DrainBlocked => "drain-blocked",
    BudgetsOverlap => "budgets-overlap",
    BudgetSelectsDaemonset => "budget-selects-daemonset",
    BudgetSelectsJob => "budget-selects-job",
    BudgetNotSynced => "budget-not-synced",
    SelectorShared => "selector-shared",
    HpaBelowMinAvailable => "hpa-below-min-available",
    BudgetMissing => "budget-missing",
    BudgetSelectsAll => "budget-selects-all",
    BudgetWithoutController => "budget-without-controller",
    BudgetContested => "budget-contested",
    SelectorInvalid => "selector-invalid",
    ExceptionExpired => "exception-expired",
    ObjectUnreadable => "object-unreadable",
    DrainBlockedWhenUnready => "drain-blocked-when-unready",
    BudgetMatchesNothing => "budget-matches-nothing",
    BudgetLoose => "budget-loose",
    QuorumEven => "quorum-even",
    Singleton => "singleton",
    ReplicasOnOneNode => "replicas-on-one-node",
}

impl RuleId {
    /// The rule of this ID, when there is one.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.id() == id)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
