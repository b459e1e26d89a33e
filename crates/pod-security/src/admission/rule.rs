//! What a check forbids, in the Common Expression Language.
//!
//! The server fills in and validates an object before it asks: nothing is null, what has to be there is. `dyn` keeps the
//! server from looking for the fields of one kind in another, and lets a map have values of several types. Optional fields (`.?`) are in every server that has these
//! policies.

/// The variables that expressions may use, each before those that use it.
const VARIABLES: [(&str, &str); 4] = [
    // The pod, or the template: both have the same form.
    (
        "pod",
        "dyn(object).kind == 'Pod' ? dyn(object)
: dyn(object).kind == 'PodTemplate' ? dyn(object).template
: dyn(object).kind == 'CronJob' ? dyn(object).spec.jobTemplate.spec.template
: dyn(object).spec.template",
    ),
    (
        "containers",
        "variables.pod.spec.?initContainers.orValue([])
+ variables.pod.spec.containers
+ variables.pod.spec.?ephemeralContainers.orValue([])",
    ),
    // Who has a security context: the pod and its containers, under the name by which they are told.
    (
        "holders",
        "[{'name': dyn('pod'), 'context': variables.pod.spec.?securityContext.orValue({})}]
+ variables.containers.map(c, {'name': dyn('container \"' + c.name + '\"'), 'context': c.?securityContext.orValue({})})",
    ),
    ("annotations", "variables.pod.?metadata.?annotations.orValue({})"),
];

/// What a check forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// The server's `ForbiddenReason`.
    pub(super) reason: &'static str,
    /// An expression: the names of those who are wrong.
    pub(super) offenders: String,
}

impl Rule {
    pub(super) fn new(reason: &'static str, offenders: impl Into<String>) -> Self {
        Self { reason, offenders: offenders.into() }
    }

    /// The containers `c` for which this holds.
    pub(super) fn containers(reason: &'static str, is_wrong: &str) -> Self {
        Self::new(reason, containers(is_wrong))
    }

    /// The pod and the containers whose security context `h.context` is so.
    pub(super) fn holders(reason: &'static str, is_wrong: &str) -> Self {
        Self::new(reason, holders(is_wrong))
    }

    /// The volumes `v` for which this holds.
    pub(super) fn volumes(reason: &'static str, is_wrong: &str) -> Self {
        let volumes =
            format!("variables.pod.spec.?volumes.orValue([]).map(v,\n  {is_wrong},\n  'volume \"' + v.name + '\"')");
        Self::new(reason, volumes)
    }

    /// Nobody is wrong in a pod of which this holds.
    pub(super) fn unless(self, exempt: &str) -> Self {
        let Self { reason, offenders } = self;
        Self { reason, offenders: format!("{exempt} ? [] :\n{offenders}") }
    }

    /// The variables that it uses, each before those that use it.
    pub(super) fn variables(&self) -> Vec<(&'static str, &'static str)> {
        let mut used: Vec<(&str, &str)> = Vec::new();
        for (name, expression) in VARIABLES.into_iter().rev() {
            let by = |text: &str| text.contains(&format!("variables.{name}"));
            if by(&self.offenders) || used.iter().any(|(_, other)| by(other)) {
                used.insert(0, (name, expression));
            }
        }
        used
    }
}

pub(super) fn containers(is_wrong: &str) -> String {
    format!("variables.containers.map(c,\n  {is_wrong},\n  'container \"' + c.name + '\"')")
}

pub(super) fn holders(is_wrong: &str) -> String {
    format!("variables.holders.map(h,\n  {is_wrong},\n  h.name)")
}

/// The annotations `a` for which this holds.
pub(super) fn annotations(is_wrong: &str) -> String {
    format!("variables.annotations.map(a,\n  {is_wrong},\n  'annotation \"' + a + '\"')")
}

/// `['a', 'b']`
pub(super) fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| format!("'{item}'")).collect();
    format!("[{}]", items.join(", "))
}
