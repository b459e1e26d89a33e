//! `sysctls`: only settings of the kernel that concern nobody else on the node are changed.

use crate::facts::PodFacts;
use crate::path::{Path, Place};
use crate::table::{Explanation, Revision};
use crate::violation::Offence;
use crate::wording::json;

pub(crate) const V1_0: Revision = Revision { holds: |pod| holds(pod, 0), explain: |pod| explain(pod, 0) };
pub(crate) const V1_27: Revision = Revision { holds: |pod| holds(pod, 27), explain: |pod| explain(pod, 27) };
pub(crate) const V1_29: Revision = Revision { holds: |pod| holds(pod, 29), explain: |pod| explain(pod, 29) };
pub(crate) const V1_32: Revision = Revision { holds: |pod| holds(pod, 32), explain: |pod| explain(pod, 32) };
pub(crate) const V1_37: Revision = Revision { holds: |pod| holds(pod, 37), explain: |pod| explain(pod, 37) };

/// The safe ones, and the release from which they are.
const SAFE: [(&str, u8); 14] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
    ("net.ipv4.tcp_notsent_lowat", 37),
];

/// Those that are safe in a release.
pub(crate) fn safe(minor: u8) -> impl Iterator<Item = &'static str> {
    SAFE.iter().filter(move |(_, since)| *since <= minor).map(|(safe, _)| *safe)
}

/// In the order of the manifest, as the server names them, each as often as it stands there.
fn bad(pod: &PodFacts, minor: u8) -> impl Iterator<Item = (u32, &str)> {
    let names = pod.security().sysctls.as_deref().unwrap_or_default();
    (0..)
        .zip(names)
        .map(|(index, name)| (index, &**name))
        .filter(move |(_, name)| !safe(minor).any(|safe| safe == *name))
}

fn holds(pod: &PodFacts, minor: u8) -> bool {
    bad(pod, minor).next().is_none()
}

fn explain(pod: &PodFacts, minor: u8) -> Explanation {
    let offence = |(index, name): (u32, &str)| {
        let path = Path::new(Place::Pod, "securityContext.sysctls").item(index);
        // What is set isn't kept: no check reads it.
        Offence::remove(path, format!("{{\"name\":{}}}", json(name)).into())
    };
    Explanation {
        reason: "forbidden sysctls",
        detail: bad(pod, minor).map(|(_, name)| name).collect::<Vec<_>>().join(", "),
        offences: bad(pod, minor).map(offence).collect(),
    }
}
