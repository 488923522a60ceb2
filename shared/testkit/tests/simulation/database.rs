//! The store that all nodes share, as the judge sees it: each write takes effect at one instant and is written down.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use domain::run::Lease;
use domain::{Calendar, Firing, Instant, Job, JobId, Run, RunId};
use engine::{Calendars, DueJob, Expected, LeasedRun, Renewal, Settled, Store, StoreError};

use super::event::{Event, Log, Who};
use super::wrong::Wrong;
use testkit::{Fault, MemoryStore};

type Result<T> = std::result::Result<T, StoreError>;

/// The store. What it answers is what is written down, also where the answer gets lost on its way.
pub(crate) struct Database {
    pub(crate) memory: MemoryStore,
    wrong: Wrong,
    log: Log,
}

impl Database {
    pub(crate) fn new(memory: MemoryStore, wrong: Wrong, log: Log) -> Self {
        Self { memory, wrong, log }
    }

    fn note(&self, by: Who, event: Event) {
        self.log.note(by, event);
    }

    pub(crate) fn insert_job(&self, by: Who, job: &Job) -> Result<()> {
        at_once(self.memory.insert_job(job))?;
        self.note(by, Event::JobInserted(Arc::new(job.clone())));
        Ok(())
    }

    pub(crate) fn replace_job(&self, by: Who, job: &Job, expected: Expected, runs: &[Run]) -> Result<bool> {
        let (job, expected) = self.wrong.replacing(&self.memory, job, expected);
        let replaced = at_once(self.memory.replace_job(&job, expected, runs))?;
        if replaced {
            self.note(by, Event::JobReplaced(Arc::new(job), runs.to_vec()));
        }
        Ok(replaced)
    }

    pub(crate) fn delete_job(
        &self,
        by: Who,
        project: &str,
        id: JobId,
        expected: u64,
        now: Instant,
    ) -> Result<bool> {
        let deleted = match self.wrong.deleting(&self.memory, id, expected) {
            Some(claimed) => claimed,
            None => at_once(self.memory.delete_job(project, id, expected, now))?,
        };
        if deleted {
            self.note(by, Event::JobDeleted(id));
        }
        Ok(deleted)
    }

    /// Fires what is due. With `undone` everything is decided and then rolled back.
    pub(crate) fn fire_due(
        &self,
        by: Who,
        now: Instant,
        limit: u32,
        decide: &mut (dyn FnMut(DueJob) -> Firing + Send),
        undone: bool,
    ) -> Result<Vec<Firing>> {
        if undone {
            self.memory.fail_by(|_, _| Fault::Undone);
        }
        let mut lost = Vec::new();
        let mut decide = |due| self.wrong.firing(decide, due, now, &mut lost);
        let fired = at_once(self.memory.fire_due(now, limit, &mut decide));
        if undone {
            self.memory.heal();
        }
        let mut fired = fired?;
        for firing in &mut fired {
            firing.runs.extend(lost.extract_if(.., |run| run.job_id == firing.job_id));
            self.note(by, Event::Fired { now, firing: firing.clone() });
        }
        Ok(fired)
    }

    pub(crate) fn insert_run(&self, by: Who, run: &Run) -> Result<bool> {
        let inserted = at_once(self.memory.insert_run(run))?;
        if inserted {
            self.note(by, Event::RunInserted(run.clone()));
        }
        Ok(inserted)
    }

    pub(crate) fn lease_runs(
        &self,
        by: Who,
        now: Instant,
        lease: &Lease,
        limit: u32,
    ) -> Result<Vec<LeasedRun>> {
        let leased = at_once(self.memory.lease_runs(self.wrong.leasing_at(now, lease), lease, limit))?;
        for LeasedRun { run, was, .. } in &leased {
            self.note(by, Event::Leased { run: run.clone(), was: *was });
        }
        Ok(leased)
    }

    pub(crate) fn renew(&self, by: Who, held: &[(RunId, u64)], until: Instant) -> Result<Vec<Renewal>> {
        let forged: Vec<_> = held.iter().map(|(id, token)| (*id, self.token(*id, *token))).collect();
        let renewed = at_once(self.memory.renew(&forged, until))?;
        for ((run, token), renewal) in held.iter().zip(&renewed) {
            self.note(by, Event::Renewed { run: *run, token: *token, until, renewal: *renewal });
        }
        Ok(renewed)
    }

    pub(crate) fn commit_settled(&self, by: Who, settled: &[Settled]) -> Result<Vec<bool>> {
        let mut answers = Vec::with_capacity(settled.len());
        for Settled { run, token } in settled {
            let forged = Settled { run: self.wrong.settling(run), token: self.token(run.id, *token) };
            let written = if self.wrong.loses_outcome(run.id) {
                true
            } else {
                at_once(self.memory.commit_settled(&[forged]))? == [true]
            };
            self.note(by, Event::Settled { run: run.clone(), token: *token, written });
            answers.push(written);
        }
        Ok(answers)
    }

    pub(crate) fn request_cancel(&self, by: Who, project: &str, id: RunId) -> Result<Option<Run>> {
        let run = if self.wrong.forgets_cancellations() {
            at_once(self.memory.run(project, id))?.filter(|run| !run.status.is_finished())
        } else {
            at_once(self.memory.request_cancel(project, id))?
        };
        if run.is_some() {
            self.note(by, Event::CancelRequested(id));
        }
        Ok(run)
    }

    pub(crate) fn reopen_run(&self, by: Who, run: &Run) -> Result<bool> {
        let reopened = at_once(self.memory.reopen_run(run))?;
        if reopened {
            self.note(by, Event::Reopened(run.clone()));
        }
        Ok(reopened)
    }

    pub(crate) fn put_calendar(&self, by: Who, calendar: &Calendar) -> Result<bool> {
        let put = at_once(self.memory.put_calendar(calendar))?;
        if put {
            self.note(by, Event::CalendarPut(Arc::new(calendar.clone())));
        }
        Ok(put)
    }

    /// The token to write with: the one given, unless a planted bug looks it up.
    fn token(&self, id: RunId, given: u64) -> u64 {
        self.wrong.token(&self.memory, id).unwrap_or(given)
    }
}

/// The outcome of something that only yields and never waits. In between nobody else gets a turn: this is what makes
/// an effect and its line in the history one.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
            return outcome;
        }
    }
}
