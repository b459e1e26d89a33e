//! What has room for secrets: Secrets, ConfigMaps, values of HelmReleases, generators of Kustomize, Talos configuration,
//! kubeconfigs.

use holdfast_model::facts::OptOut;
use holdfast_model::repository::{Exposed, Identity, Looks, Supply, Vessel};
use holdfast_model::{Labels, Subject};

use super::{base64, looks};
use crate::facts::{Paths, file, is_sealed, is_trial, talos};
use crate::kustomize::is_kustomization_file;
use crate::node::Entry;
use crate::{Node, Origin, SourceFile};

/// Collects what is exposed in one object or file.
struct Finder<'a> {
    paths: &'a dyn Paths,
    exposed: Vec<Exposed>,
}

/// Adds what a file exposes, and what has room for secrets and exposes nothing.
pub(super) fn read(source: &SourceFile, paths: &dyn Paths, supply: &mut Supply) {
    for document in source.documents.iter().filter(|document| document.as_mapping().is_some()) {
        let mut finder = Finder { paths, exposed: Vec::new() };
        let kind = if is_sealed(document) { sealed_kind(document) } else { finder.look(document, source) };
        if is_trial(&source.path) {
            // Made up to be tried; a key that works is no less one there.
            finder.exposed.retain(|exposed| match exposed.looks {
                Looks::Token(_) => true,
                Looks::PrivateKey | Looks::NamedAndRandom | Looks::Named | Looks::Random => false,
            });
        }
        let Some(kind) = kind else { continue };
        let identity = if kind == "File" { Identity::of(file(&source.path)) } else { identity(document, kind) };
        // ConfigMaps by the hundred have no room for secrets; only one that holds some counts.
        if !finder.exposed.is_empty() || !matches!(kind, "ConfigMap" | "HelmRelease") {
            supply.vessels.push(Vessel { identity, exposed: finder.exposed });
        }
    }
}

fn sealed_kind(document: &Node) -> Option<&'static str> {
    Some(if kind_of(document) == Some("Secret") { "Secret" } else { "File" })
}

fn kind_of(document: &Node) -> Option<&str> {
    document.get("kind").and_then(Node::as_str)
}

/// Who it is, as it is written: what overlays make of its name and namespace doesn't make it less readable.
fn identity(document: &Node, kind: &'static str) -> Identity {
    let metadata = document.get("metadata");
    let text = |key: &str| metadata.and_then(|metadata| metadata.get(key)).and_then(Node::as_str).unwrap_or_default();
    let subject = Subject { kind, namespace: text("namespace").into(), name: text("name").into() };
    let labels = metadata.and_then(|metadata| metadata.get("labels")).into_iter().flat_map(Node::entries);
    let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
    Identity {
        labels: labels.filter_map(|entry| Some((entry.key.as_str(), entry.value.as_str()?))).collect::<Labels>(),
        opt_out: OptOut::read(|key| annotations?.get(key)?.as_str()),
        ..Identity::of(subject)
    }
}

