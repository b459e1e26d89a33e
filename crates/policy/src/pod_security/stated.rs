//! What files say of the API server: its version, and which level it enforces in namespaces without a label.
//!
//! Only Talos is read, and only where all that is said agrees. What is in templates isn't read, so it may say anything.

use holdfast_model::Text;
use holdfast_model::repository::{self, AdmissionSays, Product, Switch, Talos};
use holdfast_pod_security::{Level, Version};

use super::Server;
use crate::rules::concerns;

/// What Talos exempts where nobody says otherwise.
const EXEMPT: &str = "kube-system";

impl Server {
    /// What the files of a checkout say; what they don't say isn't known.
    #[must_use]
    pub fn stated(talos: &Talos) -> Self {
        let (default, exempt) = admission(talos).map_or((None, Vec::new()), |(level, exempt)| (Some(level), exempt));
        let seccomp_by_default = seccomp_by_default(talos);
        Self { minor: minor(talos), default, exempt, own: None, seccomp_by_default, spreads: talos.spreads }
    }

    /// Whether it is newer than the newest version that is known here.
    #[must_use]
    pub fn is_newer_than_known(&self) -> bool {
        self.minor.is_some_and(|minor| self.version() < Version::Minor(minor))
    }
}

/// What Talos generates says `defaultRuntimeSeccompProfileEnabled: true`, so that holds unless a file says otherwise.
fn seccomp_by_default(talos: &Talos) -> bool {
    let is_talos = !talos.clusters.is_empty()
        || !talos.settings.is_empty()
        || !talos.hidden.is_empty()
        || !talos.upgrades.is_empty()
        || talos.pinned.iter().any(|it| it.product == Product::Talos);
    is_talos && !talos.settings.iter().any(|it| it.what == Switch::SeccompOff)
}

/// The oldest minor that configuration pins, else that upgrades aim at: whichever cluster is meant, it has that at least.
fn minor(talos: &Talos) -> Option<u64> {
    let is_meant = |product: Product| product == Product::Kubernetes;
    let pinned = talos.pinned.iter().filter(|it| is_meant(it.product)).map(|it| &it.version);
    let aimed = talos.upgrades.iter().filter(|it| is_meant(it.product)).filter_map(|it| it.version.as_ref());
    oldest(pinned).or_else(|| oldest(aimed))
}

fn oldest<'a>(versions: impl Iterator<Item = &'a repository::Version>) -> Option<u64> {
    versions.filter(|version| version.major == 1).map(|version| u64::from(version.minor)).min()
}

