//! One connection of the client, and what may be done to it while it is open.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::request::{Request, Which};
use super::{Shared, forward};

/// What a connection is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Serve,
    /// No more bytes of the answer that is under way.
    Hang,
    Cut,
    /// Nothing is read or written.
    Freeze,
}

/// A connection, as its requests and the test see it.
#[derive(Debug)]
pub(super) struct Link {
    order: watch::Sender<Order>,
    latest: Mutex<Option<Request>>,
}

impl Link {
    fn new() -> Self {
        Self { order: watch::Sender::new(Order::Serve), latest: Mutex::default() }
    }

    pub(super) fn asks(&self, request: Request) {
        *self.latest() = Some(request);
    }

    /// Never ends once the connection hangs.
    pub(super) async fn flow(&self) {
        if *self.order.borrow() == Order::Hang {
            std::future::pending::<Infallible>().await;
        }
    }

    /// Returns when the connection is to end; stays for ever when it is frozen.
    async fn interrupted(&self) {
        let mut orders = self.order.subscribe();
        // The sender is ours, so this can't fail.
        let _ = orders.wait_for(|order| matches!(order, Order::Cut | Order::Freeze)).await;
    }

    fn is_frozen(&self) -> bool {
        *self.order.borrow() == Order::Freeze
    }

    fn latest(&self) -> MutexGuard<'_, Option<Request>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connections there are.
#[derive(Debug, Default)]
pub(super) struct Links(Mutex<Vec<Weak<Link>>>);

impl Links {
    pub(super) fn order(&self, which: &Which, order: Order) -> usize {
        // A client may make a connection more than it needs, and keep it for later: dead is dead, used or not.
        let means =
            |link: &&Arc<Link>| link.latest().as_ref().map_or(order == Order::Freeze, |request| which.means(request));
        let serving = |link: &&Arc<Link>| *link.order.borrow() == Order::Serve;
        let there = self.there();
        let meant: Vec<_> = there.iter().filter(serving).filter(means).collect();
        for link in &meant {
            link.order.send_replace(order);
        }
        meant.len()
    }

    pub(super) fn count(&self) -> usize {
        self.there().len()
    }

    fn add(&self) -> Arc<Link> {
        let link = Arc::new(Link::new());
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| 0 < link.strong_count());
        links.push(Arc::downgrade(&link));
        link
    }

    fn there(&self) -> Vec<Arc<Link>> {
        let links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.iter().filter_map(Weak::upgrade).collect()
    }
}

/// Serves one connection until either side ends it, or the test does.
pub(super) async fn serve(stream: TcpStream, tls: TlsAcceptor, shared: Arc<Shared>) {
    // Else the last bytes of an event wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let Ok(stream) = tls.accept(stream).await else { return };
    let link = shared.links.add();
    let service = service_fn(|request| forward::pass(Arc::clone(&shared), Arc::clone(&link), request));
    let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // How it ended is the client's business.
        _ = &mut connection => {}
        () = link.interrupted() => {
            if link.is_frozen() {
                std::future::pending::<Infallible>().await;
            }
        }
    }
}
