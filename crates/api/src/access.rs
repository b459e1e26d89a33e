//! What the Vault controller may do in each namespace it is given, and why: the one table from which its roles are rendered.
//!
//! Pure data, beside the resource that it is about. There is no ClusterRole: each row becomes part of a Role. Where the names of
//! the objects are the administrator's to say, the row says which list of the chart's values they come from; an empty list grants
//! nothing, since a rule without names would grant everything. No wildcard, no list or watch of Secrets, no `pods/exec`, no
//! `pods/log`, and no write of a workload.

/// Which role a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VaultRole {
    /// Reading, and telling. Bound in every namespace of the list.
    Observe,
    /// Logging in to servers as a ServiceAccount of the namespace. Bound where ServiceAccounts are listed.
    Login,
    /// Writing the named Secrets. Bound with `manage.token` or `manage.initialize`.
    Store,
    /// What an initialisation needs besides. Bound with `manage.initialize`.
    Initialize,
    /// Restarting single pods. Bound with `manage.restart`.
    Restart,
    /// Telling this cluster from another, in kube-system. Bound where `manage.token` is asked for.
    Identity,
    /// Electing the leader; in the controller's own namespace only.
    Lease,
}

impl VaultRole {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Observe, Self::Login, Self::Store, Self::Initialize, Self::Restart, Self::Identity, Self::Lease];

    /// As it is written in file names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "vault-observe",
            Self::Login => "vault-login",
            Self::Store => "vault-store",
            Self::Initialize => "vault-initialize",
            Self::Restart => "vault-restart",
            Self::Identity => "vault-identity",
            Self::Lease => "vault-lease",
        }
    }
}

/// The objects that a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Any in the namespace.
    Any,
    /// This one.
    Only(&'static str),
    /// Those of a list in the chart's `vault.namespaces[]`, by the name of the list.
    Listed(&'static str),
}

/// One row: verbs on a resource, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultAccess {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The resource, with its subresource.
    pub resource: &'static str,
    /// The verbs, none of them a wildcard.
    pub verbs: &'static [&'static str],
    /// The only objects it is about.
    pub names: Names,
    /// Why.
    pub why: &'static str,
    /// Which role it is part of.
    pub role: VaultRole,
}

/// The name of the Lease of the Vault controller.
pub const VAULT_LEASE: &str = "holdfast-vault";

const SECRETS: Names = Names::Listed("secrets");
const ACCOUNTS: Names = Names::Listed("serviceAccounts");
const STATEFUL_SETS: Names = Names::Listed("statefulSets");

const fn row(
    role: VaultRole,
    (group, resource): (&'static str, &'static str),
    names: Names,
    verbs: &'static [&'static str],
    why: &'static str,
) -> VaultAccess {
    VaultAccess { group, resource, verbs, names, why, role }
}

