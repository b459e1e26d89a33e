//! Which StatefulSets vote: of these only one replica may go at a time, whatever their number.

use holdfast_model::Text;
use holdfast_model::facts::{Voters, Workload};

/// Software whose replicas always vote, by the last part of the image's name.
const ALWAYS: [&str; 3] = ["etcd", "zookeeper", "consul"];

/// Software whose replicas vote only when clustered, and the words in which that shows.
const WHEN_CLUSTERED: [(&str, &[&str]); 5] = [
    ("vault", &["raft"]),
    ("openbao", &["raft"]),
    ("bao", &["raft"]),
    ("rabbitmq", &["cluster"]),
    ("nats", &["jetstream", "cluster"]),
];

/// Whether the replicas of this workload are known to vote.
#[must_use]
pub fn is_quorum(workload: &Workload) -> bool {
    workload.voters().is_some_and(|voters| voters.declared || voters.images.iter().any(|image| votes(image, voters)))
}

fn votes(image: &Text, voters: &Voters) -> bool {
    let name = repository(image);
    if ALWAYS.iter().any(|software| is_called(name, software)) {
        return true;
    }
    let clustered = WHEN_CLUSTERED.iter().filter(|(software, _)| is_called(name, software));
    clustered.flat_map(|(_, words)| words.iter()).any(|word| shows(word, voters))
}

/// The last part of an image's name, without tag and digest: `quay.io/coreos/etcd:v3` gives `etcd`.
fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or_default();
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split(':').next().unwrap_or_default()
}

/// `etcd` and `my-etcd`, but not `etcd-backup` or `nats-server-config-reloader`: those only carry the name first.
fn is_called(name: &str, software: &str) -> bool {
    name == software || name.strip_suffix(software).is_some_and(|before| before.ends_with('-'))
}

fn shows(word: &str, voters: &Voters) -> bool {
    voters.words.iter().any(|text| text.to_ascii_lowercase().contains(word))
}
