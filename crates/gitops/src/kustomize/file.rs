//! What a kustomization file says, field by field. What isn't known is told and never passed over in silence.

use ecow::EcoString;

use super::field_spec::FieldSpec;
use super::problem::{ProblemKind, Problems};
use crate::node::Entry;
use crate::{Node, Origin, Value};

/// A text and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub(super) text: EcoString,
    pub(super) at: Origin,
}

/// `labels`, one of them, or `commonLabels`.
#[derive(Clone, Debug, Default)]
pub(super) struct Label {
    pub(super) pairs: Vec<Entry>,
    pub(super) selectors: bool,
    pub(super) templates: bool,
    pub(super) fields: Vec<FieldSpec>,
}

/// One of `images`.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) name: EcoString,
    pub(super) new_name: EcoString,
    pub(super) new_tag: EcoString,
    pub(super) digest: EcoString,
    pub(super) tag_suffix: EcoString,
    pub(super) at: Origin,
    /// Where the new value is given.
    pub(super) value_at: Origin,
}

/// One of `replicas`.
#[derive(Clone, Debug)]
pub(super) struct Replicas {
    pub(super) name: EcoString,
    pub(super) count: i64,
    pub(super) at: Origin,
}

/// One of `patches`, `patchesJson6902` or `patchesStrategicMerge`.
#[derive(Clone, Debug)]
pub(super) struct PatchSource {
    pub(super) path: Option<Scalar>,
    pub(super) inline: Option<Node>,
    pub(super) target: Option<Node>,
    pub(super) allow_name_change: bool,
    pub(super) allow_kind_change: bool,
    pub(super) at: Origin,
}

/// A kustomization or component.
#[derive(Clone, Debug, Default)]
pub(super) struct Kustomization {
    pub(super) is_component: bool,
    pub(super) resources: Vec<Scalar>,
    pub(super) components: Vec<Scalar>,
    pub(super) namespace: Option<Scalar>,
    pub(super) prefix: Option<Scalar>,
    pub(super) suffix: Option<Scalar>,
    pub(super) labels: Vec<Label>,
    pub(super) annotations: Vec<Entry>,
    pub(super) images: Vec<Image>,
    pub(super) replicas: Vec<Replicas>,
    /// `patchesStrategicMerge`, each of which is text or a path.
    pub(super) strategic_patches: Vec<Node>,
    pub(super) patches: Vec<PatchSource>,
    pub(super) json_patches: Vec<PatchSource>,
    pub(super) config_maps: Vec<Node>,
    pub(super) secrets: Vec<Node>,
    pub(super) generator_options: Option<Node>,
    pub(super) replacements: Vec<Node>,
    pub(super) sort: Option<Node>,
    pub(super) managed_by: bool,
}

/// What Kustomize does and we don't: it would need a plugin, a schema, or a server.
const UNSUPPORTED: [&str; 11] = [
    "configurations",
    "crds",
    "generators",
    "helmChartInflationGenerator",
    "helmCharts",
    "inventory",
    "openapi",
    "transformers",
    "validators",
    "vars",
    "helmGlobals",
];

impl Kustomization {
    /// One over these paths and nothing more.
    pub(super) fn over(paths: impl Iterator<Item = EcoString>) -> Self {
        let resources = paths.map(|text| Scalar { text, at: Origin::NONE }).collect();
        Self { resources, ..Self::default() }
    }

    /// Reads a kustomization file.
    pub(super) fn read(root: &Node, problems: &mut Problems) -> Self {
        let mut it = Self::default();
        if root.as_mapping().is_none() {
            problems.add(ProblemKind::Invalid, root.origin, "a kustomization file is a mapping");
        }
        check_type(root, problems);
        let says = |entry: &Entry| !matches!(entry.key.as_str(), "apiVersion" | "kind") && !entry.value.is_null();
        if !root.entries().any(says) {
            problems.add(ProblemKind::Invalid, root.origin, "the kustomization file says nothing");
        }
        for entry in root.entries() {
            it.read_field(entry, problems);
        }
        if let Some(labels) = root.get("commonLabels").filter(|labels| !labels.is_null()) {
            let pairs = labels.entries().cloned().collect();
            it.labels.push(Label { pairs, selectors: true, ..Label::default() });
        }
        it
    }

