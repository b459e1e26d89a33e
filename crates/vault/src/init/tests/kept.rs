//! Whether stored shares are still there, by what was recorded.

use std::collections::BTreeMap;

use rstest::rstest;

use crate::init::claim::Recorded;
use crate::init::kept::{Kept, judge};
use crate::init::recipients::digest;

const SHARES: [(&str, &[u8]); 2] = [("a1.share-1.age", b"one"), ("a1.share-2.age", b"two")];

fn secret(entries: &[(&str, &[u8])]) -> BTreeMap<String, Vec<u8>> {
    entries.iter().map(|(name, content)| ((*name).to_owned(), content.to_vec())).collect()
}

#[rstest]
#[case::as_stored(Some(&SHARES[..]), Kept::Stored)]
#[case::beside_others(Some(&[SHARES[0], SHARES[1], ("b2.share-1.age", &b"x"[..]), ("note", b"y")][..]), Kept::Stored)]
#[case::one_is_missing(Some(&SHARES[..1]), Kept::Changed)]
#[case::one_is_another(Some(&[SHARES[0], ("a1.share-2.age", &b"tw0"[..])][..]), Kept::Changed)]
#[case::one_more(Some(&[SHARES[0], SHARES[1], ("a1.share-3.age", &b"x"[..])][..]), Kept::Changed)]
#[case::of_another_attempt(Some(&[("b2.share-1.age", &b"one"[..])][..]), Kept::NoneExist)]
#[case::empty(Some(&[][..]), Kept::NoneExist)]
#[case::no_secret(None, Kept::Lost)]
fn encrypted(#[case] there: Option<&[(&str, &[u8])]>, #[case] kept: Kept) {
    let recorded = Recorded { secret: "keys".to_owned(), count: 2, digest: Some(digest(SHARES.into_iter())) };
    assert_eq!(judge("a1", &recorded, there.map(secret).as_ref()), kept);
}

#[test]
fn plain_ones_are_only_counted() {
    let recorded = Recorded { secret: "keys".to_owned(), count: 2, digest: None };
    let others = secret(&[("a1.share-1.base64", b"x"), ("a1.share-2.base64", b"y")]);
    assert_eq!(judge("a1", &recorded, Some(&others)), Kept::Stored);
    assert_eq!(judge("a1", &Recorded { count: 3, ..recorded }, Some(&others)), Kept::Changed);
}
