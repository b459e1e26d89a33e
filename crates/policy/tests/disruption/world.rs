//! A cluster with its policies, made of plain objects, and an API server just good enough to carry out a plan.

use holdfast_api::{DisruptionPolicy, PolicyException};
use holdfast_model::builders::{BudgetBuilder, Manifest, WorkloadBuilder, budget, deployment, observe};
use holdfast_model::shapes::FIELD_MANAGER;
use holdfast_model::{Cluster, ObjectKey};
use holdfast_policy::disruption::{Preconditions, Settings, Wanted, Write};
use holdfast_policy::{Exception, NamespacePlan, Policies, plan_namespace};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The present of every test.
pub(crate) const NOW: &str = "2026-06-01T12:00:00Z";

/// The workload that most tests are about.
pub(crate) fn web() -> WorkloadBuilder {
    deployment("shop/web").replicas(3)
}

/// The budget as we write it for [`web`] under the policy `guard`.
pub(crate) fn ours() -> BudgetBuilder {
    budget("shop/web-deployment")
        .ours("guard", "uid-guard", "Deployment/web")
        .max_unavailable(1)
        .always_allow()
        .selecting([("app", "web")])
}

/// The objects of a test.
#[macro_export]
macro_rules! given {
    ($($object:expr),* $(,)?) => { vec![$(holdfast_model::builders::Manifest::build($object)),*] };
}

/// Everything that is there, policies too.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    objects: Vec<Value>,
    written: u32,
}

/// A DisruptionPolicy in mode Enforce over everything, with the UID `uid-<name>`.
pub(crate) fn enforce(name: &str) -> Value {
    json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "DisruptionPolicy",
        "metadata": { "name": name, "uid": format!("uid-{name}") }, "spec": { "mode": "Enforce" },
    })
}

/// A DisruptionPolicy in mode Report over everything.
pub(crate) fn report(name: &str) -> Value {
    enforce(name).with("/spec/mode", "Report")
}

impl World {
    pub(crate) fn of(objects: impl IntoIterator<Item = Value>) -> Self {
        Self { objects: objects.into_iter().collect(), written: 0 }
    }

    pub(crate) fn cluster(&self) -> Cluster {
        let mut cluster = Cluster::default();
        for object in self.objects.iter().filter(|object| !is_ours(object)) {
            observe(&mut cluster, object);
        }
        cluster
    }

    pub(crate) fn policies(&self) -> Policies {
        let policies = self.objects.iter().filter(|object| object["kind"] == "DisruptionPolicy");
        let (read, unreadable): (Vec<_>, Vec<_>) = policies.map(read_policy).partition(Result::is_ok);
        let exceptions = self.objects.iter().filter(|object| object["kind"] == "PolicyException");
        let unreadable = unreadable.into_iter().filter_map(Result::err);
        Policies::new(read.into_iter().flatten(), unreadable.map(Into::into), exceptions.map(read_exception))
    }

    /// The plan for a namespace.
    pub(crate) fn plan(&self, namespace: &str) -> NamespacePlan {
        let cluster = self.cluster();
        let view = cluster.namespace(&namespace.into()).expect("the namespace has something in it");
        plan_namespace(view, &self.policies(), NOW.parse::<Timestamp>().unwrap())
    }

    /// The plans for all namespaces.
    pub(crate) fn plans(&self) -> Vec<NamespacePlan> {
        let cluster = self.cluster();
        cluster.namespace_names().map(|name| self.plan(name)).collect()
    }

    /// What the API server makes of a write; it refuses what ours must never ask for.
    #[track_caller]
    pub(crate) fn carry_out(&mut self, write: &Write) {
        self.written += 1;
        match write {
            Write::Withdraw { key, seen, .. } => {
                let at = self.at(key).expect("only what is there is withdrawn");
                check_preconditions(&self.objects[at], seen);
                self.objects.remove(at);
            }
            Write::Create(wanted) => {
                assert_eq!(self.at(&wanted.key), None, "nothing has the name of what is created");
                let mut created = applied(wanted, json!({ "metadata": {} }));
                created["metadata"]["uid"] = format!("uid-budget-{}", self.written).into();
                created["metadata"]["resourceVersion"] = format!("w{}", self.written).into();
                self.objects.push(created);
            }
            Write::Update { wanted, seen } => {
                let at = self.at(&wanted.key).expect("only what is there is changed");
                check_preconditions(&self.objects[at], seen);
                let mut changed = applied(wanted, self.objects[at].take());
                changed["metadata"]["resourceVersion"] = format!("w{}", self.written).into();
                self.objects[at] = changed;
            }
        }
    }

    fn at(&self, key: &ObjectKey) -> Option<usize> {
        self.objects.iter().position(|object| {
            let meta = &object["metadata"];
            object["kind"] == "PodDisruptionBudget"
                && meta["namespace"] == key.namespace.as_str()
                && meta["name"] == key.name.as_str()
        })
    }
}

fn is_ours(object: &Value) -> bool {
    object["apiVersion"] == "holdfast.dev/v1alpha1"
}

/// A policy, or the name of one that can't be read or can't mean anything.
fn read_policy(object: &Value) -> Result<Settings, String> {
    let name = || object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let policy: DisruptionPolicy = serde_json::from_value(object.clone()).map_err(|_| name())?;
    Settings::try_from(&policy).map_err(|_| name())
}

fn read_exception(object: &Value) -> (holdfast_model::Text, Exception) {
    let raw: PolicyException = serde_json::from_value(object.clone()).expect("a PolicyException");
    (raw.metadata.namespace.as_deref().unwrap_or_default().into(), Exception::try_from(&raw).expect("a target"))
}

#[track_caller]
fn check_preconditions(object: &Value, seen: &Preconditions) {
    let meta = &object["metadata"];
    assert_eq!((&meta["uid"], &meta["resourceVersion"]), (&json!(seen.uid), &json!(seen.version)), "{object}");
}

/// Server-side apply, as far as a budget needs it: our fields are replaced, those of others stay.
fn applied(wanted: &Wanted, mut object: Value) -> Value {
    let manifest = serde_json::to_value(wanted.manifest()).unwrap();
    let theirs: Vec<Value> = object["metadata"]["ownerReferences"].as_array().into_iter().flatten().cloned().collect();
    let theirs = theirs.into_iter().filter(|owner| owner["kind"] != "DisruptionPolicy");
    let ours = manifest["metadata"]["ownerReferences"].as_array().into_iter().flatten().cloned();
    let owners: Vec<Value> = ours.chain(theirs).collect();
    for field in ["labels", "annotations"] {
        for (key, value) in manifest["metadata"][field].as_object().unwrap() {
            object["metadata"][field][key] = value.clone();
        }
    }
    object["kind"] = "PodDisruptionBudget".into();
    object["apiVersion"] = "policy/v1".into();
    object["metadata"]["namespace"] = manifest["metadata"]["namespace"].clone();
    object["metadata"]["name"] = manifest["metadata"]["name"].clone();
    object["metadata"]["ownerReferences"] = owners.into();
    object["spec"] = manifest["spec"].clone();
    let fields = object["metadata"]["managedFields"].as_array().is_some_and(|entries| {
        entries.iter().any(|entry| entry["manager"] == FIELD_MANAGER && entry["operation"] == "Apply")
    });
    if !fields {
        object["metadata"]["managedFields"] = json!([{
            "manager": FIELD_MANAGER, "operation": "Apply", "apiVersion": "policy/v1", "fieldsType": "FieldsV1",
            "fieldsV1": { "f:spec": { "f:maxUnavailable": {}, "f:selector": {} } },
        }]);
    }
    object
}
