//! What is kept of the objects of a cluster.
//!
//! They come in pieces, so that the values of one can be let go before the next is made; in which pieces changes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use ecow::EcoString;
use holdfast_model::Repository;

use super::inventory::Stock;
use super::observe::{Observed, Unread};
use super::{Places, Sources};
use crate::{Object, facts};

/// What is known of a cluster so far.
#[derive(Debug)]
pub(crate) struct Gathered {
    sources: Arc<Sources>,
    observed: Observed,
    repository: Repository,
    stock: Stock,
    places: Places,
}

impl Gathered {
    /// Nothing yet.
    pub(crate) fn new(sources: &Arc<Sources>) -> Self {
        Self {
            sources: Arc::clone(sources),
            observed: Observed::default(),
            repository: Repository::default(),
            stock: Stock::default(),
            places: Places::new(Arc::clone(sources)),
        }
    }

    /// Takes the next objects in; `chart` knows that of a HelmRelease, by its place among them.
    pub(crate) fn take<'c>(&mut self, objects: &[Object], chart: impl Fn(usize) -> Option<&'c EcoString> + Sync) {
        let Self { sources, observed, repository, stock, places } = self;
        let of_files = || {
            for (place, object) in objects.iter().enumerate() {
                stock.take(object, chart(place), &**sources);
                facts::read_object(object, &**sources, repository);
            }
        };
        rayon::join(|| rayon::join(|| observed.take(objects), || places.take(objects)), of_files);
    }

    /// All of it; `named` are the namespaces that only Flux and Helm name, `unread` the releases of which nobody knows what
    /// their pods are, with their namespaces.
    pub(crate) fn finish(mut self, named: &BTreeSet<EcoString>, unread: &Unread) -> (Observed, Repository, Places) {
        self.observed.add_namespaces(named);
        self.observed.note_of_namespaces(unread);
        self.repository.inventory = self.stock.finish(named);
        facts::settle(&mut self.repository);
        (self.observed, self.repository, self.places)
    }
}
