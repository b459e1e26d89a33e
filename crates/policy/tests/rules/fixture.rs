//! A fixture: a file of manifests, or a folder that is a small checkout, with what its rule should find in it.
//!
//! Read by the reader of the audit, so that a finding is checked against the line that a user is shown.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdfast_api::NamespaceSecurityPolicy;
use holdfast_gitops::facts::{self, FileFacts, Paths};
use holdfast_gitops::yaml::{self, Limits};
use holdfast_gitops::{Checkout, FileId, HelmMode, HelmOptions, Node, Object, Options, Origin, SourceFile};
use holdfast_model::builders::{Manifest, namespace};
use holdfast_model::{Cluster, Confidence, Kind, Locate as _, Position, Repository};
use holdfast_policy::drain::outlook::stated_nodes;
use holdfast_policy::pod_security::{Server, Settings};
use holdfast_policy::{Finding, Policies, RuleId, audit};
use jiff::Timestamp;
use serde_json::Value;

use crate::world::{NOW, World};

/// Rules about what could not be read: their fixtures are checkouts that are read whole.
const READING: [RuleId; 8] = [
    RuleId::FileUnreadable,
    RuleId::KustomizeBuildFailed,
    RuleId::FluxPathMissing,
    RuleId::SubstitutionFailed,
    RuleId::VariableUndefined,
    RuleId::PatchUnmatched,
    RuleId::KustomizeUnsupported,
    RuleId::ChartRenderFailed,
];

/// What stands before an expectation.
const MARK: &str = "#~ ";

/// The file of a folder with the expectations that have no place; not part of the checkout.
const NOWHERE: &str = "nowhere";

/// A fixture, read.
pub(crate) struct Fixture {
    path: PathBuf,
    rule: RuleId,
    files: Vec<SourceFile>,
    texts: Vec<(Arc<str>, String)>,
    objects: Vec<Object>,
    /// Of a folder with a Kustomization of Flux, and of rules about reading: as the audit reads it.
    checkout: Option<Checkout>,
    /// What is expected: file, line (0 for what has none), message.
    pub(crate) expected: BTreeSet<(String, u32, String)>,
}

#[expect(clippy::disallowed_methods, reason = "fixtures are files; only the decisions are pure")]
pub(crate) fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[expect(clippy::disallowed_methods, reason = "fixtures are files; only the decisions are pure")]
fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A checkout as the audit reads it, on a machine without Helm.
fn whole(path: &Path, rule: RuleId) -> Checkout {
    let mode = if rule == RuleId::ChartRenderFailed { HelmMode::Always } else { HelmMode::Never };
    let helm = HelmOptions { mode, program: "no-such-helm".into(), ..HelmOptions::default() };
    holdfast_gitops::read(path, &Options { helm, ..Options::default() }).unwrap()
}

