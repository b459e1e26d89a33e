//! Workflows of GitHub, Forgejo and Gitea, and composite actions: what they use, and what they do to images.

use holdfast_model::repository::{Build, Guard, Pin, Supply, Use};
use holdfast_model::{Position, Subject};

use crate::facts::Paths;
use crate::{Node, SourceFile};

/// Folders of workflows.
const FOLDERS: [&str; 3] = [".github/workflows/", ".forgejo/workflows/", ".gitea/workflows/"];

/// Names of actions, or parts of commands, that do something to images.
const GUARDS: [(Guard, &[&str]); 4] = [
    (
        Guard::Scan,
        &[
            "aquasecurity/trivy-action",
            "anchore/scan-action",
            "docker/scout-action",
            "snyk/actions",
            "grype ",
            "trivy image",
            "trivy i ",
            "docker scout",
            "clair",
            "sysdig",
            "neuvector/scan-action",
        ],
    ),
    (
        Guard::Sbom,
        &["anchore/sbom-action", "syft ", "cyclonedx", "spdx", "trivy sbom", "--sbom", "actions/attest-sbom"],
    ),
    (
        Guard::Signature,
        &["cosign sign", "notation sign", "sigstore/gh-action-sigstore", "notaryproject/notation-action"],
    ),
    (
        Guard::Attestation,
        &["actions/attest", "slsa-framework/", "cosign attest", "--provenance", "--attest", "witness run"],
    ),
];

/// Commands that publish an image.
const PUSHES: [&str; 8] = [
    "docker push",
    "podman push",
    "buildah push",
    "crane push",
    "ko build",
    "ko publish",
    "skopeo copy",
    "nix2container",
];

/// Adds what a workflow or a composite action says.
pub(super) fn read(source: &SourceFile, paths: &dyn Paths, supply: &mut Supply) {
    let is_workflow = FOLDERS.iter().any(|folder| source.path.starts_with(folder));
    let name = source.path.rsplit('/').next().unwrap_or_default();
    if !is_workflow && !matches!(name, "action.yml" | "action.yaml") {
        return;
    }
    let kind = if is_workflow { "Workflow" } else { "Action" };
    let workflow = Subject { kind, namespace: "".into(), name: (&*source.path).into() };
    let mut reader = Reader { workflow, paths, supply };
    for document in &source.documents {
        for job in document.get("jobs").into_iter().flat_map(Node::entries) {
            reader.part(&job.value);
            job.value.get("steps").into_iter().flat_map(Node::items).for_each(|step| reader.part(step));
        }
        let steps = document.at(&["runs", "steps"]).filter(|_| !is_workflow);
        steps.into_iter().flat_map(Node::items).for_each(|step| reader.part(step));
    }
}

struct Reader<'a> {
    workflow: Subject,
    paths: &'a dyn Paths,
    supply: &'a mut Supply,
}

