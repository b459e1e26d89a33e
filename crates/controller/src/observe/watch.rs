//! One kind, kept up to date: list, then watch, for ever.
//!
//! Our own loop because kube's watcher neither tells that a connection was made again nor passes bookmarks on: a view
//! that is stale couldn't be told from one that is quiet, and a connection that hangs would go unseen for five minutes.
//!
//! Invariants: whatever happens on the way, the changes end in what the server holds. `Listed` names all that a fresh
//! list held, so that what was deleted meanwhile can go. A view is in step when `Listed` came once and `Connected` came
//! after the last `Disconnected`; every end of a connection is told, also the agreed one each five minutes, because only
//! the next `Connected` shows that there is a server. (A version that has become too old is told just after the headers,
//! so `Connected` may be taken back within milliseconds.) An object that doesn't decode is told and stops nothing.
//!
//! Absent: a store, retries inside the client (use a client without them, or refusals are seen late), a decision.

use std::{convert::Infallible, marker::PhantomData, ops::RangeInclusive, pin::Pin, sync::Arc, time::Duration};

use futures::{AsyncBufRead, AsyncBufReadExt as _};
use kube::{
    Client, Resource,
    api::{ListParams, WatchParams},
    core::Request,
};
use serde::de::DeserializeOwned;
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};

mod interruption;
mod seen;
#[cfg(test)]
mod tests;
mod versions;
pub(super) mod wire;

pub(crate) use interruption::{Interruption, Reason};
pub(crate) use seen::Seen;

use interruption::Pace;
use wire::Event;

/// A request must be answered (a page of a list: read) within this time.
const ANSWER: Duration = Duration::from_secs(30);
/// Bookmarks come each 60 seconds, so nothing for longer than this means that nobody is there.
const IDLE: Duration = Duration::from_secs(90);
/// How long the server keeps a watch open; jittered, so that the watches of all kinds don't end together.
const WATCH_SECONDS: RangeInclusive<u32> = 270..=310;
/// The same where no bookmarks come: shorter than `IDLE`, so that a quiet watch ends as agreed and not as one that is lost.
const WITHOUT_BOOKMARKS: RangeInclusive<u32> = 60..=75;
const PAGE: u32 = 500;
/// Asks for the newest state, not for any that a cache has: a view never goes back in time.
const NEWEST: &str = "";

/// What happened to a kind.
#[derive(Debug)]
pub(crate) enum Change<K> {
    /// There, new or changed.
    Applied(K),
    Deleted {
        namespace: Option<String>,
        name: String,
    },
    /// There, but not decodable; what was known of it is out of date.
    Malformed {
        namespace: Option<String>,
        name: String,
        error: String,
    },
    /// A list is complete: what isn't in `seen` is gone.
    Listed {
        seen: Seen,
    },
    /// The server answers: from now on what changes arrives.
    Connected,
    /// From now on what changes doesn't arrive.
    Disconnected(Interruption),
}

/// Asks a watch for a fresh list, now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Relist(Arc<Notify>);

impl Relist {
    /// The connection is dropped (`Reason::Relist`) and made again from a list; a wait after a failure is cut short.
    pub(crate) fn ask(&self) {
        self.0.notify_one();
    }
}

