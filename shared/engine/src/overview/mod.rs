//! Overviews of a project: what the screens show that no single job or run could answer for.
//!
//! Everything here reads a bounded number of rows, however many there are, and says where it stopped.

mod attention;
mod spread;
mod stats;
mod timeline;

use std::sync::Arc;

use domain::Instant;

pub use self::attention::{Attention, Cause, Health};
pub use self::spread::Spread;
pub use self::stats::{NotExecuted, Stats, StatsQuery};
pub use self::timeline::{Past, Timeline, TimelineQuery, TimelineRow};
use crate::insights::Insights;
use crate::ports::{Clock, Store};

/// Answers for the whole of a project.
#[derive(Clone)]
pub struct Overview {
    store: Arc<dyn Store>,
    insights: Arc<dyn Insights>,
    clock: Arc<dyn Clock>,
}

impl Overview {
    /// An overview of what is behind these ports.
    pub fn new(store: Arc<dyn Store>, insights: Arc<dyn Insights>, clock: Arc<dyn Clock>) -> Self {
        Self { store, insights, clock }
    }

    /// The current time, as the service sees it.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }
}
