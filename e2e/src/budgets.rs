//! The budgets of ours that there are, and waiting for them.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use holdfast_model::shapes::MANAGED_BY;
use holdfast_testkit::eventually;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt as _};

use crate::PATIENCE;

/// Every budget with our label, in all namespaces, as `namespace/name`.
pub async fn budgets_of_ours(client: &Client) -> Result<BTreeSet<String>> {
    let budgets: Api<PodDisruptionBudget> = Api::all(client.clone());
    let labelled = ListParams::default().labels(&format!("{}={}", MANAGED_BY.0, MANAGED_BY.1));
    let found = budgets.list(&labelled).await?;
    Ok(found.iter().map(|budget| format!("{}/{}", budget.namespace().unwrap_or_default(), budget.name_any())).collect())
}

/// Waits until exactly these budgets, ours or not, are in a namespace.
pub async fn await_budgets(client: &Client, namespace: &str, expected: &[&str]) -> Result<()> {
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), namespace);
    let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
    eventually(&format!("the budgets {expected:?} in {namespace}"), PATIENCE, async || {
        let found: BTreeSet<String> =
            budgets.list(&ListParams::default()).await?.iter().map(PodDisruptionBudget::name_any).collect();
        ensure!(found == expected, "{found:?}");
        Ok(())
    })
    .await
}

/// Waits until so many budgets of ours are in the namespaces whose names begin like this.
pub async fn await_count(client: &Client, prefix: &str, expected: usize) -> Result<()> {
    eventually(&format!("{expected} budgets in {prefix}*"), PATIENCE, async || {
        let found = budgets_of_ours(client).await?;
        let count = found.iter().filter(|budget| budget.starts_with(prefix)).count();
        ensure!(count == expected, "{count}");
        Ok(())
    })
    .await
}
