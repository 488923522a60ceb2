//! What one life of a node is to the rest of the world.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::event::{Event, Fate, Log, Who};
use super::gate::Gate;
use super::time::NodeClock;
use super::weather::Weather;

/// A process, from its start to its end. All of its ports hold on to it.
pub(crate) struct Process {
    pub(crate) who: Who,
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<NodeClock>,
    pub(crate) weather: Arc<Weather>,
    pub(crate) log: Log,
    away: AtomicBool,
    hung: AtomicBool,
}

impl Process {
    pub(crate) fn new(who: Who, clock: NodeClock, weather: Arc<Weather>, log: Log) -> Self {
        Self {
            who,
            gate: Gate::default(),
            clock: Arc::new(clock),
            weather,
            log,
            away: AtomicBool::new(false),
            hung: AtomicBool::new(false),
        }
    }

    pub(crate) fn note(&self, fate: Fate) {
        self.log.note(self.who, Event::Node(fate));
    }

    /// Whether it is cut off from the store.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    pub(crate) fn go_away(&self) {
        self.away.store(true, Ordering::Relaxed);
        self.note(Fate::Away);
    }

    pub(crate) fn come_back(&self) {
        if self.away.swap(false, Ordering::Relaxed) {
            self.note(Fate::Back);
        }
    }

    /// One of its calls will never return: only killing it helps.
    pub(crate) fn hangs(&self) {
        self.hung.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_hung(&self) -> bool {
        self.hung.load(Ordering::Relaxed)
    }
}
