//! Rules on single fields, each with what is just good enough and what isn't.

use super::*;

const OBJECT: &str = "the name of an object has lower-case letters, digits, '-' and '.': write for example vault-token";
const KEY: &str = "the name of a key has letters, digits, '_', '-' and '.', and ends with none of the last two: write for example vault-b";
const MOUNT: &str =
    "a mount is a path without slashes at its ends, of letters, digits, '_', '-' and '.': write for example transit";
const NAME: &str =
    "a name has letters, digits, '_', '-' and '.', and ends with none of the last two: write for example holdfast";

/// Values of fields, and the sentence with which they are refused.
const NAMES: &[(&str, &str, Option<&str>)] = &[
    ("/spec/target/statefulSetRef/name", "vault-0.a", None),
    ("/spec/target/statefulSetRef/name", "Vault", Some(OBJECT)),
    ("/spec/token/secretRef/name", "a.b-c", None),
    ("/spec/token/secretRef/name", "a_b", Some(OBJECT)),
    ("/spec/token/secretRef/name", "../a", Some(OBJECT)),
    ("/spec/token/secretRef/key", "ca.crt", None),
    (
        "/spec/token/secretRef/key",
        "a/b",
        Some("a key of a Secret has letters, digits, '-', '_' and '.': write for example token or ca.crt"),
    ),
    ("/spec/seal/transit/key", "Team_a.key-1", None),
    ("/spec/seal/transit/key", "a/b", Some(KEY)),
    ("/spec/seal/transit/key", "..", Some(KEY)),
    ("/spec/seal/transit/key", "a b", Some(KEY)),
    ("/spec/seal/transit/mount", "team/transit", None),
    ("/spec/seal/transit/mount", "transit/", Some(MOUNT)),
    ("/spec/seal/transit/mount", "/transit", Some(MOUNT)),
    ("/spec/seal/transit/mount", "../sys", Some(MOUNT)),
    ("/spec/seal/transit/mount", "a//b", Some(MOUNT)),
    ("/spec/seal/transit/mount", "a?b", Some(MOUNT)),
    ("/spec/seal/transit/namespace", "", None),
    ("/spec/seal/transit/namespace", "team/prod", None),
    (
        "/spec/seal/transit/namespace",
        "team/",
        Some("a namespace is a path without slashes at its ends: write for example team/prod"),
    ),
    ("/spec/token/role", "", None),
    ("/spec/token/role", "b-token", None),
    ("/spec/token/role", "b/../c", Some(NAME)),
    ("/spec/target/container", "vault", None),
    (
        "/spec/target/container",
        "Vault",
        Some("the name of a container has lower-case letters, digits and '-': write for example vault"),
    ),
    ("/spec/initialization/discardAttempt", "7f3a", None),
    (
        "/spec/initialization/discardAttempt",
        "7F",
        Some("an attempt is what status.initialization.attempt says: write that, or leave it out"),
    ),
];

