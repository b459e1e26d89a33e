//! The other ways of an initialisation: keys for people with OpenPGP, keys for whoever reads them, a server that speaks TLS, and
//! an administrator whose login the API server is asked about.
//!
//! Each is complete in the end, and its people get in.

mod pgp;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::Cluster;
use holdfast_e2e::vault::Delivery;
use holdfast_testkit::control_plane::ISSUER;
use holdfast_testkit::vault::Product;
use holdfast_testkit::{Authority, Manifests, eventually};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::Api;
use kube::config::Kubeconfig;
use serde_json::{Value, json};

use crate::init::people::{ADMIN, KEYS, People, admin_for, no_root_token_lives, shares_open};
use crate::init::{self, Birth};
use crate::stage::{self, DEADLINE, Shape};

const NAMESPACES: [&str; 4] = ["pgp", "plain", "encrypted", "reviewed"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_of_an_initialisation_leads_to_its_end() -> Result<()> {
    let cluster = stage::cluster(&NAMESPACES).await?;
    let spool = tempfile::tempdir()?;
    let controller = init::controller(&cluster, &NAMESPACES, spool.path()).await?;
    let all = tokio::try_join!(
        Box::pin(for_people_with_pgp(&cluster, "pgp")),
        Box::pin(for_whoever_reads(&cluster, "plain")),
        Box::pin(over_tls(&cluster, "encrypted")),
        Box::pin(reviewed(&cluster, "reviewed")),
    );
    all.map(drop).map_err(|error| controller.explain(error))?;
    init::is_empty(spool.path())
}

/// What the Secret of the keys holds.
async fn stored(birth: &Birth<'_>) -> Result<BTreeMap<String, Vec<u8>>> {
    let data = birth.secrets().get(KEYS).await?.data.unwrap_or_default();
    Ok(data.into_iter().map(|(key, value)| (key, value.0)).collect())
}

async fn for_people_with_pgp(cluster: &Cluster, namespace: &'static str) -> Result<()> {
    let birth = Birth::expect(cluster, namespace, &Shape::single(Product::Vault)).await?;
    let keys: Vec<&str> = pgp::PEOPLE.iter().map(|person| person.public.trim()).collect();
    birth
        .ask(&json!({
            "enabled": true, "allowHTTPInit": true, "shares": 2, "threshold": 2,
            "keyStore": {"secretName": KEYS, "pgp": {"keys": keys}}, "admin": {"serviceAccountRef": {"name": ADMIN}},
        }))
        .await?;
    birth.is_complete().await?;
    let (stored, attempt) = (stored(&birth).await?, birth.claim().await?.attempt);
    ensure!(stored.len() == 2, "{:?}", stored.keys());
    let mut shares = Vec::new();
    for (index, person) in pgp::PEOPLE.iter().enumerate() {
        let name = format!("{attempt}.share-{}.pgp.base64", index + 1);
        let sealed = stored.get(&name).with_context(|| format!("no {name} in {:?}", stored.keys()))?;
        shares.extend(person.reads(sealed)?);
    }
    gets_in(&birth, "vault", &shares).await
}

async fn for_whoever_reads(cluster: &Cluster, namespace: &'static str) -> Result<()> {
    let birth = Birth::expect(cluster, namespace, &Shape::single(Product::OlderOpenBao)).await?;
    let mut wanted = People::new().initialization();
    wanted["keyStore"] = json!({"secretName": KEYS, "plaintext": "IUnderstand"});
    birth.ask(&wanted).await?;
    birth.is_complete().await?;
    ensure!(
        birth.claim().await?.recorded().is_some_and(|recorded| recorded.digest.is_none()),
        "a hash of plain keys is kept"
    );
    let (stored, attempt) = (stored(&birth).await?, birth.claim().await?.attempt);
    let name = |index: usize| format!("{attempt}.share-{}.base64", index + 1);
    let shares = (0..3).map(|index| Ok(String::from_utf8(stored.get(&name(index)).context("no share")?.clone())?));
    gets_in(&birth, "vault", &shares.collect::<Result<Vec<_>>>()?).await
}

/// B's certificate is of an authority that only the Secret knows; nothing is allowed over HTTP.
async fn over_tls(cluster: &Cluster, namespace: &'static str) -> Result<()> {
    let authority = Authority::new()?;
    let shape = Shape {
        delivery: Delivery::File,
        authority: Some(authority.pem().to_owned()),
        ..Shape::single(Product::OpenBao)
    };
    let (birth, people) = (Birth::expect(cluster, namespace, &shape).await?, People::new());
    birth.pair.set.write_config("").await?;
    birth.pair.set.write_certificate(&authority, &[birth.pair.kubelet.ip("vault-0")?]).await?;
    let mut wanted = people.initialization();
    wanted["allowHTTPInit"] = json!(false);
    let tls = json!({"caSecretRef": {"name": "tls", "key": "ca.crt"}, "serverName": "localhost"});
    birth.ask_with(&json!({"initialization": wanted, "target": {"allowHTTP": false, "tls": tls}})).await?;
    birth.is_complete().await?;
    gets_in(&birth, "vault", &people.shares(&cluster.admin(), namespace).await?).await
}

/// B asks the API server about whoever logs in. Its pod is a process without the file of a ServiceAccount's token, so it asks with
/// the token that it is asked about, which is therefore for the API server and whose account may do so.
async fn reviewed(cluster: &Cluster, namespace: &'static str) -> Result<()> {
    let (birth, people) = (Birth::expect(cluster, namespace, &Shape::single(Product::OpenBao)).await?, People::new());
    let mut wanted = people.initialization();
    wanted["admin"]["audience"] = json!(ISSUER);
    wanted["admin"]["login"] = api_server(&birth).await?;
    birth.ask(&wanted).await?;
    birth.is_told(holdfast_vault::cause::Cause::AdminNotProven, "403").await?;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "b-reviews-tokens"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:auth-delegator"},
        "subjects": [{"kind": "ServiceAccount", "name": ADMIN, "namespace": namespace}],
    });
    Manifests::parse(&binding.to_string())?.apply(&cluster.admin(), "story").await?;
    birth.is_complete().await?;
    let asker = format!("system:serviceaccount:{namespace}:{ADMIN}");
    let events = cluster.plane.audit().events()?;
    let reviews =
        events.iter().filter(|event| event.resource == "tokenreviews" && event.user == asker && event.code == 201);
    ensure!(0 < reviews.count(), "B never asked");
    gets_in(&birth, ISSUER, &people.shares(&cluster.admin(), namespace).await?).await
}