/// The watch of one kind, in all namespaces.
pub(crate) struct Watch<K> {
    client: Client,
    request: Request,
    metadata_only: bool,
    /// Group, version and resource, where other versions than ours matter.
    versions: Option<[String; 3]>,
    /// Which of them, by their fields.
    fields: Option<&'static str>,
    /// How long the server keeps a connection open.
    seconds: RangeInclusive<u32>,
    relist: Relist,
    streaming_refused: bool,
    /// From where the next connection goes on; `None` asks for a list.
    version: Option<String>,
    connected_at: Option<Instant>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Resource + DeserializeOwned> Watch<K> {
    /// Of all objects of the kind; of metadata only where `K` is `PartialObjectMeta`.
    pub(crate) fn new(client: Client, kind: &K::DynamicType) -> Self {
        Self {
            client,
            request: Request::new(K::url_path(kind, None)),
            metadata_only: K::metadata_api(),
            versions: None,
            fields: None,
            seconds: WATCH_SECONDS,
            relist: Relist::default(),
            streaming_refused: false,
            version: None,
            connected_at: None,
            kind: PhantomData,
        }
    }

    /// Tells a kind that is served in other versions only from one that isn't there.
    pub(crate) fn telling_versions(self, kind: &K::DynamicType) -> Self {
        let versions = [K::group(kind), K::version(kind), K::plural(kind)].map(String::from);
        Self { versions: Some(versions), ..self }
    }

    /// Only those with these fields, such as `reason=FailedCreate`: the server sends no others.
    pub(crate) fn only(self, fields: &'static str) -> Self {
        Self { fields: Some(fields), ..self }
    }

    /// Of a kind of which the server sends none, so that a quiet connection can't be told from a lost one.
    pub(crate) fn without_bookmarks(self) -> Self {
        Self { seconds: WITHOUT_BOOKMARKS, ..self }
    }

    /// To ask for a fresh list from elsewhere.
    pub(crate) fn relist(&self) -> Relist {
        self.relist.clone()
    }

    /// Runs until dropped, which is safe at any time.
    pub(crate) async fn run(mut self, mut sink: impl FnMut(Change<K>) + Send) -> Infallible {
        let mut pace = Pace::default();
        loop {
            let Err(mut interruption) = self.connection(&mut sink).await;
            let lived = self.connected_at.take().map_or(Duration::ZERO, |since| since.elapsed());
            if interruption.reason == Reason::Absent {
                interruption = self.in_other_versions(interruption).await;
            }
            if matches!(interruption.reason, Reason::Expired | Reason::Relist)
                || interruption.reason.is_without_objects()
            {
                self.version = None;
            }
            let wait = pace.wait(&interruption, lived);
            sink(Change::Disconnected(interruption));
            self.wait(wait).await;
        }
    }

    /// What it means that the kind isn't served.
    async fn in_other_versions(&self, absent: Interruption) -> Interruption {
        let Some([group, version, plural]) = &self.versions else { return absent };
        match versions::other(&self.client, group, version, plural).await {
            Ok(None) => absent,
            Ok(Some(other)) => {
                let message = format!("the server has {plural}.{group} in version {other}, but not in {version}");
                Interruption::new(Reason::OtherVersion, message)
            }
            // Not even the group is there.
            Err(error) if error.reason == Reason::Absent => absent,
            Err(error) => error,
        }
    }

    /// A wait that a wish for a list ends early.
    async fn wait(&mut self, wait: Duration) {
        let relist = self.relist.clone();
        tokio::select! {
            () = sleep(wait) => {}
            () = relist.0.notified() => self.version = None,
        }
    }

    /// One connection, from request to end.
    async fn connection(&mut self, sink: &mut impl FnMut(Change<K>)) -> Result<Infallible, Interruption> {
        if self.version.is_none() && !self.streaming_refused {
            match self.streamed(sink).await {
                Err(interruption) if interruption.reason == Reason::Refused => self.streaming_refused = true,
                ended => return ended,
            }
        }
        if self.version.is_none() {
            self.listed(sink).await?;
        }
        let from = self.version.clone().unwrap_or_default();
        let mut lines = self.open(&self.watch_params(false), &from).await?;
        self.connected(sink);
        self.follow(&mut lines, sink).await
    }

    /// A list that comes as the first events of the watch that goes on after it.
    async fn streamed(&mut self, sink: &mut impl FnMut(Change<K>)) -> Result<Infallible, Interruption> {
        let mut lines = self.open(&self.watch_params(true), NEWEST).await?;
        let mut seen = Seen::default();
        let version = loop {
            match self.next(&mut lines).await? {
                Event::Seen(object) => {
                    let (namespace, name) = object.key();
                    seen.insert(namespace, name);
                    sink(object.into_change());
                }
                Event::Deleted(meta) => {
                    seen.remove(meta.namespace.as_deref(), meta.name.as_deref().unwrap_or_default());
                    sink(deleted(meta));
                }
                Event::Bookmark { version, ends_list: true } => break version,
                // Only a server that ignored our wish for a list sends an ordinary bookmark first.
                Event::Bookmark { ends_list: false, .. } => return Err(Interruption::ignored()),
            }
        };
        self.version = version;
        sink(Change::Listed { seen });
        self.connected(sink);
        self.follow(&mut lines, sink).await
    }

    /// A list in pages, for servers without streaming lists.
    async fn listed(&mut self, sink: &mut impl FnMut(Change<K>)) -> Result<(), Interruption> {
        let mut seen = Seen::default();
        let mut next = None;
        loop {
            let page = self.page(next).await?;
            for object in page.objects {
                let (namespace, name) = object.key();
                seen.insert(namespace, name);
                sink(object.into_change());
            }
            next = page.next;
            if next.is_none() {
                self.version = page.version;
                sink(Change::Listed { seen });
                return Ok(());
            }
        }
    }

    async fn page(&self, next: Option<String>) -> Result<wire::Page<K>, Interruption> {
        let mut params = ListParams::default().limit(PAGE);
        params.continue_token = next;
        params.field_selector = self.fields.map(str::to_owned);
        let request = match self.metadata_only {
            true => self.request.list_metadata(&params),
            false => self.request.list(&params),
        };
        let request = request.map_err(|error| Interruption::of(&kube::Error::BuildRequest(error)))?;
        let text = answer(self.client.request_text(request)).await?;
        wire::parse_page(&text)
    }

    /// Passes events on until the connection ends.
    async fn follow(
        &mut self,
        lines: &mut Lines,
        sink: &mut impl FnMut(Change<K>),
    ) -> Result<Infallible, Interruption> {
        loop {
            match self.next(lines).await? {
                Event::Seen(object) => {
                    self.reached(object.version());
                    sink(object.into_change());
                }
                Event::Deleted(meta) => {
                    self.reached(meta.resource_version.as_deref());
                    sink(deleted(meta));
                }
                Event::Bookmark { version, .. } => self.reached(version.as_deref()),
            }
        }
    }

    async fn next(&self, lines: &mut Lines) -> Result<Event<K>, Interruption> {
        tokio::select! {
            biased;
            () = self.relist.0.notified() => Err(Interruption::new(Reason::Relist, "a fresh list was asked for")),
            line = timeout(IDLE, lines.next()) => match line {
                Ok(line) => wire::parse_event(line?),
                Err(_) => Err(Interruption::new(Reason::Idle, "neither event nor bookmark for too long")),
            },
        }
    }

    async fn open(&self, params: &WatchParams, from: &str) -> Result<Lines, Interruption> {
        let request = match self.metadata_only {
            true => self.request.watch_metadata(params, from),
            false => self.request.watch(params, from),
        };
        let request = request.map_err(|error| Interruption::of(&kube::Error::BuildRequest(error)))?;
        answer(self.client.request_stream(request)).await.map(Lines::new)
    }

    fn watch_params(&self, send_initial_events: bool) -> WatchParams {
        WatchParams {
            label_selector: None,
            field_selector: self.fields.map(str::to_owned),
            timeout: Some(fastrand::u32(self.seconds.clone())),
            bookmarks: true,
            send_initial_events,
        }
    }

    fn connected(&mut self, sink: &mut impl FnMut(Change<K>)) {
        self.connected_at = Some(Instant::now());
        sink(Change::Connected);
    }

    fn reached(&mut self, version: Option<&str>) {
        if let Some(version) = version {
            self.version = Some(version.to_owned());
        }
    }
}

/// The lines of a response that doesn't end by itself.
struct Lines {
    reader: Pin<Box<dyn AsyncBufRead + Send>>,
    line: Vec<u8>,
}

impl Lines {
    fn new(reader: impl AsyncBufRead + Send + 'static) -> Self {
        Self { reader: Box::pin(reader), line: Vec::new() }
    }

    /// A line that was cut off is an end: the next connection sends it again, whole.
    async fn next(&mut self) -> Result<&[u8], Interruption> {
        self.line.clear();
        let read = self.reader.read_until(b'\n', &mut self.line).await;
        match read {
            Ok(0) => Err(Interruption::new(Reason::Closed, "the server ended the watch")),
            Ok(_) if !self.line.ends_with(b"\n") => Err(Interruption::new(Reason::Connection, "cut within an event")),
            Ok(_) => Ok(&self.line),
            Err(error) => Err(Interruption::new(Reason::Connection, error.to_string())),
        }
    }
}

async fn answer<T>(request: impl Future<Output = kube::Result<T>>) -> Result<T, Interruption> {
    match timeout(ANSWER, request).await {
        Ok(answer) => answer.map_err(|error| Interruption::of(&error)),
        Err(_) => Err(Interruption::new(Reason::TimedOut, "no answer in time")),
    }
}

fn deleted<K>(meta: wire::Meta) -> Change<K> {
    Change::Deleted { namespace: meta.namespace, name: meta.name.unwrap_or_default() }
}
