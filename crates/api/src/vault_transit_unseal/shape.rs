//! The shapes that strings of this resource have, so that the API server refuses what can't be meant.
//!
//! Each is a schema with a bound on its length, without which the server can't estimate what a rule costs, and a rule
//! whose message says what to write instead. What a name means elsewhere (whether the Secret exists) isn't asked here.

use schemars::{Schema, SchemaGenerator, json_schema};

/// What the API accepts as the name of an object.
const OBJECT: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/// What Vault and OpenBao accept as the name of a key, a role or a policy.
const NAME: &str = "^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$";
/// A path without empty segments and without `.` and `..`, since it becomes part of a URL.
const PATH: &str = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$";
/// A scheme, a host and at most a port: no user, path, query or fragment.
const ADDRESS: &str = r"^https?://([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?$";

fn text(least: u32, most: u32, rule: &str, message: &str) -> Schema {
    json_schema!({
        "type": "string",
        "minLength": least,
        "maxLength": most,
        "x-kubernetes-validations": [{ "rule": rule, "message": message }],
    })
}

fn with_transition(mut schema: Schema, message: &str) -> Schema {
    let rules = schema.get_mut("x-kubernetes-validations").and_then(|rules| rules.as_array_mut());
    if let Some(rules) = rules {
        rules.push(serde_json::json!({ "rule": "self == oldSelf", "message": message }));
    }
    schema
}

/// The name of a Secret, a ServiceAccount or a StatefulSet.
pub(super) fn object(_: &mut SchemaGenerator) -> Schema {
    let message = "the name of an object has lower-case letters, digits, '-' and '.': write for example vault-token";
    text(1, 253, &format!("self.matches('{OBJECT}')"), message)
}

/// The name of the StatefulSet, which stays what it is.
pub(super) fn lasting_object(generator: &mut SchemaGenerator) -> Schema {
    with_transition(object(generator), "a resource stays with its StatefulSet: make another resource for another one")
}

/// A key in the data of a Secret.
pub(super) fn data_key(_: &mut SchemaGenerator) -> Schema {
    let message = "a key of a Secret has letters, digits, '-', '_' and '.': write for example token or ca.crt";
    text(1, 253, "self.matches('^[-._a-zA-Z0-9]+$')", message)
}

/// A role or a policy of Vault.
pub(super) fn name(_: &mut SchemaGenerator) -> Schema {
    let message =
        "a name has letters, digits, '_', '-' and '.', and ends with none of the last two: write for example holdfast";
    text(1, 128, &format!("self.matches('{NAME}')"), message)
}

/// A role that may be left out.
pub(super) fn optional_name(_: &mut SchemaGenerator) -> Schema {
    let message =
        "a name has letters, digits, '_', '-' and '.', and ends with none of the last two: write for example holdfast";
    text(0, 128, &format!("self == '' || self.matches('{NAME}')"), message)
}

/// The name of the transit key, which stays what it is.
pub(super) fn lasting_key(_: &mut SchemaGenerator) -> Schema {
    let message = "the name of a key has letters, digits, '_', '-' and '.', and ends with none of the last two: write for example vault-b";
    let schema = text(1, 128, &format!("self.matches('{NAME}')"), message);
    with_transition(
        schema,
        "what is sealed with one key can't be opened with another: make another resource for another key",
    )
}

const MOUNT: &str =
    "a mount is a path without slashes at its ends, of letters, digits, '_', '-' and '.': write for example transit";

/// Where an authentication method is mounted.
pub(super) fn mount(_: &mut SchemaGenerator) -> Schema {
    text(1, 128, &format!("self.matches('{PATH}')"), MOUNT)
}

/// Where the transit engine is mounted, which stays what it is.
pub(super) fn lasting_mount(generator: &mut SchemaGenerator) -> Schema {
    with_transition(mount(generator), "a key stays with its mount: make another resource for another mount")
}

/// A namespace of Vault Enterprise or OpenBao; empty for the root.
pub(super) fn vault_namespace(_: &mut SchemaGenerator) -> Schema {
    let message = "a namespace is a path without slashes at its ends: write for example team/prod";
    text(0, 256, &format!("self == '' || self.matches('{PATH}')"), message)
}

/// A server's address.
pub(super) fn address(_: &mut SchemaGenerator) -> Schema {
    let message =
        "an address is scheme, host and port and nothing else: write for example https://vault.example.net:8200";
    // Both sides of && may fail to evaluate as long as the other is false.
    let port = "(url(self).getPort() == '' || int(url(self).getPort()) <= 65535)";
    text(1, 512, &format!(r"self.matches(r'{ADDRESS}') && {port}"), message)
}

/// A host name; empty for the one that is asked.
pub(super) fn server_name(_: &mut SchemaGenerator) -> Schema {
    let rule = "self == '' || self.matches('^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$')";
    text(0, 253, rule, "a server name is a host name, without scheme and port: write for example vault.example.net")
}

/// For whom a token of a ServiceAccount is made out.
pub(super) fn audience(_: &mut SchemaGenerator) -> Schema {
    let message = "an audience has no spaces: write the one that the role expects, for example vault";
    text(1, 253, r"self.matches(r'^[^\s]+$')", message)
}

/// The name of a container; empty for the one that serves the port.
pub(super) fn container(_: &mut SchemaGenerator) -> Schema {
    let rule = "self == '' || self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')";
    text(0, 63, rule, "the name of a container has lower-case letters, digits and '-': write for example vault")
}

/// An attempt, as the status tells it; empty for none.
pub(super) fn attempt(_: &mut SchemaGenerator) -> Schema {
    let message = "an attempt is what status.initialization.attempt says: write that, or leave it out";
    text(0, 64, "self.matches('^[a-z0-9-]*$')", message)
}

/// A public key of age.
pub(super) fn age_recipient(_: &mut SchemaGenerator) -> Schema {
    let message = "a recipient is a public key of age, as age-keygen prints it: write age1 and 58 letters and digits";
    text(1, 128, "self.matches('^age1[02-9ac-hj-np-z]{58}$')", message)
}

/// A public key of OpenPGP.
pub(super) fn pgp_key(_: &mut SchemaGenerator) -> Schema {
    let message = "a PGP key is the binary public key in base64, without armour: write what `gpg --export KEY | base64 -w0` prints";
    text(1, 8192, "self.matches('^[A-Za-z0-9+/]+={0,2}$')", message)
}

/// Another VaultTransitUnseal.
pub(super) fn resource(_: &mut SchemaGenerator) -> Schema {
    let rule = "self.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')";
    text(1, 317, rule, "name a VaultTransitUnseal: write its name, or namespace/name where it is in another namespace")
}
