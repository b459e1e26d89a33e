//! What Vault itself answers when it doesn't do what it was asked: its status, its texts, and what they mean.
//!
//! The texts are Vault's and OpenBao's own, seen on real servers; no other field tells these causes apart. A text may
//! echo what was sent, so those that repeat a secret of the request are left out, and all are cut short.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::{Class, Effect};

/// Letters kept of each text.
const LETTERS: usize = 300;
/// Texts kept.
const TEXTS: usize = 8;
/// So many letters of a secret in a row are a part of it and no chance.
const WINDOW: usize = 12;
const LEFT_OUT: &str = "(left out, as it repeats what was sent)";

/// A status other than success, with Vault's texts.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    says: Says,
    errors: Vec<String>,
}

/// What an answer means, as far as its texts tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Says {
    /// The token is expired, revoked, or never was one (403, a bare `permission denied`, or with `invalid token`).
    TokenDead,
    /// The token lives, or there was none, and may not do this: policy, path or key (403, `1 error occurred`).
    Denied,
    /// The server is sealed.
    Sealed,
    /// No token has this accessor (any more).
    InvalidAccessor,
    /// The ciphertext was made by another key of this name.
    KeyReplaced,
    /// The ciphertext is of a version that the key doesn't have: the key comes from an older backup.
    VersionTooNew,
    /// The ciphertext is of a version below `min_decryption_version`.
    VersionTooOld,
    /// There is no transit key of this name.
    KeyMissing,
    /// Not initialised yet.
    NotInitialised,
    /// Initialised already.
    AlreadyInitialised,
    /// Nothing is mounted there, or the server has no such path.
    NoRoute,
    /// The token's role was deleted, so it can't be renewed.
    RoleGone,
    /// Something is mounted there already.
    PathInUse,
    /// A standby that knows no active node to hand the request to.
    NoActiveNode,
    /// Something else.
    Other,
}

impl Refusal {
    /// What Vault answered, with the texts cut and cleaned. Whoever sent secrets uses `of_request`.
    pub fn new(status: u16, errors: &[&str]) -> Self {
        let errors: Vec<String> = errors.iter().map(|&text| text.to_owned()).collect();
        Self::of_request(status, &errors, Sender::WithToken, &[])
    }

    /// The same for a request that held these secrets.
    pub(super) fn of_request(status: u16, errors: &[String], sender: Sender, secrets: &[SecretString]) -> Self {
        let says = match (recognise(status, errors), sender) {
            // Nobody had a token, so none is dead: a login was refused.
            (Says::TokenDead, Sender::WithoutToken) => Says::Denied,
            (says, Sender::WithToken | Sender::WithoutToken) => says,
        };
        Self { status, says, errors: errors.iter().take(TEXTS).map(|text| clean(text, secrets)).collect() }
    }

    /// The HTTP code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// What it means.
    pub fn says(&self) -> Says {
        self.says
    }

    /// Vault's texts on one line each, at most 300 letters long, without those that repeat what was sent.
    pub fn errors(&self) -> &[String] {
        &self.errors
    }

    pub(super) fn class(&self) -> Class {
        match self.says {
            Says::TokenDead | Says::Denied => Class::Denied,
            Says::Sealed | Says::NotInitialised | Says::NoActiveNode => Class::Transient,
            Says::NoRoute | Says::RoleGone => Class::Configuration,
            Says::InvalidAccessor
            | Says::KeyReplaced
            | Says::KeyMissing
            | Says::VersionTooNew
            | Says::VersionTooOld
            | Says::AlreadyInitialised
            | Says::PathInUse => Class::Permanent,
            Says::Other => match self.status {
                401 | 403 => Class::Denied,
                412 | 429 | 500.. => Class::Transient,
                _ => Class::Permanent,
            },
        }
    }