impl Finder<'_> {
    /// Looks into a document; says what it is, when it has room for secrets.
    fn look(&mut self, document: &Node, source: &SourceFile) -> Option<&'static str> {
        match (document.get("apiVersion").and_then(Node::as_str), kind_of(document)) {
            (Some("v1"), Some("Secret")) => {
                self.secret(document);
                Some("Secret")
            }
            (Some("v1"), Some("ConfigMap")) => {
                self.forms(document.get("data"));
                Some("ConfigMap")
            }
            (Some("v1"), Some("Config")) => {
                self.kubeconfig(document);
                Some("File")
            }
            (Some(version), Some("HelmRelease")) if version.starts_with("helm.toolkit.fluxcd.io/") => {
                if let Some(values) = document.at(&["spec", "values"]) {
                    self.values(values, "");
                }
                Some("HelmRelease")
            }
            // With or without the version and the kind that Kustomize takes for granted.
            (_, _) if is_kustomization_file(&source.path) => {
                self.generators(document);
                (!self.exposed.is_empty()).then_some("File")
            }
            (Some(_), Some(_)) => None,
            (_, _) => self.talos(document),
        }
    }

    fn expose(&mut self, key: &str, origin: Origin, looks: Looks) {
        if let Some(at) = self.paths.position(origin) {
            self.exposed.push(Exposed { key: key.into(), at, looks });
        }
    }

    /// In a Secret a random value is one too: what else would it be there for?
    fn secret(&mut self, document: &Node) {
        for entry in document.get("stringData").into_iter().flat_map(Node::entries) {
            if let Some(text) = entry.value.as_str() {
                self.entry(entry, text);
            }
        }
        for entry in document.get("data").into_iter().flat_map(Node::entries) {
            let Some(text) = entry.value.as_str().filter(|text| !looks::is_placeholder(text)) else { continue };
            match base64::decode(text) {
                Some(text) => self.entry(entry, &text),
                None => continue,
            }
        }
    }

    fn entry(&mut self, entry: &Entry, text: &str) {
        let found = looks::by_form(text).or_else(|| {
            let named = looks::is_named(&entry.key) || entry.key.ends_with("credentials");
            let looks = match (named, looks::is_random(text)) {
                (true, true) => Looks::NamedAndRandom,
                (true, false) => Looks::Named,
                (false, true) => Looks::Random,
                (false, false) => return None,
            };
            (!looks::is_placeholder(text)).then_some(looks)
        });
        if let Some(looks) = found.or_else(|| buried(text)) {
            self.expose(&entry.key, entry.at, looks);
        }
    }

    /// Elsewhere only what is a secret by its form.
    fn forms(&mut self, data: Option<&Node>) {
        for entry in data.into_iter().flat_map(Node::entries) {
            if let Some(looks) = entry.value.as_str().and_then(looks::by_form) {
                self.expose(&entry.key, entry.at, looks);
            }
        }
    }

    /// Values of a chart: what is called a password is one, unless it says where one is.
    fn values(&mut self, node: &Node, above: &str) {
        for entry in node.entries() {
            match entry.value.as_str() {
                Some(text) => self.value(&entry.key, above, text, entry.at),
                None => self.values(&entry.value, &entry.key),
            }
        }
        for item in node.items() {
            // `{ name: DB_PASSWORD, value: ... }`, as in a container's `env`.
            let text = |key: &str| item.get(key).and_then(Node::as_str);
            match (text("name"), text("value")) {
                (Some(name), Some(value)) => self.value(name, "env", value, item.origin),
                (_, _) => self.values(item, above),
            }
        }
    }

    fn value(&mut self, key: &str, above: &str, text: &str, at: Origin) {
        if let Some(looks) = looks::by_form(text) {
            return self.expose(key, at, looks);
        }
        if !looks::is_named(key) {
            return;
        }
        // `keys: { password: admin-password }` and the like say which entry of a Secret is meant.
        let above = above.to_ascii_lowercase();
        let refers = ["ref", "existing", "keys", "mapping", "remote", "annotations", "labels", "secret"];
        let is_entry = refers.iter().any(|mark| above.contains(mark)) || names_an_entry(text);
        if !is_entry && !looks::is_placeholder(text) {
            if looks::is_random(text) {
                self.expose(key, at, Looks::NamedAndRandom);
            } else if key.to_ascii_lowercase().contains("pass") {
                self.expose(key, at, Looks::Named);
            }
        }
    }

    /// `secretGenerator` with literals.
    fn generators(&mut self, document: &Node) {
        for generator in document.get("secretGenerator").into_iter().flat_map(Node::items) {
            for literal in generator.get("literals").into_iter().flat_map(Node::items) {
                let Some((key, text)) = literal.as_str().and_then(|literal| literal.split_once('=')) else { continue };
                if looks::is_placeholder(text) {
                    continue;
                }
                let named = looks::is_named(key).then_some(Looks::Named);
                if let Some(looks) = looks::by_form(text).or(named) {
                    self.expose(key, literal.origin, looks);
                }
            }
        }
    }

    fn kubeconfig(&mut self, document: &Node) {
        for user in document.get("users").into_iter().flat_map(Node::items).filter_map(|user| user.get("user")) {
            self.material(user, &["client-key-data", "token", "password"]);
        }
    }

    /// The secrets of a cluster: a bundle of talhelper or `talosctl gen secrets`, a machine configuration, a talosconfig.
    fn talos(&mut self, document: &Node) -> Option<&'static str> {
        let at = |path: &[&str]| document.at(path);
        let bundle = at(&["certs", "os"]).is_some() && at(&["secrets"]).is_some();
        if bundle {
            for (part, keys) in [
                (at(&["cluster"]), &["secret"][..]),
                (at(&["secrets"]), &["bootstraptoken", "secretboxencryptionsecret", "aescbcencryptionsecret"]),
                (at(&["trustdinfo"]), &["token"]),
            ] {
                part.into_iter().for_each(|part| self.material(part, keys));
            }
            for part in at(&["certs"]).into_iter().flat_map(Node::entries) {
                self.material(&part.value, &["key"]);
            }
            return Some("File");
        }
        if let Some(contexts) = at(&["contexts"]).filter(|_| at(&["context"]).is_some()) {
            contexts.entries().for_each(|context| self.material(&context.value, &["key"]));
            return Some("File");
        }
        talos::is_configuration(document).then(|| {
            for path in [&["machine"][..], &["cluster"]] {
                at(path).into_iter().for_each(|part| {
                    self.material(part, &["token", "secret", "secretboxEncryptionSecret", "aescbcEncryptionSecret"]);
                });
            }
            let keys =
                [&["machine", "ca"][..], &["cluster", "ca"], &["cluster", "aggregatorCA"], &["cluster", "etcd", "ca"]];
            keys.into_iter().chain([&["cluster", "serviceAccount"][..]]).filter_map(at).for_each(|part| {
                self.material(part, &["key"]);
            });
            "File"
        })
    }

    /// Entries that can be nothing else than what a cluster is made of.
    fn material(&mut self, part: &Node, keys: &[&str]) {
        for entry in part.entries().filter(|entry| keys.contains(&entry.key.as_str())) {
            let text = entry.value.as_str().unwrap_or_default();
            if !looks::is_placeholder(text) {
                self.expose(&entry.key, entry.at, Looks::PrivateKey);
            }
        }
    }
}

/// Whether a value names the entry of a Secret rather than being one: `admin-password`, `DB_PASSWORD`.
fn names_an_entry(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    let shouted = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let lower = text.to_ascii_lowercase();
    let speaks = ["password", "passwd", "token", "secret", "key"].iter().any(|part| lower.contains(part));
    speaks && (text.chars().all(word) || text.chars().all(shouted))
}

/// A file inside a Secret: line by line, what is a secret by its form or by its key.
fn buried(text: &str) -> Option<Looks> {
    const MOST_LINES: usize = 2_000;
    if !text.contains('\n') {
        return None;
    }
    text.lines().take(MOST_LINES).find_map(|line| {
        let (key, value) = line.split_once(['=', ':'])?;
        let key = key.trim().trim_matches(['"', '\'', '-', ' ', '{']);
        let value = value.trim().trim_matches(['"', '\'', ',']);
        if looks::is_placeholder(value) {
            return None;
        }
        let named = key.len() < 64 && !key.contains(char::is_whitespace) && looks::is_named(key);
        looks::by_form(value).or((named && !names_an_entry(value)).then_some(Looks::Named))
    })
}
