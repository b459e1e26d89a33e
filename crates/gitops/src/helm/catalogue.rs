//! Charts that this audience runs most, as far as their workloads, replicas and budgets go.
//!
//! Each row was read from the chart's own templates in the version it names; what isn't in it isn't claimed. Pods have
//! the labels by which their workload finds them and those that budgets written by hand use, and no containers: what is
//! in them only the chart knows.

mod charts;

use ecow::EcoString;
use holdfast_model::facts::HOSTNAME;
use holdfast_model::shapes::{BUDGET_VALUE, REPLICAS_FIXED, REPLICAS_REPEAT, REPLICAS_VALUE};

use super::fields::{Fields, object};
use super::values::is_empty;
use super::{Chart, Release, name};
use crate::node::Entry;
use crate::{Node, Origin, Value};

pub(super) use charts::CHARTS;

/// The annotation of an inferred object that says which version of its chart was read.
const INFERRED_FROM: &str = "holdfast.dev/inferred-from";

/// A chart that was read.
#[derive(Debug)]
pub(super) struct Known {
    /// Its name, as it is pulled.
    pub(super) name: &'static str,
    /// The version that was read.
    pub(super) read: &'static str,
    pub(super) workloads: &'static [Workload],
}

/// Something that makes pods.
#[derive(Debug)]
pub(super) struct Workload {
    kind: &'static str,
    name: Text,
    /// The labels of its selector.
    labels: &'static [(&'static str, Text)],
    /// Further labels of its pods.
    more: &'static [(&'static str, Text)],
    replicas: Replicas,
    /// All of these have to be so for it to be made.
    when: &'static [Switch],
    budget: Option<Budget>,
    /// Whether no two of its pods run on one node unless values say otherwise.
    apart: bool,
    /// Under which key values of its pods stand.
    values: &'static [&'static str],
}

/// A name or a label.
#[derive(Clone, Copy, Debug)]
enum Text {
    /// Always this.
    Is(&'static str),
    /// The `fullname` helper, and what follows it.
    Fullname(&'static str),
    /// The `name` helper, and what follows it.
    Name(&'static str),
    /// The name of the release.
    Release,
    /// The name of the release and of the chart, whatever they are.
    ReleaseAndChart,
    /// The value at a path, else this.
    Value(&'static [&'static str], &'static str),
}

#[derive(Clone, Copy, Debug)]
enum Replicas {
    /// The value at a path, else so many.
    At(&'static [&'static str], u32),
    /// The value at a path, but one unless the value at the second says true.
    OneUnless(&'static [&'static str], &'static [&'static str]),
    /// The value at a path, else so many; each of them says what all say.
    Repeating(&'static [&'static str], u32),
    Fixed(u32),
    PerNode,
}

#[derive(Clone, Copy, Debug)]
enum Switch {
    /// True at this path; the second is the chart's default.
    On(&'static [&'static str], bool),
    /// Not true at this path; false by default.
    Off(&'static [&'static str]),
    /// This text at this path; the third is the chart's default.
    Says(&'static [&'static str], &'static str, &'static str),
}

/// When a chart makes a budget, and with what limit.
#[derive(Clone, Copy, Debug)]
enum Budget {
    /// When `enabled` at this path; so many stay unless given.
    Enabled(&'static [&'static str], Option<u32>),
    /// When there is anything at this path.
    Present(&'static [&'static str]),
    /// When a limit of at least one is at this path.
    AtLeastOne(&'static [&'static str]),
    /// When there is more than one replica: so many stay unless given at this path.
    AboveOne(&'static [&'static str], u32),
    /// When there is more than one replica, for one at a time, whatever the values say.
    OneAtATime,
}

impl Budget {
    /// The value that makes it.
    const fn value(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Enabled(path, _) | Self::Present(path) | Self::AtLeastOne(path) => Some(path),
            Self::AboveOne(..) | Self::OneAtATime => None,
        }
    }
}

/// What is known of a chart.
pub(super) fn chart(chart: &Chart) -> Option<&'static Known> {
    CHARTS.iter().find(|known| known.name == &*chart.name)
}

/// What a chart makes of these values.
pub(super) fn infer(known: &'static Known, release: &Release<'_>) -> Vec<Node> {
    let made = known.workloads.iter().filter(|workload| workload.when.iter().all(|switch| is_so(*switch, release)));
    let maker = |workload| Maker { known, workload, release };
    made.flat_map(|workload| [Some(maker(workload).object()), maker(workload).budget()]).flatten().collect()
}

