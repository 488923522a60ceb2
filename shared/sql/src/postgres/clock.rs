//! The database's clock, without asking it each time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Monotonic};

use chrono::TimeDelta;
use domain::{Instant, whole_millis};
use engine::Clock;
use sqlx::postgres::PgPool;

/// How often the database is asked.
const REFRESH: Duration = Duration::from_secs(2);
/// By how much the two machines' clocks may run apart, in parts per million: NTP steers by up to 500, quartz
/// drifts by 50. At [`REFRESH`] this costs about a millisecond.
const DRIFT_PPM: u32 = 300;
/// A clock that seems to be back by less than this has not been set back: the last estimate was lucky.
const SETBACK: TimeDelta = TimeDelta::seconds(1);

/// The database's time, as an estimate that is never ahead of it, so that nothing fires early.
///
/// One reading tells that the database's clock showed `t` at some moment before the reply arrived. So at the
/// reply's arrival it shows `t` or later, and after it at least `t` plus what has passed since on the local
/// monotonic clock, less the drift. The local *wall* clock plays no part: it may be wrong, or jump.
///
/// Every few seconds a new reading is made. Of the old estimate and the new one the later is taken, for both are
/// lower bounds and the reply may have been slow. The exception is an old estimate that lies beyond the latest
/// moment the reading allows (`t` plus the whole round trip): then the database's clock has been set back, and
/// is followed at once, because other processes' leases and due times are judged by it.
///
/// [`Clock::now`] never goes backwards, except after such a setback of more than a second.
#[derive(Clone, Debug)]
pub struct DatabaseClock(Arc<Mutex<Estimate>>);

impl DatabaseClock {
    /// Reads the clock, and goes on reading it while a copy of this is in use.
    pub(super) async fn start(pool: PgPool) -> sqlx::Result<Self> {
        let first = read(&pool).await?;
        let estimate = Arc::new(Mutex::new(Estimate::new(&first)));
        let weak = Arc::downgrade(&estimate);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(REFRESH).await;
                let reading = read(&pool).await;
                let Some(estimate) = weak.upgrade() else { return };
                match reading {
                    Ok(reading) => estimate.lock().unwrap_or_else(PoisonError::into_inner).correct(&reading),
                    Err(error) => {
                        tracing::debug!(%error, "the database's clock cannot be read; going on without");
                    }
                }
            }
        });
        Ok(Self(estimate))
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Instant {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now(Monotonic::now())
    }
}

const READ: &str = "-- read_clock
SELECT clock_timestamp()";

async fn read(pool: &PgPool) -> sqlx::Result<Reading> {
    // The connection first: waiting for one is no part of the round trip.
    let mut connection = pool.acquire().await?;
    let asked = Monotonic::now();
    let time = sqlx::query_scalar(READ).fetch_one(&mut *connection).await?;
    let arrived = Monotonic::now();
    Ok(Reading { time, arrived, round_trip: arrived - asked })
}

/// What the database said, and when.
#[derive(Debug)]
struct Reading {
    time: Instant,
    arrived: Monotonic,
    round_trip: Duration,
}

#[derive(Debug)]
struct Estimate {
    /// The time at `since`, or later.
    time: Instant,
    since: Monotonic,
    /// The latest time anybody has been told.
    told: Instant,
}

impl Estimate {
    fn new(reading: &Reading) -> Self {
        Self { time: reading.time, since: reading.arrived, told: Instant::MIN_UTC }
    }

    fn at(&self, moment: Monotonic) -> Instant {
        let passed = moment.saturating_duration_since(self.since);
        let certain = passed.saturating_sub(passed * DRIFT_PPM / 1_000_000);
        self.time + TimeDelta::from_std(certain).unwrap_or(TimeDelta::MAX)
    }

    fn correct(&mut self, reading: &Reading) {
        let before = self.at(reading.arrived);
        let latest = reading.time + TimeDelta::from_std(reading.round_trip).unwrap_or(TimeDelta::MAX);
        let set_back = latest < before;
        self.time = if set_back { reading.time } else { before.max(reading.time) };
        self.since = reading.arrived;
        if self.time + SETBACK < self.told {
            tracing::warn!(before = %self.told, now = %self.time, "the database's clock has been set back");
            self.told = Instant::MIN_UTC;
        }
    }

    fn now(&mut self, moment: Monotonic) -> Instant {
        self.told = self.told.max(whole_millis(self.at(moment)));
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Instant {
        Instant::from_timestamp_millis(1_790_000_000_000 + millis).unwrap()
    }

    /// A reading that arrived `arrived` ms after `start`.
    fn reading(start: Monotonic, arrived: u64, time: i64, round_trip: u64) -> Reading {
        let millis = Duration::from_millis;
        Reading { time: at(time), arrived: start + millis(arrived), round_trip: millis(round_trip) }
    }

    fn after(start: Monotonic, millis: u64) -> Monotonic {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn runs_on_between_readings_and_never_faster_than_the_drift_allows() {
        let start = Monotonic::now();
        let mut clock = Estimate::new(&reading(start, 0, 0, 1));
        assert_eq!(clock.now(after(start, 0)), at(0));
        assert_eq!(clock.now(after(start, 2_000)), at(1_999));
    }

    #[test]
    fn a_slow_reply_does_not_hold_it_back_and_a_quick_one_brings_it_forward() {
        let start = Monotonic::now();
        let mut clock = Estimate::new(&reading(start, 0, 0, 1));
        clock.correct(&reading(start, 2_000, 1_500, 600));
        assert_eq!(clock.now(after(start, 2_000)), at(1_999), "the reply was under way for 500 ms");
        clock.correct(&reading(start, 4_000, 4_100, 1));
        assert_eq!(clock.now(after(start, 4_000)), at(4_100));
    }

    #[test]
    fn a_little_too_far_it_waits_and_never_goes_backwards() {
        let start = Monotonic::now();
        let mut clock = Estimate::new(&reading(start, 0, 0, 1));
        assert_eq!(clock.now(after(start, 2_000)), at(1_999));
        clock.correct(&reading(start, 2_000, 1_900, 1));
        assert_eq!(clock.now(after(start, 2_050)), at(1_999), "waits for the database");
        assert_eq!(clock.now(after(start, 2_200)), at(2_099), "and goes on with it");
    }

    #[test]
    fn a_clock_that_is_set_back_is_followed() {
        let start = Monotonic::now();
        let mut clock = Estimate::new(&reading(start, 0, 3_600_000, 1));
        assert_eq!(clock.now(after(start, 0)), at(3_600_000));
        clock.correct(&reading(start, 2_000, 2_000, 1));
        assert_eq!(clock.now(after(start, 2_000)), at(2_000));
    }
}
