//! What HelmReleases come to: rendered where the chart is at hand, else inferred from their values.
//!
//! `release` says which chart in which version with which values, `values` merges them as Flux does, `render` asks Helm,
//! and without it `app_template`, `catalogue` and `conventions` infer what is sure enough to be judged. An inferred object
//! says only what the values or a table with its version say: a pod template without containers says nothing of them.
//! Absent: the network; a chart that isn't here is never fetched.

mod app_template;
mod catalogue;
mod chart;
mod conventions;
mod fields;
mod name;
mod of_node;
mod post_render;
mod release;
mod render;
mod values;

use std::path::PathBuf;

use ecow::EcoString;
use foldhash::HashMap;
use holdfast_model::Confidence;
use holdfast_model::ObjectKey;
use holdfast_model::facts::{FluxKind, FluxOwner};
use holdfast_model::repository::Checked;
use holdfast_model::repository::problems::ProblemKind;
use rayon::prelude::*;

use crate::checkout::Tree;
use crate::facts::helm::{checked, rejected};
use crate::flux::HELM;
use crate::places_of::{all_at, with_places_of};
use crate::trouble::Trouble;
use crate::{Node, Object, Value};

pub(crate) use chart::Chart;
pub(crate) use release::Release;
use render::RenderError;

/// Whether charts are rendered with Helm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HelmMode {
    /// Where Helm is installed and the chart is at hand.
    #[default]
    Auto,
    /// Never; everything is inferred.
    Never,
    /// Everything has to be: a chart that isn't at hand is a problem.
    Always,
}

/// How charts are rendered.
#[derive(Clone, Debug)]
pub struct HelmOptions {
    /// Whether they are.
    pub mode: HelmMode,
    /// The program, looked up on the `PATH` when it is only a name.
    pub program: PathBuf,
    /// Folders with charts, unpacked or as archives.
    pub charts: Vec<PathBuf>,
    /// Helm's own cache of archives.
    pub cache: Option<PathBuf>,
}

impl Default for HelmOptions {
    fn default() -> Self {
        Self { mode: HelmMode::Auto, program: "helm".into(), charts: Vec::new(), cache: None }
    }
}

/// Objects by kind, namespace and name.
pub(crate) type Known<'a> = HashMap<(&'a str, &'a str, &'a str), &'a Object>;

/// What a HelmRelease comes to.
#[derive(Debug)]
pub(crate) struct Expanded {
    pub(crate) objects: Vec<Object>,
    pub(crate) trouble: Option<Trouble>,
    /// What Helm said of its values, where the chart has a schema.
    pub(crate) checked: Option<Checked>,
    pub(crate) namespace: EcoString,
    pub(crate) name: EcoString,
    /// Whether what its pods are is known: it was rendered, or the values of its chart say all of it.
    pub(crate) is_read: bool,
    /// Whether it needs something of the node that baseline forbids, by its chart's name or its values.
    pub(crate) is_of_node: bool,
}

/// What HelmReleases may refer to, of these objects.
pub(crate) fn known(objects: &[Object]) -> Known<'_> {
    objects.iter().map(|it| ((&*it.kind, &*it.namespace, &*it.name), it)).collect()
}

/// Whether an object is a HelmRelease.
pub(crate) fn is_release(object: &Object) -> bool {
    object.is(HELM, "HelmRelease")
}

/// The charts of HelmReleases among these objects, by their place; as `name@version`.
pub(crate) fn charts(objects: &[Object], known: &Known<'_>) -> HashMap<usize, EcoString> {
    let releases = objects.iter().enumerate().filter(|(_, object)| is_release(object));
    releases.filter_map(|(place, object)| Some((place, ecow::eco_format!("{}", Chart::of(object, known)?)))).collect()
}

/// What the HelmReleases among these objects come to.
pub(crate) fn expand(tree: &Tree, objects: &[Object], known: &Known<'_>, options: &HelmOptions) -> Vec<Expanded> {
    let found = objects.par_iter().filter(|object| is_release(object)).map(|object| {
        let release = Release::read(object, known);
        let made = manifests(tree, &release, options);
        let manifests = post_render::apply(&release, made.manifests);
        let owner = owner(object);
        let objects = manifests.into_iter().filter_map(|root| owned(root, &release, &owner, made.confidence));
        let is_read = made.confidence == Confidence::Rendered
            || release.chart.as_ref().is_some_and(|chart| &*chart.name == app_template::CHART);
        Expanded {
            objects: objects.collect(),
            trouble: made.trouble,
            checked: made.checked,
            namespace: release.namespace.clone(),
            name: object.name.clone(),
            is_read,
            is_of_node: !is_read && of_node::is_of_node(&release),
        }
    });
    found.collect()
}