    /// A 5xx may come after half the work; with these texts it came before any.
    pub(super) fn effect(&self) -> Effect {
        match self.says {
            Says::Other if 500 <= self.status => Effect::Unknown,
            Says::Other
            | Says::TokenDead
            | Says::Denied
            | Says::Sealed
            | Says::InvalidAccessor
            | Says::KeyReplaced
            | Says::KeyMissing
            | Says::VersionTooNew
            | Says::VersionTooOld
            | Says::NotInitialised
            | Says::AlreadyInitialised
            | Says::NoRoute
            | Says::RoleGone
            | Says::PathInUse
            | Says::NoActiveNode => Effect::None,
        }
    }
}

/// Whether the request bore a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    WithToken,
    WithoutToken,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered {}", self.status)?;
        if self.errors.is_empty() { Ok(()) } else { write!(f, ": {}", self.errors.join("; ")) }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({self}, {:?})", self.says)
    }
}

/// Which text means what, wherever it stands: Vault and OpenBao wrap some of them differently.
const TEXTS_AND_MEANINGS: &[(&str, Says)] = &[
    ("Vault is sealed", Says::Sealed),
    ("invalid accessor", Says::InvalidAccessor),
    ("cipher: message authentication failed", Says::KeyReplaced),
    ("encryption key not found", Says::KeyMissing),
    ("version is too new", Says::VersionTooNew),
    ("disallowed by policy (too old)", Says::VersionTooOld),
    ("Vault is not initialized", Says::NotInitialised),
    ("Vault is already initialized", Says::AlreadyInitialised),
    ("no handler for route", Says::NoRoute),
    ("route entry not found", Says::NoRoute),
    ("unsupported path", Says::NoRoute),
    ("path is already in use", Says::PathInUse),
    ("local node not active but active cluster node not found", Says::NoActiveNode),
];

fn recognise(status: u16, errors: &[String]) -> Says {
    let has = |text: &str| errors.iter().any(|error| error.contains(text));
    if has("original token role") && has("could not be found") {
        return Says::RoleGone;
    }
    if let Some((_, says)) = TEXTS_AND_MEANINGS.iter().find(|(text, _)| has(text)) {
        return *says;
    }
    if status != 403 {
        return if has("missing client token") { Says::TokenDead } else { Says::Other };
    }
    let bare = errors.iter().any(|error| error.trim() == "permission denied");
    match (bare || has("invalid token"), has("permission denied")) {
        (true, _) => Says::TokenDead,
        (false, true) => Says::Denied,
        (false, false) => Says::Other,
    }
}

fn clean(text: &str, secrets: &[SecretString]) -> String {
    let short: String = text.chars().take(LETTERS).collect();
    if secrets.iter().any(|secret| repeats(text, &short, secret.expose_secret())) {
        return LEFT_OUT.to_owned();
    }
    // Cleaned after that: what is joined by then would hide a secret with white space in it.
    short.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|word| !word.is_empty()).fold(
        String::new(),
        |mut line, word| {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            line
        },
    )
}

