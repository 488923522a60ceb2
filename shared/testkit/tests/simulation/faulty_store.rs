//! A node's way to the database, on which calls get lost, late and stuck.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::run::Lease;
use domain::{Backfill, BackfillId, Calendar, Firing, Instant, Job, JobId, Run, RunId, RunStatus};
use engine::backfills::{BackfillQuery, Backfills};
use engine::retention::{Purge, Purged};
use engine::{
    CalendarQuery, Calendars, Counts, DueJob, Expected, JobKey, JobQuery, LeasedRun, Page, Renewal, RunQuery,
    Settled, Slots, Store, StoreError, StoredJob,
};
use tokio::task::yield_now;
use tokio::time::sleep;

use super::database::{Database, at_once};
use super::dice::Dice;
use super::event::{Event, Fate};
use super::process::Process;
use super::traffic::Traffic;
use super::weather::Trouble;
use super::wrong::{Bug, Wrong};
use testkit::Fault;

type Result<T> = std::result::Result<T, StoreError>;

/// The port through which one life of a node sees the store.
pub(crate) struct FaultyStore {
    database: Arc<Database>,
    process: Arc<Process>,
    dice: Dice,
    traffic: Arc<Traffic>,
    wrong: Wrong,
}

impl FaultyStore {
    pub(crate) fn new(
        database: Arc<Database>,
        process: Arc<Process>,
        dice: Dice,
        traffic: Arc<Traffic>,
        wrong: Wrong,
    ) -> Self {
        Self { database, process, dice, traffic, wrong }
    }

