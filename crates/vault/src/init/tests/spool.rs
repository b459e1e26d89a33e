//! What a spool keeps through the end of a process, and from whom.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::init::recipients::Parts;
use crate::init::spool::{Answer, Spool};

fn answer(attempt: &str) -> Answer {
    let parts = BTreeMap::from([(format!("{attempt}.share-1.age"), Zeroizing::new(b"\xff sealed \n".to_vec()))]);
    Answer {
        attempt: attempt.to_owned(),
        of: "shop/vault".to_owned(),
        resource: "b".to_owned(),
        secret: "keys".to_owned(),
        asked: 1,
        made: 1,
        root: SecretString::from("s.canary-of-the-root-token"),
        parts: Parts::of(parts, true),
    }
}

fn files(folder: &Path) -> Vec<(String, u32)> {
    let entries = fs::read_dir(folder.join("holdfast-init")).unwrap().map(Result::unwrap);
    let mut files: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().permissions().mode() & 0o777))
        .collect();
    files.sort();
    files
}

#[test]
fn an_answer_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path()).unwrap();
    spool.mark("a1").unwrap();
    spool.keep(&answer("a1")).unwrap();
    let id = spool.id().to_owned();
    drop(spool);
    let again = Spool::open(folder.path()).unwrap();
    assert_eq!(again.id(), id);
    assert!(again.is_marked("a1").unwrap() && !again.is_marked("a2").unwrap());
    let found = again.answer("a1").unwrap().unwrap();
    assert_eq!((found.of.as_str(), found.resource.as_str(), found.secret.as_str()), ("shop/vault", "b", "keys"));
    assert_eq!((found.asked, found.made), (1, 1));
    assert_eq!(found.root.expose_secret(), "s.canary-of-the-root-token");
    assert_eq!((&found.parts, found.parts.digest()), (&answer("a1").parts, answer("a1").parts.digest()));
    assert!(again.has_of("shop/vault").unwrap() && !again.has_of("shop/other").unwrap());
    assert!(!format!("{found:?} {again:?}").contains("canary"));
}

#[test]
fn nobody_else_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path()).unwrap();
    spool.mark("a1").unwrap();
    spool.keep(&answer("a1")).unwrap();
    let named = [("a1.answer", 0o600), ("a1.sent", 0o600), ("id", 0o600)];
    assert_eq!(files(folder.path()), named.map(|(name, mode)| (name.to_owned(), mode)));
    let mode = fs::metadata(folder.path().join("holdfast-init")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn what_is_wiped_is_gone_and_wiping_twice_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path()).unwrap();
    spool.mark("a1").unwrap();
    spool.keep(&answer("a1")).unwrap();
    spool.wipe("a1").unwrap();
    spool.wipe("a1").unwrap();
    assert_eq!(files(folder.path()), [("id".to_owned(), 0o600)]);
    assert!(spool.answer("a1").unwrap().is_none() && !spool.is_marked("a1").unwrap());
}

#[test]
fn an_attempt_is_marked_once() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path()).unwrap();
    spool.mark("a1").unwrap();
    assert!(spool.mark("a1").is_err());
    spool.unmark("a1").unwrap();
    spool.mark("a1").unwrap();
}

#[test]
fn a_broken_answer_is_no_absence_and_is_quoted_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path()).unwrap();
    spool.keep(&answer("a1")).unwrap();
    let path = folder.path().join("holdfast-init/a1.answer");
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = spool.answer("a1").map(|answer| answer.is_some()).unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(!told.contains("canary"), "{told}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_is_no_spool() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = Spool::open(&missing).map(|spool| spool.id().to_owned()).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(Spool::open(&file).is_err());
}
