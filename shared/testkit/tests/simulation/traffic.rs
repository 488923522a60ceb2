//! The calls of all nodes that are under way, and whether they get anywhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use domain::Instant;

/// A cluster that asks the store more often than this within a millisecond asks for ever.
const MOST_AT_ONCE: u64 = 5_000;

/// Shared by the ways of all nodes to the store.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    under_way: AtomicUsize,
    at: AtomicI64,
    at_once: AtomicU64,
}

impl Traffic {
    /// A call is made. False where no time passes between calls any more.
    pub(crate) fn moves(&self, now: Instant) -> bool {
        let now = now.timestamp_millis();
        if self.at.swap(now, Ordering::Relaxed) != now {
            self.at_once.store(0, Ordering::Relaxed);
        }
        self.at_once.fetch_add(1, Ordering::Relaxed) < MOST_AT_ONCE
    }

    /// A slow call is on its way until what is returned is dropped.
    pub(crate) fn slow(self: &Arc<Self>) -> Slow {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Slow(self.clone())
    }

    /// Whether no slow call is on its way.
    pub(crate) fn flows(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) == 0
    }
}

/// A slow call.
pub(crate) struct Slow(Arc<Traffic>);

impl Drop for Slow {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
