//! What makes a value look like a secret, and what shows that it is none.
//!
//! Careful on purpose: a finding that is wrong is worse here than one that is missing, since it teaches people to look
//! away. What stands for a value (a variable, a reference to a vault, a template) is none, and neither is a word that
//! says that something has to be put there.

use holdfast_model::repository::Looks;

/// Forms in which issuers make their tokens: how they begin, how long they are at least, whose they are.
const TOKENS: [(&str, usize, &str); 19] = [
    ("ghp_", 36, "GitHub"),
    ("gho_", 36, "GitHub"),
    ("ghs_", 36, "GitHub"),
    ("github_pat_", 40, "GitHub"),
    ("glpat-", 20, "GitLab"),
    ("xoxb-", 24, "Slack"),
    ("xoxp-", 24, "Slack"),
    ("sk_live_", 24, "Stripe"),
    ("sk-ant-", 40, "Anthropic"),
    ("sk-proj-", 40, "OpenAI"),
    ("hvs.", 24, "Vault"),
    ("dckr_pat_", 24, "Docker Hub"),
    ("npm_", 36, "npm"),
    ("tskey-", 24, "Tailscale"),
    ("AIza", 39, "Google"),
    ("SG.", 60, "SendGrid"),
    ("glsa_", 32, "Grafana"),
    ("dop_v1_", 64, "DigitalOcean"),
    ("ops_", 100, "1Password"),
];

/// Words that say that a value has to be put there.
const PLACEHOLDERS: [&str; 16] = [
    "changeme",
    "change-me",
    "change_me",
    "replace",
    "placeholder",
    "redacted",
    "example",
    "dummy",
    "insert",
    "your-",
    "your_",
    "todo",
    "fixme",
    "not-used",
    "unused",
    "xxxx",
];

/// Parts of keys that say that the value is secret.
const NAMES: [&str; 20] = [
    "password",
    "passwd",
    "passphrase",
    "secretkey",
    "secretaccesskey",
    "clientsecret",
    "apikey",
    "apitoken",
    "accesstoken",
    "authtoken",
    "bearertoken",
    "refreshtoken",
    "privatekey",
    "encryptionkey",
    "signingkey",
    "masterkey",
    "tunnelsecret",
    "bottoken",
    "webhooksecret",
    "cookiesecret",
];

/// What shows that a key names something else: where a secret is, or what it is called.
const ELSEWHERE: [&str; 21] = [
    "name",
    "ref",
    "path",
    "file",
    "url",
    "uri",
    "host",
    "key_id",
    "keyid",
    "existing",
    "length",
    "policy",
    "algorithm",
    "expir",
    "ttl",
    "type",
    "property",
    "mount",
    "enabled",
    "rotation",
    "hash",
];

/// Whether a text stands for a value, or says that one has to be put there.
pub(super) fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let stands_for = ["${", "$(", "{{", "#{", "[[", "ENC[", "op://", "ref+", "vault:", "<path:", "secret://", "env:"];
    text.len() < 4
        || stands_for.iter().any(|mark| text.contains(mark))
        || text.starts_with(['<', '$', '%'])
        || text.starts_with('/')
        || PLACEHOLDERS.iter().any(|word| lower.contains(word))
        || text.trim_start_matches(|c| text.starts_with(c)).is_empty()
        || ["true", "false", "null", "none", "disabled", "enabled"].contains(&lower.as_str())
}

/// What a text is by its own form, whatever it is called.
pub(super) fn by_form(text: &str) -> Option<Looks> {
    let text = text.trim();
    if is_private_key(text) {
        return Some(Looks::PrivateKey);
    }
    let plain = |text: &str| text.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(&c));
    let issuer = TOKENS.iter().find(|(start, least, _)| text.starts_with(start) && *least <= text.len());
    issuer.filter(|_| plain(text) && is_random(text)).map(|(_, _, issuer)| Looks::Token(issuer))
}