    /// One statement. Once it is sent it takes effect, even if the process dies or gives up waiting meanwhile.
    async fn statement<T: Send + 'static>(
        &self,
        call: &'static str,
        effect: impl FnOnce(&Database) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.set_out().await;
        let done = match self.trouble(call).await? {
            None | Some(Trouble::Torn(Fault::None)) => effect(&self.database),
            Some(Trouble::Torn(Fault::Before | Fault::Undone)) => return Err(lost("the request", call)),
            Some(Trouble::Refused) => return Err(StoreError::Failed(format!("refused: {call}").into())),
            Some(Trouble::Torn(Fault::After)) => {
                drop(effect(&self.database));
                return Err(lost("the answer", call));
            }
            Some(Trouble::Slow { there, back }) => {
                let (database, slow) = (self.database.clone(), self.traffic.slow());
                let sent = tokio::spawn(async move {
                    sleep(there).await;
                    let done = effect(&database);
                    sleep(back).await;
                    drop(slow);
                    done
                });
                sent.await.unwrap_or_else(|_| Err(lost("the connection", call)))
            }
            Some(Trouble::Hangs { done }) => {
                if done {
                    drop(effect(&self.database));
                }
                std::future::pending().await
            }
        };
        self.process.gate.pass().await;
        yield_now().await;
        done
    }

    /// What goes wrong with this call; an error where the node is cut off.
    async fn trouble(&self, call: &'static str) -> Result<Option<Trouble>> {
        if self.process.is_away() {
            sleep(self.dice.millis(0..=2_000)).await;
            self.process.gate.pass().await;
            return Err(lost("the network", call));
        }
        let trouble = self.process.weather.trouble(&self.dice);
        if let Some(trouble) = trouble {
            self.process.log.note(self.process.who, Event::Trouble { call, trouble });
            if matches!(trouble, Trouble::Hangs { .. }) {
                self.process.hangs();
            }
        }
        Ok(trouble)
    }

    /// Waits until the process runs, and lets calls of different tasks overtake each other.
    async fn set_out(&self) {
        self.process.gate.pass().await;
        if !self.traffic.moves(self.process.clock.truth()) {
            self.process.note(Fate::Spins);
            std::future::pending::<()>().await;
        }
        for _ in 0..self.dice.number(0..=2) {
            yield_now().await;
        }
        if let Some(latency) = self.process.weather.latency(&self.dice) {
            sleep(latency).await;
        }
    }

    /// A transaction that decides: it ends with its process.
    async fn transaction(
        &self,
        now: Instant,
        limit: u32,
        decide: &mut (dyn FnMut(DueJob) -> Firing + Send),
    ) -> Result<Vec<Firing>> {
        const CALL: &str = "fire_due";
        self.set_out().await;
        let trouble = self.trouble(CALL).await?;
        let (there, back, _slow) = match trouble {
            Some(Trouble::Slow { there, back }) => (there, back, Some(self.traffic.slow())),
            _ => (Duration::ZERO, Duration::ZERO, None),
        };
        if trouble == Some(Trouble::Torn(Fault::Before)) {
            return Err(lost("the request", CALL));
        }
        if trouble == Some(Trouble::Refused) {
            return Err(StoreError::Failed(format!("refused: {CALL}").into()));
        }
        if trouble == Some(Trouble::Hangs { done: false }) {
            std::future::pending::<()>().await;
        }
        if !there.is_zero() {
            sleep(there).await;
        }
        self.process.gate.pass().await;
        let undone = trouble == Some(Trouble::Torn(Fault::Undone));
        let mut decided = Vec::new();
        let mut remember = |due: DueJob| {
            let firing = decide(due);
            decided.push(firing.clone());
            firing
        };
        let done = self.database.fire_due(self.process.who, now, limit, &mut remember, undone);
        if undone && self.wrong.is(Bug::StartsBeforeCommit) {
            return Ok(decided);
        }
        if trouble == Some(Trouble::Torn(Fault::After)) {
            return Err(lost("the answer", CALL));
        }
        if trouble == Some(Trouble::Hangs { done: true }) {
            std::future::pending::<()>().await;
        }
        if !back.is_zero() {
            sleep(back).await;
        }
        self.process.gate.pass().await;
        yield_now().await;
        done
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn insert_job(&self, job: &Job) -> Result<()> {
        let (by, job) = (self.process.who, job.clone());
        self.statement("insert_job", move |it| it.insert_job(by, &job)).await
    }

    async fn job(&self, project: &str, key: &JobKey) -> Result<Option<StoredJob>> {
        let (project, key) = (project.to_owned(), key.clone());
        self.statement("job", move |it| at_once(it.memory.job(&project, &key))).await
    }

    async fn jobs(&self, query: &JobQuery) -> Result<Page<StoredJob>> {
        if self.wrong.is(Bug::HidesJobs) {
            return Ok(Page { items: Vec::new(), has_more: false });
        }
        let query = query.clone();
        self.statement("jobs", move |it| at_once(it.memory.jobs(&query))).await
    }

    async fn replace_job(&self, job: &Job, expected: Expected, runs: &[Run]) -> Result<bool> {
        let (by, job, runs) = (self.process.who, job.clone(), runs.to_vec());
        self.statement("replace_job", move |it| it.replace_job(by, &job, expected, &runs)).await
    }

    async fn delete_job(&self, project: &str, id: JobId, expected: u64, now: Instant) -> Result<bool> {
        let (by, project) = (self.process.who, project.to_owned());
        self.statement("delete_job", move |it| it.delete_job(by, &project, id, expected, now)).await
    }

    async fn fire_due(
        &self,
        now: Instant,
        limit: u32,
        decide: &mut (dyn FnMut(DueJob) -> Firing + Send),
    ) -> Result<Vec<Firing>> {
        self.transaction(now, limit, decide).await
    }

    async fn next_due(&self) -> Result<Option<Instant>> {
        self.statement("next_due", |it| at_once(it.memory.next_due())).await
    }

    async fn count_due(&self, _: Instant, _: Instant, _: u32) -> Result<u64> {
        unimplemented!("nobody asks for a preview")
    }

    async fn insert_run(&self, run: &Run) -> Result<bool> {
        let (by, run) = (self.process.who, run.clone());
        self.statement("insert_run", move |it| it.insert_run(by, &run)).await
    }

    async fn lease_runs(&self, now: Instant, lease: &Lease, limit: u32) -> Result<Vec<LeasedRun>> {
        let (by, lease) = (self.process.who, lease.clone());
        self.statement("lease_runs", move |it| it.lease_runs(by, now, &lease, limit)).await
    }

    async fn renew(&self, held: &[(RunId, u64)], until: Instant) -> Result<Vec<Renewal>> {
        let (by, held) = (self.process.who, held.to_vec());
        self.statement("renew", move |it| it.renew(by, &held, until)).await
    }

    async fn commit_settled(&self, settled: &[Settled]) -> Result<Vec<bool>> {
        let (by, settled) = (self.process.who, settled.to_vec());
        self.statement("commit_settled", move |it| it.commit_settled(by, &settled)).await
    }

    async fn request_cancel(&self, project: &str, id: RunId) -> Result<Option<Run>> {
        let (by, project) = (self.process.who, project.to_owned());
        self.statement("request_cancel", move |it| it.request_cancel(by, &project, id)).await
    }

    async fn reopen_run(&self, run: &Run) -> Result<bool> {
        let (by, run) = (self.process.who, run.clone());
        self.statement("reopen_run", move |it| it.reopen_run(by, &run)).await
    }

    async fn run(&self, project: &str, id: RunId) -> Result<Option<Run>> {
        let project = project.to_owned();
        self.statement("run", move |it| at_once(it.memory.run(&project, id))).await
    }

    async fn runs(&self, query: &RunQuery) -> Result<Page<Run>> {
        let query = query.clone();
        self.statement("runs", move |it| at_once(it.memory.runs(&query))).await
    }

    async fn unfinished_runs(&self, job: JobId, limit: u32) -> Result<Vec<Run>> {
        if self.wrong.is(Bug::OverlooksTurns) {
            return Ok(Vec::new());
        }
        self.statement("unfinished_runs", move |it| at_once(it.memory.unfinished_runs(job, limit))).await
    }

    async fn counts(&self) -> Result<Counts> {
        unimplemented!("nobody reads gauges")
    }

    async fn ping(&self) -> Result<()> {
        unimplemented!("nobody asks for health")
    }
}

