//! What the chart gives the Vault controller, and what it asks of those who tell it what to do.
//!
//! Rendered only:
//! 1. Off, nothing of it is there. On, there are a Deployment with room for an answer that must not be lost, and no ClusterRole.
//! 2. Without the admission policy the controller is told to ask for a label.
//! 3. Values that can't be meant are refused with a sentence.
//!
//! On a real API server:
//! 4. The account has exactly the rights of the table, in the namespaces of the values, for the objects named there.
//! 5. Whoever may use everything that a resource names may write it; who lacks one Secret or one ServiceAccount may not, and reads
//!    which. What isn't the spec may be changed by others, and finalizers and status by the controller, which changes no spec.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};
use holdfast_api::VaultTransitUnseal;
use holdfast_api::access::{Names, VAULT_TABLE, VaultAccess, VaultRole};
use holdfast_e2e::rights::{Right, granted_by_roles};
use holdfast_e2e::{Cluster, NAMESPACE, PATIENCE, chart, namespace, set};
use holdfast_testkit::helm::Release;
use holdfast_testkit::{ControlPlane, Helm, Manifests, client_from, eventually};
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

const ACCOUNT: &str = "holdfast-vault";
const RELEASE: Release<'static> = Release { name: "holdfast", namespace: NAMESPACE };

/// One namespace where everything may be done, one that is only looked at.
fn values() -> Value {
    json!({ "vault": { "enabled": true, "namespaces": [
        {
            "name": "vault", "statefulSets": ["vault"], "secrets": ["vault-transit-token", "a-ca"],
            "serviceAccounts": ["holdfast-vault"], "manage": { "token": true, "initialize": true, "restart": true },
        },
        { "name": "watched", "statefulSets": ["bao"] },
    ] } })
}

async fn render(values: &Value) -> Result<Vec<DynamicObject>> {
    let text = Helm::without_cluster().await?.template(&chart(), RELEASE, values).await?;
    Ok(Manifests::parse(&text)?.objects().to_vec())
}

fn kind(object: &DynamicObject) -> &str {
    object.types.as_ref().map_or("", |types| &types.kind)
}

fn is_vaults(object: &DynamicObject) -> bool {
    object.labels().get("app.kubernetes.io/component").is_some_and(|component| component == "vault-controller")
}

fn deployment(objects: &[DynamicObject]) -> Result<&Value> {
    let mut deployments = objects.iter().filter(|object| is_vaults(object) && kind(object) == "Deployment");
    Ok(&deployments.next().context("no Deployment of the Vault controller")?.data)
}

fn environment<'a>(deployment: &'a Value, name: &str) -> Option<&'a str> {
    let variables = deployment.pointer("/spec/template/spec/containers/0/env")?.as_array()?;
    variables.iter().find(|variable| variable["name"] == name)?["value"].as_str()
}

#[tokio::test]
async fn it_has_a_deployment_and_an_account_of_its_own_and_no_cluster_role() -> Result<()> {
    ensure!(!render(&json!({})).await?.iter().any(is_vaults), "it is off");
    let objects = render(&values()).await?;
    let mut kinds: Vec<&str> = objects.iter().filter(|object| is_vaults(object)).map(kind).collect();
    kinds.sort_unstable();
    let expected = [
        "Deployment",
        "PodDisruptionBudget",
        "Role",
        "Role",
        "Role",
        "Role",
        "RoleBinding",
        "RoleBinding",
        "RoleBinding",
        "RoleBinding",
        "Service",
        "ServiceAccount",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ];
    ensure!(kinds == expected, "{kinds:?}");

    let deployment = deployment(&objects)?;
    let pod = deployment.pointer("/spec/template/spec").context("a pod")?;
    ensure!(pod["serviceAccountName"] == ACCOUNT && pod["terminationGracePeriodSeconds"] == 180, "{pod:#}");
    ensure!(
        pod["volumes"] == json!([{ "name": "spool", "emptyDir": { "medium": "Memory", "sizeLimit": "4Mi" } }]),
        "{pod:#}"
    );
    let container = &pod["containers"][0];
    ensure!(container["args"] == json!(["vault-controller"]), "{container:#}");
    ensure!(container["volumeMounts"] == json!([{ "name": "spool", "mountPath": "/spool" }]), "{container:#}");
    ensure!(container["securityContext"]["readOnlyRootFilesystem"] == true, "{container:#}");
    ensure!(environment(deployment, "HOLDFAST_VAULT_NAMESPACES") == Some("vault,watched"), "{container:#}");
    ensure!(environment(deployment, "HOLDFAST_VAULT_REQUIRE_LABEL") == Some("false"), "{container:#}");
    ensure!(!container.to_string().to_lowercase().contains("loopback"), "{container:#}");

    // Neither Deployment's pods are the other's: budgets and Services would mix them up.
    let selector = deployment.pointer("/spec/selector/matchLabels").context("a selector")?;
    let sharing = objects.iter().filter(|object| object.data.pointer("/spec/selector/matchLabels") == Some(selector));
    let sharing: Vec<&str> = sharing.map(kind).collect();
    ensure!(sharing == ["PodDisruptionBudget", "Deployment"], "{sharing:?}");
    Ok(())
}

