//! The one true time, and what each node takes for it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use domain::{Instant, whole_millis};
use engine::Clock;

/// The true time: that of the database, and of the judge. It passes with tokio's paused clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrueTime {
    start: Instant,
    began: tokio::time::Instant,
}

impl TrueTime {
    /// Shows `start` now.
    pub(crate) fn starting_at(start: Instant) -> Self {
        Self { start, began: tokio::time::Instant::now() }
    }

    pub(crate) fn now(&self) -> Instant {
        whole_millis(self.start + delta(self.began.elapsed()))
    }
}

/// A node's idea of the database's time: an estimate from below.
///
/// This is the most that a clock read over the network guarantees. It may lag: by as much as the replies take, and,
/// after the machine was suspended, by as long as that lasted, until it is read again. It is never ahead, and it
/// never goes back.
#[derive(Debug)]
pub(crate) struct NodeClock {
    truth: TrueTime,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// How far behind the true time it is. Negative only where a planted bug puts it ahead.
    lag: TimeDelta,
    /// Set while the process is stopped: nothing in it can tell that time passes.
    stopped: Option<Instant>,
    told: Instant,
}

impl NodeClock {
    pub(crate) fn new(truth: TrueTime, lag: TimeDelta) -> Self {
        Self { truth, state: Mutex::new(State { lag, stopped: None, told: Instant::MIN_UTC }) }
    }

    /// A new reading arrives: from now on it is behind by `lag`.
    pub(crate) fn read(&self, lag: TimeDelta) {
        self.lock().lag = lag;
    }

    /// The true time, for those who judge.
    pub(crate) fn truth(&self) -> Instant {
        self.truth.now()
    }

    /// How far behind it is.
    pub(crate) fn lag(&self) -> TimeDelta {
        self.lock().lag
    }

    /// The process is stopped.
    pub(crate) fn stop(&self) {
        let shown = self.now();
        self.lock().stopped.get_or_insert(shown);
    }

    /// The process goes on. Where the whole machine was suspended, nothing has counted the time that passed.
    pub(crate) fn go_on(&self, suspended: bool) {
        let mut state = self.lock();
        if let Some(stopped) = state.stopped.take()
            && suspended
        {
            state.lag = state.lag.max(self.truth.now() - stopped);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for NodeClock {
    fn now(&self) -> Instant {
        let mut state = self.lock();
        let shown = state.stopped.unwrap_or_else(|| whole_millis(self.truth.now() - state.lag));
        state.told = state.told.max(shown);
        state.told
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
