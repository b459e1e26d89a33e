//! What is asked for, told from method and path as the API server itself does, and which requests a fault is about.

use http::{Method, Uri};

/// What a request is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// One object.
    Get,
    /// All objects, or a page of them.
    List,
    /// A watch that begins with all objects: a list, too.
    StreamedList,
    /// A watch from a version on.
    Watch,
    /// A new object.
    Create,
    /// An object as a whole.
    Update,
    /// A part of an object; server-side apply, too.
    Patch,
    /// An object goes.
    Delete,
    /// Anything else.
    Other,
}

/// One request, as far as faults and counts tell them apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What it is to do.
    pub verb: Verb,
    /// The plural of the kind; empty when the path isn't a resource's.
    pub resource: String,
    /// Empty for cluster-scoped objects and for requests over all namespaces.
    pub namespace: String,
    /// Empty when it isn't about one object, and for a create.
    pub name: String,
}

impl Request {
    pub(super) fn parse(method: &Method, uri: &Uri) -> Self {
        let mut steps = uri.path().split('/').skip(1);
        match steps.next() {
            Some("api") => steps.by_ref().take(1).for_each(drop),
            Some("apis") => steps.by_ref().take(2).for_each(drop),
            Some(_) | None => steps.by_ref().for_each(drop),
        }
        let steps: Vec<&str> = steps.collect();
        let (namespace, [resource, name]) = match steps[..] {
            ["namespaces", namespace, resource, ..] => (namespace, [resource, steps.get(3).copied().unwrap_or("")]),
            [resource, ref rest @ ..] => ("", [resource, rest.first().copied().unwrap_or("")]),
            [] => ("", ["", ""]),
        };
        let verb = verb(method, name, uri.query().unwrap_or_default());
        Self { verb, resource: resource.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

fn verb(method: &Method, name: &str, query: &str) -> Verb {
    let asks = |wish: &str| query.split('&').any(|part| part == wish);
    match method.as_str() {
        "GET" if asks("watch=true") && asks("sendInitialEvents=true") => Verb::StreamedList,
        "GET" if asks("watch=true") => Verb::Watch,
        "GET" if name.is_empty() => Verb::List,
        "GET" => Verb::Get,
        "POST" => Verb::Create,
        "PUT" => Verb::Update,
        "PATCH" => Verb::Patch,
        "DELETE" => Verb::Delete,
        _ => Verb::Other,
    }
}

/// Which requests are meant; reads as a sentence: `Which::writes().of("poddisruptionbudgets").within("shop")`.
#[derive(Debug, Clone, Default)]
pub struct Which {
    verbs: &'static [Verb],
    resource: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
}

impl Which {
    /// All of them.
    pub fn any() -> Self {
        Self::default()
    }

    /// Those that stay open: watches, also those that begin with a list.
    pub fn watches() -> Self {
        Self { verbs: &[Verb::Watch, Verb::StreamedList], ..Self::default() }
    }

    /// Those that ask for everything there is, in one answer or as the beginning of a watch.
    pub fn lists() -> Self {
        Self { verbs: &[Verb::List, Verb::StreamedList], ..Self::default() }
    }

    /// Those that are answered once.
    pub fn calls() -> Self {
        const CALLS: &[Verb] =
            &[Verb::Get, Verb::List, Verb::Create, Verb::Update, Verb::Patch, Verb::Delete, Verb::Other];
        Self { verbs: CALLS, ..Self::default() }
    }

    /// Those that change something.
    pub fn writes() -> Self {
        Self { verbs: &[Verb::Create, Verb::Update, Verb::Patch, Verb::Delete], ..Self::default() }
    }

    /// About this resource.
    pub fn of(self, resource: &str) -> Self {
        Self { resource: Some(resource.to_owned()), ..self }
    }

    /// In this namespace.
    pub fn within(self, namespace: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), ..self }
    }

    /// About the object of this name.
    pub fn named(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    /// Whether this request is one of them.
    pub fn means(&self, request: &Request) -> bool {
        let is = |wanted: &Option<String>, found: &String| wanted.as_ref().is_none_or(|wanted| wanted == found);
        (self.verbs.is_empty() || self.verbs.contains(&request.verb))
            && is(&self.resource, &request.resource)
            && is(&self.namespace, &request.namespace)
            && is(&self.name, &request.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: (Verb, &str, &str, &str)) {
        let (method, uri) = line.split_once(' ').unwrap();
        let Request { verb, resource, namespace, name } =
            Request::parse(&method.parse().unwrap(), &uri.parse().unwrap());
        assert_eq!((verb, &*resource, &*namespace, &*name), expected, "{line}");
    }

    #[test]
    fn paths_are_read_as_the_api_server_reads_them() {
        check("GET /api/v1/pods?limit=500", (Verb::List, "pods", "", ""));
        check("GET /api/v1/pods?watch=true&resourceVersion=7", (Verb::Watch, "pods", "", ""));
        check(
            "GET /apis/apps/v1/deployments?watch=true&sendInitialEvents=true",
            (Verb::StreamedList, "deployments", "", ""),
        );
        check("GET /api/v1/namespaces", (Verb::List, "namespaces", "", ""));
        check("GET /api/v1/namespaces/shop", (Verb::Get, "namespaces", "", "shop"));
        check(
            "PUT /apis/coordination.k8s.io/v1/namespaces/hf/leases/holdfast",
            (Verb::Update, "leases", "hf", "holdfast"),
        );
        check(
            "PATCH /apis/policy/v1/namespaces/a/poddisruptionbudgets/b?x=y",
            (Verb::Patch, "poddisruptionbudgets", "a", "b"),
        );
        check("POST /apis/events.k8s.io/v1/namespaces/a/events", (Verb::Create, "events", "a", ""));
        check("DELETE /apis/holdfast.dev/v1alpha1/disruptionpolicies/p", (Verb::Delete, "disruptionpolicies", "", "p"));
        check(
            "PATCH /apis/holdfast.dev/v1alpha1/disruptionpolicies/p/status",
            (Verb::Patch, "disruptionpolicies", "", "p"),
        );
        check("GET /readyz", (Verb::List, "", "", ""));
    }

    #[test]
    fn a_fault_means_what_it_names_and_no_more() {
        let request = |line: &str| {
            let (method, uri) = line.split_once(' ').unwrap();
            Request::parse(&method.parse().unwrap(), &uri.parse().unwrap())
        };
        let write = request("PATCH /apis/policy/v1/namespaces/shop/poddisruptionbudgets/web");
        assert!(Which::any().means(&write) && Which::writes().of("poddisruptionbudgets").within("shop").means(&write));
        assert!(!Which::watches().means(&write) && !Which::writes().of("leases").means(&write));
        assert!(!Which::any().within("other").means(&write) && !Which::any().named("api").means(&write));
        let list = request("GET /api/v1/pods?watch=true&sendInitialEvents=true");
        assert!(
            Which::lists().means(&list) && Which::watches().of("pods").means(&list) && !Which::calls().means(&list)
        );
    }
}
