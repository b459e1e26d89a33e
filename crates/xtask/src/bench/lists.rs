//! How long the API server takes to send all that the controller lists, to a client that only looks for the end of each
//! list. No controller can be ready sooner.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::AsyncBufReadExt as _;
use futures::future::try_join_all;
use holdfast_controller::access::TABLE;
use http::Request;
use kube::Client;
use kube::discovery;

const QUERY: &str =
    "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=60";

/// Reads the lists of every kind that is watched, all at once.
pub(super) async fn read(client: &Client) -> Result<Duration> {
    let mut paths = Vec::new();
    for access in TABLE.iter().filter(|access| access.source.is_some()) {
        paths.push(path(client, access.group, access.resource).await?);
    }
    let begun = Instant::now();
    try_join_all(paths.iter().map(|path| read_one(client, path))).await?;
    Ok(begun.elapsed())
}

async fn path(client: &Client, group: &str, resource: &str) -> Result<String> {
    if group.is_empty() {
        return Ok(format!("/api/v1/{resource}"));
    }
    let group = discovery::group(client, group).await?;
    Ok(format!("/apis/{}/{}/{resource}", group.name(), group.preferred_version_or_latest()))
}

async fn read_one(client: &Client, path: &str) -> Result<()> {
    let request = Request::get(format!("{path}?{QUERY}")).body(Vec::new())?;
    let mut lines = Box::pin(client.request_stream(request).await?);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line).await.with_context(|| format!("reading {path}"))?;
        ensure!(0 < read, "the list of {path} ended early");
        if line.starts_with(br#"{"type":"BOOKMARK""#) {
            return Ok(());
        }
    }
}
