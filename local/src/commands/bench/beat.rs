//! Recurring jobs, spread evenly over their interval: measured for some seconds once they run smoothly.

use std::time::Duration;

use chrono::{DurationRound, TimeDelta};
use domain::Instant;

use super::ledger::{self, Expected};
use super::proc::Usage;
use super::report::{Lags, Report};
use super::scratch::Scratch;
use super::workers::Workers;
use super::{Asked, load, progress};
use crate::config::Config;

/// Connections are made and plans are cached in the first moments.
const WARM_UP: TimeDelta = TimeDelta::seconds(2);
/// Storing jobs is at least so fast; should it not be, measuring begins later.
const STORED_PER_SECOND: usize = 20_000;
/// How long workers that have fallen behind may take to catch up.
const CATCH_UP: Duration = Duration::from_mins(1);
/// Workers that are no further behind than this have caught up: with many jobs something is due at any moment.
const BACKLOG: TimeDelta = TimeDelta::seconds(1);
/// How often it is looked whether they have: asking costs the database a little, too.
const LOOK: Duration = Duration::from_millis(20);

/// How often each job fires, in seconds.
#[derive(Clone, Copy)]
pub(super) struct Beat {
    pub(super) every: u32,
}

pub(super) async fn measure(
    name: &str,
    config: &Config,
    asked: Asked,
    scratch: &Scratch,
    beat: Beat,
) -> anyhow::Result<Report> {
    let now = scratch.now();
    let loading = i64::try_from(asked.jobs / STORED_PER_SECOND)? + 2;
    let grid = now.duration_trunc(TimeDelta::seconds(1))? + TimeDelta::seconds(loading);
    let phase = |index: usize| -> TimeDelta {
        let millis = u128::from(beat.every) * 1_000 * index as u128 / asked.jobs as u128;
        TimeDelta::milliseconds(i64::try_from(millis).unwrap_or(0))
    };
    progress(format_args!("storing {} jobs", asked.jobs));
    let describe = |index| (load::interval(beat.every, grid + phase(index)), load::noop());
    // Created just before the grid begins, so that its first points are the first occurrences.
    let created = grid - TimeDelta::milliseconds(1);
    let ids = load::jobs(scratch, asked.jobs, created, describe).await?;

    let mut workers = Workers::start(config, scratch.url(), asked.processes, "").await?;
    workers.go()?;
    let store = scratch.store();
    // Storing may have taken longer than it should have, and what became due meanwhile says nothing about punctuality.
    let began = tokio::time::Instant::now();
    while store.next_due().await?.is_some_and(|next| next < scratch.now() - BACKLOG)
        && began.elapsed() < CATCH_UP
    {
        workers.check()?;
        tokio::time::sleep(LOOK).await;
    }
    let ready = scratch.now().duration_trunc(TimeDelta::seconds(1))? + TimeDelta::seconds(1);
    let from = grid.max(ready) + WARM_UP;
    let until = from + load::seconds(asked.seconds);
    let every = load::seconds(beat.every);
    let expected: Expected = ids
        .iter()
        .enumerate()
        .flat_map(|(index, job)| {
            let first = first_from(grid + phase(index), every, from);
            std::iter::successors(Some(first), move |at| Some(*at + every))
                .take_while(move |at| *at < until)
                .map(move |at| (*job, at))
        })
        .collect();

    sleep_until(scratch, from).await;
    progress(format_args!("measuring for {} s", asked.seconds));
    let before = Usage::now(&workers, scratch).await?;
    sleep_until(scratch, until).await;
    let end = tokio::time::Instant::now();
    while store.next_due().await?.is_some_and(|next| next < until) && end.elapsed() < CATCH_UP {
        workers.check()?;
        tokio::time::sleep(LOOK).await;
    }
    let elapsed = (scratch.now() - from).to_std()?;
    let after = Usage::now(&workers, scratch).await?;
    workers.stop().await?;

    progress("checking the records");
    let mut lags = Lags::default();
    let records = ledger::check(&*store, from, Some(until), expected, |run| lags.add(run, from)).await?;
    Ok(Report::new(name, config, asked, scratch, elapsed, &before, &after, lags, records))
}

/// The first point at or after `from` of the grid through `anchor`.
fn first_from(anchor: Instant, every: TimeDelta, from: Instant) -> Instant {
    let behind = (from - anchor).num_milliseconds().max(0);
    let step = every.num_milliseconds();
    anchor + TimeDelta::milliseconds((behind + step - 1) / step * step)
}

async fn sleep_until(scratch: &Scratch, at: Instant) {
    while let Ok(wait) = (at - scratch.now()).to_std() {
        if wait.is_zero() {
            return;
        }
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_are_joined_at_their_next_point() {
        let at = |millis: i64| Instant::from_timestamp_millis(1_790_000_000_000 + millis).unwrap();
        let every = TimeDelta::seconds(2);
        assert_eq!(first_from(at(5), every, at(0)), at(5));
        assert_eq!(first_from(at(5), every, at(5)), at(5));
        assert_eq!(first_from(at(5), every, at(6)), at(2_005));
        assert_eq!(first_from(at(5), every, at(9_000)), at(10_005));
    }
}
