//! [`engine::Events`] in memory.

use std::sync::Arc;

use async_trait::async_trait;
use domain::Instant;
use engine::bell::Ear;
use engine::{Deed, Entry, Events, Place, StoreError, Telling};

use super::{MemoryStore, State};
use crate::fixtures::at;

/// All that is told is told at this instant: no clock is read here.
const TOLD_AT: &str = "2026-11-24T00:00:00Z";

/// What was told, the oldest first. There is always one.
#[derive(Clone)]
pub(super) struct Told(Vec<Arc<Telling>>);

impl Default for Told {
    fn default() -> Self {
        let place = Place { transaction: 0, seq: 1 };
        Self(vec![Arc::new(Telling { place, deed: Deed::Insert as i16, entries: Vec::new() })])
    }
}

impl Told {
    pub(super) fn last(&self) -> Option<Place> {
        self.0.last().map(|last| last.place)
    }
}

impl State {
    /// Tells of these jobs and runs, if there are any.
    pub(super) fn tell(&mut self, deed: Deed, entries: impl IntoIterator<Item = Entry>) {
        let entries: Vec<Entry> = entries.into_iter().collect();
        if let (Some(last), false) = (self.told.last(), entries.is_empty()) {
            let place = Place { transaction: 0, seq: last.seq + 1 };
            self.told.0.push(Arc::new(Telling { place, deed: deed as i16, entries }));
        }
    }

    pub(super) fn forget_told(&mut self, before: Instant, limit: u32) -> u64 {
        let old = if at(TOLD_AT) < before { self.told.0.len() - 1 } else { 0 };
        let gone = old.min(limit as usize);
        self.told.0.drain(..gone);
        gone as u64
    }
}

#[async_trait]
impl Events for MemoryStore {
    async fn latest(&self) -> Result<Option<Place>, StoreError> {
        self.perform("latest", |state| Ok(state.told.last())).await
    }

    async fn events_after(
        &self,
        place: Place,
        own: bool,
        limit: u32,
    ) -> Result<Option<Vec<Telling>>, StoreError> {
        self.perform("events_after", |state| {
            let told = &state.told.0;
            let Ok(index) = told.binary_search_by_key(&place, |telling| telling.place) else {
                return Ok(None);
            };
            let behind = told[index..].iter().skip(usize::from(!own)).take(limit as usize);
            Ok(Some(behind.map(|telling| Telling::clone(telling)).collect()))
        })
        .await
    }

    fn listen(&self) -> Ear {
        self.bell.listen()
    }
}
