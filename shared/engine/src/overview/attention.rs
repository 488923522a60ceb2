//! Which jobs somebody should look at, and why.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Instant, JobId, JobState, Reason, RunKind, RunStatus};

use super::Overview;
use super::stats::LATE;
use crate::error::StoreError;
use crate::insights::{JobTally, RunGist, Window};
use crate::ports::StoredJob;

/// At most so many jobs are shown.
const SHOWN: usize = 50;
/// At most so many candidates of each kind are looked at.
const CANDIDATES: u32 = 200;
/// So many runs of each are looked at.
const HISTORY: u32 = 20;

/// A job that somebody should look at.
#[derive(Debug)]
pub struct Attention {
    /// The job.
    pub job: StoredJob,
    /// Why, the most urgent first.
    pub causes: Vec<Cause>,
    /// How its latest runs went.
    pub health: Health,
    /// Since when it, or a run of it, is overdue.
    pub late_since: Option<Instant>,
}

/// Why somebody should look at a job; the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Its stored form cannot be read.
    Invalid,
    /// Its failures have paused it.
    PausedByFailures,
    /// It, or a run of it, should have started by now.
    Late,
    /// Its latest run failed.
    Failing,
    /// It was to run within the window, and did not succeed once.
    NoSuccess,
}

/// How a job's latest runs went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// How many of the latest runs failed in a row.
    pub failures: u32,
    /// Whether there may be more, before those that were looked at.
    pub at_least: bool,
    /// When the first of them ended.
    pub failing_since: Option<Instant>,
}

impl Health {
    /// Of a job's `history`, newest first. Runs that were not carried out to their end say nothing, nor do backfills.
    pub fn of<'a>(history: impl IntoIterator<Item = &'a RunGist>) -> Self {
        let mut health = Self { at_least: true, ..Self::default() };
        for run in history.into_iter().filter(|run| run.kind != RunKind::Backfill) {
            match run.status {
                RunStatus::Failed | RunStatus::TimedOut => {
                    health.failures += 1;
                    health.failing_since = run.finished_at.or(health.failing_since);
                }
                RunStatus::Succeeded => {
                    health.at_least = false;
                    break;
                }
                _ => (),
            }
        }
        health.at_least &= health.failures > 0;
        health
    }
}

impl Overview {
    /// The jobs that somebody should look at, the most urgent first, and whether those are all.
    pub(super) async fn attention(&self, window: &Window) -> Result<(Vec<Attention>, bool), StoreError> {
        const GOOD: [RunStatus; 1] = [RunStatus::Succeeded];
        const BAD: [RunStatus; 2] = [RunStatus::Failed, RunStatus::TimedOut];
        let project = &window.project;
        let now = self.now();
        let (worst, late, paused, invalid) = futures::try_join!(
            self.insights.tally_jobs(window, &GOOD, &BAD, CANDIDATES),
            self.insights.overdue(project, now - LATE, CANDIDATES),
            self.insights.idle_jobs(project, JobState::Paused, CANDIDATES),
            self.insights.idle_jobs(project, JobState::Invalid, CANDIDATES),
        )?;
        let most = CANDIDATES as usize;
        let mut all =
            [worst.len(), late.len(), paused.len(), invalid.len()].iter().all(|found| *found < most);

        let ids = worst.iter().map(|tally| tally.job).chain(late.iter().map(|(id, _)| *id));
        let ids: Vec<JobId> = ids.collect::<BTreeSet<_>>().into_iter().collect();
        let mut jobs: BTreeMap<JobId, StoredJob> = BTreeMap::new();
        for job in self.insights.jobs_of(project, &ids).await?.into_iter().chain(paused).chain(invalid) {
            jobs.insert(job.id(), job);
        }
        let ids: Vec<JobId> = jobs.keys().copied().collect();
        let begin = Instant::UNIX_EPOCH;
        let mut histories: BTreeMap<JobId, Vec<RunGist>> = BTreeMap::new();
        for run in self.insights.histories(&ids, begin, window.until.max(now), HISTORY).await? {
            histories.entry(run.job_id).or_default().push(run);
        }

        let late: BTreeMap<JobId, Instant> = late.into_iter().collect();
        let worst: BTreeMap<JobId, JobTally> = worst.into_iter().map(|tally| (tally.job, tally)).collect();
        let mut attention: Vec<Attention> = Vec::new();
        for (id, job) in jobs {
            let history = histories.get(&id).map_or(&[][..], Vec::as_slice);
            let health = Health::of(history);
            let late_since = late.get(&id).copied();
            let tried_in_vain = worst.get(&id).is_some_and(|tally| tried_in_vain(tally, history, window));
            let causes = causes(&job, health, late_since.is_some(), tried_in_vain);
            if !causes.is_empty() {
                attention.push(Attention { job, causes, health, late_since });
            }
        }
        attention.sort_by_key(|it| (it.causes.first().copied(), std::cmp::Reverse(it.health.failures)));
        all &= attention.len() <= SHOWN;
        attention.truncate(SHOWN);
        Ok((attention, all))
    }
}

/// Whether the job was to run within the window and did not succeed once, for no reason that somebody chose.
fn tried_in_vain(tally: &JobTally, history: &[RunGist], window: &Window) -> bool {
    let in_vain = |run: &RunGist| {
        let chosen = run.reason.is_some_and(|reason| {
            !matches!(reason, Reason::Overlap | Reason::BufferFull | Reason::Window | Reason::Downtime)
        });
        window.from <= run.scheduled_for && run.status.is_finished() && !chosen
    };
    tally.good == 0 && (tally.bad > 0 || history.iter().any(in_vain))
}

fn causes(job: &StoredJob, health: Health, late: bool, tried_in_vain: bool) -> Vec<Cause> {
    let Ok(job) = &job.job else { return vec![Cause::Invalid] };
    let by_failures = job.pause.as_ref().map(|pause| pause.by_failures);
    let causes = [
        (Cause::Invalid, job.state == JobState::Invalid),
        (Cause::PausedByFailures, by_failures == Some(true)),
        (Cause::Late, late),
        // Whoever has paused a job knows how it is.
        (Cause::Failing, health.failures > 0 && by_failures != Some(false)),
        (Cause::NoSuccess, tried_in_vain && by_failures.is_none()),
    ];
    causes.into_iter().filter(|(_, applies)| *applies).map(|(cause, _)| cause).collect()
}
