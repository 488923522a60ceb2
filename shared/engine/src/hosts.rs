//! A share of the attempts for each target host, so that one that hangs leaves room for the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::Target;

/// A host gets at most this part of all attempts of the process.
const SHARE: usize = 4;

/// How many attempts are under way to each host.
#[derive(Clone)]
pub(crate) struct Hosts {
    limit: usize,
    busy: Arc<Mutex<HashMap<String, usize>>>,
}

/// One attempt's place; given back when dropped.
pub(crate) struct Place {
    host: Option<String>,
    hosts: Hosts,
}

impl Hosts {
    pub(crate) fn new(concurrency: usize) -> Self {
        Self { limit: (concurrency / SHARE).max(1), busy: Arc::default() }
    }

    /// A place for an attempt at `target`; `None` while its host has its share.
    pub(crate) fn enter(&self, target: &Target) -> Option<Place> {
        let Some(host) = target.host() else { return Some(Place { host: None, hosts: self.clone() }) };
        let mut busy = self.lock();
        let count = busy.entry(host.to_owned()).or_default();
        if self.limit <= *count {
            return None;
        }
        *count += 1;
        drop(busy);
        Some(Place { host: Some(host.to_owned()), hosts: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(host) = self.host.take() else { return };
        let mut busy = self.hosts.lock();
        if let Some(count) = busy.get_mut(&host) {
            *count -= 1;
            if *count == 0 {
                busy.remove(&host);
            }
        }
    }
}
