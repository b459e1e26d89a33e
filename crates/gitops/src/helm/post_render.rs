//! `postRenderers`: patches and images that helm-controller lays over what a chart makes.
//!
//! Of what is inferred a patch may match nothing because it isn't inferred at all; that is no problem.

use super::Release;
use crate::Node;
use crate::kustomize::{self, Overlay};

/// The manifests after all post-renderers, in their order.
pub(super) fn apply(release: &Release<'_>, manifests: Vec<Node>) -> Vec<Node> {
    let renderers = release.object.root.at(&["spec", "postRenderers"]).map(Node::items).unwrap_or_default();
    renderers.iter().filter_map(|renderer| renderer.get("kustomize")).fold(manifests, |manifests, renderer| {
        kustomize::post_render(manifests, &Overlay::of_post_renderer(renderer)).objects
    })
}