/// Whether a text has the secret, or a part of it: Vault cuts what it quotes, and so do we.
fn repeats(text: &str, short: &str, secret: &str) -> bool {
    if secret.is_empty() {
        return false;
    }
    text.contains(secret) || short.as_bytes().windows(WINDOW).any(|part| contains(secret.as_bytes(), part))
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[track_caller]
    fn check(status: u16, errors: &[&str], says: Says, class: Class) {
        let refusal = Refusal::new(status, errors);
        assert_eq!((refusal.says(), refusal.class()), (says, class), "{refusal}");
    }

    // As seen on OpenBao 2.7.2 and Vault 1.21.2.
    #[rstest]
    #[case::dead_on_openbao(403, &["permission denied"], Says::TokenDead, Class::Denied)]
    #[case::dead_on_vault(403, &["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"], Says::TokenDead, Class::Denied)]
    #[case::denied(403, &["1 error occurred:\n\t* permission denied\n\n"], Says::Denied, Class::Denied)]
    #[case::sealed(503, &["Vault is sealed"], Says::Sealed, Class::Transient)]
    #[case::accessor(400, &["invalid accessor"], Says::InvalidAccessor, Class::Permanent)]
    #[case::other_key(400, &["cipher: message authentication failed"], Says::KeyReplaced, Class::Permanent)]
    #[case::no_key(400, &["encryption key not found"], Says::KeyMissing, Class::Permanent)]
    #[case::too_new(400, &["invalid ciphertext: version is too new"], Says::VersionTooNew, Class::Permanent)]
    #[case::too_old(400, &["ciphertext or signature version is disallowed by policy (too old)"], Says::VersionTooOld, Class::Permanent)]
    #[case::unborn(400, &["Vault is not initialized"], Says::NotInitialised, Class::Transient)]
    #[case::born(400, &["Vault is already initialized"], Says::AlreadyInitialised, Class::Permanent)]
    #[case::no_route(404, &["no handler for route \"x/encrypt/b\". route entry not found."], Says::NoRoute, Class::Configuration)]
    #[case::no_path(404, &["1 error occurred:\n\t* unsupported path\n\n"], Says::NoRoute, Class::Configuration)]
    #[case::mounted(400, &["path is already in use at transit/"], Says::PathInUse, Class::Permanent)]
    #[case::role_gone(500, &["failed to renew entry: original token role \"x\" could not be found, not renewing"], Says::RoleGone, Class::Configuration)]
    #[case::no_leader(500, &["local node not active but active cluster node not found"], Says::NoActiveNode, Class::Transient)]
    #[case::migrated_standby(500, &["barrier seal type of \"shamir\" does not match loaded type of \"transit\""], Says::Other, Class::Transient)]
    #[case::too_many(429, &["request path \"x\": rate limit quota exceeded"], Says::Other, Class::Transient)]
    #[case::no_text(500, &[], Says::Other, Class::Transient)]
    #[case::a_bad_request(400, &["role name mismatch"], Says::Other, Class::Permanent)]
    fn a_text_has_a_meaning(#[case] status: u16, #[case] errors: &[&str], #[case] says: Says, #[case] class: Class) {
        check(status, errors, says, class);
    }

    #[test]
    fn a_refused_login_is_no_dead_token() {
        let errors = ["permission denied".to_owned()];
        assert_eq!(Refusal::of_request(403, &errors, Sender::WithoutToken, &[]).says(), Says::Denied);
    }

    #[test]
    fn a_text_that_repeats_a_secret_is_left_out_and_keeps_its_meaning() {
        let secret = SecretString::from("hvs.CANARY-0123456789-canary");
        for echo in ["hvs.CANARY-0123456789-canary", "hvs.CANARY-01", "0123456789-ca"] {
            let errors = [format!("permission denied for {echo}: invalid token")];
            let refusal = Refusal::of_request(403, &errors, Sender::WithToken, std::slice::from_ref(&secret));
            assert_eq!((refusal.says(), refusal.errors()), (Says::TokenDead, &[LEFT_OUT.to_owned()][..]));
        }
    }

    #[test]
    fn an_empty_secret_leaves_nothing_out() {
        let errors = ["Vault is sealed".to_owned()];
        let refusal = Refusal::of_request(503, &errors, Sender::WithToken, &[SecretString::from("")]);
        assert_eq!(refusal.errors(), errors);
    }

    #[test]
    fn texts_are_short_and_few_and_on_one_line() {
        let long = "é".repeat(5000);
        let refusal = Refusal::new(400, &[long.as_str(); 20]);
        assert_eq!(refusal.errors().len(), TEXTS);
        assert!(refusal.errors().iter().all(|text| text.chars().count() == LETTERS));
        assert_eq!(
            Refusal::new(403, &["1 error occurred:\n\t* a\u{1b}[2J\n\n"]).errors(),
            ["1 error occurred: * a [2J"]
        );
    }
}
