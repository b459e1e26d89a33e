//! Checkouts, read whole.

use holdfast_model::repository::problems::ProblemKind;
use holdfast_model::{Locate as _, Text};

use crate::test_checkout::{checkout, place};
use crate::{Stream, read_stream};

const HOME: &str = "### kubernetes/flux/cluster/ks.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  path: ./kubernetes/apps
  sourceRef: {kind: GitRepository, name: flux-system}
### kubernetes/apps/kustomization.yaml
resources: [web/ks.yaml]
### kubernetes/apps/web/ks.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web, namespace: flux-system}
spec:
  path: ./kubernetes/apps/web/app
  targetNamespace: shop
  sourceRef: {kind: GitRepository, name: flux-system}
  postBuild: {substitute: {N: '3'}}
### kubernetes/apps/web/app/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: ${N}
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}}
### kubernetes/apps/web/app/pdb.yaml
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  minAvailable: 3
  selector: {matchLabels: {app: web}}
### kubernetes/apps/forgotten/ks.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: forgotten, namespace: flux-system}
spec: {path: ./gone}
### kubernetes/bootstrap/key.yaml
apiVersion: v1
kind: Secret
metadata: {name: age}
### broken.yaml
a: [
";

#[test]
fn a_workload_has_its_effective_namespace_replicas_and_place() {
    let home = checkout(HOME);
    let read = home.read();
    assert_eq!(read.clusters.len(), 1);
    let cluster = &read.clusters[0].cluster;
    let shop = cluster.namespace(&Text::from("shop")).unwrap();
    let web = shop.workloads().next().unwrap();
    assert_eq!(web.replicas, Some(3));
    assert!(shop.namespace().is_some(), "nobody wrote it down, and it is there");
    let owner = shop.flux_owner(web.id.kind.kind(), &web.id.name, &web.flux).unwrap();
    assert_eq!(owner.to_string(), "Kustomization flux-system/web");
    assert_eq!(place(&read, "Deployment", "shop/web", "spec.replicas"), "kubernetes/apps/web/app/deployment.yaml:6");
    assert_eq!(
        place(&read, "PodDisruptionBudget", "shop/web", "spec.minAvailable"),
        "kubernetes/apps/web/app/pdb.yaml:5"
    );
    assert_eq!(
        read.clusters[0].places.line("kubernetes/apps/web/app/pdb.yaml", 5).as_deref(),
        Some("  minAvailable: 3")
    );
}

#[test]
fn what_nobody_reaches_is_listed_unless_it_is_set_aside() {
    let read = checkout(HOME).read();
    let inventory = &read.repository.inventory;
    let unreachable: Vec<&str> = inventory.unreachable.iter().map(|path| &**path).collect();
    assert_eq!(unreachable, ["kubernetes/apps/forgotten/ks.yaml"]);
    assert_eq!((inventory.kustomizations.items.len(), inventory.kustomizations.reachable()), (3, 2));
    assert_eq!(inventory.budgets.items.len(), 1);
}

#[test]
fn a_file_that_is_broken_is_told_where() {
    let read = checkout(HOME).read();
    let broken: Vec<_> = read.repository.problems.of(ProblemKind::FileUnreadable).collect();
    assert_eq!(broken.len(), 1);
    assert_eq!(&*broken[0].subject.name, "broken.yaml");
    assert!(0 < read.repository.problems.count_fine(ProblemKind::FileUnreadable));
}

#[test]
fn two_clusters_are_two() {
    let files = "### clusters/prod/flux-system/gotk-sync.yaml\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {path: ./clusters/prod, sourceRef: {kind: GitRepository, name: flux-system}}\n### clusters/dev/flux-system/gotk-sync.yaml\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {path: ./clusters/dev, sourceRef: {kind: GitRepository, name: flux-system}}\n";
    let read = checkout(files).read();
    let names: Vec<&str> = read.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    assert_eq!(names, ["clusters/dev", "clusters/prod"]);
}

#[test]
fn a_stream_is_a_cluster_of_its_own_and_its_lines_can_be_shown() {
    let text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {replicas: 2}\n";
    let read = read_stream(Stream { name: "<stdin>".to_owned(), text: text.into() });
    assert_eq!(place(&read, "Deployment", "shop/web", "spec.replicas"), "<stdin>:8");
    assert_eq!(read.clusters[0].places.line("<stdin>", 8).as_deref(), Some("spec: {replicas: 2}"));
}

#[test]
fn an_empty_folder_is_a_checkout_without_clusters() {
    let read = checkout("### .keep\n").read();
    assert!(read.clusters.is_empty());
}

#[test]
fn our_own_policies_are_handed_out() {
    let files = "### a.yaml\napiVersion: holdfast.dev/v1alpha1\nkind: DisruptionPolicy\nmetadata: {name: p}\nspec: {}\n---\napiVersion: holdfast.dev/v1alpha1\nkind: NamespaceSecurityPolicy\nmetadata: {name: s}\nspec: {}\n---\napiVersion: holdfast.dev/v1alpha1\nkind: PolicyException\nmetadata: {name: e, namespace: shop}\nspec: {target: {kind: Deployment, name: web}, rules: [singleton], reason: x, owner: me}\n---\napiVersion: holdfast.dev/v1alpha1\nkind: PolicyException\nmetadata: {name: bad, namespace: shop}\nspec: {target: 5}\n";
    let read = checkout(files).read();
    let cluster = &read.clusters[0];
    assert_eq!((cluster.policies.len(), cluster.security.len(), cluster.exceptions.len()), (1, 1, 1));
    assert_eq!(cluster.repository.problems.of(ProblemKind::FileUnreadable).count(), 1);
}

#[test]
fn a_namespace_that_no_file_defines_is_assumed() {
    let read = checkout("### a.yaml\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: media}\n").read();
    let assumed = |name: &str| {
        let view = read.clusters[0].cluster.namespace(&name.into()).unwrap();
        view.namespace().unwrap().assumed
    };
    assert_eq!((assumed("shop"), assumed("media")), (false, true));
}