/// Where B reaches the API server, and by whose certificates it knows it.
async fn api_server(birth: &Birth<'_>) -> Result<Value> {
    let maps: Api<ConfigMap> = Api::namespaced(birth.cluster.admin(), birth.namespace);
    let authority = eventually("the API server's authority", DEADLINE, async || {
        let map = maps.get("kube-root-ca.crt").await?;
        map.data.and_then(|data| data.get("ca.crt").cloned()).context("no certificate")
    })
    .await?;
    birth.pair.set.write_secret("ca", &json!({"ca.crt": authority})).await?;
    let known = Kubeconfig::read_from(birth.cluster.plane.kubeconfig())?;
    let host = known.clusters.into_iter().find_map(|named| named.cluster?.server).context("no API server")?;
    Ok(json!({"kubernetes": {"host": host, "caSecretRef": {"name": "ca", "key": "ca.crt"}}}))
}

/// The administrator, and whoever reads the shares.
async fn gets_in(birth: &Birth<'_>, audience: &str, shares: &[String]) -> Result<()> {
    let b = birth.pair.kubelet.endpoint("vault-0")?;
    let admin = admin_for(&birth.cluster.admin(), birth.namespace, &b, audience).await?;
    no_root_token_lives(&b, &admin).await?;
    match shares {
        // Nobody here can decrypt what is for people with OpenPGP.
        [] => Ok(()),
        shares => shares_open(&b, &admin, shares).await,
    }
}
