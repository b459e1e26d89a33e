//! Who may talk to whom in a cluster, and what is reached from outside without encryption.

use std::collections::BTreeSet;

use super::Identity;
use crate::{ObjectKey, Text};

/// The facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Namespaces in which something runs.
    pub populated: BTreeSet<Text>,
    /// Namespaces with a network policy, or with a chart that was told to make one.
    pub guarded: BTreeSet<Text>,
    /// Whether a policy speaks about all namespaces at once.
    pub guarded_everywhere: bool,
    /// What routes by Ingress.
    pub ingresses: Vec<Ingress>,
    /// Whether an ingress controller has a certificate for whatever brings none.
    pub default_certificate: bool,
    /// Gateways.
    pub gateways: Vec<Gateway>,
    /// What routes through Gateways.
    pub routes: Vec<Route>,
    /// What says which versions of TLS are accepted.
    pub tls_minimums: Vec<TlsMinimum>,
}

/// An Ingress, or values from which a chart makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingress {
    /// The object.
    pub identity: Identity,
    /// The field of its rules.
    pub field: Text,
    /// Whether it brings a certificate, or its controller always has one.
    pub tls: bool,
}

/// A Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The object.
    pub identity: Identity,
    /// What it listens to.
    pub listeners: Vec<Listener>,
}

/// A listener of a Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name.
    pub name: Text,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Which namespaces' routes it serves.
    pub serves: Serves,
}

/// How a listener is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP, unencrypted.
    Plain,
    /// Through TLS.
    Tls,
    /// Something of which encryption is not a part, such as TCP.
    Other,
}

/// Which namespaces' routes a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// All.
    All,
    /// Its own.
    Same,
    /// Those of a selector.
    Selected,
}

/// A route for HTTP, or values from which a chart makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The object.
    pub identity: Identity,
    /// The Gateways that it wants to be served by, and the listener where it names one.
    pub parents: Vec<(ObjectKey, Option<Text>)>,
    /// Whether it does nothing but redirect to HTTPS.
    pub redirects: bool,
}

/// What says which versions of TLS are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsMinimum {
    /// The object.
    pub identity: Identity,
    /// The field.
    pub field: Text,
    /// The lowest version that is accepted, as ten times the number: 10 is 1.0.
    pub lowest: u8,
}
