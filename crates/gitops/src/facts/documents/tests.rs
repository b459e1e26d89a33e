//! Documents, as their paths and headings tell of them.

use std::sync::Arc;

use holdfast_model::repository::{Documents, Topic};

use super::{is_wanted, read_text, read_tree};

#[track_caller]
fn check(paths: &[&str], expected: &[Topic]) {
    let paths: Vec<Arc<str>> = paths.iter().map(|path| (*path).into()).collect();
    let mut documents = Documents::default();
    read_tree(&paths, &mut documents);
    assert_eq!(documents.topics.into_iter().collect::<Vec<_>>(), expected, "{paths:?}");
}

#[test]
fn documents_are_known_by_their_names() {
    check(&["CHANGELOG.md"], &[Topic::Changes]);
    check(&[".github/release.yaml"], &[Topic::Changes]);
    check(&["docs/CONTRIBUTING.md"], &[Topic::Contributing]);
    check(&["docs/runbooks/talos-upgrade.md"], &[Topic::Upgrade, Topic::Drift]);
    check(&["docs/disaster-recovery.md"], &[Topic::Recovery]);
    // A manifest that is called so is none.
    check(&["kubernetes/apps/backup/restore.yaml", "kubernetes/apps/renovate/app/values.json"], &[]);
}

#[test]
fn headings_of_a_readme_count_and_its_code_does_not() {
    let mut documents = Documents::default();
    let text = "# My cluster\n\n## Upgrades\n\n```sh\n# restore everything\n```\n\nA backup is in this sentence.\n";
    read_text(&"README.md".into(), text, &mut documents);
    assert_eq!(documents.topics.into_iter().collect::<Vec<_>>(), [Topic::Upgrade]);
    assert_eq!(documents.readme.as_deref(), Some("README.md"));
}

#[test]
fn only_texts_near_the_root_are_wanted() {
    assert!(is_wanted("README.md") && is_wanted(".github/README.md") && is_wanted("docs/index.md"));
    assert!(!is_wanted("apps/shop/web/README.md") && !is_wanted("CHANGELOG.md") && !is_wanted("readme.png"));
}

#[test]
fn a_folder_of_manifests_is_no_root() {
    let mut documents = Documents::default();
    read_tree(&["apps/web.yaml".into(), "kustomization.yaml".into()], &mut documents);
    assert!(!documents.is_root);
    read_tree(&[".gitignore".into()], &mut documents);
    assert!(documents.is_root);
}
