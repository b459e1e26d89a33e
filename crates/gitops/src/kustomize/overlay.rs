//! What Flux adds to a build: the fields of its Kustomization, and the post-renderers of a HelmRelease.

use super::collection::Collection;
use super::file::{Image, Kustomization, PatchSource, Scalar, read_image, scalar};
use super::label;
use super::problem::Problems;
use super::{image, patch};
use crate::Node;
use crate::node::Entry;

/// What is added to the kustomization file of a folder.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overlay<'a> {
    spec: Option<&'a Node>,
}

impl<'a> Overlay<'a> {
    /// Nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self { spec: None }
    }

    /// The `spec` of a Flux Kustomization: `targetNamespace`, `namePrefix`, `nameSuffix`, `patches`, `images`,
    /// `components` and `commonMetadata`.
    #[must_use]
    pub const fn of_kustomization(spec: &'a Node) -> Self {
        Self { spec: Some(spec) }
    }

    /// `kustomize` of one of the `postRenderers` of a HelmRelease: `patches` and `images`.
    #[must_use]
    pub const fn of_post_renderer(kustomize: &'a Node) -> Self {
        Self { spec: Some(kustomize) }
    }

    fn field(&self, name: &str) -> Option<&'a Node> {
        self.spec?.get(name).filter(|value| !value.is_null())
    }

    fn items(&self, name: &str) -> &'a [Node] {
        self.field(name).map(Node::items).unwrap_or_default()
    }

    fn images(&self, problems: &mut Problems) -> Vec<Image> {
        self.items("images").iter().filter_map(|image| read_image(image, problems)).collect()
    }

    fn patches(&self) -> Vec<PatchSource> {
        self.items("patches").iter().map(PatchSource::read).collect()
    }

    pub(super) fn ignores_missing_components(&self) -> bool {
        self.field("ignoreMissingComponents").and_then(Node::as_bool).unwrap_or(false)
    }

    pub(super) fn add_to(&self, it: &mut Kustomization, problems: &mut Problems) {
        let text = |name: &str| self.field(name).and_then(scalar);
        let set = |field: &mut Option<Scalar>, added: Option<Scalar>| {
            if added.is_some() {
                *field = added;
            }
        };
        set(&mut it.namespace, text("targetNamespace"));
        set(&mut it.prefix, text("namePrefix"));
        set(&mut it.suffix, text("nameSuffix"));
        it.components.extend(self.items("components").iter().filter_map(scalar));
        it.patches.extend(self.patches());
        for image in self.images(problems) {
            match it.images.iter_mut().find(|known| known.name == image.name) {
                Some(known) => *known = image,
                None => it.images.push(image),
            }
        }
    }

    pub(super) fn add_common_metadata(&self, mut collection: Collection, problems: &mut Problems) -> Collection {
        let pairs = |name: &str| -> Vec<Entry> {
            let pairs = self.field("commonMetadata").and_then(|metadata| metadata.get(name));
            pairs.into_iter().flat_map(Node::entries).cloned().collect()
        };
        label::add_to_metadata(&mut collection, "metadata/labels", &pairs("labels"), problems);
        label::add_to_metadata(&mut collection, "metadata/annotations", &pairs("annotations"), problems);
        collection
    }

    pub(super) fn apply_rendered(&self, collection: &mut Collection, problems: &mut Problems) {
        for source in self.patches() {
            match &source.inline {
                Some(inline) => patch::apply_inline(collection, &source, inline, problems),
                None => patch::without_content(&source, problems),
            }
        }
        self.images(problems).iter().for_each(|image| image::change(collection, image, problems));
        collection.drop_empty();
    }
}
