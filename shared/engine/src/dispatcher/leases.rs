//! Leases: granted, prolonged, and given up in time.

use std::time::Duration;

use domain::run::Lease;
use domain::{Instant, RunId};
use metrics::counter;
use tokio::time::timeout;

use super::Dispatcher;
use crate::error::StoreError;
use crate::ports::Renewal;
use crate::worker::Stop;

impl Dispatcher {
    /// Prolongs every lease held, and stops what is to be cancelled or was lost. What could not be prolonged before
    /// its lease ran out by our own clock is stopped as well: somebody else may have it by now.
    pub async fn renew(&self) -> Result<(), StoreError> {
        self.in_flight.stop_expired(self.clock.now());
        let held = self.in_flight.leases();
        if held.is_empty() {
            return Ok(());
        }
        let until = self.lease(self.clock.now()).until;
        // No longer than until the next try: a store that hangs must not keep expired leases from being noticed.
        let renewed = timeout(self.until_renewal(), self.store.renew(&held, until)).await;
        let renewed = renewed.unwrap_or_else(|late| Err(StoreError::Unavailable(late.into())));
        if let Ok(renewed) = &renewed {
            for ((run, token), renewal) in held.into_iter().zip(renewed) {
                self.apply(run, token, *renewal, until);
            }
        }
        self.in_flight.stop_expired(self.clock.now());
        renewed.map(drop)
    }

    fn apply(&self, run: RunId, token: u64, renewal: Renewal, until: Instant) {
        match renewal {
            Renewal::Kept => self.in_flight.prolong(run, token, until),
            Renewal::CancelRequested => {
                self.in_flight.prolong(run, token, until);
                self.in_flight.stop(run, token, Stop::Requested);
            }
            Renewal::Lost => {
                counter!("scheduler_leases_lost_total").increment(1);
                self.in_flight.stop(run, token, Stop::Lost);
            }
        }
    }

    /// When leases are to be prolonged, or the first of them will have run out: nobody works on under it then.
    pub fn until_renewal(&self) -> Duration {
        let now = self.clock.now();
        let left = self.in_flight.first_expiry().map(|until| (until - now).to_std().unwrap_or_default());
        left.map_or(self.renewal_interval(), |left| left.min(self.renewal_interval()))
    }

    /// How often leases are prolonged.
    pub(super) fn renewal_interval(&self) -> Duration {
        self.settings.lease.to_std() / 3
    }

    pub(super) fn lease(&self, now: Instant) -> Lease {
        Lease { worker: self.settings.worker.clone(), until: now + self.settings.lease.to_delta() }
    }

    /// Whether the store took so long to answer that the lease it granted may run out before it is prolonged. Nothing is
    /// begun under it: what was leased is put back, unless somebody else has taken it over.
    pub(super) fn is_late(&self, lease: &Lease) -> bool {
        lease.until <= self.clock.now() + self.settings.lease.to_delta() / 3
    }
}
