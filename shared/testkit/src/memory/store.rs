//! [`engine::Store`] in memory.

use std::sync::Arc;

use async_trait::async_trait;
use domain::run::Lease;
use domain::{Firing, Instant, Job, JobId, JobState, Run, RunId, RunKind, RunStatus};
use engine::{
    Counts, Deed, DueJob, Entry, Expected, JobKey, JobQuery, LeasedRun, Page, Renewal, RunQuery, Settled,
    Store, StoreError, StoredJob,
};

use super::{MemoryStore, Row, State};

#[async_trait]
impl Store for MemoryStore {
    async fn insert_job(&self, job: &Job) -> Result<(), StoreError> {
        self.perform("insert_job", |state| {
            state.name_is_free(job)?;
            state.jobs.insert(job.id, Row { job: Arc::new(job.clone()), corrupt: false });
            state.tell(Deed::Insert, [Entry::from(job)]);
            Ok(())
        })
        .await
    }

    async fn job(&self, project: &str, key: &JobKey) -> Result<Option<StoredJob>, StoreError> {
        self.perform("job", |state| Ok(state.find(project, key).map(|row| state.stored(row)))).await
    }

    async fn jobs(&self, query: &JobQuery) -> Result<Page<StoredJob>, StoreError> {
        self.perform("jobs", |state| Ok(state.list_jobs(query))).await
    }

    async fn replace_job(&self, job: &Job, expected: Expected, runs: &[Run]) -> Result<bool, StoreError> {
        self.perform("replace_job", |state| {
            let unchanged = state.jobs.get(&job.id).is_some_and(|row| {
                row.job.project == job.project
                    && row.job.version == expected.version
                    && row.job.next_fire_at == expected.next_fire_at
            });
            if !unchanged {
                return Ok(false);
            }
            state.name_is_free(job)?;
            state.jobs.insert(job.id, Row { job: Arc::new(job.clone()), corrupt: false });
            state.tell(Deed::Replace, [Entry::from(job)]);
            state.add(Deed::Replace, runs);
            Ok(true)
        })
        .await
    }

    async fn delete_job(
        &self,
        project: &str,
        id: JobId,
        expected: u64,
        now: Instant,
    ) -> Result<bool, StoreError> {
        self.perform("delete_job", |state| {
            let there = |row: &Row| row.job.project == project && row.job.version == expected;
            if !state.jobs.get(&id).is_some_and(there) {
                return Ok(false);
            }
            state.jobs.remove(&id);
            for run in state.runs.values_mut() {
                if run.job_id == id && run.status == RunStatus::Pending {
                    run.due_at = Some(now);
                }
            }
            let gone = Entry { project: project.to_owned(), job: id, run: None, status: 0 };
            state.tell(Deed::Delete, [gone]);
            Ok(true)
        })
        .await
    }

    async fn fire_due(
        &self,
        now: Instant,
        limit: u32,
        decide: &mut (dyn FnMut(DueJob) -> Firing + Send),
    ) -> Result<Vec<Firing>, StoreError> {
        self.perform("fire_due", |state| {
            let mut due = state.due_jobs(now);
            due.truncate(limit as usize);
            // First all decisions, then all effects: a decider that panics leaves everything as it was.
            let firings: Vec<Firing> =
                due.into_iter().filter_map(|(_, id)| Some(decide(state.due_job(id)?))).collect();
            let turned: Vec<Entry> = firings.iter().filter_map(|firing| state.turned(firing)).collect();
            let firings: Vec<Firing> = firings.into_iter().map(|firing| state.advance(firing)).collect();
            let runs = firings.iter().flat_map(|firing| &firing.runs).map(Entry::from);
            state.tell(Deed::Fire, turned.into_iter().chain(runs));
            Ok(firings)
        })
        .await
    }

    async fn next_due(&self) -> Result<Option<Instant>, StoreError> {
        self.perform("next_due", |state| {
            let jobs = state.jobs.values().filter_map(|row| row.job.next_fire_at);
            let runs = state.runs.values().filter_map(|run| run.due_at);
            Ok(jobs.chain(runs).min())
        })
        .await
    }

