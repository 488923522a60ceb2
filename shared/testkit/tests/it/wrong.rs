//! A store that is wrong on purpose, in one way at a time. What the suite does not notice it does not test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::run::Lease;
use domain::{Backfill, BackfillId, Calendar, Firing, Instant, Job, JobId, Run, RunId, RunStatus};
use engine::{
    BackfillQuery, Backfills, CalendarQuery, Calendars, Counts, DueJob, Expected, JobKey, JobQuery,
    LeasedRun, Page, Purge, Purged, Renewal, RunQuery, Settled, Slots, Store, StoreError, StoredJob,
};
use testkit::{Fixture, MemoryStore};

type Result<T> = std::result::Result<T, StoreError>;

/// The ways.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bug {
    ReplaceIgnoresVersion,
    ReplaceIgnoresNextOccurrence,
    ReplaceForgetsRuns,
    DeleteIgnoresVersion,
    FiresEarly,
    FiresLate,
    FiresTooMany,
    FireReturnsRunsThatExist,
    OldDefinition,
    CountsOneActiveTooMany,
    LeasesEarly,
    LeasesTooMany,
    LeasesFinishedWord,
    RenewsWhatIsLost,
    SettlesByAnyToken,
    AnswersInAnotherOrder,
    CancelsAcrossProjects,
    ReopensByAnyToken,
    RunsForgetTheCursor,
    JobsForgetTheCursor,
    JobsForgetTheLabels,
    NeverMore,
    FindsAcrossProjects,
    InsertsRunsOfDeletedJobs,
    NextDueForgetsThePast,
    CalendarPutIgnoresVersion,
    CalendarDeleteIgnoresVersion,
    CalendarsForgetTheCursor,
    CountsPastTheLimit,
    CountsWithoutTheEnd,
    UnfinishedInNoOrder,
}

impl Bug {
    pub(crate) const ALL: [Self; 31] = [
        Self::ReplaceIgnoresVersion,
        Self::ReplaceIgnoresNextOccurrence,
        Self::ReplaceForgetsRuns,
        Self::DeleteIgnoresVersion,
        Self::FiresEarly,
        Self::FiresLate,
        Self::FiresTooMany,
        Self::FireReturnsRunsThatExist,
        Self::OldDefinition,
        Self::CountsOneActiveTooMany,
        Self::LeasesEarly,
        Self::LeasesTooMany,
        Self::LeasesFinishedWord,
        Self::RenewsWhatIsLost,
        Self::SettlesByAnyToken,
        Self::AnswersInAnotherOrder,
        Self::CancelsAcrossProjects,
        Self::ReopensByAnyToken,
        Self::RunsForgetTheCursor,
        Self::JobsForgetTheCursor,
        Self::JobsForgetTheLabels,
        Self::NeverMore,
        Self::FindsAcrossProjects,
        Self::InsertsRunsOfDeletedJobs,
        Self::NextDueForgetsThePast,
        Self::CalendarPutIgnoresVersion,
        Self::CalendarDeleteIgnoresVersion,
        Self::CalendarsForgetTheCursor,
        Self::CountsPastTheLimit,
        Self::CountsWithoutTheEnd,
        Self::UnfinishedInNoOrder,
    ];

    pub(crate) fn fixture(self) -> Fixture {
        let inner = MemoryStore::new();
        let right = MemoryStore::fixture_of(&inner);
        let wrong = Arc::new(Wrong { inner, bug: self, seen: Mutex::default() });
        Fixture { store: wrong.clone(), calendars: wrong, ..right }
    }
}

struct Wrong {
    inner: MemoryStore,
    bug: Bug,
    /// The first definition of each job: what a cache without versions would hand out.
    seen: Mutex<BTreeMap<JobId, Arc<Job>>>,
}

impl Wrong {
    fn is(&self, bug: Bug) -> bool {
        self.bug == bug
    }

    fn a_little_later(&self, now: Instant, bug: Bug) -> Instant {
        if self.is(bug) { now + TimeDelta::milliseconds(1) } else { now }
    }

    fn run_of(&self, id: RunId) -> Option<Run> {
        self.inner.all_runs().into_iter().find(|run| run.id == id)
    }
}

#[async_trait]
impl Store for Wrong {
    async fn insert_job(&self, job: &Job) -> Result<()> {
        self.inner.insert_job(job).await
    }

    async fn job(&self, project: &str, key: &JobKey) -> Result<Option<StoredJob>> {
        let other = match key {
            JobKey::Id(id) if self.is(Bug::FindsAcrossProjects) => {
                self.inner.peek(*id).map(|job| job.project)
            }
            _ => None,
        };
        self.inner.job(other.as_deref().unwrap_or(project), key).await
    }