#[tokio::test]
async fn without_the_admission_policy_secrets_need_a_label() -> Result<()> {
    let objects = render(&set(values(), "/vault/admissionPolicy", json!(false))).await?;
    ensure!(environment(deployment(&objects)?, "HOLDFAST_VAULT_REQUIRE_LABEL") == Some("true"));
    let policies = objects.iter().filter(|object| is_vaults(object) && kind(object).starts_with("Validating"));
    ensure!(policies.count() == 0);
    Ok(())
}

#[tokio::test]
async fn one_replica_has_no_budget() -> Result<()> {
    let objects = render(&set(values(), "/vault/replicas", json!(1))).await?;
    ensure!(!objects.iter().any(|object| is_vaults(object) && kind(object) == "PodDisruptionBudget"));
    Ok(())
}

#[tokio::test]
async fn values_that_cannot_be_meant_are_refused() -> Result<()> {
    let twice = json!([{ "name": "vault", "statefulSets": ["a"] }, { "name": "vault", "statefulSets": ["b"] }]);
    let cases = [
        ("/vault/namespaces", json!([]), "minItems"),
        ("/vault/namespaces", twice, "vault.namespaces names vault twice"),
        ("/vault/namespaces", json!([{ "name": "vault" }]), "statefulSets"),
        ("/vault/namespaces/0/secrets", json!(["*"]), "does not match pattern"),
        ("/vault/namespaces/0/manage", json!({ "everything": true }), "everything"),
        ("/vault/terminationGracePeriodSeconds", json!(30), "180"),
        ("/controller", json!({ "leaderElect": false }), "needs "),
    ];
    for (pointer, value, expected) in cases {
        let Err(error) = render(&set(values(), pointer, value.clone())).await else {
            bail!("{pointer}: {value} was taken")
        };
        let error = format!("{error:#}");
        ensure!(error.contains(expected), "{pointer}: {error}");
    }
    Ok(())
}

/// What the table grants in a namespace, with these names of objects. Rows about no object grant nothing.
fn granted(namespace: &str, roles: &[VaultRole], names: impl Fn(&str) -> Vec<&'static str>) -> Vec<Right> {
    let of = |access: &'static VaultAccess| {
        let names = match access.names {
            Names::Any => Some(Vec::new()),
            Names::Only(name) => Some(vec![name]),
            Names::Listed(list) => Some(names(list)).filter(|names| !names.is_empty()),
        };
        let names: Vec<String> = names?.into_iter().map(str::to_owned).collect();
        Some(access.verbs.iter().map(move |verb| Right {
            verb: (*verb).to_owned(),
            group: access.group.to_owned(),
            resource: access.resource.to_owned(),
            names: names.clone(),
            namespace: Some(namespace.to_owned()),
        }))
    };
    VAULT_TABLE.iter().filter(|access| roles.contains(&access.role)).filter_map(of).flatten().collect()
}