/// The manifests of a release, and how they came to be.
#[derive(Debug)]
struct Made {
    manifests: Vec<Node>,
    confidence: Confidence,
    trouble: Option<Trouble>,
    checked: Option<Checked>,
}

fn manifests(tree: &Tree, release: &Release<'_>, options: &HelmOptions) -> Made {
    let made = |why: Option<String>, checked: Option<Checked>| {
        let of = |why| Trouble::of_object(ProblemKind::RenderFailed, "HelmRelease", release.object, why);
        Made { manifests: infer(release), confidence: Confidence::Inferred, trouble: why.map(of), checked }
    };
    match options.mode {
        HelmMode::Never => made(None, None),
        HelmMode::Auto | HelmMode::Always => match render::render(tree, release, options) {
            Ok(Some(rendered)) => Made {
                manifests: placed(&rendered.manifests, &infer(release), release),
                confidence: Confidence::Rendered,
                trouble: None,
                checked: rendered.by_schema.then(|| checked(release.object, None)),
            },
            Ok(None) if options.mode == HelmMode::Always => {
                made(Some("its chart isn't at hand, so it was inferred and not rendered".to_owned()), None)
            }
            Ok(None) => made(None, None),
            Err(error) => refused(&error, release, made),
        },
    }
}

/// What the schema of a chart rejects is a finding of its own, at the value; anything else is one of the release.
fn refused(
    error: &RenderError,
    release: &Release<'_>,
    made: impl FnOnce(Option<String>, Option<Checked>) -> Made,
) -> Made {
    match error {
        RenderError::Refused(complaint) if rejected(complaint).is_some() => {
            made(None, Some(checked(release.object, Some(complaint))))
        }
        RenderError::Refused(_) | RenderError::TimedOut | RenderError::TooMuch | RenderError::NoYaml(_) => {
            made(Some(error.to_string()), None)
        }
    }
}

/// What was rendered, with the places of the values where they can be told, else of the release.
fn placed(rendered: &[Node], inferred: &[Node], release: &Release<'_>) -> Vec<Node> {
    let same = |a: &Node, b: &Node, path: &[&str]| a.at(path) == b.at(path);
    let counterpart = |node: &Node| {
        inferred.iter().find(|other| same(node, other, &["kind"]) && same(node, other, &["metadata", "name"]))
    };
    let placed = rendered.iter().map(|node| match counterpart(node) {
        Some(other) => with_places_of(node, other),
        None => all_at(node, release.at),
    });
    placed.collect()
}

/// What can be said of a release without its chart.
fn infer(release: &Release<'_>) -> Vec<Node> {
    let Some(chart) = &release.chart else { return Vec::new() };
    if &*chart.name == app_template::CHART {
        return app_template::infer(release);
    }
    match catalogue::chart(chart) {
        Some(known) => catalogue::infer(known, release),
        None => conventions::infer(release),
    }
}

/// An object of a release: in its namespace, with the labels by which helm-controller tells its own.
fn owned(mut root: Node, release: &Release<'_>, owner: &FluxOwner, confidence: Confidence) -> Option<Object> {
    let kind: EcoString = root.get("kind")?.as_str()?.into();
    let api_version: EcoString = root.get("apiVersion")?.as_str()?.into();
    let name: EcoString = root.at(&["metadata", "name"])?.as_str()?.into();
    if !root.origin.is_somewhere() {
        root.origin = release.at;
    }
    let at = release.at;
    let metadata = root.as_mapping_mut()?.get_mut("metadata")?;
    let own = metadata.get("namespace").and_then(Node::as_str).map(EcoString::from);
    let namespace = match own {
        _ if crate::scope::is_cluster_wide(&api_version, &kind) => EcoString::new(),
        Some(namespace) => namespace,
        None => {
            let namespace = release.namespace.clone();
            metadata.as_mapping_mut()?.insert("namespace", at, Node::new(Value::String(namespace.clone()), at));
            namespace
        }
    };
    let owner = Some(owner.clone());
    Some(Object { api_version, kind, namespace, name, root, confidence, owner, labelled: Some(at) })
}

/// A HelmRelease as the owner of what it comes to.
pub(crate) fn owner(release: &Object) -> FluxOwner {
    let key = ObjectKey::new(release.namespace.as_str(), release.name.as_str());
    FluxOwner { kind: FluxKind::HelmRelease, key }
}

#[cfg(test)]
pub(crate) mod tests;