    fn read_field(&mut self, entry: &Entry, problems: &mut Problems) {
        let value = &entry.value;
        if value.is_null() {
            return;
        }
        match entry.key.as_str() {
            "apiVersion" | "metadata" | "commonLabels" => {}
            "kind" => self.is_component = value.as_str() == Some("Component"),
            "resources" => prepend(&mut self.resources, scalars(entry, problems)),
            "bases" => self.resources.extend(scalars(entry, problems)),
            "components" => self.components = scalars(entry, problems),
            "namespace" => self.namespace = scalar(value),
            "namePrefix" => self.prefix = scalar(value),
            "nameSuffix" => self.suffix = scalar(value),
            "labels" => self.labels.extend(value.items().iter().map(|label| read_label(label, problems))),
            "commonAnnotations" => self.annotations = value.entries().cloned().collect(),
            "images" | "imageTags" => {
                self.images.extend(value.items().iter().filter_map(|image| read_image(image, problems)))
            }
            "replicas" => {
                self.replicas = value.items().iter().filter_map(|replicas| read_replicas(replicas, problems)).collect()
            }
            "patches" => self.patches = value.items().iter().map(PatchSource::read).collect(),
            "patchesJson6902" => self.json_patches = value.items().iter().map(PatchSource::read).collect(),
            "patchesStrategicMerge" => self.strategic_patches = value.items().to_vec(),
            "configMapGenerator" => self.config_maps = value.items().to_vec(),
            "secretGenerator" => self.secrets = value.items().to_vec(),
            "generatorOptions" => self.generator_options = Some(value.clone()),
            "replacements" => self.replacements = value.items().to_vec(),
            "sortOptions" => self.sort = Some(value.clone()),
            "buildMetadata" => self.read_metadata(value, problems),
            name if UNSUPPORTED.contains(&name) => {
                let empty = value.items().is_empty() && value.as_mapping().is_none_or(|mapping| mapping.is_empty());
                if !empty || value.as_str().is_some() {
                    let message = format!("{name} of a kustomization file isn't followed here");
                    problems.add(ProblemKind::Unsupported, entry.at, message);
                }
            }
            name => {
                let message = format!("{name} is no field of a kustomization file");
                problems.add(ProblemKind::Invalid, entry.at, message);
            }
        }
    }

    fn read_metadata(&mut self, value: &Node, problems: &mut Problems) {
        for option in value.items() {
            match option.as_str() {
                Some("managedByLabel") => self.managed_by = true,
                Some("originAnnotations" | "transformerAnnotations") => {
                    let message = "the annotations that buildMetadata asks for aren't made here";
                    problems.add(ProblemKind::Unsupported, option.origin, message);
                }
                Some(_) | None => {
                    let message = "buildMetadata takes managedByLabel, originAnnotations and transformerAnnotations";
                    problems.add(ProblemKind::Invalid, option.origin, message);
                }
            }
        }
    }
}

fn check_type(root: &Node, problems: &mut Problems) {
    let version = root.get("apiVersion").filter(|version| !version.is_null());
    let kind = root.get("kind").filter(|kind| !kind.is_null());
    let wanted = match kind.and_then(Node::as_str) {
        Some("Component") => "kustomize.config.k8s.io/v1alpha1",
        Some("Kustomization") => "kustomize.config.k8s.io/v1beta1",
        None if kind.is_none() => "kustomize.config.k8s.io/v1beta1",
        Some(_) | None => {
            let at = kind.map_or(root.origin, |kind| kind.origin);
            problems.add(ProblemKind::Invalid, at, "the kind of a kustomization file is Kustomization or Component");
            return;
        }
    };
    if let Some(version) = version.filter(|version| version.as_str() != Some(wanted)) {
        problems.add(ProblemKind::Invalid, version.origin, format!("the apiVersion of this file has to be {wanted}"));
    }
}