fn expected() -> BTreeSet<Right> {
    let everything =
        [VaultRole::Observe, VaultRole::Login, VaultRole::Store, VaultRole::Initialize, VaultRole::Restart];
    let in_vault = granted("vault", &everything, |list| match list {
        // The last is the claim of an initialisation, which the chart adds.
        "secrets" => vec!["vault-transit-token", "a-ca", "holdfast-init-vault"],
        "serviceAccounts" => vec!["holdfast-vault"],
        "statefulSets" => vec!["vault"],
        _ => Vec::new(),
    });
    let watched = granted("watched", &[VaultRole::Observe, VaultRole::Login], |list| match list {
        "statefulSets" => vec!["bao"],
        _ => Vec::new(),
    });
    let others = [
        granted(NAMESPACE, &[VaultRole::Lease], |_| Vec::new()),
        granted("kube-system", &[VaultRole::Identity], |_| Vec::new()),
    ];
    in_vault.into_iter().chain(watched).chain(others.into_iter().flatten()).collect()
}

/// A resource that names a Secret or an account in each way that goes together.
fn resource(name: &str) -> Value {
    json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "VaultTransitUnseal",
        "metadata": { "name": name, "namespace": "vault" },
        "spec": {
            "target": { "statefulSetRef": { "name": "vault" }, "tls": { "caSecretRef": { "name": "b-ca", "key": "ca.crt" } } },
            "seal": { "transit": {
                "address": "https://a.example.net:8200", "key": "vault-b",
                "auth": { "serviceAccount": { "name": "holdfast-vault", "audience": "vault-a" } },
            } },
            "token": { "secretRef": { "name": "vault-transit-token", "key": "token" } },
        },
    })
}

