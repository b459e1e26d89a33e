//! What the Secret of the token holds.

use jiff::Timestamp;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::Secrets;
use super::set::Absent;
use crate::execute::MINTED;
use crate::settings::Settings;
use crate::view::{Content, Malformed};

/// What it holds, the token when it is one, and when we made it when we did.
pub(super) async fn content(
    secrets: &Secrets<'_>,
    settings: &Settings,
) -> (Content, Option<SecretString>, Option<Timestamp>) {
    let Some(reference) = &settings.token else { return (Content::External, None, None) };
    let (content, secret, minted) = match secrets.read_noted(reference, MINTED).await {
        Ok((bytes, noted)) => {
            let (content, secret) = judge(&Zeroizing::new(bytes));
            (content, secret, noted.and_then(|noted| noted.parse().ok()))
        }
        Err(absent) => (of_absent(absent), None, None),
    };
    (content, secret, minted)
}

fn of_absent(absent: Absent) -> Content {
    match absent {
        Absent::NoSecret => Content::NoSecret,
        Absent::NoKey => Content::NoKey,
        Absent::Refused(said) => Content::Refused(said),
        Absent::Unseen => Content::Unseen,
    }
}

fn judge(bytes: &[u8]) -> (Content, Option<SecretString>) {
    if let Some(malformed) = Malformed::of(bytes) {
        return (Content::Malformed(malformed), None);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => (Content::Present, Some(SecretString::from(text))),
        Err(_) => (Content::Malformed(Malformed::Unprintable), None),
    }
}