fn is_so(switch: Switch, release: &Release<'_>) -> bool {
    let truth = |path: &[&str]| release.value(path).and_then(Node::as_bool);
    match switch {
        Switch::On(path, default) => truth(path).unwrap_or(default),
        Switch::Off(path) => !truth(path).unwrap_or(false),
        Switch::Says(path, wanted, default) => {
            release.value(path).and_then(Node::as_str).filter(|text| !text.is_empty()).unwrap_or(default) == wanted
        }
    }
}

struct Maker<'a> {
    known: &'static Known,
    workload: &'static Workload,
    release: &'a Release<'a>,
}

impl Maker<'_> {
    fn text(&self, text: Text) -> EcoString {
        let release = self.release;
        match text {
            Text::Is(text) => text.into(),
            Text::Fullname(rest) => ecow::eco_format!("{}{rest}", name::fullname(release, self.known.name)),
            Text::Name(rest) => ecow::eco_format!("{}{rest}", name::name(release, self.known.name)),
            Text::Release => release.name.clone(),
            Text::ReleaseAndChart => match release.text(&["fullnameOverride"]).filter(|name| !name.is_empty()) {
                Some(given) => name::cut(&given, 63),
                None => name::cut(&format!("{}-{}", release.name, name::name(release, self.known.name)), 63),
            },
            Text::Value(path, default) => {
                release.text(path).filter(|text| !text.is_empty()).unwrap_or_else(|| default.into())
            }
        }
    }

    fn metadata(&self) -> Fields {
        let labels = self.texts(self.workload.labels).text("app.kubernetes.io/managed-by", "Helm");
        let read = ecow::eco_format!("{} {}", self.known.name, self.known.read);
        let annotations = Fields::at(self.release.at).text(INFERRED_FROM, read);
        let annotations = match self.workload.replicas {
            Replicas::Fixed(_) => annotations.text(REPLICAS_FIXED, "true"),
            Replicas::At(path, _) => annotations.text(REPLICAS_VALUE, path.join(".")),
            Replicas::OneUnless(path, unless) => annotations
                .text(REPLICAS_VALUE, ecow::eco_format!("{} with {}: true", path.join("."), unless.join("."))),
            Replicas::Repeating(..) => annotations.text(REPLICAS_REPEAT, "true"),
            Replicas::PerNode => annotations,
        };
        let annotations = match self.workload.budget.and_then(Budget::value) {
            Some(path) => annotations.text(BUDGET_VALUE, path.join(".")),
            None => annotations,
        };
        Fields::at(self.release.at)
            .text("name", self.text(self.workload.name))
            .with("labels", labels.node())
            .with("annotations", annotations.node())
    }

    fn texts(&self, labels: &[(&str, Text)]) -> Fields {
        let fields = Fields::at(self.release.at);
        labels.iter().fold(fields, |fields, (key, text)| fields.text(key, self.text(*text)))
    }

    fn selector(&self) -> Node {
        Fields::at(self.release.at).with("matchLabels", self.texts(self.workload.labels).node()).node()
    }

    fn object(&self) -> Node {
        let at = self.release.at;
        let more = self.workload.more.iter();
        let labels = more.fold(self.texts(self.workload.labels), |it, (key, text)| it.text(key, self.text(*text)));
        let metadata = Fields::at(at).with("labels", labels.node());
        let template = Fields::at(at).with("metadata", metadata.node()).with("spec", self.pod());
        let spec = self.replicas(Fields::at(at)).with("selector", self.selector()).with("template", template.node());
        let spec = spec.with_some("strategy", self.strategy());
        object(at, "apps/v1", self.workload.kind, self.metadata()).with("spec", spec.node()).node()
    }

    fn replicas(&self, spec: Fields) -> Fields {
        match self.replica_count() {
            Some(Ok(given)) => spec.with("replicas", given),
            Some(Err(default)) => {
                let at = self.place_of_replicas();
                spec.with_entry(Entry {
                    key: "replicas".into(),
                    at,
                    value: Node::new(Value::Integer(default.into()), at),
                })
            }
            None => spec,
        }
    }

    /// Where the number of replicas would have to be written: below the nearest key of the values that is there.
    fn place_of_replicas(&self) -> Origin {
        let path = match self.workload.replicas {
            Replicas::At(path, _) | Replicas::Repeating(path, _) | Replicas::OneUnless(path, _) => path,
            Replicas::Fixed(_) | Replicas::PerNode => return self.release.at,
        };
        let key = |node: &Node, key: &str| node.as_mapping()?.entry(key).map(|entry| entry.at);
        let above = path.iter().scan(&self.release.values, |values, part| {
            let at = key(values, part)?;
            *values = values.get(part)?;
            Some(at)
        });
        let of_values = || self.release.object.root.get("spec").and_then(|spec| key(spec, "values"));
        above.last().or_else(of_values).filter(|at| at.is_somewhere()).unwrap_or(self.release.at)
    }

    /// As given, else the chart's default.
    fn replica_count(&self) -> Option<Result<Node, u32>> {
        let given = |path: &[&str]| self.release.value(path).filter(|it| it.as_integer().is_some()).cloned();
        match self.workload.replicas {
            Replicas::At(path, default) | Replicas::Repeating(path, default) => Some(given(path).ok_or(default)),
            Replicas::OneUnless(path, unless) => {
                let free = self.release.value(unless).and_then(Node::as_bool).unwrap_or(false);
                let given = given(path).filter(|given| free || given.as_integer().is_some_and(|count| count < 1));
                Some(given.ok_or(1))
            }
            Replicas::Fixed(count) => Some(Err(count)),
            Replicas::PerNode => None,
        }
    }

    /// What values say about where the pods may run.
    fn pod(&self) -> Node {
        let names = ["affinity", "topologySpreadConstraints", "priorityClassName", "nodeSelector", "tolerations"];
        let fields = names.iter().fold(Fields::at(self.release.at), |fields, name| {
            fields.with_some(name, self.value(name).filter(|value| !is_empty(value)).cloned())
        });
        let is_free = self.value("affinity").is_none_or(is_empty);
        fields.with_some("affinity", (self.workload.apart && is_free).then(|| self.apart())).node()
    }

    /// An affinity that keeps its pods on different nodes.
    fn apart(&self) -> Node {
        let at = self.release.at;
        let term = Fields::at(at).with("labelSelector", self.selector()).text("topologyKey", HOSTNAME).node();
        let terms = Node::new(Value::Sequence([term].into_iter().collect()), at);
        let rules = Fields::at(at).with("requiredDuringSchedulingIgnoredDuringExecution", terms).node();
        Fields::at(at).with("podAntiAffinity", rules).node()
    }

    /// One of its own values.
    fn value(&self, name: &str) -> Option<&Node> {
        let path: Vec<&str> = self.workload.values.iter().copied().chain([name]).collect();
        self.release.value(&path)
    }

    /// As values give it. Where they don't, the chart's own stays unknown.
    fn strategy(&self) -> Option<Node> {
        let given = |name: &&str| self.value(name).filter(|strategy| strategy.get("type").is_some());
        ["strategy", "updateStrategy", "deploymentStrategy"].iter().find_map(given).cloned()
    }

    fn budget(&self) -> Option<Node> {
        let spec = self.limit(self.workload.budget?)?.with("selector", self.selector());
        Some(
            object(self.release.at, "policy/v1", "PodDisruptionBudget", self.metadata())
                .with("spec", spec.node())
                .node(),
        )
    }

    /// The limit of its budget; none where it makes none.
    fn limit(&self, budget: Budget) -> Option<Fields> {
        let values = |path: &[&str]| self.release.value(path);
        let (given, default) = match budget {
            Budget::Enabled(path, default) => {
                let given = values(path)?;
                let on = ["enabled", "enable"].iter().any(|key| given.get(key).and_then(Node::as_bool) == Some(true));
                (on.then_some(given)?, default)
            }
            Budget::Present(path) => (values(path).filter(|given| !is_empty(given))?, None),
            Budget::AtLeastOne(path) => {
                let given = values(path)?;
                let some = |key: &str| given.get(key).and_then(Node::as_integer).is_some_and(|count| 1 <= count);
                ((some("minAvailable") || some("maxUnavailable")).then_some(given)?, None)
            }
            Budget::AboveOne(path, default) => (values(path).filter(|_| self.is_above_one())?, Some(default)),
            Budget::OneAtATime => {
                return self.is_above_one().then(|| Fields::at(self.release.at).number("maxUnavailable", 1));
            }
        };
        let limit = |key: &str| given.get(key).filter(|limit| !limit.is_null()).cloned();
        let most = limit("maxUnavailable");
        let least = limit("minAvailable").filter(|_| most.is_none());
        let spec =
            Fields::at(given.origin).with_some("unhealthyPodEvictionPolicy", limit("unhealthyPodEvictionPolicy"));
        match (most, least, default) {
            (Some(most), _, _) => Some(spec.with("maxUnavailable", most)),
            (None, Some(least), _) => Some(spec.with("minAvailable", least)),
            (None, None, Some(default)) => Some(spec.number("minAvailable", default.into())),
            (None, None, None) => None,
        }
    }

    fn is_above_one(&self) -> bool {
        match self.replica_count() {
            Some(Ok(given)) => given.as_integer().is_some_and(|count| 1 < count),
            Some(Err(count)) => 1 < count,
            None => false,
        }
    }
}

#[cfg(test)]
mod tests;