/// Every access there is.
pub const VAULT_TABLE: &[VaultAccess] = &[
    row(
        VaultRole::Observe,
        ("holdfast.dev", "vaulttransitunseals"),
        Names::Any,
        &["get", "list", "watch", "patch"],
        "what is asked for; patch sets and removes our finalizer",
    ),
    row(
        VaultRole::Observe,
        ("holdfast.dev", "vaulttransitunseals/status"),
        Names::Any,
        &["patch"],
        "what a resource comes to",
    ),
    row(VaultRole::Observe, ("apps", "statefulsets"), STATEFUL_SETS, &["get"], "which pods are the target's"),
    row(VaultRole::Observe, ("", "pods"), Names::Any, &["get", "list", "watch"], "how each pod of the target stands"),
    row(VaultRole::Observe, ("", "secrets"), SECRETS, &["get"], "the token and the certificates that are named"),
    row(VaultRole::Observe, ("events.k8s.io", "events"), Names::Any, &["create", "patch"], "what happened is told"),
    row(VaultRole::Login, ("", "serviceaccounts/token"), ACCOUNTS, &["create"], "logs in to servers"),
    row(VaultRole::Store, ("", "secrets"), SECRETS, &["patch"], "writes token and recovery keys"),
    row(
        VaultRole::Store,
        ("", "persistentvolumeclaims"),
        Names::Any,
        &["list"],
        "nothing is taken back while the target's storage is there",
    ),
    // A create can't be limited to a name: the name isn't known when it is authorized.
    row(VaultRole::Initialize, ("", "secrets"), Names::Any, &["create"], "claims an initialisation"),
    row(
        VaultRole::Initialize,
        ("", "persistentvolumeclaims"),
        Names::Any,
        &["list"],
        "nothing is initialised over storage that was there before",
    ),
    row(VaultRole::Restart, ("", "pods"), Names::Any, &["delete"], "restarts a pod that serves nobody"),
    row(VaultRole::Restart, ("", "pods/eviction"), Names::Any, &["create"], "restarts a pod that serves"),
    row(
        VaultRole::Identity,
        ("", "namespaces"),
        Names::Only("kube-system"),
        &["get"],
        "its UID tells this cluster's roles on another server from those of others",
    ),
    row(VaultRole::Lease, ("coordination.k8s.io", "leases"), Names::Any, &["create"], "makes the Lease"),
    row(
        VaultRole::Lease,
        ("coordination.k8s.io", "leases"),
        Names::Only(VAULT_LEASE),
        &["get", "update"],
        "elects the leader",
    ),
];

/// The rules of one role, as a YAML list for the chart. `namesFrom` isn't Kubernetes': the template replaces it by the names.
#[must_use]
pub fn vault_rules(role: VaultRole) -> String {
    VAULT_TABLE.iter().filter(|access| access.role == role).map(rule).collect()
}

fn rule(access: &VaultAccess) -> String {
    let names = match access.names {
        Names::Any => String::new(),
        Names::Only(name) => format!("  resourceNames: [{name:?}]\n"),
        Names::Listed(list) => format!("  namesFrom: {list}\n"),
    };
    let verbs = access.verbs.iter().map(|verb| format!("{verb:?}")).collect::<Vec<_>>().join(", ");
    format!(
        "# {why}\n- apiGroups: [{group:?}]\n  resources: [{resource:?}]\n{names}  verbs: [{verbs}]\n",
        why = access.why,
        group = access.group,
        resource = access.resource,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_a_wildcard_and_every_row_says_why() {
        for access in VAULT_TABLE {
            let words = access.verbs.iter().copied().chain([access.group, access.resource]);
            assert!(words.into_iter().all(|word| !word.contains('*')), "{access:?}");
            assert!(!access.why.is_empty() && !access.verbs.is_empty(), "{access:?}");
        }
    }

    #[test]
    fn secrets_are_read_and_written_by_name_and_never_listed() {
        for access in VAULT_TABLE.iter().filter(|access| access.resource == "secrets") {
            let made = access.verbs == ["create"] && access.role == VaultRole::Initialize;
            assert!(made || access.names == SECRETS, "{access:?}");
            assert!(!access.verbs.contains(&"list") && !access.verbs.contains(&"watch"), "{access:?}");
        }
    }

    #[test]
    fn no_workload_is_written_and_no_pod_is_entered() {
        for access in VAULT_TABLE {
            assert!(!["pods/exec", "pods/log", "pods/portforward"].contains(&access.resource), "{access:?}");
            assert!(access.group != "apps" || access.verbs == ["get"], "{access:?}");
        }
    }

    #[test]
    fn every_role_has_rules_and_says_where_names_come_from() {
        for role in VaultRole::ALL {
            assert!(vault_rules(role).starts_with("# "), "{role:?}");
        }
        let login = "# logs in to servers\n- apiGroups: [\"\"]\n  resources: [\"serviceaccounts/token\"]\n  \
                     namesFrom: serviceAccounts\n  verbs: [\"create\"]\n";
        assert_eq!(vault_rules(VaultRole::Login), login);
        assert!(vault_rules(VaultRole::Lease).contains("  resourceNames: [\"holdfast-vault\"]\n"));
    }
}