/// All files below a folder, in order.
fn walk(folder: &Path) -> Vec<PathBuf> {
    list(folder).into_iter().flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

impl Fixture {
    #[track_caller]
    pub(crate) fn read(path: &Path, rule: RuleId) -> Self {
        let (root, paths) =
            if path.is_dir() { (path, walk(path)) } else { (path.parent().unwrap(), vec![path.to_owned()]) };
        let mut fixture = Self {
            path: path.to_owned(),
            rule,
            files: Vec::new(),
            texts: Vec::new(),
            objects: Vec::new(),
            checkout: None,
            expected: BTreeSet::new(),
        };
        for path in paths {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            fixture.add(&name, &read(&path));
        }
        fixture.objects = fixture.files.iter().flat_map(|file| &file.documents).filter_map(object).collect();
        let is_flux = |object: &Object| object.is("kustomize.toolkit.fluxcd.io", "Kustomization");
        if path.is_dir() && (READING.contains(&rule) || fixture.objects.iter().any(is_flux)) {
            fixture.checkout = Some(whole(path, rule));
        }
        fixture
    }

    fn add(&mut self, name: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        for (line, expected) in
            text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, line.split_once(MARK)?.1)))
        {
            let message = expected.strip_prefix(self.rule.id()).and_then(|rest| rest.strip_prefix(": "));
            let message = message.unwrap_or_else(|| panic!("{self}: {expected:?} doesn't begin with {}", self.rule));
            let (file, line) = if name == NOWHERE { ("", 0) } else { (name, u32::try_from(line).unwrap()) };
            self.expected.insert((file.to_owned(), line, message.trim_end().to_owned()));
        }
        if name == NOWHERE {
            return;
        }
        if facts::wants_text(name) {
            // In a document, unlike in YAML, a mark would be words like any others.
            let unmarked = text.lines().map(|line| line.split_once(MARK).map_or(line, |(before, _)| before));
            self.texts.push((name.into(), unmarked.collect::<Vec<_>>().join("\n")));
        }
        let id = FileId::new(self.files.len()).unwrap();
        let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
        let parsed = if is_yaml { yaml::parse(id, bytes, &Limits::default()) } else { yaml::Parsed::default() };
        assert!(parsed.error.is_none() || READING.contains(&self.rule), "{self}: {name}: {:?}", parsed.error);
        self.files.push(SourceFile { id, path: name.into(), refused: None, documents: parsed.documents });
    }

    /// What the rule finds, whatever else is found.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.judged().into_iter().map(|(finding, _)| finding).collect()
    }

    /// What was found, in the form of what is expected.
    pub(crate) fn found(&self) -> BTreeSet<(String, u32, String)> {
        let told = self.judged().into_iter().map(|(finding, place)| {
            let (file, line) = place.map_or((String::new(), 0), |place| (place.file.to_string(), place.line));
            (file, line, finding.message)
        });
        told.collect()
    }

    /// What the rule finds, and where a user is shown it.
    fn judged(&self) -> Vec<(Finding, Option<Position>)> {
        let now: Timestamp = NOW.parse().unwrap();
        let about = |findings: Vec<Finding>, locate: &dyn Fn(&Finding) -> Option<Position>| {
            let ours = findings.into_iter().filter(|finding| finding.rule == self.rule);
            ours.map(|finding| {
                let place = finding.position.clone().or_else(|| locate(&finding));
                (finding, place)
            })
            .collect::<Vec<_>>()
        };
        let Some(checkout) = &self.checkout else {
            let world = self.world();
            let repository = self.repository();
            let policies = self.policies(&world, &repository);
            let findings = audit(&world.cluster(), &repository, &policies, now).findings;
            return about(findings, &|finding| self.locate(finding));
        };
        let whole = audit(&Cluster::default(), &checkout.repository, &Policies::default(), now).findings;
        let server = Server::stated(&checkout.repository.talos);
        let nodes = stated_nodes(&checkout.repository.talos, checkout.clusters.len());
        let clusters = checkout.clusters.iter().flat_map(|it| {
            let policies = it.policies.iter().map(|policy| serde_json::to_value(policy).unwrap());
            let exceptions = it.exceptions.iter().map(|exception| serde_json::to_value(exception).unwrap());
            let policies = World::of(policies.chain(exceptions)).policies();
            let security = it.security.iter().map(|policy| Settings::try_from(policy).unwrap());
            let policies = policies.securing(security, false, server.clone()).on_nodes(nodes);
            let findings = audit(&it.cluster, &it.repository, &policies, now).findings;
            about(findings, &|finding| Some(it.places.locate(&finding.subject, &finding.field)?.position))
        });
        clusters.chain(about(whole, &|_| None)).collect()
    }

    /// The cluster of the objects that are observed, with a Namespace where none is given.
    fn world(&self) -> World {
        let values: Vec<Value> = self.objects.iter().map(|object| object.root.to_json()).collect();
        let observed = |value: &&Value| {
            let is =
                |kind: Kind| value["kind"] == kind.as_str() && value["apiVersion"] != "kustomize.config.k8s.io/v1beta1";
            value["apiVersion"] == "holdfast.dev/v1alpha1" || Kind::ALL.into_iter().any(is)
        };
        let given = |name: &str| values.iter().any(|it| it["kind"] == "Namespace" && it["metadata"]["name"] == name);
        let named: BTreeSet<&str> = self.objects.iter().map(|object| object.namespace.as_str()).collect();
        let added = named.into_iter().filter(|name| !name.is_empty() && !given(name));
        let added: Vec<Value> = added.map(|name| namespace(name).build()).collect();
        World::of(added.into_iter().chain(values.iter().filter(observed).cloned()))
    }

    /// The policies of the fixture, and what its files say of the API server.
    fn policies(&self, world: &World, repository: &Repository) -> Policies {
        let security = self.objects.iter().filter(|object| object.kind == "NamespaceSecurityPolicy");
        let security = security.map(|object| {
            let policy: NamespaceSecurityPolicy = serde_json::from_value(object.root.to_json()).unwrap();
            Settings::try_from(&policy).unwrap()
        });
        let policies = world.policies().securing(security, false, Server::stated(&repository.talos));
        policies.on_nodes(stated_nodes(&repository.talos, 1))
    }

    fn repository(&self) -> Repository {
        let mut of_files = FileFacts::default();
        let names: Vec<Arc<str>> = self.files.iter().map(|file| Arc::clone(&file.path)).collect();
        for file in &self.files {
            of_files.read(file, self);
        }
        let mut repository = of_files.into_repository();
        for object in &self.objects {
            facts::read_object(object, self, &mut repository);
        }
        for (path, text) in &self.texts {
            facts::read_text(path, text, &mut repository);
        }
        facts::read_tree(&names, &mut repository);
        repository
    }

    /// Where the field of a finding stands, or the nearest above it.
    fn locate(&self, finding: &Finding) -> Option<Position> {
        let subject = &finding.subject;
        let object = self.objects.iter().find(|object| {
            object.kind == subject.kind
                && object.name == subject.name.as_str()
                && object.namespace == subject.namespace.as_str()
        })?;
        self.position(object.root.find(&finding.field).origin)
    }
}

impl Paths for Fixture {
    fn position(&self, origin: Origin) -> Option<Position> {
        let file = self.files.get(origin.file().index())?;
        Some(Position { file: Arc::clone(&file.path), line: origin.line(), column: origin.column() })
    }
}

impl std::fmt::Display for Fixture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.path.display())
    }
}

fn object(root: &Node) -> Option<Object> {
    let text = |path: &[&str]| root.at(path).and_then(Node::as_str);
    Some(Object {
        api_version: text(&["apiVersion"])?.into(),
        kind: text(&["kind"])?.into(),
        namespace: text(&["metadata", "namespace"]).unwrap_or_default().into(),
        name: text(&["metadata", "name"])?.into(),
        root: root.clone(),
        confidence: Confidence::Declared,
        owner: None,
        labelled: None,
    })
}
