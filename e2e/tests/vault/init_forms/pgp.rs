//! People with OpenPGP: their keys were made with `gpg --quick-gen-key` for this test and nothing else.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::churn::say;
use k8s_openapi::ByteString;
use serde_json::json;

/// Someone with a key.
pub(super) struct Person {
    pub(super) public: &'static str,
    secret: &'static str,
    /// Of the subkey for encryption.
    id: [u8; 8],
}

pub(super) const PEOPLE: [Person; 2] = [
    Person {
        public: include_str!("people/person-1.public.base64"),
        secret: include_str!("people/person-1.secret.asc"),
        id: 0x9F80_D604_F98A_3DC7_u64.to_be_bytes(),
    },
    Person {
        public: include_str!("people/person-2.public.base64"),
        secret: include_str!("people/person-2.secret.asc"),
        id: 0xF1F1_39DF_4082_5E04_u64.to_be_bytes(),
    },
];

impl Person {
    /// Whether it is for them, and the share in hexadecimal, where there is a `gpg` to decrypt it with.
    pub(super) fn reads(&self, sealed: &[u8]) -> Result<Option<String>> {
        let sealed: ByteString = serde_json::from_value(json!(std::str::from_utf8(sealed)?))?;
        ensure!(recipient(&sealed.0)? == self.id, "it is for somebody else");
        if Command::new("gpg").arg("--version").output().is_err() {
            say("init: there is no gpg, so nobody decrypts the shares; whom they are for was looked at");
            return Ok(None);
        }
        let home = tempfile::tempdir()?;
        gpg(&home, &["--import"], self.secret.as_bytes())?;
        let share = gpg(&home, &["--decrypt"], &sealed.0);
        // Its agent would stay for a while.
        Command::new("gpgconf").arg("--homedir").arg(home.path()).args(["--kill", "all"]).status()?;
        let share = String::from_utf8(share?)?;
        ensure!(share.len() == 66 && share.bytes().all(|byte| byte.is_ascii_hexdigit()), "that is no share");
        Ok(Some(share))
    }
}

/// The key for which a message is encrypted: its first packet is a session key, of version 3 (RFC 9580, 5.1).
fn recipient(message: &[u8]) -> Result<[u8; 8]> {
    let (&tag, rest) = message.split_first().context("an empty message")?;
    let body = match tag {
        // With lengths of one octet and two, in the newer and in the older way of writing them.
        0xc1 if rest.first().is_some_and(|length| *length < 192) => rest.get(1..),
        0xc1 => rest.get(2..),
        0x84 => rest.get(1..),
        0x85 => rest.get(2..),
        _ => None,
    };
    let body = body.with_context(|| format!("it begins with {tag:#x}, which is no session key"))?;
    ensure!(body.first() == Some(&3), "version {:?}", body.first());
    Ok(body.get(1..9).context("a short packet")?.try_into()?)
}

fn gpg(home: &tempfile::TempDir, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>> {
    let mut command = Command::new("gpg");
    command.arg("--homedir").arg(home.path()).args(["--batch", "--quiet"]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    child.stdin.take().context("no stdin")?.write_all(input)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "gpg {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}
