//! [`engine::Insights`] in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{Instant, JobId, JobState, Run, RunStatus};
use engine::insights::{Insights, JobPart, JobTally, RunGist, Tally, Window};
use engine::{StoreError, StoredJob};

use super::{MemoryStore, State};

impl State {
    /// Newest first.
    fn newest_in(&self, window: &Window) -> impl Iterator<Item = &Run> {
        self.runs.values().rev().filter(|run| {
            run.project == window.project && (window.from..window.until).contains(&run.scheduled_for)
        })
    }

    fn newest_jobs(&self, project: &str, fits: impl Fn(&super::Row) -> bool, limit: u32) -> Vec<StoredJob> {
        let rows = self.jobs.values().rev().filter(|row| row.job.project == project && fits(row));
        rows.take(limit as usize).map(|row| self.stored(row)).collect()
    }
}

/// When the part begins that `at` falls into.
fn part(from: Instant, at: Instant, length: u64) -> Instant {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    from + TimeDelta::milliseconds((at - from).num_milliseconds() / length * length)
}

#[async_trait]
impl Insights for MemoryStore {
    async fn reach(&self, from: Instant, until: Instant, most: u32) -> Result<Instant, StoreError> {
        self.perform("reach", |state| {
            let within = state.runs.values().rev().map(|run| run.scheduled_for);
            let mut within = within.filter(|at| (from..until).contains(at));
            Ok(within.nth(most as usize).map_or(from, |beyond| beyond + TimeDelta::milliseconds(1)))
        })
        .await
    }

    async fn tally(&self, window: &Window, bucket: u64) -> Result<Vec<Tally>, StoreError> {
        self.perform("tally", |state| {
            let mut counted = BTreeMap::new();
            for Run { scheduled_for, status, kind, .. } in state.newest_in(window) {
                let from = part(window.from, *scheduled_for, bucket);
                let tally = Tally { from, status: *status, kind: *kind, runs: 0 };
                counted.entry((from, *status as u8, *kind as u8)).or_insert(tally).runs += 1;
            }
            Ok(counted.into_values().collect())
        })
        .await
    }

    async fn tally_jobs(
        &self,
        window: &Window,
        good: &[RunStatus],
        bad: &[RunStatus],
        limit: u32,
    ) -> Result<Vec<JobTally>, StoreError> {
        self.perform("tally_jobs", |state| {
            let mut counted = BTreeMap::new();
            for run in state.newest_in(window) {
                let tally = counted.entry(run.job_id).or_insert(JobTally {
                    job: run.job_id,
                    good: 0,
                    bad: 0,
                    runs: 0,
                });
                tally.good += u64::from(good.contains(&run.status));
                tally.bad += u64::from(bad.contains(&run.status));
                tally.runs += 1;
            }
            let mut worst: Vec<JobTally> =
                counted.into_values().filter(|tally| tally.bad > 0 || tally.good == 0).collect();
            worst.sort_by_key(|tally| std::cmp::Reverse(tally.bad));
            worst.truncate(limit as usize);
            Ok(worst)
        })
        .await
    }

    async fn gists(
        &self,
        window: &Window,
        statuses: &[RunStatus],
        share: u16,
        limit: u32,
    ) -> Result<Vec<RunGist>, StoreError> {
        self.perform("gists", |state| {
            let drawn = |run: &&Run| u16::from(run.id.0.as_bytes()[15]) < share;
            let wanted = state.newest_in(window).filter(|run| statuses.contains(&run.status)).filter(drawn);
            Ok(wanted.take(limit as usize).map(RunGist::from).collect())
        })
        .await
    }

    async fn histories(
        &self,
        jobs: &[JobId],
        from: Instant,
        until: Instant,
        each: u32,
    ) -> Result<Vec<RunGist>, StoreError> {
        self.perform("histories", |state| {
            let within = |run: &&Run| (from..until).contains(&run.scheduled_for);
            let of = |job: &JobId| {
                let runs = state.runs.values().rev().filter(|run| run.job_id == *job).filter(within);
                runs.take(each as usize).map(RunGist::from).collect::<Vec<_>>()
            };
            Ok(jobs.iter().flat_map(of).collect())
        })
        .await
    }

    async fn tally_parts(
        &self,
        jobs: &[JobId],
        from: Instant,
        until: Instant,
        length: u64,
        most: u32,
    ) -> Result<Vec<JobPart>, StoreError> {
        self.perform("tally_parts", |state| {
            let mut counted = BTreeMap::new();
            for job in jobs {
                let within = |run: &&Run| run.job_id == *job && (from..until).contains(&run.scheduled_for);
                let newest = state.runs.values().rev().filter(within).take(most as usize);
                for Run { scheduled_for, status, .. } in newest {
                    let from = part(from, *scheduled_for, length);
                    let none = JobPart { job: *job, from, status: *status, runs: 0 };
                    counted.entry((*job, from, *status)).or_insert(none).runs += 1;
                }
            }
            Ok(counted.into_values().collect())
        })
        .await
    }

    async fn jobs_of(&self, project: &str, ids: &[JobId]) -> Result<Vec<StoredJob>, StoreError> {
        self.perform("jobs_of", |state| {
            Ok(state.newest_jobs(project, |row| ids.contains(&row.job.id), u32::MAX))
        })
        .await
    }

    async fn idle_jobs(
        &self,
        project: &str,
        wanted: JobState,
        limit: u32,
    ) -> Result<Vec<StoredJob>, StoreError> {
        self.perform("idle_jobs", |state| {
            let idle = matches!(wanted, JobState::Paused | JobState::Invalid);
            Ok(state.newest_jobs(project, |row| idle && row.job.state == wanted, limit))
        })
        .await
    }

    async fn overdue(
        &self,
        project: &str,
        before: Instant,
        limit: u32,
    ) -> Result<Vec<(JobId, Instant)>, StoreError> {
        self.perform("overdue", |state| {
            let just = before - TimeDelta::milliseconds(1);
            let jobs = state.due_jobs(just).into_iter().take(limit as usize);
            let runs = state.due_runs(just).into_iter().take(limit as usize);
            let runs = runs.filter_map(|(at, id)| Some((at, state.runs.get(&id)?.job_id)));
            let mut since = BTreeMap::new();
            for (at, id) in jobs.chain(runs) {
                if state.jobs.get(&id).is_some_and(|row| row.job.project == project) {
                    let earliest = since.entry(id).or_insert(at);
                    *earliest = at.min(*earliest);
                }
            }
            let mut late: Vec<(JobId, Instant)> = since.into_iter().collect();
            late.sort_by_key(|(id, at)| (*at, *id));
            Ok(late)
        })
        .await
    }

    async fn count_jobs(&self, project: &str, limit: u32) -> Result<Vec<(JobState, u64)>, StoreError> {
        self.perform("count_jobs", |state| {
            let first = state.jobs.values().filter(|row| row.job.project == project).take(limit as usize);
            let states: Vec<JobState> = first.map(|row| row.job.state).collect();
            let count = |it: JobState| states.iter().filter(|state| **state == it).count() as u64;
            Ok(JobState::ALL.map(|it| (it, count(it))).into_iter().filter(|(_, count)| *count > 0).collect())
        })
        .await
    }
}
