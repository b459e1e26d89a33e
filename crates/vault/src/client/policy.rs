//! Policies, and what a token may do by them.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::path::Path;
use super::reply::Reply;
use super::request::{Accept, Request};
use super::{Client, Error, Kind, Operation};

/// What a token may do on a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// Make what isn't there. On a transit key's `encrypt`, make the key.
    Create,
    /// Read.
    Read,
    /// Change what is there; calls like `encrypt` are this.
    Update,
    /// Change parts.
    Patch,
    /// Delete.
    Delete,
    /// List.
    List,
    /// Do what only root may.
    Sudo,
    /// Nothing at all.
    Deny,
    /// Everything: a root token.
    Root,
    /// One of later servers.
    #[serde(untagged)]
    Other(String),
}

impl Client {
    /// A policy's text; `None` when there is none of this name.
    ///
    /// # Errors
    /// Any of [`super::Kind`].
    pub async fn policy_read(&self, token: &SecretString, name: &str) -> Result<Option<String>, Error> {
        #[derive(Deserialize)]
        struct Raw {
            policy: String,
        }
        let operation = Operation::PolicyRead;
        let request = path(name).map(|path| Request::get(path).with_token(token).accepting(Accept::SuccessOrNone));
        let read = |reply: &Reply| {
            if reply.is_none() { Ok(None) } else { reply.data().map(|raw: Raw| Some(raw.policy)) }
        };
        self.send(operation, request, read).await
    }

    /// Writes a policy whole. Sent once.
    ///
    /// # Errors
    /// Any of [`super::Kind`].
    pub async fn policy_write(&self, token: &SecretString, name: &str, text: &str) -> Result<(), Error> {
        let operation = Operation::PolicyWrite;
        let body = BTreeMap::from([("policy", text)]);
        let request = path(name).map(|path| Request::post(path).with_token(token).with_body(&body));
        self.send(operation, request, |_| Ok(())).await
    }

    /// What this token may do on these paths, by path. A server that leaves one out is malformed.
    ///
    /// # Errors
    /// Any of [`super::Kind`].
    pub async fn capabilities_self(
        &self,
        token: &SecretString,
        paths: &[&str],
    ) -> Result<BTreeMap<String, Vec<Capability>>, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            paths: &'a [&'a str],
        }
        let operation = Operation::CapabilitiesSelf;
        let request = Request::ask(Path::of("sys/capabilities-self")).with_token(token);
        let request = request.with_body(&Body { paths });
        let read = |reply: &Reply| {
            let mut all: BTreeMap<String, Vec<Capability>> = reply.data()?;
            all.retain(|path, _| paths.contains(&path.as_str()));
            let complete = paths.iter().all(|path| all.contains_key(*path));
            if complete { Ok(all) } else { Err(reply.malformed()) }
        };
        self.send(operation, Ok(request), read).await
    }
}

fn path(name: &str) -> Result<Path, Kind> {
    Path::of("sys/policies/acl").name(name)
}