impl Reader<'_> {
    /// A job that calls a workflow, or a step.
    fn part(&mut self, part: &Node) {
        if let Some(node) = part.get("uses") {
            let uses = node.as_str().unwrap_or_default();
            if let (Some((what, version, pin)), Some(at)) = (parse(uses), self.paths.position(node.origin)) {
                let workflow = self.workflow.clone();
                let (what, version) = (what.into(), version.into());
                self.supply.uses.push(Use { workflow, at, what, version, pin });
            }
            self.guards(uses);
            self.action(uses, part, self.paths.position(node.origin));
        }
        if let Some(node) = part.get("run") {
            let run = node.as_str().unwrap_or_default();
            self.guards(run);
            let pushes = PUSHES.iter().any(|push| run.contains(push));
            let built = run.contains("docker build") && run.contains("--push");
            if pushes || built {
                self.build(self.paths.position(node.origin));
            }
        }
    }

    /// The actions that build images; what they attest by themselves counts.
    fn action(&mut self, uses: &str, step: &Node, at: Option<Position>) {
        let with = |key: &str| step.at(&["with", key]).map(says);
        let is_off = |said: Option<Said>| matches!(said, Some(Said::No));
        if uses.contains("docker/build-push-action") || uses.contains("docker/bake-action") {
            // Without `push` the first only builds; what it is told by `outputs` may push.
            let pushes = !matches!(with("push"), None | Some(Said::No)) || with("outputs").is_some();
            if !pushes {
                return;
            }
            self.build(at);
            if !is_off(with("provenance")) {
                self.supply.guards.push(Guard::Attestation);
            }
            if matches!(with("sbom"), Some(Said::Yes)) {
                self.supply.guards.push(Guard::Sbom);
            }
        } else if ["redhat-actions/push-to-registry", "GoogleContainerTools/kaniko"].iter().any(|it| uses.contains(it))
        {
            self.build(at);
        }
    }

    fn build(&mut self, at: Option<Position>) {
        if let Some(at) = at {
            self.supply.builds.push(Build { workflow: self.workflow.clone(), at });
        }
    }

    fn guards(&mut self, text: &str) {
        let done = GUARDS.iter().filter(|(_, marks)| marks.iter().any(|mark| text.contains(mark)));
        self.supply.guards.extend(done.map(|(guard, _)| *guard));
    }
}

/// What an input of an action says.
enum Said {
    Yes,
    No,
}

/// An expression may be anything and is taken for a yes.
fn says(node: &Node) -> Said {
    match node.as_bool() {
        Some(true) => Said::Yes,
        Some(false) => Said::No,
        None if node.as_str() == Some("false") => Said::No,
        None => Said::Yes,
    }
}

/// Takes what is used apart; none for what lies in the checkout itself.
fn parse(uses: &str) -> Option<(&str, &str, Pin)> {
    if uses.starts_with("./") || uses.contains("${{") || uses.is_empty() {
        return None;
    }
    if let Some(image) = uses.strip_prefix("docker://") {
        if let Some((image, digest)) = image.split_once('@') {
            return Some((image, digest, Pin::Hash));
        }
        // A colon before the last slash belongs to the port of a registry.
        let tag = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
        let (image, tag) = tag.unwrap_or((image, ""));
        return Some((image, tag, Pin::ImageTag));
    }
    let (action, version) = uses.rsplit_once('@').unwrap_or((uses, ""));
    // Forgejo names the whole address.
    let action =
        action.split_once("://").map_or(action, |(_, rest)| rest.split_once('/').map_or(rest, |(_, path)| path));
    let is_hash = [40, 64].contains(&version.len()) && version.bytes().all(|c| c.is_ascii_hexdigit());
    let is_tag = version.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    let pin = if is_hash {
        Pin::Hash
    } else if is_tag {
        Pin::Tag
    } else {
        Pin::Branch
    };
    Some((action, version, pin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uses: &str, expected: Option<(&str, &str, Pin)>) {
        assert_eq!(parse(uses), expected, "{uses}");
    }

    #[test]
    fn what_is_used_is_known_by_how_firm_it_is() {
        let commit = "3d3c42e5aac5ba805825da76410c181273ba90b1";
        check(&format!("actions/checkout@{commit}"), Some(("actions/checkout", commit, Pin::Hash)));
        let address = format!("https://github.com/actions/checkout@{commit}");
        check(&address, Some(("actions/checkout", commit, Pin::Hash)));
        check("actions/checkout@v4", Some(("actions/checkout", "v4", Pin::Tag)));
        check("octo/deploy@main", Some(("octo/deploy", "main", Pin::Branch)));
        check("docker://ghcr.io/octo/lint:v8.1.0", Some(("ghcr.io/octo/lint", "v8.1.0", Pin::ImageTag)));
        check("docker://registry:5000/lint", Some(("registry:5000/lint", "", Pin::ImageTag)));
        check("docker://lint:v1@sha256:0a", Some(("lint:v1", "sha256:0a", Pin::Hash)));
    }

    #[test]
    fn what_lies_in_the_checkout_needs_no_version() {
        check("./.github/actions/setup", None);
        check("${{ matrix.action }}", None);
    }
}
