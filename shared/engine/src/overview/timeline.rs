//! What many jobs did, and are about to do, side by side.

use std::collections::BTreeMap;

use domain::upcoming::{Upcoming, upcoming};
use domain::{HumanDuration, Instant, JobId};

use super::stats::{beginnings, part};
use super::{Overview, Spread};
use crate::error::StoreError;
use crate::insights::{JobPart, RunGist};
use crate::ports::StoredJob;
use crate::query::{JobQuery, Page};

/// At most so many runs, and so many occurrences, are shown one by one of a job; more are counted by parts.
const EACH: u32 = 100;
/// Into so many parts a range is divided.
const PARTS: u32 = 60;
/// At most so many runs are counted in all.
const MOST_RUNS: u32 = 200_000;

/// Which jobs, and when.
#[derive(Clone, Debug)]
pub struct TimelineQuery {
    /// The jobs.
    pub jobs: JobQuery,
    /// The first instant shown.
    pub from: Instant,
    /// The first instant not shown any more.
    pub until: Instant,
}

/// Jobs side by side.
#[derive(Debug)]
pub struct Timeline {
    /// A page of jobs.
    pub rows: Page<TimelineRow>,
    /// How long each part of the range is, in milliseconds; the last may be shorter.
    pub part: u64,
}

/// What one job did and is about to do.
#[derive(Debug)]
pub struct TimelineRow {
    /// The job.
    pub job: StoredJob,
    /// Its runs.
    pub past: Past,
    /// How long its runs take: the median of those shown.
    pub typical: Option<HumanDuration>,
    /// What is to come of it.
    pub upcoming: Upcoming,
}

/// The runs of a job in a range.
#[derive(Debug)]
pub enum Past {
    /// Each of them, oldest first.
    Each(Vec<RunGist>),
    /// How many there are, by parts of the range and status.
    Parts {
        /// The counts, oldest first.
        counted: Vec<JobPart>,
        /// Whether all have been counted; otherwise the newest.
        complete: bool,
    },
}

impl Overview {
    /// What many jobs did in a range of time, and are about to do in it.
    pub async fn timeline(&self, query: &TimelineQuery) -> Result<Timeline, StoreError> {
        let TimelineQuery { from, until, .. } = *query;
        let page = self.store.jobs(&query.jobs).await?;
        let part = part(from, until, PARTS);
        let parts = beginnings(from, until, part);
        let mut histories = self.pasts(&page.items, from, until, part).await?;
        let rows = page.items.into_iter().map(|job| {
            let (typical, runs) = histories.remove(&job.id()).unwrap_or((None, Past::Each(Vec::new())));
            let upcoming = match &job.job {
                Ok(job) => upcoming(job, from, until, EACH as usize, &parts),
                Err(_) => Upcoming::Each(Vec::new()),
            };
            TimelineRow { job, past: runs, typical, upcoming }
        });
        Ok(Timeline { rows: Page { items: rows.collect(), has_more: page.has_more }, part })
    }

    /// The latest runs of each of `jobs`, oldest first.
    pub async fn histories(
        &self,
        jobs: &[JobId],
        each: u32,
    ) -> Result<BTreeMap<JobId, Vec<RunGist>>, StoreError> {
        // A run whose nominal time is ahead of this node's clock is shown, too.
        let ahead = self.now() + chrono::TimeDelta::days(1);
        let found = self.insights.histories(jobs, Instant::UNIX_EPOCH, ahead, each).await?;
        Ok(by_job(found))
    }

    async fn pasts(
        &self,
        jobs: &[StoredJob],
        from: Instant,
        until: Instant,
        part: u64,
    ) -> Result<BTreeMap<JobId, (Option<HumanDuration>, Past)>, StoreError> {
        let ids: Vec<JobId> = jobs.iter().map(StoredJob::id).collect();
        let found = by_job(self.insights.histories(&ids, from, until, EACH + 1).await?);
        let is_many = |runs: &[RunGist]| runs.len() > EACH as usize;
        let busy: Vec<JobId> = found.iter().filter(|(_, runs)| is_many(runs)).map(|(id, _)| *id).collect();
        let most = MOST_RUNS / u32::try_from(busy.len()).unwrap_or(u32::MAX).max(1);
        let mut counted: BTreeMap<JobId, Vec<JobPart>> = BTreeMap::new();
        if !busy.is_empty() {
            let mut tallied = self.insights.tally_parts(&busy, from, until, part, most).await?;
            tallied.sort_by_key(|it| (it.from, it.status));
            for it in tallied {
                counted.entry(it.job).or_default().push(it);
            }
        }
        let told = |(id, runs): (JobId, Vec<RunGist>)| {
            let typical = Spread::of(runs.iter().filter_map(RunGist::duration)).map(|spread| spread.p50);
            let shown = match counted.remove(&id).filter(|_| is_many(&runs)) {
                Some(counted) => {
                    let complete = counted.iter().map(|it| it.runs).sum::<u64>() < u64::from(most);
                    Past::Parts { counted, complete }
                }
                None => Past::Each(runs),
            };
            (id, (typical, shown))
        };
        Ok(found.into_iter().map(told).collect())
    }
}

/// The runs of each job, oldest first.
fn by_job(newest_first: Vec<RunGist>) -> BTreeMap<JobId, Vec<RunGist>> {
    let mut jobs: BTreeMap<JobId, Vec<RunGist>> = BTreeMap::new();
    for run in newest_first.into_iter().rev() {
        jobs.entry(run.job_id).or_default().push(run);
    }
    jobs
}