    async fn jobs(&self, query: &JobQuery) -> Result<Page<StoredJob>> {
        let mut query = query.clone();
        if self.is(Bug::JobsForgetTheCursor) {
            query.after = None;
        }
        if self.is(Bug::JobsForgetTheLabels) {
            query.labels.clear();
        }
        let mut page = self.inner.jobs(&query).await?;
        page.has_more &= !self.is(Bug::NeverMore);
        Ok(page)
    }

    async fn replace_job(&self, job: &Job, mut expected: Expected, runs: &[Run]) -> Result<bool> {
        if let Some(stored) = self.inner.peek(job.id) {
            if self.is(Bug::ReplaceIgnoresVersion) {
                expected.version = stored.version;
            }
            if self.is(Bug::ReplaceIgnoresNextOccurrence) {
                expected.next_fire_at = stored.next_fire_at;
            }
        }
        self.inner.replace_job(job, expected, if self.is(Bug::ReplaceForgetsRuns) { &[] } else { runs }).await
    }

    async fn delete_job(&self, project: &str, id: JobId, mut expected: u64, now: Instant) -> Result<bool> {
        if let Some(stored) = self.inner.peek(id).filter(|_| self.is(Bug::DeleteIgnoresVersion)) {
            expected = stored.version;
        }
        self.inner.delete_job(project, id, expected, now).await
    }

    async fn fire_due(
        &self,
        now: Instant,
        limit: u32,
        decide: &mut (dyn FnMut(DueJob) -> Firing + Send),
    ) -> Result<Vec<Firing>> {
        let mut decided = Vec::new();
        let mut ask = |mut due: DueJob| {
            due.active += u64::from(self.is(Bug::CountsOneActiveTooMany));
            if let Some(job) = &due.job {
                let first = self.seen.lock().unwrap().entry(due.id).or_insert_with(|| job.clone()).clone();
                due.job = Some(if self.is(Bug::OldDefinition) { first } else { job.clone() });
            }
            let firing = decide(due);
            decided.push(firing.clone());
            firing
        };
        let late = if self.is(Bug::FiresLate) { TimeDelta::milliseconds(1) } else { TimeDelta::zero() };
        let now = self.a_little_later(now, Bug::FiresEarly) - late;
        let firings = self
            .inner
            .fire_due(now, if self.is(Bug::FiresTooMany) { 1_000 } else { limit }, &mut ask)
            .await?;
        Ok(if self.is(Bug::FireReturnsRunsThatExist) { decided } else { firings })
    }

    async fn next_due(&self) -> Result<Option<Instant>> {
        let next = self.inner.next_due().await?;
        let due = self.inner.all_runs().iter().filter_map(|run| run.due_at).min();
        Ok(if self.is(Bug::NextDueForgetsThePast) && next == due { None } else { next })
    }

    async fn count_due(&self, from: Instant, until: Instant, limit: u32) -> Result<u64> {
        let early =
            if self.is(Bug::CountsWithoutTheEnd) { TimeDelta::milliseconds(1) } else { TimeDelta::zero() };
        let limit = if self.is(Bug::CountsPastTheLimit) { u32::MAX } else { limit };
        self.inner.count_due(from, until - early, limit).await
    }

    async fn insert_run(&self, run: &Run) -> Result<bool> {
        let inserted = self.inner.insert_run(run).await?;
        Ok(inserted || (self.is(Bug::InsertsRunsOfDeletedJobs) && self.inner.peek(run.job_id).is_none()))
    }

    async fn lease_runs(&self, now: Instant, lease: &Lease, limit: u32) -> Result<Vec<LeasedRun>> {
        let now = self.a_little_later(now, Bug::LeasesEarly);
        let limit = if self.is(Bug::LeasesTooMany) { 1_000 } else { limit };
        let mut leased = self.inner.lease_runs(now, lease, limit).await?;
        for leased in leased.iter_mut().filter(|_| self.is(Bug::LeasesFinishedWord)) {
            leased.was = leased.run.status;
        }
        Ok(leased)
    }

    async fn renew(&self, held: &[(RunId, u64)], until: Instant) -> Result<Vec<Renewal>> {
        let renewed = self.inner.renew(held, until).await?;
        let kind =
            |it| if self.is(Bug::RenewsWhatIsLost) && it == Renewal::Lost { Renewal::Kept } else { it };
        Ok(renewed.into_iter().map(kind).collect())
    }

    async fn commit_settled(&self, settled: &[Settled]) -> Result<Vec<bool>> {
        let mut settled = settled.to_vec();
        for it in settled.iter_mut().filter(|_| self.is(Bug::SettlesByAnyToken)) {
            it.token = self.run_of(it.run.id).map_or(it.token, |run| run.token);
        }
        let mut written = self.inner.commit_settled(&settled).await?;
        if self.is(Bug::AnswersInAnotherOrder) {
            written.reverse();
        }
        Ok(written)
    }

    async fn request_cancel(&self, project: &str, id: RunId) -> Result<Option<Run>> {
        let other = self.run_of(id).filter(|_| self.is(Bug::CancelsAcrossProjects)).map(|run| run.project);
        self.inner.request_cancel(other.as_deref().unwrap_or(project), id).await
    }