    async fn count_due(&self, from: Instant, until: Instant, limit: u32) -> Result<u64, StoreError> {
        self.perform("count_due", |state| {
            let due = state.jobs.values().filter_map(|row| row.job.next_fire_at);
            Ok(due.filter(|at| (from..=until).contains(at)).take(limit as usize).count() as u64)
        })
        .await
    }

    async fn insert_run(&self, run: &Run) -> Result<bool, StoreError> {
        self.perform("insert_run", |state| {
            let job = state.jobs.get(&run.job_id).filter(|row| row.job.project == run.project);
            let new = job.is_some() && state.insert_new(run);
            state.tell(Deed::Insert, new.then(|| Entry::from(run)));
            Ok(new)
        })
        .await
    }

    async fn lease_runs(
        &self,
        now: Instant,
        lease: &Lease,
        limit: u32,
    ) -> Result<Vec<LeasedRun>, StoreError> {
        self.perform("lease_runs", |state| {
            let mut due = state.due_runs(now);
            due.truncate(limit as usize);
            let leased: Vec<LeasedRun> =
                due.into_iter().filter_map(|(_, id)| state.lease(id, lease)).collect();
            state.tell(Deed::Lease, leased.iter().map(|leased| Entry::from(&leased.run)));
            Ok(leased)
        })
        .await
    }

    async fn renew(&self, held: &[(RunId, u64)], until: Instant) -> Result<Vec<Renewal>, StoreError> {
        self.perform("renew", |state| {
            Ok(held.iter().map(|(id, token)| state.renew(*id, *token, until)).collect())
        })
        .await
    }

    async fn commit_settled(&self, settled: &[Settled]) -> Result<Vec<bool>, StoreError> {
        self.perform("commit_settled", |state| {
            let written: Vec<bool> = settled.iter().map(|it| state.settle(it)).collect();
            let told = settled.iter().zip(&written).filter(|(_, written)| **written);
            state.tell(Deed::Settle, told.map(|(it, _)| Entry::from(&it.run)));
            Ok(written)
        })
        .await
    }

    async fn request_cancel(&self, project: &str, id: RunId) -> Result<Option<Run>, StoreError> {
        self.perform("request_cancel", |state| {
            let unfinished = |run: &&mut Run| run.project == project && !run.status.is_finished();
            let cancelled = state.runs.get_mut(&id).filter(unfinished).map(|run| {
                run.cancel_requested = true;
                run.clone()
            });
            state.tell(Deed::Cancel, cancelled.as_ref().map(Entry::from));
            Ok(cancelled)
        })
        .await
    }

    async fn reopen_run(&self, run: &Run) -> Result<bool, StoreError> {
        self.perform("reopen_run", |state| {
            let same = |old: &&mut Run| {
                old.project == run.project && old.status.is_finished() && old.token == run.token
            };
            let Some(old) = state.runs.get_mut(&run.id).filter(same) else { return Ok(false) };
            *old = Run { cancel_requested: false, token: run.token + 1, ..run.clone() };
            state.tell(Deed::Reopen, [Entry::from(run)]);
            Ok(true)
        })
        .await
    }

    async fn run(&self, project: &str, id: RunId) -> Result<Option<Run>, StoreError> {
        self.perform("run", |state| Ok(state.runs.get(&id).filter(|run| run.project == project).cloned()))
            .await
    }

    async fn runs(&self, query: &RunQuery) -> Result<Page<Run>, StoreError> {
        self.perform("runs", |state| Ok(state.list_runs(query))).await
    }

    async fn unfinished_runs(&self, job: JobId, limit: u32) -> Result<Vec<Run>, StoreError> {
        self.perform("unfinished_runs", |state| {
            // In the order of ids, which is that of nominal times.
            let unfinished = state.runs.values().filter(|run| run.job_id == job && !run.status.is_finished());
            Ok(unfinished.take(limit as usize).cloned().collect())
        })
        .await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.perform("counts", |state| {
            let jobs = |it: JobState| state.jobs.values().filter(|row| row.job.state == it).count() as u64;
            let runs = |it: RunStatus| state.runs.values().filter(|run| run.status == it).count() as u64;
            Ok(Counts {
                jobs: JobState::ALL.map(|it| (it, jobs(it))).to_vec(),
                runs: [RunStatus::Pending, RunStatus::Running].map(|it| (it, runs(it))).to_vec(),
            })
        })
        .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.perform("ping", |_| Ok(())).await
    }
}

