//! One request on its way to the server, and the answer on its way back.

use std::sync::Arc;

use futures::{StreamExt as _, stream};
use http::{HeaderName, Response, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyDataStream, BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use kube::client::Body;
use tokio::time::sleep;

use super::Shared;
use super::edit::{Edit, Editing};
use super::link::Link;
use super::request::Request;
use super::rule::Fault;

/// What concerns one connection only.
const HOP_BY_HOP: [HeaderName; 2] = [header::CONNECTION, header::TRANSFER_ENCODING];

type Out = UnsyncBoxBody<Bytes, Broken>;

/// The connection has to end, because the one to the server did, or because a test wants it.
#[derive(Debug)]
pub(super) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the connection ends here")
    }
}

impl std::error::Error for Broken {}

/// Passes a request on, unless a rule has other plans for it.
pub(super) async fn pass(
    shared: Arc<Shared>,
    link: Arc<Link>,
    request: http::Request<Incoming>,
) -> Result<Response<Out>, Broken> {
    let asked = Request::parse(request.method(), request.uri());
    shared.counter.note(asked.clone());
    link.asks(asked.clone());
    let rule = shared.rules.strike(&asked);
    let request = whole(request).await?;
    let Some(rule) = rule else { return Ok(streamed(ask(&shared, request).await?, link, None)) };
    match rule.fault() {
        Fault::Edit(edit) => Ok(streamed(ask(&shared, request).await?, link, Some(edit.clone()))),
        Fault::Delay(delay) => {
            sleep(*delay).await;
            Ok(streamed(ask(&shared, request).await?, link, None))
        }
        Fault::Answer(answer) => {
            Ok(answer.response().map(|text| Full::from(text).map_err(|never| match never {}).boxed_unsync()))
        }
        Fault::Cut => Err(Broken),
        Fault::Unanswered => {
            let answer = ask(&shared, request).await?;
            answer.into_body().collect().await.map_err(|_| Broken)?;
            rule.keeps_back();
            std::future::pending().await
        }
    }
}

/// Also what is refused is read to its end, so that the connection can go on.
async fn whole(request: http::Request<Incoming>) -> Result<http::Request<Body>, Broken> {
    let (mut head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    head.headers.remove(header::HOST);
    HOP_BY_HOP.iter().for_each(|name| drop(head.headers.remove(name)));
    Ok(http::Request::from_parts(head, Body::from(body.to_vec())))
}

async fn ask(shared: &Shared, request: http::Request<Body>) -> Result<Response<Body>, Broken> {
    let mut answer = shared.upstream.send(request).await.map_err(|_| Broken)?;
    HOP_BY_HOP.iter().for_each(|name| drop(answer.headers_mut().remove(name)));
    Ok(answer)
}

/// The answer, piece by piece as it comes.
fn streamed(answer: Response<Body>, link: Arc<Link>, edit: Option<Edit>) -> Response<Out> {
    let (mut head, body) = answer.into_parts();
    if edit.is_some() {
        head.headers.remove(header::CONTENT_LENGTH);
    }
    let state = (BodyDataStream::new(body), link, edit.map(Editing::new));
    let pieces = stream::unfold(state, |(mut body, link, mut editing)| async move {
        let piece = body.next().await;
        link.flow().await;
        let piece = piece?.map_err(|_| Broken).map(|bytes| match &mut editing {
            Some(editing) => Frame::data(Bytes::from(editing.pass(&bytes))),
            None => Frame::data(bytes),
        });
        Some((piece, (body, link, editing)))
    });
    Response::from_parts(head, StreamBody::new(pieces).boxed_unsync())
}