#[tokio::test]
async fn an_address_is_scheme_host_and_port() -> Result<()> {
    const SHAPE: &str =
        "an address is scheme, host and port and nothing else: write for example https://vault.example.net:8200";
    const PLAIN: &str = "spec.seal.transit: Invalid value: over http:// the token can be read on its way: write https://, or seal.transit.allowHTTP: true";
    const TARGET: &str = "spec.target: Invalid value: allowHTTP means that the pods serve without TLS: leave tls out, or write allowHTTP: false";
    let client = Shared::get().await?.cluster.admin();
    let of = |text: &str| vault("/spec/seal/transit/address", json!(text));
    let good =
        ["https://a", "https://a.example.net", "https://10.0.0.7:8200", "https://[fd00::7]:8200", "https://a:65535"];
    let bad = [
        "a.example.net:8200",
        "https://",
        "https://me:pw@a.example.net",
        "https://me@a",
        "https://a:8200/",
        "https://a/v1",
        "https://a?x=y",
        "https://a#x",
        "https://a b",
        "https://a:0",
        "https://a:65536",
        "https://a:port",
        "https://a\n",
        "ftp://a",
        "HTTPS://a",
        "https://[fd00::7",
        "https://-a",
        "https://a.",
    ];
    all(good.map(|text| check(&client, of(text), ACCEPTED))).await?;
    for text in bad {
        check(&client, of(text), &refusal("spec.seal.transit.address", text, SHAPE)).await?;
    }
    let http = |allowed| set(of("http://a:8200"), "/spec/seal/transit/allowHTTP", json!(allowed));
    let target = |allowed: bool, tls: bool| {
        let object = vault("/spec/target/allowHTTP", json!(allowed));
        if tls { set(object, "/spec/target/tls", json!({ "serverName": "vault.example.net" })) } else { object }
    };
    all([
        check(&client, of("http://a:8200"), PLAIN),
        check(&client, http(false), PLAIN),
        check(&client, http(true), ACCEPTED),
        check(&client, target(true, false), ACCEPTED),
        check(&client, target(false, true), ACCEPTED),
        check(&client, target(true, true), TARGET),
        check(&client, vault("/spec/target/port", json!(65535)), ACCEPTED),
        check(&client, vault("/spec/target/port", json!(0)), "spec.target.port: Invalid value: 0: spec.target.port in body should be greater than or equal to 1"),
        check(&client, vault("/spec/target/tls", json!({ "serverName": "https://a" })), r#"spec.target.tls.serverName: Invalid value: "https://a": a server name is a host name, without scheme and port: write for example vault.example.net"#),
    ])
    .await
}

#[tokio::test]
async fn names_are_those_of_what_they_name() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    for (pointer, value, refused) in NAMES.iter().copied() {
        let expected = refused.map_or(ACCEPTED.to_owned(), |why| refusal(&dotted(pointer), value, why));
        check(&client, vault(pointer, json!(value)), &expected).await?;
    }
    let depends = |text: &str| vault("/spec/coldStart", json!({ "dependsOn": [text] }));
    const DEPENDS: &str =
        "name a VaultTransitUnseal: write its name, or namespace/name where it is in another namespace";
    let refused = |text: &str| refusal("spec.coldStart.dependsOn[0]", text, DEPENDS);
    all([
        check(&client, depends("vault"), ACCEPTED),
        check(&client, depends("other/vault"), ACCEPTED),
        check(&client, depends("a/b/c"), &refused("a/b/c")),
        check(&client, depends("https://a"), &refused("https://a")),
    ])
    .await
}

#[tokio::test]
async fn times_have_units_and_bounds() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    let rows = [
        ("/spec/token/period", "10s", "8760h", "720h, or 30d", ["10s", "365d", "1d12h"], ["9s", "366d", "8761h"]),
        (
            "/spec/token/rotateEvery",
            "1m",
            "8760h",
            "2160h, or 90d; leave it out for never",
            ["", "60s", "90d"],
            ["59s", "366d", "1h1d"],
        ),
        ("/spec/restart/bootGrace", "1s", "1h", "60s, or 2m", ["1s", "1h", "59m59s"], ["0s", "61m", "1d"]),
        (
            "/spec/coldStart/surviveOutage",
            "1m",
            "8760h",
            "168h, or 7d",
            ["1m", "7d", "8760h"],
            ["59s", "9999d", "999999h"],
        ),
        ("/spec/timing/interval", "1s", "10m", "5s, or 1m", ["1s", "5s", "600s"], ["0s", "601s", "100ms"]),
        ("/spec/timing/requestTimeout", "1s", "60s", "10s", ["1s", "1m", "10s"], ["0s", "61s", "-1s"]),
    ];
    for (pointer, least, most, example, good, bad) in rows {
        let why =
            format!("a time from {least} to {most}, in days, hours, minutes and seconds: write for example {example}");
        let of = |text: &str| vault(pointer, json!(text));
        all(good.map(|text| check(&client, of(text), ACCEPTED))).await?;
        // What is no time in any field.
        let never = ["720", "1.5h", "a month", "1h 1m", "h", "1000000s"];
        for text in bad.into_iter().chain(never) {
            check(&client, of(text), &refusal(&dotted(pointer), text, &why)).await?;
        }
    }
    let renew = |percent: u32| vault("/spec/token/renewAt", json!(percent));
    all([
        check(&client, renew(10), ACCEPTED),
        check(&client, renew(90), ACCEPTED),
        check(
            &client,
            renew(9),
            "spec.token.renewAt: Invalid value: 9: spec.token.renewAt in body should be greater than or equal to 10",
        ),
        check(
            &client,
            renew(100),
            "spec.token.renewAt: Invalid value: 100: spec.token.renewAt in body should be less than or equal to 90",
        ),
    ])
    .await
}
