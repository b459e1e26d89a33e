//! What an account may do, by three witnesses: the table in the controller, the roles that Helm installed, the audit log.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context as _, Result, ensure};
use holdfast_controller::access::{Concern, TABLE};
use holdfast_testkit::AuditEvent;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject};
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt as _};

use crate::NAMESPACE;

/// One verb on one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The verb.
    pub verb: String,
    /// The API group.
    pub group: String,
    /// With its subresource.
    pub resource: String,
    /// The only objects it is about; empty for any.
    pub names: Vec<String>,
    /// The only namespace it is about.
    pub namespace: Option<String>,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let namespace = self.namespace.as_deref().unwrap_or("*");
        write!(f, "{} {}.{} {:?} in {namespace}", self.verb, self.resource, self.group, self.names)
    }
}

impl Right {
    /// Whether it is what this request needs. An apply that creates needs `create` as well.
    pub fn covers(&self, event: &AuditEvent) -> bool {
        let resource = match event.subresource.as_str() {
            "" => event.resource.clone(),
            subresource => format!("{}/{subresource}", event.resource),
        };
        let creates = event.verb == "patch" && event.code == 201 && self.verb == "create";
        (self.verb == event.verb || creates)
            && self.group == event.group
            && self.resource == resource
            && (self.names.is_empty() || self.names.contains(&event.name))
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == event.namespace)
    }
}

/// What the table grants to these concerns; those of the Lease in our namespace only.
pub fn granted_by_table(concerns: &[Concern]) -> BTreeSet<Right> {
    let rows = TABLE.iter().filter(|access| concerns.contains(&access.concern));
    rows.flat_map(|access| {
        access.verbs.iter().map(|verb| Right {
            verb: (*verb).to_owned(),
            group: access.group.to_owned(),
            resource: access.resource.to_owned(),
            names: access.names.iter().map(|name| (*name).to_owned()).collect(),
            namespace: (access.concern == Concern::Lease).then(|| NAMESPACE.to_owned()),
        })
    })
    .collect()
}

/// What the roles grant that are bound to an account of our namespace.
pub async fn granted_by_roles(client: &Client, account: &str) -> Result<BTreeSet<Right>> {
    let is_bound = |subjects: &Option<Vec<Subject>>| {
        let mut subjects = subjects.iter().flatten();
        subjects.any(|subject| subject.name == account && subject.namespace.as_deref() == Some(NAMESPACE))
    };
    let everywhere = Api::<ClusterRoleBinding>::all(client.clone()).list(&ListParams::default()).await?;
    let somewhere = Api::<RoleBinding>::all(client.clone()).list(&ListParams::default()).await?;
    let mut rights = BTreeSet::new();
    for binding in everywhere.iter().filter(|binding| is_bound(&binding.subjects)) {
        rights.extend(unfold(&rules(client, &binding.role_ref, None).await?, None)?);
    }
    for binding in somewhere.iter().filter(|binding| is_bound(&binding.subjects)) {
        let namespace = binding.namespace();
        rights.extend(unfold(&rules(client, &binding.role_ref, namespace.as_deref()).await?, namespace.as_deref())?);
    }
    Ok(rights)
}

async fn rules(client: &Client, role: &RoleRef, namespace: Option<&str>) -> Result<Vec<PolicyRule>> {
    let rules = match (role.kind.as_str(), namespace) {
        ("Role", Some(namespace)) => Api::<Role>::namespaced(client.clone(), namespace).get(&role.name).await?.rules,
        _ => Api::<ClusterRole>::all(client.clone()).get(&role.name).await?.rules,
    };
    rules.with_context(|| format!("role {} has no rules", role.name))
}

fn unfold(rules: &[PolicyRule], namespace: Option<&str>) -> Result<Vec<Right>> {
    let mut rights = Vec::new();
    for rule in rules {
        ensure!(rule.non_resource_urls.is_none(), "{rule:?}");
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                rights.extend(rule.verbs.iter().map(|verb| Right {
                    verb: verb.clone(),
                    group: group.clone(),
                    resource: resource.clone(),
                    names: rule.resource_names.clone().unwrap_or_default(),
                    namespace: namespace.map(str::to_owned),
                }));
            }
        }
    }
    Ok(rights)
}

/// What Kubernetes grants to whoever it knows (ClusterRole `system:public-info-viewer`), and to every ServiceAccount
/// (`system:service-account-issuer-discovery`).
const PUBLIC: [&str; 3] = ["/version", "/openid/v1/jwks", "/.well-known/openid-configuration"];

/// The requests that no right covers, each as a sentence.
pub fn uncovered(rights: &BTreeSet<Right>, events: &[AuditEvent]) -> BTreeSet<String> {
    let asks =
        |event: &&AuditEvent| !PUBLIC.contains(&event.uri.as_str()) && !rights.iter().any(|right| right.covers(event));
    let uncovered = events.iter().filter(asks);
    uncovered.map(|event| format!("{} {} -> {}", event.verb, event.uri, event.code)).collect()
}

/// The rights that no request that succeeded needed.
pub fn unused(rights: &BTreeSet<Right>, events: &[AuditEvent]) -> BTreeSet<Right> {
    let needed = |right: &Right| events.iter().any(|event| event.succeeded() && right.covers(event));
    rights.iter().filter(|right| !needed(right)).cloned().collect()
}