/// Somebody who may write resources, get these Secrets, and make tokens of these accounts.
async fn author(cluster: &Cluster, name: &str, secrets: &[&str], accounts: &[&str]) -> Result<Client> {
    let mut rules = vec![json!({
        "apiGroups": ["holdfast.dev"], "resources": ["vaulttransitunseals"], "verbs": ["create", "get", "patch", "update"],
    })];
    if !secrets.is_empty() {
        rules.push(json!({ "apiGroups": [""], "resources": ["secrets"], "resourceNames": secrets, "verbs": ["get"] }));
    }
    if !accounts.is_empty() {
        rules.push(json!({
            "apiGroups": [""], "resources": ["serviceaccounts/token"], "resourceNames": accounts, "verbs": ["create"],
        }));
    }
    let metadata = json!({ "name": name, "namespace": "vault" });
    let objects = json!({ "apiVersion": "v1", "kind": "List", "items": [
        { "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata },
        { "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata,
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": "vault" }],
        },
    ] });
    Manifests::parse(&objects.to_string())?.apply(&cluster.admin(), "e2e").await?;
    client_from(&cluster.plane.service_account_kubeconfig("vault", name).await?).await
}

fn resources(client: &Client) -> Api<VaultTransitUnseal> {
    Api::namespaced(client.clone(), "vault")
}

/// Nothing where it is accepted, else what a person reads.
async fn create(client: &Client, object: &Value, dry_run: bool) -> Result<Option<String>> {
    let params = PostParams { dry_run, ..PostParams::default() };
    answer(resources(client).create(&params, &serde_json::from_value(object.clone())?).await)
}

async fn change(client: &Client, patch: Value) -> Result<Option<String>> {
    answer(resources(client).patch("taken", &PatchParams::default(), &Patch::Merge(&patch)).await)
}

fn answer<T>(asked: kube::Result<T>) -> Result<Option<String>> {
    match asked {
        Ok(_) => Ok(None),
        Err(kube::Error::Api(status)) => Ok(Some(status.message.clone())),
        Err(error) => Err(error.into()),
    }
}

#[tokio::test]
async fn an_author_has_the_rights_that_the_resource_uses_and_the_controller_those_of_the_table() -> Result<()> {
    let cluster = Cluster::on(ControlPlane::builder().start().await?).await?;
    let namespaces = json!({ "apiVersion": "v1", "kind": "List", "items": [namespace("vault"), namespace("watched")] });
    Manifests::parse(&namespaces.to_string())?.apply(&cluster.admin(), "e2e").await?;
    cluster.install(&values()).await?;

    let (roles, table) = (granted_by_roles(&cluster.admin(), ACCOUNT).await?, expected());
    ensure!(roles == table, "the roles and the table differ:\n{:#?}", roles.symmetric_difference(&table));

    let secrets = ["b-ca", "vault-transit-token"];
    let may_all = author(&cluster, "may-all", &secrets, &["holdfast-vault"]).await?;
    let lacks_secret = author(&cluster, "lacks-secret", &["b-ca"], &["holdfast-vault"]).await?;
    let lacks_account = author(&cluster, "lacks-account", &secrets, &["another"]).await?;
    who_may_write(&may_all, &lacks_secret, &lacks_account).await?;
    let controller = client_from(&cluster.plane.service_account_kubeconfig(NAMESPACE, ACCOUNT).await?).await?;
    what_may_be_changed(&may_all, &lacks_secret, &controller).await
}

async fn who_may_write(may_all: &Client, lacks_secret: &Client, lacks_account: &Client) -> Result<()> {
    let secret = "spec.token.secretRef.name names the Secret vault-transit-token, which system:serviceaccount:vault:lacks-secret may not \
                  get: write one that you may, or have somebody apply it who may";
    let account = "spec.seal.transit.auth.serviceAccount.name names the ServiceAccount holdfast-vault, of which \
                   system:serviceaccount:vault:lacks-account may not create serviceaccounts/token: write one of which you may, or have \
                   somebody apply it who may";
    // A policy takes a moment until it is heeded.
    for (client, expected) in [(lacks_secret, secret), (lacks_account, account)] {
        eventually("a refusal", PATIENCE, async || {
            let refusal = create(client, &resource("refused"), true).await?.context("accepted")?;
            ensure!(refusal.ends_with(&format!("denied request: {expected}")), "{refusal}");
            Ok(())
        })
        .await?;
    }
    let taken = create(may_all, &resource("taken"), false).await?;
    ensure!(taken.is_none(), "{taken:?}");
    // Naming one Secret more, anywhere, takes one right more.
    let more = [
        (
            "/spec/seal/transit/tls",
            json!({ "caSecretRef": { "name": "another", "key": "ca.crt" } }),
            "the Secret another",
        ),
        (
            "/spec/target/auth",
            json!({ "serviceAccount": { "name": "another", "audience": "b" } }),
            "the ServiceAccount another",
        ),
        ("/spec/seal/transit/auth", json!({ "tokenRef": { "name": "another", "key": "token" } }), "the Secret another"),
        (
            "/spec/seal/transit/auth",
            json!({ "appRole": { "roleId": "r", "secretIdRef": { "name": "another", "key": "id" } } }),
            "the Secret another",
        ),
        ("/spec/initialization", json!({ "keyStore": { "secretName": "another" } }), "the Secret another"),
        (
            "/spec/initialization",
            json!({ "admin": { "serviceAccountRef": { "name": "another" } } }),
            "the ServiceAccount another",
        ),
        (
            "/spec/initialization",
            json!({ "admin": {
                "serviceAccountRef": { "name": "holdfast-vault" },
                "login": { "kubernetes": { "caSecretRef": { "name": "another", "key": "ca.crt" } } },
            } }),
            "the Secret another",
        ),
    ];
    for (pointer, value, named) in more {
        let refusal = create(may_all, &set(resource("more"), pointer, value), true).await?;
        ensure!(refusal.as_ref().is_some_and(|refusal| refusal.contains(named)), "{pointer}: {refusal:?}");
    }
    Ok(())
}

async fn what_may_be_changed(may_all: &Client, lacks_secret: &Client, controller: &Client) -> Result<()> {
    let faster = json!({ "spec": { "timing": { "interval": "10s" } } });
    let refusal = change(lacks_secret, faster.clone()).await?;
    ensure!(refusal.as_ref().is_some_and(|refusal| refusal.contains("the Secret vault-transit-token")), "{refusal:?}");
    let asked = json!({ "metadata": { "annotations": { holdfast_api::REQUESTED_AT: "now" } } });
    ensure!(change(lacks_secret, asked).await?.is_none());

    let refusal = change(controller, faster.clone()).await?;
    ensure!(
        refusal.as_ref().is_some_and(|refusal| refusal.ends_with("denied request: Holdfast changes no spec")),
        "{refusal:?}"
    );
    for finalizers in [json!(["holdfast.dev/withdraw"]), json!([])] {
        let refusal = change(controller, json!({ "metadata": { "finalizers": finalizers } })).await?;
        ensure!(refusal.is_none(), "{refusal:?}");
    }
    let status = json!({ "status": { "observedGeneration": 1 } });
    resources(controller).patch_status("taken", &PatchParams::default(), &Patch::Merge(&status)).await?;
    ensure!(change(may_all, faster).await?.is_none());
    Ok(())
}