/// What is enforced in a namespace without a label, and which namespaces are exempt; none where files don't say, or not
/// the same of each cluster.
fn admission(talos: &Talos) -> Option<(Level, Vec<Text>)> {
    if talos.settings.is_empty() || !talos.hidden.is_empty() {
        return None;
    }
    let said = |is_meant: &dyn Fn(&str) -> bool| {
        configured(talos.admission.iter().filter(|it| is_meant(&it.file.name)).map(|it| &it.says))
    };
    if talos.clusters.is_empty() {
        return said(&|_| true);
    }
    let mut all = talos.clusters.iter().map(|cluster| said(&|path| concerns(talos, cluster, path)));
    let first = all.next()??;
    all.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

/// What comes of all that is said, each being merged into what Talos ships.
fn configured<'a>(said: impl Iterator<Item = &'a AdmissionSays>) -> Option<(Level, Vec<Text>)> {
    let (mut removed, mut stated, mut exempt) = (false, None, Vec::new());
    for says in said {
        match says {
            AdmissionSays::Removed => removed = true,
            AdmissionSays::Enforces(level) if stated.is_none_or(|known| known == *level) => stated = Some(*level),
            AdmissionSays::Enforces(_) | AdmissionSays::Unclear => return None,
            AdmissionSays::Exempts(namespace) => exempt.push(namespace.clone()),
        }
    }
    match (removed, stated) {
        (false, stated) => {
            exempt.push(EXEMPT.into());
            exempt.sort();
            exempt.dedup();
            Some((stated.unwrap_or(Level::Baseline), exempt))
        }
        (true, None) if exempt.is_empty() => Some((Level::Privileged, exempt)),
        // Which of them comes last isn't known here.
        (true, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use holdfast_model::repository::{Admission, Pinned, Setting, Switch, TalosCluster};
    use holdfast_model::{Position, Subject};

    use super::*;

    fn file(path: &str) -> Subject {
        Subject { kind: "File", namespace: "".into(), name: path.into() }
    }

    fn at(path: &str) -> Position {
        Position { file: Arc::from(path), line: 1, column: 1 }
    }

    /// The clusters of these files, and what other files say of admission.
    fn talos(clusters: &[&str], said: &[(&str, AdmissionSays)]) -> Talos {
        let settings = vec![Setting { file: file("a"), at: at("a"), what: Switch::Configured }];
        let clusters = clusters.iter().map(|path| TalosCluster { file: file(path), at: at(path), nodes: Vec::new() });
        let admission = said.iter().map(|(path, says)| Admission { file: file(path), says: says.clone() });
        Talos { settings, clusters: clusters.collect(), admission: admission.collect(), ..Talos::default() }
    }

    #[track_caller]
    fn check(talos: &Talos, default: Option<Level>, exempt: &[&str]) {
        let server = Server::stated(talos);
        assert_eq!(server.default, default);
        assert_eq!(server.exempt.iter().map(Text::as_str).collect::<Vec<_>>(), exempt);
    }

    use AdmissionSays::{Enforces, Exempts, Removed, Unclear};
    use Level::{Baseline, Privileged, Restricted};

    #[test]
    fn nothing_is_known_without_talos_or_behind_templates() {
        check(&Talos::default(), None, &[]);
        let hidden = Talos { hidden: vec!["talos".into()], ..talos(&[], &[]) };
        check(&hidden, None, &[]);
    }

    #[test]
    fn what_is_said_is_merged_into_what_talos_ships() {
        check(&talos(&[], &[]), Some(Baseline), &["kube-system"]);
        check(&talos(&[], &[("p", Exempts("rook-ceph".into()))]), Some(Baseline), &["kube-system", "rook-ceph"]);
        check(&talos(&[], &[("p", Enforces(Restricted))]), Some(Restricted), &["kube-system"]);
        check(&talos(&[], &[("p", Removed)]), Some(Privileged), &[]);
    }

    #[test]
    fn what_is_not_clear_is_not_guessed() {
        check(&talos(&[], &[("p", Unclear)]), None, &[]);
        check(&talos(&[], &[("p", Enforces(Baseline)), ("q", Enforces(Restricted))]), None, &[]);
        check(&talos(&[], &[("p", Removed), ("q", Enforces(Baseline))]), None, &[]);
    }

    #[test]
    fn clusters_of_one_checkout_have_to_agree() {
        let two = ["a/talconfig.yaml", "b/talconfig.yaml"];
        check(&talos(&two, &[]), Some(Baseline), &["kube-system"]);
        check(&talos(&two, &[("a/p.yaml", Removed)]), None, &[]);
        check(&talos(&two, &[("shared/p.yaml", Removed)]), Some(Privileged), &[]);
    }

    #[test]
    fn the_oldest_version_that_is_pinned_counts() {
        let pinned = |product, version: &str| Pinned {
            file: file("a"),
            at: at("a"),
            product,
            version: repository::Version::parse(version).unwrap(),
        };
        let versions = vec![
            pinned(Product::Talos, "v1.12.0"),
            pinned(Product::Kubernetes, "v1.35.1"),
            pinned(Product::Kubernetes, "v1.34.3"),
        ];
        assert_eq!(Server::stated(&Talos { pinned: versions, ..Talos::default() }).minor, Some(34));
        assert_eq!(Server::stated(&Talos::default()).minor, None);
    }
}