/// `bases` come after `resources`, whichever stands first.
fn prepend(known: &mut Vec<Scalar>, mut first: Vec<Scalar>) {
    first.append(known);
    *known = first;
}

pub(super) fn scalar(value: &Node) -> Option<Scalar> {
    value.text().filter(|text| !text.is_empty()).map(|text| Scalar { text, at: value.origin })
}

fn scalars(entry: &Entry, problems: &mut Problems) -> Vec<Scalar> {
    if !matches!(entry.value.value, Value::Sequence(_)) {
        let message = format!("{} is a list of paths", entry.key);
        problems.add(ProblemKind::Invalid, entry.value.origin, message);
    }
    let all = entry.value.items().iter();
    all.filter_map(|item| {
        let scalar = scalar(item);
        if scalar.is_none() {
            problems.add(ProblemKind::Invalid, item.origin, format!("{} holds something that is no path", entry.key));
        }
        scalar
    })
    .collect()
}

fn read_label(label: &Node, problems: &mut Problems) -> Label {
    let flag = |key: &str| label.get(key).and_then(Node::as_bool).unwrap_or(false);
    let text = |spec: &Node, key: &str| spec.get(key).and_then(Node::text).unwrap_or_default().to_string();
    let specs = label.get("fields").map(Node::items).unwrap_or_default().iter().map(|spec| FieldSpec {
        group: text(spec, "group").into(),
        version: text(spec, "version").into(),
        kind: text(spec, "kind").into(),
        path: text(spec, "path").into(),
        create: spec.get("create").and_then(Node::as_bool).unwrap_or(false),
    });
    let pairs = label.get("pairs");
    if pairs.and_then(Node::as_mapping).is_none() {
        problems.add(ProblemKind::Invalid, label.origin, "labels without pairs add nothing");
    }
    Label {
        pairs: pairs.into_iter().flat_map(Node::entries).cloned().collect(),
        selectors: flag("includeSelectors"),
        templates: flag("includeTemplates"),
        fields: specs.collect(),
    }
}

/// Reads one of `images`, also of a Flux Kustomization.
pub(super) fn read_image(image: &Node, problems: &mut Problems) -> Option<Image> {
    let text = |key: &str| image.get(key).and_then(Node::text).unwrap_or_default();
    if text("name").is_empty() {
        problems.add(ProblemKind::Invalid, image.origin, "an image without a name changes nothing");
        return None;
    }
    let value = ["newTag", "digest", "newName", "tagSuffix"].into_iter().find_map(|key| image.get(key));
    Some(Image {
        name: text("name"),
        new_name: text("newName"),
        new_tag: text("newTag"),
        digest: text("digest"),
        tag_suffix: text("tagSuffix"),
        at: image.origin,
        value_at: value.map_or(image.origin, |value| value.origin),
    })
}

fn read_replicas(replicas: &Node, problems: &mut Problems) -> Option<Replicas> {
    let name = replicas.get("name").and_then(Node::text);
    let count = replicas.get("count");
    match (name, count.map(Node::as_integer)) {
        (Some(name), None) => Some(Replicas { name, count: 0, at: replicas.origin }),
        (Some(name), Some(Some(number))) => {
            Some(Replicas { name, count: number, at: count.map_or(replicas.origin, |count| count.origin) })
        }
        (None, _) | (Some(_), Some(None)) => {
            problems.add(ProblemKind::Invalid, replicas.origin, "replicas need a name and a number as their count");
            None
        }
    }
}

impl PatchSource {
    /// Reads one of `patches`, also of a Flux Kustomization.
    pub(super) fn read(patch: &Node) -> Self {
        let option = |key: &str| patch.at(&["options", key]).and_then(Node::as_bool).unwrap_or(false);
        Self {
            path: patch.get("path").and_then(scalar),
            inline: patch
                .get("patch")
                .filter(|inline| inline.as_str().is_some_and(|text| !text.trim().is_empty()))
                .cloned(),
            target: patch.get("target").filter(|target| !target.is_null()).cloned(),
            allow_name_change: option("allowNameChange"),
            allow_kind_change: option("allowKindChange"),
            at: patch.origin,
        }
    }
}
