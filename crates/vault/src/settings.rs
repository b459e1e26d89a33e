//! What a resource asks for, validated: whatever follows need not look at the spec again.
//!
//! The API server refuses most of what is wrong here (CEL in the definition); this refuses the rest, and all of it once
//! more, as a definition can be older than this program.

use std::time::Duration;

use holdfast_api::vault_transit_unseal::{
    Custody, DeletionPolicy, Delivery, OnApiSeal, Provision, RestartPolicy, SealAuth, SecretKeyRef,
    ServiceAccountLogin, Tls, VaultMode, VaultTransitUnseal, VaultTransitUnsealSpec, parse_duration,
};

use crate::client::{Address, AddressError};
use crate::diagnose::Limits;
use crate::next_step::Allowed;

/// A validated resource.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// Its namespace, which is that of everything it names.
    pub namespace: String,
    /// Its UID.
    pub uid: String,
    /// Its generation.
    pub generation: Option<i64>,
    /// B.
    pub target: Target,
    /// A.
    pub transit: Transit,
    /// The token; `None` for one that only B knows.
    pub token: Option<SecretKeyRef>,
    /// The role that makes tokens, where the spec names one.
    pub role: String,
    /// For how long a token lives without a renewal.
    pub period: Duration,
    /// What may be done.
    pub allowed: Allowed,
    /// Whether A starts without people, though it is sealed by shares.
    pub transit_unseals_itself: bool,
    /// Whether somebody else keeps the recovery keys, so that nobody looks for them in their Secret.
    pub keys_elsewhere: bool,
    /// Whether what we made on A is taken back when the resource goes.
    pub revoke: bool,
    /// How often there is a look.
    pub interval: Duration,
    /// How long a request may take.
    pub timeout: Duration,
}

/// B.
#[derive(Clone, Debug)]
pub struct Target {
    /// The StatefulSet.
    pub set: String,
    /// The container; empty for the one that has the port.
    pub container: String,
    /// The port of the API.
    pub port: u16,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// How its certificate is verified.
    pub verify: Tls,
    /// How we log in there, for who votes.
    pub auth: Option<SealAuth>,
}

/// A.
#[derive(Clone, Debug)]
pub struct Transit {
    /// Where it is.
    pub address: Address,
    /// The namespace there.
    pub namespace: String,
    /// The mount, without slashes around it.
    pub mount: String,
    /// The key.
    pub key: String,
    /// How its certificate is verified.
    pub verify: Tls,
    /// How we log in there.
    pub auth: Option<SealAuth>,
}

/// The label by which whoever may write a Secret allows the resource of this name to use it.
pub const LABEL: &str = "holdfast.dev/vault";

