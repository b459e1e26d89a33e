//! The permission that a refusal names.
//!
//! RBAC's refusal has no machine-readable form of the verb, so its sentence is read:
//! `pods "a" is forbidden: User "u" cannot delete resource "pods" in API group "" in the namespace "n"`.

use std::fmt;

/// A verb on a resource that we lack.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permission {
    /// As RBAC names it: `patch`.
    pub verb: String,
    /// Empty for the core group.
    pub group: String,
    /// With its subresource, as `deployments/status`.
    pub resource: String,
    /// `None` where the whole cluster was asked for.
    pub namespace: Option<String>,
}

impl Permission {
    /// `None` when the message isn't RBAC's.
    pub fn parse(message: &str) -> Option<Self> {
        let (_, rest) = message.split_once(" cannot ")?;
        let (verb, rest) = rest.split_once(" resource \"")?;
        let (resource, rest) = rest.split_once('"')?;
        let (group, rest) = rest.strip_prefix(" in API group \"")?.split_once('"')?;
        let namespace = rest.strip_prefix(" in the namespace \"").and_then(|rest| rest.split_once('"'));
        Some(Self {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.map(|(namespace, _)| namespace.to_owned()),
        })
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => Ok(()),
        }
    }
}
