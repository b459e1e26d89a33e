//! What the Secret of the token holds.

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::Secrets;
use super::set::Absent;
use crate::settings::Settings;
use crate::view::{Content, Malformed};

/// What it holds, and the token when it is one.
pub(super) async fn content(secrets: &Secrets<'_>, settings: &Settings) -> (Content, Option<SecretString>) {
    let Some(reference) = &settings.token else { return (Content::External, None) };
    let bytes = match secrets.read(reference).await {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(Absent::NoSecret) => return (Content::NoSecret, None),
        Err(Absent::NoKey) => return (Content::NoKey, None),
        Err(Absent::Refused(said)) => return (Content::Refused(said), None),
        Err(Absent::Unseen) => return (Content::Unseen, None),
    };
    if let Some(malformed) = Malformed::of(&bytes) {
        return (Content::Malformed(malformed), None);
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => (Content::Present, Some(SecretString::from(text))),
        Err(_) => (Content::Malformed(Malformed::Unprintable), None),
    }
}
