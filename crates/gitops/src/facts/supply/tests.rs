//! Facts of secrets, SOPS and pipelines, read from files.

use holdfast_model::repository::{Guard, Supply};

use crate::facts::given::files;

/// A value of random looks, put together here so that no scanner takes it for a leaked one.
fn random() -> String {
    ["Zk3v9QpT", "7mXw2LrB", "8nYcA1d4"].concat()
}

fn exposed(supply: &Supply) -> Vec<String> {
    let all = supply.vessels.iter().flat_map(|vessel| vessel.exposed.iter().map(move |it| (vessel, it)));
    all.map(|(vessel, it)| {
        format!("{} {} {}:{} {:?}", vessel.identity.subject, it.key, it.at.line, it.at.column, it.looks)
    })
    .collect()
}

#[track_caller]
fn check(path: &str, text: &str, expected: &[&str]) {
    let supply = files(&[(path, text)]).supply;
    assert_eq!(exposed(&supply), expected, "{text}");
    let told = format!("{supply:?}");
    assert!(!told.contains(&random()) && !told.contains("hunter2"), "a value got out");
}

#[test]
fn a_secret_exposes_what_is_neither_encrypted_nor_a_placeholder() {
    let head = "apiVersion: v1\nkind: Secret\nmetadata: { name: db, namespace: shop }\n";
    check("a.yaml", &format!("{head}stringData:\n  password: hunter2\n"), &["Secret shop/db password 5:3 Named"]);
    check("a.yaml", &format!("{head}data:\n  password: aHVudGVyMg==\n"), &["Secret shop/db password 5:3 Named"]);
    check("a.yaml", &format!("{head}stringData:\n  blob: {}\n", random()), &["Secret shop/db blob 5:3 Random"]);
    for harmless in [
        "password: ${DB_PASSWORD}",
        "password: op://home/db/password",
        "username: shop",
        "host: db.shop.svc.cluster.local",
        "url: https://s3.home.arpa:9000/backups",
        "password: \"\"",
        "bucket: cnpg-backups-production",
    ] {
        check("a.yaml", &format!("{head}stringData:\n  {harmless}\n"), &[]);
    }
    // `<changeme>` in base64.
    check("a.yaml", &format!("{head}data:\n  password: PGNoYW5nZW1lPg==\n"), &[]);
}

#[test]
fn a_sealed_secret_counts_as_one_that_holds() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: { name: db }\nstringData: { password: \"ENC[x]\" }\nsops: { mac: x, version: 3.9.0 }\n";
    let supply = files(&[("secret.sops.yaml", text)]).supply;
    assert_eq!(supply.vessels.len(), 1);
    assert!(supply.vessels[0].exposed.is_empty());
    assert_eq!(supply.sops_files[0].encrypted, Some(true));
}

#[test]
fn a_file_inside_a_secret_is_looked_through() {
    let head = "apiVersion: v1\nkind: Secret\nmetadata: { name: db, namespace: shop }\nstringData:\n  config.ini: |\n";
    check("a.yaml", &format!("{head}    [db]\n    password = hunter2\n"), &["Secret shop/db config.ini 5:3 Named"]);
    check("a.yaml", &format!("{head}    [db]\n    password = ${{PASSWORD}}\n"), &[]);
}

#[test]
fn values_of_a_chart_expose_passwords_and_not_where_they_are() {
    let head = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: web, namespace: shop }\nspec:\n  values:\n";
    check(
        "a.yaml",
        &format!("{head}    auth: {{ password: hunter2 }}\n"),
        &["HelmRelease shop/web password 6:13 Named"],
    );
    check(
        "a.yaml",
        &format!("{head}    env: [{{ name: DB_PASSWORD, value: hunter2 }}]\n"),
        &["HelmRelease shop/web DB_PASSWORD 6:11 Named"],
    );
    for harmless in [
        "auth: { existingSecret: web, secretKeys: { adminPassword: admin-password } }",
        "env: { DB_PASSWORD: { valueFrom: { secretKeyRef: { name: db, key: password } } } }",
        "auth: { userPasswordKey: password }",
        "auth: { password: db-password }",
        "auth: { passwordSecretRef: { name: web, password: hunter } }",
        "auth: { token: automatic }",
        "auth: { adminPassword: \"${ADMIN_PASSWORD}\" }",
    ] {
        check("a.yaml", &format!("{head}    {harmless}\n"), &[]);
    }
}

