//! Where clusters begin.

use crate::flux::roots;
use crate::raw::Raw;
use crate::test_checkout::checkout;

const KS: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n";

#[track_caller]
fn check(files: &str, expected: &[&str]) {
    let checkout = checkout(files);
    let tree = checkout.tree();
    let found = roots(&tree, &Raw::new(&tree));
    let folders: Vec<&str> = found.iter().map(|root| root.folder.as_str()).collect();
    assert_eq!(folders, expected);
}

fn kustomization(name: &str, path: &str) -> String {
    format!(
        "{KS}metadata: {{name: {name}, namespace: flux-system}}\nspec: {{path: {path}, sourceRef: {{kind: GitRepository, name: flux-system}}}}\n"
    )
}

#[test]
fn a_flux_instance_says_what_it_syncs() {
    check(
        "### apps/x.yaml\na: b\n### clusters/prod/y.yaml\na: b\n### infra/flux.yaml\napiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {name: flux, namespace: flux-system}\nspec: {sync: {kind: GitRepository, url: https://x/y, path: clusters/prod}}\n",
        &["clusters/prod"],
    );
}

#[test]
fn so_do_the_values_of_its_chart() {
    check(
        "### kubernetes/flux/cluster/ks.yaml\na: b\n### kubernetes/apps/hr.yaml\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: flux-instance}\nspec: {values: {instance: {sync: {path: ./kubernetes/flux/cluster}}}}\n",
        &["kubernetes/flux/cluster"],
    );
}

#[test]
fn a_kustomization_that_applies_its_own_folder_was_bootstrapped() {
    let files = format!(
        "### clusters/prod/flux-system/gotk-sync.yaml\n{}### clusters/staging/flux-system/gotk-sync.yaml\n{}### clusters/prod/apps.yaml\n{}### apps/a.yaml\na: b\n",
        kustomization("flux-system", "./clusters/prod"),
        kustomization("flux-system", "./clusters/staging"),
        kustomization("apps", "./apps"),
    );
    check(&files, &["clusters/prod", "clusters/staging"]);
}

#[test]
fn else_those_that_no_other_one_applies() {
    let files = format!(
        "### flux/cluster/ks.yaml\n{}---\n{}### apps/web/ks.yaml\n{}### apps/web/app/a.yaml\na: b\n### repos/r.yaml\na: b\n",
        kustomization("apps", "./apps"),
        kustomization("repos", "./repos"),
        kustomization("web", "./apps/web/app"),
    );
    check(&files, &["flux/cluster"]);
}

#[test]
fn an_archive_begins_no_cluster() {
    let files = format!(
        "### flux/ks.yaml\n{}### archive/ks.yaml\n{}### templates/flux/ks.yaml\n{}### apps/a.yaml\na: b\n",
        kustomization("apps", "./apps"),
        kustomization("old", "./apps"),
        kustomization("new", "./apps"),
    );
    check(&files, &["flux"]);
}

#[test]
fn without_flux_each_topmost_overlay_is_a_cluster_and_then_the_rest() {
    check(
        "### base/kustomization.yaml\nresources: [a.yaml]\n### base/a.yaml\na: b\n### prod/kustomization.yaml\nresources: [../base]\n### dev/kustomization.yaml\nresources: [../base]\n### lib/kustomization.yaml\nkind: Component\n### plain/c.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
        &["dev", "prod", ""],
    );
}

#[test]
fn overlays_that_only_take_in_each_other_are_begun_somewhere() {
    check(
        "### a/kustomization.yaml\nresources: [../b]\n### b/kustomization.yaml\nresources: [../a]\n### c/kustomization.yaml\nresources: [a.yaml]\n### c/a.yaml\na: b\n",
        &["c", "a"],
    );
}