#[async_trait]
impl Calendars for FaultyStore {
    async fn put_calendar(&self, calendar: &Calendar) -> Result<bool> {
        let (by, calendar) = (self.process.who, calendar.clone());
        self.statement("put_calendar", move |it| it.put_calendar(by, &calendar)).await
    }

    async fn calendar(&self, project: &str, name: &str) -> Result<Option<Calendar>> {
        let (project, name) = (project.to_owned(), name.to_owned());
        self.statement("calendar", move |it| at_once(it.memory.calendar(&project, &name))).await
    }

    async fn calendar_version(&self, project: &str, name: &str) -> Result<u64> {
        let (project, name) = (project.to_owned(), name.to_owned());
        self.statement("calendar_version", move |it| at_once(it.memory.calendar_version(&project, &name)))
            .await
    }

    async fn calendars(&self, _: &CalendarQuery) -> Result<Page<Calendar>> {
        unimplemented!("no user lists calendars")
    }

    async fn delete_calendar(&self, _: &str, _: &str, _: u64) -> Result<bool> {
        unimplemented!("no user deletes calendars")
    }
}

#[async_trait]
impl Slots for FaultyStore {
    async fn slots(&self, job: JobId) -> Result<Vec<RunId>> {
        self.statement("slots", move |it| at_once(it.memory.slots(job))).await
    }

    async fn take_slot(&self, run: &Run, limit: u32) -> Result<bool> {
        if self.wrong.is(Bug::OverlooksSlots) {
            return Ok(true);
        }
        let run = run.clone();
        self.statement("take_slot", move |it| at_once(it.memory.take_slot(&run, limit))).await
    }
}

/// No user asks for any.
#[async_trait]
impl Backfills for FaultyStore {
    async fn insert_backfill(&self, _: &Backfill) -> Result<bool> {
        unimplemented!()
    }

    async fn backfill(&self, _: &str, _: BackfillId) -> Result<Option<Backfill>> {
        unimplemented!()
    }

    async fn backfills(&self, _: &BackfillQuery) -> Result<Page<Backfill>> {
        unimplemented!()
    }

    async fn due_backfills(&self, _: Instant, _: u32) -> Result<Vec<Backfill>> {
        Ok(Vec::new())
    }

    async fn replace_backfill(&self, _: &Backfill, _: &[Run]) -> Result<bool> {
        unimplemented!()
    }

    async fn backfill_counts(&self, _: BackfillId) -> Result<Vec<(RunStatus, u64)>> {
        unimplemented!()
    }
}

/// Nothing is old enough.
#[async_trait]
impl Purge for FaultyStore {
    async fn claim_purge(&self, _: Instant, _: Instant) -> Result<bool> {
        unimplemented!()
    }

    async fn purge_old(&self, _: Instant, _: Option<RunId>, _: u32) -> Result<Purged<RunId>> {
        unimplemented!()
    }

    async fn purge_excess(&self, _: u32, _: Instant, _: Option<JobId>, _: u32) -> Result<Purged<JobId>> {
        unimplemented!()
    }

    async fn purge_backfills(&self, _: Instant, _: u32) -> Result<u64> {
        unimplemented!()
    }
}

fn lost(what: &str, call: &str) -> StoreError {
    StoreError::Unavailable(format!("{what} was lost: {call}").into())
}
