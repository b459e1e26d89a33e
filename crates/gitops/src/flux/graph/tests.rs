//! What is applied, and what isn't.

use holdfast_model::repository::problems::ProblemKind;

use crate::Node;
use crate::flux::Followed;
use crate::test_checkout::checkout;

const ROOT: &str = "### flux/a.yaml
apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system}
spec: {sync: {kind: GitRepository, url: https://git/home, path: flux}}
";

fn ks(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec:\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{spec}"
    )
}

fn map(name: &str, data: &str) -> String {
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {data}\n")
}

fn names(followed: &Followed) -> Vec<String> {
    let maps = followed.objects.iter().filter(|object| object.kind == "ConfigMap");
    maps.map(|object| format!("{}/{}", object.namespace, object.name)).collect()
}

#[track_caller]
fn check(files: &str, objects: &[&str], problems: &[ProblemKind]) -> Followed {
    let followed = checkout(&format!("{ROOT}{files}")).follow();
    assert_eq!(names(&followed), objects);
    let kinds: Vec<ProblemKind> = followed.troubles.iter().map(|trouble| trouble.kind).collect();
    assert_eq!(kinds, problems, "{:?}", followed.troubles);
    followed
}

fn data<'a>(followed: &'a Followed, name: &str, key: &str) -> Option<&'a Node> {
    followed.objects.iter().find(|object| object.name == name).and_then(|object| object.root.at(&["data", key]))
}

#[test]
fn a_kustomization_that_a_build_makes_is_followed_into_its_namespace() {
    let files = format!(
        "{}### apps/kustomization.yaml\nresources: [web.yaml]\n### apps/web.yaml\n{}### web/c.yaml\n{}",
        ks("apps", "  path: ./apps\n"),
        ks("web", "  path: ./web\n  targetNamespace: shop\n"),
        map("c", "{}"),
    );
    let followed = check(&files, &["shop/c"], &[]);
    let owner = followed.objects.last().unwrap().owner.as_ref().unwrap();
    assert_eq!(owner.to_string(), "Kustomization flux-system/web");
    let whole = followed.objects.last().unwrap().whole();
    let label = whole.at(&["metadata", "labels", "kustomize.toolkit.fluxcd.io/name"]);
    assert_eq!(label.and_then(Node::as_str), Some("web"));
}

#[test]
fn variables_come_from_config_maps_that_another_kustomization_builds() {
    let files = format!(
        "{}{}### apps/c.yaml\n{}### settings/s.yaml\n{}",
        ks(
            "apps",
            "  path: ./apps\n  postBuild: {substitute: {OWN: x}, substituteFrom: [{kind: ConfigMap, name: settings}]}\n"
        ),
        ks("settings", "  path: ./settings\n  targetNamespace: flux-system\n"),
        map("c", "{host: '${DOMAIN}', own: '${OWN}'}"),
        map("settings", "{DOMAIN: example.com, OWN: overridden}"),
    );
    let followed = check(&files, &["flux-system/settings", "/c"], &[]);
    assert_eq!(data(&followed, "c", "host").and_then(Node::as_str), Some("example.com"));
    assert_eq!(data(&followed, "c", "own").and_then(Node::as_str), Some("x"));
}

#[test]
fn values_that_are_encrypted_or_not_in_git_stay_as_they_are() {
    let files = format!(
        "{}### apps/c.yaml\n{}### secrets/s.sops.yaml\napiVersion: v1\nkind: Secret\nmetadata: {{name: known}}\nstringData: {{A: 'ENC[AES256_GCM,data:x]'}}\nsops: {{mac: x}}\n",
        ks(
            "apps",
            "  path: ./apps\n  postBuild: {substituteFrom: [{kind: Secret, name: known}, {kind: Secret, name: gone}]}\n"
        ),
        map("c", "{a: '${A}', b: '${B}'}"),
    );
    let followed = check(&files, &["/c"], &[]);
    assert_eq!(data(&followed, "c", "b").and_then(Node::as_str), Some("${B}"));
}

#[test]
fn without_variables_nothing_is_substituted_and_one_that_is_missing_is_told() {
    let files = format!(
        "{}{}### a/c.yaml\n{}### b/d.yaml\n{}",
        ks("a", "  path: ./a\n"),
        ks("b", "  path: ./b\n  postBuild: {substitute: {X: y}}\n"),
        map("c", "{a: '${A:=1}'}"),
        map("d", "{a: '${A}'}"),
    );
    let followed = check(&files, &["/c", "/d"], &[ProblemKind::VariableUndefined]);
    assert_eq!(data(&followed, "c", "a").and_then(Node::as_str), Some("${A:=1}"));
}

#[test]
fn a_path_that_is_not_there_is_told_and_the_rest_is_followed() {
    let files = format!("{}{}### b/d.yaml\n{}", ks("a", "  path: ./gone\n"), ks("b", "  path: ./b\n"), map("d", "{}"));
    check(&files, &["/d"], &[ProblemKind::PathMissing]);
}

#[test]
fn a_cycle_of_kustomizations_ends() {
    let files = format!("{}### a/k.yaml\n{}", ks("a", "  path: ./a\n"), ks("b", "  path: ./flux\n"));
    check(&files, &[], &[]);
}

#[test]
fn another_repository_is_told_and_not_followed() {
    let files = format!(
        "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: other}}\nspec: {{url: 'https://git/other'}}\n{}### a/c.yaml\n{}",
        ks("a", "  path: ./a\n").replace("name: flux-system}\n  path", "name: other}\n  path"),
        map("c", "{}"),
    );
    check(&files, &[], &[ProblemKind::Unsupported]);
}

#[test]
fn a_list_is_its_items() {
    let files = "---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: c}\n";
    check(files, &["/c"], &[]);
}
