//! How a project has been doing: numbers over a window of time.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{HumanDuration, Instant, JobState, Reason, RunStatus};

use super::{Attention, Overview, Spread};
use crate::error::StoreError;
use crate::insights::{RunGist, Tally, Window};

/// At most so many runs are counted, the newest: what is older in the window is left out, and the answer says so.
const MOST_RUNS: u32 = 250_000;
/// About so many runs are looked at for percentiles.
const SAMPLE: u64 = 5_000;
/// At most so many records of what was not executed are read.
const MOST_RECORDS: u32 = 10_000;
/// At most so many jobs are counted.
const MOST_JOBS: u32 = 200_000;

/// Which numbers.
#[derive(Clone, Debug)]
pub struct StatsQuery {
    /// Of which runs.
    pub window: Window,
    /// In how many equal parts, at least one.
    pub parts: u32,
}

/// How a project has been doing.
#[derive(Debug)]
pub struct Stats {
    /// The window that was counted: it begins later than asked for where there were too many runs.
    pub window: Window,
    /// How long each of its parts is, in milliseconds; the last may be shorter.
    pub part: u64,
    /// The beginnings of all parts that were asked for.
    pub parts: Vec<Instant>,
    /// How many jobs there are by state.
    pub jobs: Vec<(JobState, u64)>,
    /// Whether that is all of them.
    pub all_jobs: bool,
    /// How many runs there are, by part, status and kind.
    pub tallies: Vec<Tally>,
    /// How late runs started, of a sample.
    pub lateness: Option<Spread>,
    /// How long they took, of a sample.
    pub duration: Option<Spread>,
    /// What was not executed, by reason.
    pub not_executed: Vec<NotExecuted>,
    /// How many records of it were read; there may be more.
    pub not_executed_read: u64,
    /// Jobs that somebody should look at, the most urgent first.
    pub attention: Vec<Attention>,
    /// Whether those are all.
    pub all_attention: bool,
}

/// Occurrences that were not executed for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotExecuted {
    /// Skipped or missed.
    pub status: RunStatus,
    /// Why.
    pub reason: Option<Reason>,
    /// How many records say so.
    pub records: u64,
    /// How many occurrences they stand for.
    pub occurrences: u64,
}

impl Stats {
    /// How many runs there are of a status.
    pub fn runs(&self, status: RunStatus) -> u64 {
        self.tallies.iter().filter(|tally| tally.status == status).map(|tally| tally.runs).sum()
    }

    /// Which part of the runs that were carried out to their end succeeded.
    pub fn success_rate(&self) -> Option<f64> {
        let succeeded = self.runs(RunStatus::Succeeded);
        let all = succeeded + self.runs(RunStatus::Failed) + self.runs(RunStatus::TimedOut);
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
        (all > 0).then(|| succeeded as f64 / all as f64)
    }
}

impl Overview {
    /// How a project has been doing.
    pub async fn stats(&self, query: &StatsQuery) -> Result<Stats, StoreError> {
        let Window { from, until, .. } = query.window;
        let part = part(from, until, query.parts);
        let reached = self.insights.reach(from, until, MOST_RUNS).await?;
        // Whole parts only, so that none of them shows less than there was.
        let parts = beginnings(from, until, part);
        let begin = parts.iter().copied().find(|begin| reached <= *begin).unwrap_or(reached);
        let window = Window { from: begin, ..query.window.clone() };
        let (tallies, jobs, (attention, all_attention)) = futures::try_join!(
            self.insights.tally(&window, part),
            self.insights.count_jobs(&window.project, MOST_JOBS),
            self.attention(&window),
        )?;
        let executed = tallies.iter().filter(|tally| EXECUTED.contains(&tally.status));
        let share = share(executed.map(|tally| tally.runs).sum());
        let (sample, left_out) = futures::try_join!(
            self.insights.gists(&window, &EXECUTED, share, MOST_RECORDS),
            self.insights.gists(&window, &NOT_EXECUTED, ALL, MOST_RECORDS),
        )?;
        Ok(Stats {
            part,
            parts,
            all_jobs: jobs.iter().map(|(_, count)| count).sum::<u64>() < u64::from(MOST_JOBS),
            jobs,
            tallies,
            lateness: Spread::of(sample.iter().filter_map(RunGist::lag)),
            duration: Spread::of(sample.iter().filter_map(RunGist::duration)),
            not_executed: by_reason(&left_out),
            not_executed_read: left_out.len() as u64,
            attention,
            all_attention,
            window,
        })
    }
}

const EXECUTED: [RunStatus; 4] =
    [RunStatus::Succeeded, RunStatus::Failed, RunStatus::TimedOut, RunStatus::Cancelled];
const NOT_EXECUTED: [RunStatus; 2] = [RunStatus::Skipped, RunStatus::Missed];
/// All of 256 runs.
const ALL: u16 = 256;

/// How long each of `parts` equal parts is, in whole milliseconds.
pub(super) fn part(from: Instant, until: Instant, parts: u32) -> u64 {
    HumanDuration::between(from, until).as_millis().div_ceil(u64::from(parts.max(1))).max(1)
}

/// When each of the parts of `[from, until)` begins that are `part` milliseconds long.
pub(super) fn beginnings(from: Instant, until: Instant, part: u64) -> Vec<Instant> {
    let step = HumanDuration::from_millis(part).to_delta();
    std::iter::successors(Some(from), |begin| begin.checked_add_signed(step))
        .take_while(|begin| *begin < until)
        .collect()
}

/// Of 256 runs so many are looked at, where there are `runs`.
fn share(runs: u64) -> u16 {
    if runs <= SAMPLE {
        return ALL;
    }
    u16::try_from(u64::from(ALL) * SAMPLE / runs).unwrap_or(ALL).max(1)
}

fn by_reason(gists: &[RunGist]) -> Vec<NotExecuted> {
    let mut counted: BTreeMap<_, NotExecuted> = BTreeMap::new();
    for RunGist { status, reason, count, .. } in gists {
        let key = (*status, reason.map(|reason| reason as u8));
        let none = NotExecuted { status: *status, reason: *reason, records: 0, occurrences: 0 };
        let so_far = counted.entry(key).or_insert(none);
        so_far.records += 1;
        so_far.occurrences = so_far.occurrences.saturating_add(*count);
    }
    let mut counted: Vec<NotExecuted> = counted.into_values().collect();
    counted.sort_by_key(|it| std::cmp::Reverse(it.occurrences));
    counted
}

/// How much later than due something may be before it counts as late here.
pub(super) const LATE: TimeDelta = TimeDelta::seconds(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Instant {
        Instant::from_timestamp_millis(millis).unwrap()
    }

    #[test]
    fn parts_cover_the_window_and_no_more() {
        for (length, parts) in [(1, 1), (1_000, 3), (86_400_000, 24), (5, 24), (7_200_001, 24)] {
            let length_of_part = part(at(0), at(length), parts);
            let begins = beginnings(at(0), at(length), length_of_part);
            assert!(begins.len() <= parts as usize, "{length} in {parts}");
            assert_eq!(begins[0], at(0));
            let end = *begins.last().unwrap() + HumanDuration::from_millis(length_of_part).to_delta();
            assert!(at(length) <= end, "{length} in {parts}");
        }
    }

    #[test]
    fn a_share_yields_about_a_sample() {
        assert_eq!(share(0), 256);
        assert_eq!(share(SAMPLE), 256);
        assert_eq!(share(SAMPLE * 2), 128);
        assert_eq!(share(250_000), 5);
        assert_eq!(share(u64::MAX / 256), 1);
    }
}
