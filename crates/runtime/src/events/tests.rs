//! What is sent to a server that keeps it, and what is counted when it isn't.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response};
use kube::client::Body as ClientBody;
use serde_json::{Value, json};

use super::*;
use crate::lease::{Candidacy, Elector};

/// What was sent: where to, and what.
type Sent = Arc<Mutex<Vec<(String, Value)>>>;

fn server(code: u16) -> (Client, Sent) {
    let sent = Sent::default();
    let seen = Arc::clone(&sent);
    let service = tower::service_fn(move |request: Request<ClientBody>| {
        let seen = Arc::clone(&seen);
        async move {
            let (parts, body) = request.into_parts();
            let event: Value = serde_json::from_slice(&body.collect_bytes().await?).unwrap();
            seen.lock().push((parts.uri.path().to_owned(), event.clone()));
            let answer = if code < 300 { event } else { json!({"kind": "Status", "code": code}) };
            Ok::<_, kube::Error>(Response::builder().status(code).body(Body::from(answer.to_string())).unwrap())
        }
    });
    (Client::new(service, "h"), sent)
}

fn leadership(client: &Client, leads: bool) -> Leadership {
    let (namespace, name, identity) = ("h".to_owned(), "holdfast".to_owned(), "one".to_owned());
    let candidacy = Candidacy { namespace, name, identity, field_manager: "holdfast/lease" };
    Elector::new(client.clone(), candidacy, !leads, []).leadership()
}

fn says(about: &str, note: &str) -> Announcement<String> {
    Announcement { about: about.to_owned(), reason: "Changed", action: "Change", warning: true, note: note.to_owned() }
}

/// `shop/web` is in a namespace, `node` in none, and what is called `gone` is nowhere.
fn find(about: &str) -> Option<ObjectReference> {
    let (namespace, name) = about.split_once('/').map_or((None, about), |(place, name)| (Some(place), name));
    let named = |text: &str| Some(text.to_owned());
    let regarding = ObjectReference { name: named(name), uid: named("u-1"), ..ObjectReference::default() };
    (name != "gone").then(|| ObjectReference { namespace: namespace.map(str::to_owned), ..regarding })
}

/// Sends them all to a server that answers with `code`; returns what arrived, and how many were counted as dropped.
async fn tell(code: u16, leads: bool, announcements: Vec<Announcement<String>>) -> (Vec<(String, Value)>, u64) {
    let (client, sent) = server(code);
    let events = Events::new(Counter::default());
    let left = Mutex::new(announcements.len());
    announcements.into_iter().for_each(|announcement| events.push(announcement));
    // When its turn comes, all that came before it are done with.
    events.push(says("shop/last", "it isn't sent"));
    let stop = CancellationToken::new();
    let quiet = || {
        let mut left = left.lock();
        let (is_last, stop) = (*left == 0, stop.clone());
        *left = left.saturating_sub(1);
        async move {
            if is_last {
                stop.cancel();
                std::future::pending::<()>().await;
            }
        }
    };
    let teller = Teller {
        leadership: leadership(&client, leads),
        client,
        reporter: "holdfast.dev/test",
        instance: "pod-1".to_owned(),
        stop: stop.clone(),
    };
    let Ok(()) = events.run(teller, |about| find(about), quiet).await;
    let arrived = sent.lock().clone();
    (arrived, events.dropped.get())
}

#[tokio::test]
async fn an_event_says_what_happened_to_which_object() {
    let (sent, dropped) = tell(201, true, vec![says("shop/web", "it changed"), says("node", "it changed")]).await;
    assert_eq!((sent.len(), dropped), (2, 0));
    let (path, event) = &sent[0];
    assert_eq!(path, "/apis/events.k8s.io/v1/namespaces/shop/events");
    assert_eq!(event["regarding"], json!({"namespace": "shop", "name": "web", "uid": "u-1"}));
    assert_eq!(
        (&event["type"], &event["reason"], &event["note"]),
        (&json!("Warning"), &json!("Changed"), &json!("it changed"))
    );
    assert_eq!(
        (&event["reportingController"], &event["reportingInstance"]),
        (&json!("holdfast.dev/test"), &json!("pod-1"))
    );
    assert_eq!(sent[1].0, "/apis/events.k8s.io/v1/namespaces/default/events");
}

#[tokio::test]
async fn what_is_said_again_has_the_same_name_and_is_no_loss() {
    let name = async |note| {
        let (sent, dropped) = tell(409, true, vec![says("shop/web", note)]).await;
        assert_eq!(dropped, 0);
        sent[0].1["metadata"]["name"].as_str().unwrap().to_owned()
    };
    let (one, again, two) = (name("one").await, name("one").await, name("two").await);
    assert!(one == again && one != two, "{one} {again} {two}");
    assert!(one.starts_with("web.") && one.len() == 20, "{one}");
}

#[rstest::rstest]
#[case::it_was_taken(201, 2)]
#[case::another_said_it(409, 2)]
#[case::it_was_refused_and_is_tried_when_it_comes_up_again(500, 4)]
#[tokio::test]
async fn what_was_said_lately_is_not_asked_again(#[case] code: u16, #[case] arrive: usize) {
    let same = vec![says("shop/web", "one"), says("shop/web", "one"), says("shop/web", "two"), says("shop/web", "one")];
    let (sent, dropped) = tell(code, true, same).await;
    assert_eq!((sent.len(), dropped), (arrive, if code == 500 { 4 } else { 0 }));
}

#[tokio::test]
async fn what_is_gone_needs_no_event() {
    let (sent, dropped) = tell(201, true, vec![says("shop/gone", "it changed")]).await;
    assert_eq!((sent, dropped), (Vec::new(), 0));
}

#[tokio::test]
async fn who_does_not_lead_tells_nothing() {
    let (sent, dropped) = tell(201, false, vec![says("shop/web", "it changed")]).await;
    assert_eq!((sent, dropped), (Vec::new(), 1));
}

#[tokio::test]
async fn a_refusal_is_counted() {
    let (sent, dropped) = tell(403, true, vec![says("shop/web", "it changed")]).await;
    assert_eq!((sent.len(), dropped), (1, 1));
}

#[test]
fn what_does_not_fit_is_dropped_and_counted() {
    let events = Events::new(Counter::default());
    (0..CAPACITY + 3).for_each(|number| events.push(says("shop/web", &number.to_string())));
    assert_eq!((events.waiting.lock().len(), events.dropped.get()), (CAPACITY, 3));
}

#[test]
fn a_long_note_is_cut_between_characters() {
    assert_eq!(shortened("short".to_owned()), "short");
    assert_eq!(shortened(format!("{}é", "x".repeat(LONGEST_NOTE - 1))), "x".repeat(LONGEST_NOTE - 1));
}