impl State {
    fn name_is_free(&self, job: &Job) -> Result<(), StoreError> {
        let taken = self.jobs.values().any(|row| {
            row.job.id != job.id && row.job.project == job.project && row.job.draft.name == job.draft.name
        });
        if taken { Err(StoreError::NameTaken) } else { Ok(()) }
    }

    fn find(&self, project: &str, key: &JobKey) -> Option<&Row> {
        let mut rows = self.jobs.values().filter(|row| row.job.project == project);
        rows.find(|row| match key {
            JobKey::Id(id) => row.job.id == *id,
            JobKey::Name(name) => row.job.draft.name == *name,
        })
    }

    fn due_job(&self, id: JobId) -> Option<DueJob> {
        let row = self.jobs.get(&id)?;
        let counts =
            |run: &&Run| run.job_id == id && !run.status.is_finished() && run.kind != RunKind::Backfill;
        let active = self.runs.values().filter(counts).count();
        let (next_fire_at, runs_started) = (row.job.next_fire_at?, row.job.runs_started);
        Some(DueJob { id, next_fire_at, job: row.readable(), active: active as u64, runs_started })
    }

    /// What is told of a job whose state a firing changes.
    fn turned(&self, firing: &Firing) -> Option<Entry> {
        let job = &self.jobs.get(&firing.job_id)?.job;
        let turned = job.state != firing.state;
        turned.then(|| Entry { status: firing.state as i16, ..Entry::from(&**job) })
    }

    /// Adds those of `runs` that do not exist yet, and tells of them.
    pub(super) fn add(&mut self, deed: Deed, runs: &[Run]) {
        let new: Vec<Entry> = runs.iter().filter(|run| self.insert_new(run)).map(Entry::from).collect();
        self.tell(deed, new);
    }

    /// Advances the job, adds the runs, and leaves of those only the new ones.
    fn advance(&mut self, mut firing: Firing) -> Firing {
        if let Some(row) = self.jobs.get_mut(&firing.job_id) {
            let job = Arc::make_mut(&mut row.job);
            *job = job.clone().as_fired(firing.state, firing.next_fire_at);
            job.runs_started += firing.started();
        }
        firing.runs.retain(|run| self.insert_new(run));
        firing
    }

    /// Adds a run unless it exists.
    pub(super) fn insert_new(&mut self, run: &Run) -> bool {
        let new = !self.runs.contains_key(&run.id);
        if new {
            self.runs.insert(run.id, run.clone());
        }
        new
    }

    fn lease(&mut self, id: RunId, lease: &Lease) -> Option<LeasedRun> {
        let run = self.runs.get_mut(&id)?;
        let was = run.status;
        *run = run.clone().leased(lease);
        let run = run.clone();
        let job = self.jobs.get(&run.job_id).and_then(Row::readable);
        Some(LeasedRun { run, was, job })
    }

    fn renew(&mut self, id: RunId, token: u64, until: Instant) -> Renewal {
        let held = |run: &&mut Run| run.status == RunStatus::Running && run.token == token;
        let Some(run) = self.runs.get_mut(&id).filter(held) else { return Renewal::Lost };
        run.due_at = run.due_at.max(Some(until));
        if run.cancel_requested { Renewal::CancelRequested } else { Renewal::Kept }
    }

    fn settle(&mut self, settled: &Settled) -> bool {
        let current = |run: &&mut Run| !run.status.is_finished() && run.token == settled.token;
        let Some(run) = self.runs.get_mut(&settled.run.id).filter(current) else { return false };
        // Somebody may have asked to cancel since the worker read the run.
        let cancel_requested = run.cancel_requested || settled.run.cancel_requested;
        *run = Run { cancel_requested, token: settled.token, ..settled.run.clone() };
        true
    }
}