fn is_private_key(text: &str) -> bool {
    let pem = text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----");
    // A documented example breaks off after its first line.
    let body = || text.lines().filter(|line| !line.contains("-----")).map(str::len).sum::<usize>();
    let age = |line: &str| {
        let key = line.trim();
        key.starts_with("AGE-SECRET-KEY-1") && 74 <= key.len()
    };
    pem && 40 < body() || text.lines().any(age)
}

/// Whether a key says that its value is a secret.
pub(super) fn is_named(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    if ELSEWHERE.iter().any(|other| lower.ends_with(other)) || lower.contains("existing") || lower.contains("public") {
        return false;
    }
    let plain: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    NAMES.iter().any(|name| plain.ends_with(name)) || plain == "token" || lower.ends_with("_token")
}

/// Whether a text looks as if nobody chose it: long, of many characters, without words.
pub(super) fn is_random(text: &str) -> bool {
    let text = text.trim();
    let length = text.len();
    if !(16..=512).contains(&length) || text.contains(char::is_whitespace) || !text.is_ascii() {
        return false;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let is_hex = text.bytes().all(|c| c.is_ascii_hexdigit());
    let least = if is_hex { 3.0 } else { 3.5 };
    2 < digits && 2 < letters && length <= (digits + letters) * 5 / 4 && least < entropy(text)
}

/// Bits for each character, by how often each occurs.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 128];
    for c in text.bytes().filter(u8::is_ascii) {
        counts[usize::from(c)] += 1;
    }
    let length = f64::from(counts.iter().sum::<u32>());
    let share = counts.iter().filter(|count| 0 < **count).map(|count| f64::from(*count) / length);
    share.map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, placeholder: bool, form: Option<Looks>, random: bool) {
        assert_eq!((is_placeholder(text), by_form(text), is_random(text)), (placeholder, form, random), "{text}");
    }

    /// A private key of the right shape, made up of one letter so that no scanner of ours or others takes it for one.
    fn key(body: usize) -> String {
        format!("-----BEGIN {} KEY-----\n{}\n-----END {0} KEY-----\n", "PRIVATE", "A".repeat(body))
    }

    #[test]
    fn what_stands_for_a_value_is_no_secret() {
        for text in [
            "${SECRET_TOKEN}",
            "op://kubernetes/talos/TOKEN",
            "{{ .password }}",
            "ENC[AES256_GCM,data:x]",
            "<your token>",
            "$(PASSWORD)",
            "changeme",
            "ref+vault://x#y",
            "************",
            "",
            "abc",
            "/run/secrets/token",
            "true",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["hunter2", "correct horse battery staple", "p4ssw0rd!"] {
            check(text, false, None, false);
        }
    }

    #[test]
    fn private_keys_and_tokens_are_known_by_their_form() {
        check(&key(64), false, Some(Looks::PrivateKey), false);
        check(&key(8), false, None, false);
        check(
            &format!("{}{}", "ghp", "_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"),
            false,
            Some(Looks::Token("GitHub")),
            true,
        );
        check(&format!("{}{}", "ghp", "_tooshort"), false, None, false);
    }

    #[test]
    fn names_and_addresses_are_not_random() {
        check("f3a9c1e07b5d48264f1e9a0c", false, None, true);
        check("Zk3v9QpT7mXw2LrB8nYc", false, None, true);
        for text in ["my-release-postgresql-secret", "https://s3.home.arpa:9000", "postgres-16-app-user-credentials"] {
            check(text, false, None, false);
        }
    }

    #[test]
    fn keys_that_say_where_a_secret_is_hold_none() {
        for key in
            ["password", "POSTGRES_PASSWORD", "adminPassword", "client-secret", "GITHUB_TOKEN", "api_key", "token"]
        {
            assert!(is_named(key), "{key}");
        }
        for key in [
            "passwordSecretName",
            "existingSecret",
            "tokenFile",
            "token_url",
            "AWS_ACCESS_KEY_ID",
            "passwordKey",
            "secret",
            "publicKey",
            "age-public-key",
            "userPasswordSecretRef",
            "passwordLength",
            "tokenExpiry",
            "secretName",
        ] {
            assert!(!is_named(key), "{key}");
        }
    }
}
