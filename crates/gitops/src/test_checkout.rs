//! A checkout that a test writes down in one string: `### path` begins a file.

use std::path::PathBuf;

use holdfast_model::Locate as _;
use holdfast_model::Subject;

use crate::checkout::Tree;
use crate::flux::{self, Followed};
use crate::raw::Raw;
use crate::{Checkout, Options, read};

/// A folder that is gone when the test is over.
pub(crate) struct TestCheckout {
    folder: tempfile::TempDir,
}

/// Writes the files of a checkout.
pub(crate) fn checkout(files: &str) -> TestCheckout {
    let folder = tempfile::tempdir().unwrap();
    for part in files.split("### ").skip(1) {
        let (path, text) = part.split_once('\n').unwrap();
        let path = folder.path().join(path.trim());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    TestCheckout { folder }
}

impl TestCheckout {
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::read(self.folder.path()).unwrap()
    }

    pub(crate) fn read(&self) -> Checkout {
        let helm = crate::HelmOptions { mode: crate::HelmMode::Never, ..crate::HelmOptions::default() };
        read(self.folder.path(), &Options { helm, ..Options::default() }).unwrap()
    }

    /// What Flux would apply from the first root.
    pub(crate) fn follow(&self) -> Followed {
        let tree = self.tree();
        let raw = Raw::new(&tree);
        let root = flux::roots(&tree, &raw).into_iter().next().expect("it has a root");
        flux::follow(&tree, &raw, &root)
    }
}

/// `file:line` of a field in the first cluster.
pub(crate) fn place(checkout: &Checkout, kind: &'static str, key: &str, field: &str) -> String {
    let (namespace, name) = key.split_once('/').unwrap_or(("", key));
    let subject = Subject { kind, namespace: namespace.into(), name: name.into() };
    let located = checkout.clusters[0].places.locate(&subject, field).expect("it is somewhere");
    format!("{}:{}", located.position.file, located.position.line)
}