/// Why a resource can't mean anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It names no seal.
    #[error("spec.seal names no seal: write spec.seal.transit")]
    NoSeal,
    /// The address of A isn't one.
    #[error("spec.seal.transit.address: {0}")]
    Address(#[source] AddressError),
    /// A time isn't one.
    #[error("spec.{0} isn't a time such as 720h or 5s")]
    Time(&'static str),
    /// The token isn't named.
    #[error("spec.token.secretRef is missing: name the Secret, or write spec.token.delivery: External")]
    NoToken,
    /// It asks for what this version can't do; nothing is done rather than half of it.
    #[error("{0} isn't there yet in this version: leave it out")]
    NotYet(&'static str),
    /// It has no name or namespace, which the API server gives.
    #[error("the object has no name, namespace or UID")]
    Nameless,
}

impl TryFrom<&VaultTransitUnseal> for Settings {
    type Error = Invalid;

    fn try_from(resource: &VaultTransitUnseal) -> Result<Self, Invalid> {
        let (meta, spec) = (&resource.metadata, &resource.spec);
        let (Some(name), Some(namespace), Some(uid)) = (&meta.name, &meta.namespace, &meta.uid) else {
            return Err(Invalid::Nameless);
        };
        if let Some(field) = not_yet(spec) {
            return Err(Invalid::NotYet(field));
        }
        let transit = spec.seal.transit.as_ref().ok_or(Invalid::NoSeal)?;
        let token = match spec.token.delivery {
            Delivery::External => None,
            Delivery::Auto | Delivery::Env | Delivery::File => {
                Some(spec.token.secret_ref.clone().ok_or(Invalid::NoToken)?)
            }
        };
        let address = Address::parse(&transit.address, transit.allow_http).map_err(Invalid::Address)?;
        Ok(Self {
            name: name.clone(),
            namespace: namespace.clone(),
            uid: uid.clone(),
            generation: meta.generation,
            target: target(spec),
            transit: Transit {
                address,
                namespace: transit.namespace.clone(),
                mount: transit.mount.trim_matches('/').to_owned(),
                key: transit.key.clone(),
                verify: transit.tls.clone().unwrap_or_default(),
                auth: transit.auth.clone(),
            },
            token,
            role: spec.token.role.clone(),
            period: time("token.period", &spec.token.period)?,
            allowed: allowed(spec, transit.provision)?,
            transit_unseals_itself: spec.cold_start.transit_unseals_itself,
            keys_elsewhere: spec.recovery.custody == Custody::External,
            revoke: spec.deletion_policy == DeletionPolicy::Revoke,
            interval: time("timing.interval", &spec.timing.interval)?,
            timeout: time("timing.requestTimeout", &spec.timing.request_timeout)?,
        })
    }
}

/// What the spec asks for and nobody does yet.
fn not_yet(spec: &VaultTransitUnsealSpec) -> Option<&'static str> {
    let asked = [
        (spec.restart.policy == RestartPolicy::WhenStuckOrTokenChanged, "spec.restart.policy: WhenStuckOrTokenChanged"),
        (spec.restart.allow_downtime, "spec.restart.allowDowntime"),
    ];
    asked.into_iter().find(|(asked, _)| *asked).map(|(_, field)| field)
}

fn target(spec: &VaultTransitUnsealSpec) -> Target {
    Target {
        set: spec.target.stateful_set_ref.name.clone(),
        container: spec.target.container.clone(),
        port: spec.target.port,
        tls: !spec.target.allow_http,
        verify: spec.target.tls.clone().unwrap_or_default(),
        auth: spec.target.auth.as_ref().map(|auth| SealAuth {
            service_account: Some(auth.service_account.clone()),
            app_role: None,
            token_ref: None,
        }),
    }
}

fn allowed(spec: &VaultTransitUnsealSpec, provision: Provision) -> Result<Allowed, Invalid> {
    let rotate = &spec.token.rotate_every;
    Ok(Allowed {
        manage: spec.mode == VaultMode::Manage,
        mint: match provision {
            Provision::Verify => false,
            Provision::Token | Provision::All => true,
        },
        provision: provision == Provision::All,
        restart: match spec.restart.policy {
            RestartPolicy::Never => false,
            RestartPolicy::WhenStuck | RestartPolicy::WhenStuckOrTokenChanged => true,
        },
        restart_sealed: match spec.recovery.on_api_seal {
            OnApiSeal::Report => false,
            OnApiSeal::Restart => true,
        },
        rotate_every: if rotate.is_empty() { None } else { Some(time("token.rotateEvery", rotate)?) },
        limits: Limits {
            boot_grace: time("restart.bootGrace", &spec.restart.boot_grace)?,
            renew_at: spec.token.renew_at,
            survive_outage: time("coldStart.surviveOutage", &spec.cold_start.survive_outage)?,
        },
    })
}

/// A resource by its name, in this namespace unless it says another.
pub(crate) fn resource_of(named: &str, namespace: &str) -> (String, String) {
    let (namespace, name) = named.split_once('/').unwrap_or((namespace, named));
    (namespace.to_owned(), name.to_owned())
}

fn time(field: &'static str, text: &str) -> Result<Duration, Invalid> {
    parse_duration(text).filter(|time| !time.is_zero()).ok_or(Invalid::Time(field))
}

impl Settings {
    /// The login by a ServiceAccount, if that is how we log in to A.
    #[must_use]
    pub fn service_account(&self) -> Option<&ServiceAccountLogin> {
        self.transit.auth.as_ref()?.service_account.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(spec: &serde_json::Value, expected: Result<(), Invalid>) {
        let resource: VaultTransitUnseal = serde_json::from_value(json!({
            "apiVersion": "holdfast.dev/v1alpha1", "kind": "VaultTransitUnseal",
            "metadata": { "name": "b", "namespace": "vault", "uid": "u" }, "spec": spec,
        }))
        .expect("a resource");
        assert_eq!(Settings::try_from(&resource).map(drop), expected);
    }

    fn spec() -> serde_json::Value {
        json!({
            "target": { "statefulSetRef": { "name": "vault" } },
            "seal": { "transit": { "address": "https://a.example.net:8200", "key": "b" } },
            "token": { "secretRef": { "name": "seal", "key": "token" } },
        })
    }

    #[test]
    fn what_is_said_least_is_enough() {
        check(&spec(), Ok(()));
    }

    #[test]
    fn what_must_run_before_is_named_with_or_without_its_namespace() {
        let named = |name| resource_of(name, "vault");
        assert_eq!(named("other"), ("vault".to_owned(), "other".to_owned()));
        assert_eq!(named("there/other"), ("there".to_owned(), "other".to_owned()));
    }

    #[test]
    fn what_makes_no_sense_is_refused_though_the_api_server_let_it_pass() {
        let mut plain = spec();
        plain["seal"]["transit"]["address"] = json!("http://a.example.net");
        check(&plain, Err(Invalid::Address(AddressError::HttpNotAllowed)));
        let mut time = spec();
        time["timing"] = json!({ "interval": "often" });
        check(&time, Err(Invalid::Time("timing.interval")));
        let mut token = spec();
        token["token"] = json!({});
        check(&token, Err(Invalid::NoToken));
        let mut seal = spec();
        seal["seal"] = json!({});
        check(&seal, Err(Invalid::NoSeal));
    }

    #[test]
    fn what_nobody_does_yet_is_refused_and_not_passed_over() {
        let mut downtime = spec();
        downtime["restart"] = json!({ "allowDowntime": true });
        check(&downtime, Err(Invalid::NotYet("spec.restart.allowDowntime")));
    }
}