#[test]
fn what_a_cluster_is_made_of_is_known_by_its_shape() {
    let bundle = format!(
        "cluster: {{ id: a, secret: {0} }}\nsecrets: {{ bootstraptoken: {0} }}\ncerts: {{ os: {{ crt: a, key: {0} }} }}\n",
        random()
    );
    check(
        "talsecret.yaml",
        &bundle,
        &[
            "File talsecret.yaml secret 1:19 PrivateKey",
            "File talsecret.yaml bootstraptoken 2:12 PrivateKey",
            "File talsecret.yaml key 3:24 PrivateKey",
        ],
    );
    check("controlplane.yaml", "machine: { token: op://home/talos/TOKEN, type: controlplane }\n", &[]);
    let kubeconfig =
        format!("apiVersion: v1\nkind: Config\nusers: [{{ user: {{ client-key-data: {} }} }}]\n", random());
    check("kubeconfig.yaml", &kubeconfig, &["File kubeconfig.yaml client-key-data 3:19 PrivateKey"]);
}

#[test]
fn literals_of_a_generator_are_secrets_in_git() {
    let text = "secretGenerator:\n  - name: db\n    literals:\n      - password=hunter2\n      - username=shop\n";
    check("app/kustomization.yaml", text, &["File app/kustomization.yaml password 4:9 Named"]);
    check("app/Kustomization", text, &["File app/Kustomization password 4:9 Named"]);
    let whole = format!("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n{text}");
    check("app/kustomization.yml", &whole, &["File app/kustomization.yml password 6:9 Named"]);
    check("app/kustomization.yaml", "resources: [a.yaml]\n", &[]);
}

const RULES: &str = "creation_rules:\n  - path_regex: kubernetes/.*\\.sops\\.ya?ml\n  - path_regex: (\n";

#[test]
fn the_first_rule_above_a_file_covers_it() {
    let covered = |rules: &str, path: &str| {
        let mut all = vec![(".sops.yaml", rules), (path, "a: 1\n")];
        all.sort_unstable();
        let supply = files(&all).supply;
        supply.sops_files.iter().find(|it| it.file.name == path).and_then(|it| it.covered.clone()).map(|(_, is)| is)
    };
    assert_eq!(covered(RULES, "kubernetes/a/secret.sops.yaml"), Some(true));
    let whole = RULES.replace("  - path_regex: (\n", "");
    assert_eq!(covered(&whole, "talos/secret.sops.yaml"), Some(false));
    // A rule that can't be read might cover it.
    assert_eq!(covered(RULES, "talos/secret.sops.yaml"), None);
    assert_eq!(covered("creation_rules:\n  - age: age1\n", "talos/secret.sops.yaml"), Some(true));
    assert_eq!(covered("stores: {}\n", "talos/secret.sops.yaml"), None);
}

#[test]
fn what_is_named_for_sops_and_not_encrypted_is_seen_and_what_was_not_read_is_unknown() {
    let supply = files(&[("a.sops.yaml", "password: hunter2\n")]).supply;
    assert_eq!(supply.sops_files[0].encrypted, Some(false));
    let mut supply = Supply::default();
    super::read_tree(&["a.sops.env".into(), ".sops.yaml".into()], &mut supply);
    assert_eq!(supply.sops_files.iter().map(|it| it.encrypted).collect::<Vec<_>>(), [None]);
}

#[test]
fn a_workflow_builds_and_guards_images() {
    let text = "\
jobs:
  image:
    steps:
      - uses: docker/build-push-action@v6
        with: { push: true, sbom: true }
      - run: cosign sign example
      - uses: docker/build-push-action@v6
";
    let supply = files(&[(".github/workflows/image.yaml", text)]).supply;
    assert_eq!(supply.builds.iter().map(|it| it.at.line).collect::<Vec<_>>(), [4]);
    assert_eq!(supply.guards, [Guard::Attestation, Guard::Sbom, Guard::Signature]);
    assert_eq!(supply.uses.len(), 2);
    assert_eq!(files(&[("somewhere/image.yaml", text)]).supply.uses, []);
}
