//! For whom shares are: what is refused before anything is claimed, and what a recipient can read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_api::vault_transit_unseal::{AgeKeys, KeyStore, PgpKeys, Plaintext};
use rstest::rstest;
use secrecy::{ExposeSecret as _, SecretString};

use crate::init::recipients::{Invalid, NotPgp, Recipients};

fn store() -> KeyStore {
    KeyStore { secret_name: "keys".to_owned(), age: None, pgp: None, plaintext: None }
}

fn by_age(recipients: Vec<String>) -> KeyStore {
    KeyStore { age: Some(AgeKeys { recipients }), ..store() }
}

fn by_pgp(keys: Vec<String>) -> KeyStore {
    KeyStore { pgp: Some(PgpKeys { keys }), ..store() }
}

fn shares() -> Vec<SecretString> {
    ["c2hhcmUtb25l", "c2hhcmUtdHdv"].map(SecretString::from).into()
}

#[test]
fn each_share_can_be_read_by_its_recipient_alone() {
    let people = [age::x25519::Identity::generate(), age::x25519::Identity::generate()];
    let keys = people.iter().map(|person| person.to_public().to_string()).collect();
    let parts = Recipients::parse(&by_age(keys), 2).unwrap().seal("a1", &shares()).unwrap();
    assert_eq!(parts.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a1.share-1.age", "a1.share-2.age"]);
    for (index, (_, sealed)) in parts.iter().enumerate() {
        assert!(sealed.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----"));
        let read = age::decrypt(&people[index], sealed).unwrap();
        assert_eq!(read, shares()[index].expose_secret().as_bytes());
        assert!(age::decrypt(&people[1 - index], sealed).is_err());
    }
    assert_eq!(parts.count(), 2);
    let again = Recipients::parse(&by_age(people.iter().map(|person| person.to_public().to_string()).collect()), 2);
    let again = again.unwrap().seal("a1", &shares()).unwrap();
    // Of the encrypted shares, which are others each time.
    assert_ne!(parts.digest(), again.digest());
}

#[test]
fn of_plain_shares_no_hash_is_told_and_nothing_is_shown() {
    let plain = KeyStore { plaintext: Some(Plaintext::IUnderstand), ..store() };
    let parts = Recipients::parse(&plain, 2).unwrap().seal("a1", &shares()).unwrap();
    assert_eq!((parts.digest(), parts.count()), (None, 2));
    assert_eq!(parts.iter().map(|(_, content)| content).next(), Some(&b"c2hhcmUtb25l"[..]));
    assert_eq!(format!("{parts:?}"), "Parts { count: 2, .. }");
}

#[test]
fn what_is_no_key_of_age_is_refused_with_its_place() {
    let good = age::x25519::Identity::generate().to_public().to_string();
    let mut typo = good.clone();
    let last = if typo.ends_with('q') { "p" } else { "q" };
    typo.replace_range(typo.len() - 1.., last);
    let secret = age::x25519::Identity::generate().to_string().expose_secret().to_owned();
    // With points of low order, which age takes, and can't encrypt to.
    let zero = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z".to_owned();
    let one = "age1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqj7vrya".to_owned();
    assert!([&zero, &one].iter().all(|key| key.parse::<age::x25519::Recipient>().is_ok()));
    for bad in [typo, secret, String::new(), "age1".to_owned(), good.to_uppercase() + "x", zero, one] {
        let parsed = Recipients::parse(&by_age(vec![good.clone(), bad]), 2);
        assert_eq!(parsed.map(|_| ()), Err(Invalid::NotAge(1)));
    }
    let few = Recipients::parse(&by_age(vec![good]), 2);
    assert_eq!(few.map(|_| ()), Err(Invalid::Count { recipients: 1, shares: 2 }));
}

/// Of a new and an old packet of a public key.
const PACKETS: [&[u8]; 2] = [&[0xc6, 0x33, 0x04], &[0x98, 0x33, 0x04]];

#[rstest]
#[case::armour("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n", NotPgp::Armoured)]
#[case::armour_in_base64(&STANDARD.encode("-----BEGIN PGP PUBLIC KEY BLOCK-----"), NotPgp::Armoured)]
#[case::keybase("keybase:somebody", NotPgp::Keybase)]
#[case::no_base64("mDME!", NotPgp::NotBase64)]
#[case::empty("", NotPgp::NotPublicKey)]
#[case::text("aGVsbG8=", NotPgp::NotPublicKey)]
#[case::a_signature(&STANDARD.encode([0xc2, 0x33]), NotPgp::NotPublicKey)]
#[case::the_tag_alone(&STANDARD.encode([0xc6]), NotPgp::NotPublicKey)]
#[case::a_secret_key(&STANDARD.encode([0xc5, 0x33]), NotPgp::SecretKey)]
#[case::an_old_secret_key(&STANDARD.encode([0x94, 0x33]), NotPgp::SecretKey)]
fn what_no_server_reads_is_refused(#[case] key: &str, #[case] why: NotPgp) {
    let parsed = Recipients::parse(&by_pgp(vec![key.to_owned()]), 1);
    assert_eq!(parsed.map(|_| ()), Err(Invalid::NotPgp(0, why)));
}

#[test]
fn the_server_encrypts_for_keys_of_openpgp() {
    let keys: Vec<String> = PACKETS.iter().map(|packet| STANDARD.encode(packet)).collect();
    let parsed = Recipients::parse(&by_pgp(keys.clone()), 2).unwrap();
    assert_eq!(parsed.pgp_keys(), keys);
    let parts = parsed.seal("a1", &shares()).unwrap();
    assert_eq!(parts.iter().map(|(name, _)| name).next(), Some("a1.share-1.pgp.base64"));
    assert!(parts.digest().is_some());
}

#[test]
fn there_is_exactly_one_way() {
    assert_eq!(Recipients::parse(&store(), 3).map(|_| ()), Err(Invalid::NotOne));
    let both = KeyStore { plaintext: Some(Plaintext::IUnderstand), ..by_pgp(Vec::new()) };
    assert_eq!(Recipients::parse(&both, 3).map(|_| ()), Err(Invalid::NotOne));
}
