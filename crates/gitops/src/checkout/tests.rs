//! What is read of a folder, and what isn't.

use std::path::Path;

use super::{ReadError, Tree};
use crate::test_checkout::checkout;

#[track_caller]
fn check(files: &str, read: &[&str], broken: &[(&str, &str)], templates: usize) -> Tree {
    let checkout = checkout(files);
    let tree = checkout.tree();
    let paths: Vec<&str> = tree.files().iter().map(|file| &*file.path).collect();
    assert_eq!(paths, read);
    assert_eq!(tree.broken().len(), broken.len(), "{:?}", tree.broken());
    for (found, (path, why)) in tree.broken().iter().zip(broken) {
        assert_eq!(&*found.path, *path);
        assert!(found.why.contains(why), "{}", found.why);
    }
    assert_eq!(tree.templates(), templates);
    tree
}

#[test]
fn yaml_is_read_wherever_it_stands_and_everything_else_is_listed() {
    let files = "### .github/workflows/a.yml\na: b\n### apps/Kustomization\na: b\n### README.md\nhello\n";
    let tree = check(files, &[".github/workflows/a.yml", "apps/Kustomization"], &[], 0);
    assert_eq!(tree.paths().len(), 3);
    assert!(tree.has_folder("apps") && !tree.has_folder("app") && tree.has_folder(""));
}

#[test]
fn what_is_broken_is_told_and_the_rest_is_read() {
    check(
        "### a.yaml\na: b\n### b.yaml\nok: 1\n---\na: [\n### c.yaml\n\0\u{1}binary\n",
        &["a.yaml", "b.yaml", "c.yaml"],
        &[("b.yaml", ""), ("c.yaml", "binary")],
        0,
    );
}

#[test]
fn templates_are_counted_and_not_read() {
    let files = "### a.yaml.j2\n{% if x %}\n### chart/Chart.yaml\nname: x\n### chart/templates/d.yaml\n{{ .Values.x }}\n### b.yaml\na: b\n{% if x %}\nc: [\n";
    check(files, &["chart/Chart.yaml"], &[], 3);
}

#[test]
fn what_git_ignores_is_not_read() {
    let files = "### .git/config\n\n### .gitignore\n*.decrypted.yaml\n### a.decrypted.yaml\na: b\n### a.yaml\na: b\n";
    check(files, &["a.yaml"], &[], 0);
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_the_checkout_and_no_loop_is_walked() {
    use std::os::unix::fs::symlink;

    let checkout = checkout("### apps/a.yaml\na: b\n");
    symlink("/etc", checkout.path().join("apps/etc")).unwrap();
    symlink("/etc/hostname", checkout.path().join("apps/host.yaml")).unwrap();
    symlink(checkout.path(), checkout.path().join("apps/loop")).unwrap();
    symlink("a.yaml", checkout.path().join("apps/same.yaml")).unwrap();
    // What a tool keeps for itself, of a folder that is read where it stands.
    std::fs::create_dir(checkout.path().join(".tool")).unwrap();
    symlink("../apps", checkout.path().join(".tool/apps")).unwrap();
    let tree = checkout.tree();
    let read: Vec<&str> = tree.files().iter().map(|file| &*file.path).collect();
    assert_eq!(read, ["apps/a.yaml", "apps/same.yaml"]);
    let broken: Vec<&str> = tree.broken().iter().map(|broken| &*broken.path).collect();
    assert_eq!(broken, ["apps/etc", "apps/host.yaml", "apps/loop"]);
}

#[test]
fn a_single_file_is_a_checkout_too_and_nothing_is_an_error() {
    let checkout = checkout("### apps/a.yaml\na: b\n");
    let tree = Tree::read(&checkout.path().join("apps/a.yaml")).unwrap();
    assert_eq!(tree.files().len(), 1);
    assert!(matches!(Tree::read(Path::new("/nowhere/at/all")), Err(ReadError::Missing { .. })));
}