    async fn reopen_run(&self, run: &Run) -> Result<bool> {
        let mut run = run.clone();
        if self.is(Bug::ReopensByAnyToken) {
            run.token = self.run_of(run.id).map_or(run.token, |stored| stored.token);
        }
        self.inner.reopen_run(&run).await
    }

    async fn run(&self, project: &str, id: RunId) -> Result<Option<Run>> {
        self.inner.run(project, id).await
    }

    async fn runs(&self, query: &RunQuery) -> Result<Page<Run>> {
        let mut query = query.clone();
        if self.is(Bug::RunsForgetTheCursor) {
            query.after = None;
        }
        let mut page = self.inner.runs(&query).await?;
        page.has_more &= !self.is(Bug::NeverMore);
        Ok(page)
    }

    async fn unfinished_runs(&self, job: JobId, limit: u32) -> Result<Vec<Run>> {
        let mut unfinished = self.inner.unfinished_runs(job, u32::MAX).await?;
        if self.is(Bug::UnfinishedInNoOrder) {
            unfinished.reverse();
        }
        unfinished.truncate(limit as usize);
        Ok(unfinished)
    }

    async fn counts(&self) -> Result<Counts> {
        self.inner.counts().await
    }

    async fn ping(&self) -> Result<()> {
        self.inner.ping().await
    }
}

#[async_trait]
impl Calendars for Wrong {
    async fn put_calendar(&self, calendar: &Calendar) -> Result<bool> {
        let mut calendar = calendar.clone();
        if self.is(Bug::CalendarPutIgnoresVersion)
            && let Ok(Some(stored)) = self.inner.calendar(&calendar.project, &calendar.name).await
        {
            calendar.version = stored.version + 1;
        }
        self.inner.put_calendar(&calendar).await
    }

    async fn calendar(&self, project: &str, name: &str) -> Result<Option<Calendar>> {
        self.inner.calendar(project, name).await
    }

    async fn calendar_version(&self, project: &str, name: &str) -> Result<u64> {
        self.inner.calendar_version(project, name).await
    }

    async fn calendars(&self, query: &CalendarQuery) -> Result<Page<Calendar>> {
        let mut query = query.clone();
        if self.is(Bug::CalendarsForgetTheCursor) {
            query.after = None;
        }
        let mut page = self.inner.calendars(&query).await?;
        page.has_more &= !self.is(Bug::NeverMore);
        Ok(page)
    }

    async fn delete_calendar(&self, project: &str, name: &str, mut expected: u64) -> Result<bool> {
        if self.is(Bug::CalendarDeleteIgnoresVersion)
            && let Ok(Some(stored)) = self.inner.calendar(project, name).await
        {
            expected = stored.version;
        }
        self.inner.delete_calendar(project, name, expected).await
    }
}

#[async_trait]
impl Backfills for Wrong {
    async fn insert_backfill(&self, backfill: &Backfill) -> Result<bool> {
        self.inner.insert_backfill(backfill).await
    }

    async fn backfill(&self, project: &str, id: BackfillId) -> Result<Option<Backfill>> {
        self.inner.backfill(project, id).await
    }

    async fn backfills(&self, query: &BackfillQuery) -> Result<Page<Backfill>> {
        self.inner.backfills(query).await
    }

    async fn due_backfills(&self, now: Instant, limit: u32) -> Result<Vec<Backfill>> {
        self.inner.due_backfills(now, limit).await
    }

    async fn replace_backfill(&self, backfill: &Backfill, runs: &[Run]) -> Result<bool> {
        self.inner.replace_backfill(backfill, runs).await
    }

    async fn backfill_counts(&self, id: BackfillId) -> Result<Vec<(RunStatus, u64)>> {
        self.inner.backfill_counts(id).await
    }
}

#[async_trait]
impl Purge for Wrong {
    async fn claim_purge(&self, now: Instant, next: Instant) -> Result<bool> {
        self.inner.claim_purge(now, next).await
    }

    async fn purge_old(&self, before: Instant, after: Option<RunId>, limit: u32) -> Result<Purged<RunId>> {
        self.inner.purge_old(before, after, limit).await
    }

    async fn purge_excess(
        &self,
        keep: u32,
        before: Instant,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<Purged<JobId>> {
        self.inner.purge_excess(keep, before, after, limit).await
    }

    async fn purge_backfills(&self, before: Instant, limit: u32) -> Result<u64> {
        self.inner.purge_backfills(before, limit).await
    }
}

#[async_trait]
impl Slots for Wrong {
    async fn slots(&self, job: JobId) -> Result<Vec<RunId>> {
        self.inner.slots(job).await
    }

    async fn take_slot(&self, run: &Run, limit: u32) -> Result<bool> {
        self.inner.take_slot(run, limit).await
    }
}
