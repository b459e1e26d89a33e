//! Which releases of Talos and Kubernetes there are: what was known on a date, so that a message can name it.
//!
//! No release is looked up. What is newer than the table is never called old, and a table that is behind calls too little
//! old, not too much.

use holdfast_model::repository::Version;

/// The newest release of a product.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newest {
    pub(super) major: u32,
    pub(super) minor: u32,
    /// As it is called.
    pub(super) newest: &'static str,
    /// When that was known.
    pub(super) on: &'static str,
}

/// Talos maintains a minor until the next is there: <https://docs.siderolabs.com/talos/latest/getting-started/support-matrix>.
pub(super) const TALOS: Newest = Newest { major: 1, minor: 14, newest: "v1.14.2", on: "2026-10-01" };

/// Kubernetes maintains three minors: <https://kubernetes.io/releases/>.
pub(super) const KUBERNETES: Newest = Newest { major: 1, minor: 37, newest: "v1.37.2", on: "2026-11-25" };

/// The oldest minor of Kubernetes that is maintained.
pub(super) const KUBERNETES_OLDEST: u32 = KUBERNETES.minor - 2;

/// The minors of Kubernetes that a minor of Talos runs, the oldest and the newest: Talos's package
/// `machinery/compatibility`, by which `talosctl upgrade-k8s` and the upgrade itself refuse.
const RUNS: [(u32, u32, u32); 8] =
    [(7, 25, 30), (8, 26, 31), (9, 27, 32), (10, 28, 33), (11, 29, 34), (12, 30, 35), (13, 31, 36), (14, 32, 37)];

/// The oldest and the newest minor of Kubernetes that a version of Talos runs; none when the table doesn't know it.
pub(super) fn kubernetes_of(talos: &Version) -> Option<(u32, u32)> {
    let (_, oldest, newest) = RUNS.iter().find(|(minor, _, _)| (talos.major, talos.minor) == (1, *minor))?;
    Some((*oldest, *newest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_agree_with_each_other() {
        for known in [TALOS, KUBERNETES] {
            let newest = Version::parse(known.newest).unwrap();
            assert_eq!((newest.major, newest.minor), (known.major, known.minor));
        }
        assert_eq!(RUNS.last().map(|(minor, _, _)| *minor), Some(TALOS.minor));
        assert!(RUNS.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1 && pair[1].2 == pair[0].2 + 1));
    }

    #[test]
    fn what_the_table_does_not_know_has_no_range() {
        let of = |text: &str| kubernetes_of(&Version::parse(text).unwrap());
        assert_eq!(of("v1.12.1"), Some((30, 35)));
        assert_eq!(of("v1.14.0-rc.1"), Some((32, 37)));
        assert_eq!(of("v1.99.0"), None);
        assert_eq!(of("v2.12.0"), None);
    }
}
