//! Firing due jobs and running due runs, in batches.

mod leases;
mod work;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use chrono::{TimeDelta, TimeZone, Utc};
use domain::{Firing, HumanDuration, Instant, Job, Run, RunId, RunStatus, fire_ahead};
use metrics::{counter, gauge, histogram};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::aftermath::Aftermath;
use crate::backfills::{self, Touched};
use crate::callbacks::Callbacks;
use crate::error::StoreError;
use crate::hosts::{Hosts, Place};
use crate::logs::Logs;
use crate::ports::{Alarm, Clock, DueJob, Executor, Settled, Store};
use crate::settler;
use crate::worker::{Attempts, Ended, InFlight, Stop, Stopper};

/// How a dispatcher works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of this process in leases and run records.
    pub worker: String,
    /// How long a lease lasts without being prolonged; it is prolonged every third of that.
    pub lease: HumanDuration,
    /// At most so many attempts at a time.
    pub concurrency: usize,
}

/// Fires due jobs and works on due runs. Any number of processes may do so on one store.
pub struct Dispatcher {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    in_flight: Arc<InFlight>,
    permits: Arc<Semaphore>,
    /// For attempts that end at once: what bounds them is how fast their outcomes are written.
    quick: Arc<Semaphore>,
    hosts: Hosts,
    attempts: Attempts,
    tasks: TaskTracker,
    outcomes: mpsc::Sender<Ended>,
    aftermath: Aftermath,
    touched: Touched,
    last_ask: AtomicI64,
    /// See [`Dispatcher::looking_ahead`].
    ahead: TimeDelta,
    /// Whether some of the runs fired last found no room.
    crowded: AtomicBool,
    last_look: AtomicI64,
}

/// What one look at the store brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Jobs fired.
    pub fired: usize,
    /// Runs leased, apart from those leased as they were fired.
    pub leased: usize,
    /// A limit was reached: there is probably more.
    pub more: bool,
}

/// At most so many jobs are fired in one transaction.
const BATCH: usize = 1_000;
/// When a run is tried again whose host had its share of attempts.
const HOST_BUSY: TimeDelta = TimeDelta::seconds(1);
/// How often backfills that are due are asked for, in milliseconds.
const ASK_AGAIN: i64 = 1_000;
/// Fewer than so many are not worth a transaction of their own.
const SMALL_BATCH: usize = 64;
/// At most so many attempts that end at once wait for their outcomes to be written.
const QUICK: usize = 4 * BATCH;

impl Dispatcher {
    /// A dispatcher on these ports. Must be called within a tokio runtime: outcomes are written by a task of their
    /// own, which ends when the dispatcher is gone and the last of them is written.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        alarm: Arc<dyn Alarm>,
        executor: Arc<dyn Executor>,
        logs: Logs,
        callbacks: Callbacks,
        settings: Settings,
    ) -> Self {
        let in_flight = Arc::new(InFlight::default());
        let (outcomes, ended) = mpsc::channel(settings.concurrency.max(BATCH));
        let touched = Touched::default();
        let aftermath = Aftermath {
            store: store.clone(),
            alarm,
            clock: clock.clone(),
            touched: touched.clone(),
            callbacks: callbacks.clone(),
        };
        tokio::spawn(settler::run(aftermath.clone(), in_flight.clone(), ended));
        Self {
            permits: Arc::new(Semaphore::new(settings.concurrency)),
            quick: Arc::new(Semaphore::new(QUICK)),
            hosts: Hosts::new(settings.concurrency),
            attempts: Attempts {
                executor,
                logs,
                callbacks,
                clock: clock.clone(),
                in_flight: in_flight.clone(),
                outcomes: outcomes.clone(),
                patience: Duration::ZERO,
            },
            tasks: TaskTracker::new(),
            ahead: TimeDelta::zero(),
            crowded: AtomicBool::new(true),
            last_ask: AtomicI64::new(0),
            touched,
            last_look: AtomicI64::new(clock.now().timestamp_millis()),
            store,
            clock,
            settings,
            in_flight,
            outcomes,
            aftermath,
        }
    }

    /// Fires jobs so long before they are due, and starts their attempts by a timer: the time that the store takes
    /// costs no punctuality, and more jobs share a transaction. What changes a job within this time before an
    /// occurrence comes too late for it.
    #[must_use]
    pub fn looking_ahead(mut self, ahead: HumanDuration) -> Self {
        self.ahead = ahead.to_delta();
        self.attempts.patience = ahead.to_std();
        self
    }

    /// How long before something is due it is to be looked for.
    pub(crate) fn margin(&self) -> Duration {
        (self.ahead / 2).to_std().unwrap_or_default()
    }

    /// The current time, as the service sees it.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// When the store was last looked at with success.
    pub fn last_look(&self) -> Instant {
        Utc.timestamp_millis_opt(self.last_look.load(Ordering::Relaxed)).single().unwrap_or_default()
    }

    /// Looks once: fires what is due and takes up what waits.
    pub async fn look(&self) -> Result<Look, StoreError> {
        let began = tokio::time::Instant::now();
        let (fired, full) = self.fire_due().await?;
        if let Err(error) = self.backfill().await {
            // They can wait; whatever else there is to do must not wait with them.
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "backfills cannot be carried on, trying again");
        }
        let (leased, more) = self.work().await?;
        let now = self.clock.now();
        self.last_look.store(now.timestamp_millis(), Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "a gauge of seconds")]
        gauge!("scheduler_last_tick_timestamp_seconds").set(now.timestamp_millis() as f64 / 1e3);
        #[expect(clippy::cast_precision_loss, reason = "a gauge of runs")]
        gauge!("scheduler_runs_in_flight").set(self.in_flight.len() as f64);
        histogram!("scheduler_tick_duration_seconds").record(began.elapsed().as_secs_f64());
        Ok(Look { fired, leased, more: full || more })
    }

    /// Carries backfills on. Those that are due are asked for once a second at most: it is all that is left to them
    /// where the process is gone that saw their last run end.
    async fn backfill(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let ask = ASK_AGAIN <= now.timestamp_millis() - self.last_ask.load(Ordering::Relaxed);
        if ask {
            self.last_ask.store(now.timestamp_millis(), Ordering::Relaxed);
        }
        backfills::look(&*self.store, &self.touched, ask, now).await
    }

    /// The earliest instant at which there is something to do.
    pub async fn next_due(&self) -> Result<Option<Instant>, StoreError> {
        let next = self.store.next_due().await?;
        let age = next.map_or(0.0, |next| (self.clock.now() - next).as_seconds_f64().max(0.0));
        gauge!("scheduler_oldest_due_age_seconds").set(age);
        Ok(next)
    }

    /// Waits, up to `patience`, until another attempt may be started, and a batch of those that end at once.
    pub async fn wait_for_room(&self, patience: Duration) {
        if self.permits.available_permits() == 0 {
            drop(timeout(patience, self.permits.acquire()).await);
        }
        if self.quick.available_permits() < BATCH {
            drop(timeout(patience, self.quick.acquire_many(clamp(BATCH))).await);
        }
    }

    /// Fires due jobs. As many of the new runs as there is room for are leased in the same transaction and started
    /// right after it; the others wait for whoever has room.
    pub async fn fire_due(&self) -> Result<(usize, bool), StoreError> {
        let now = self.clock.now();
        let mut room = self.reserve(BATCH);
        let mut quick_room = self.quick.available_permits().min(BATCH);
        // Little room must not make for many small transactions: what finds no room waits, recorded and in order.
        let crowded = self.crowded.load(Ordering::Relaxed) && SMALL_BATCH <= room.len();
        let limit = if crowded { room.len() } else { BATCH };
        let lease = self.lease(now);
        let mut free = room.len();
        let mut left_out = false;
        let mut at_once: HashMap<RunId, Arc<Job>> = HashMap::new();
        let mut starts: HashMap<RunId, (Arc<Job>, Place)> = HashMap::new();
        let mut decide = |due: DueJob| {
            let Some(job) = due.job else {
                tracing::error!(job.id = %due.id, "the job's stored form cannot be read; it is set aside as invalid");
                return Firing::invalid(due.id);
            };
            let at = now.max(due.next_fire_at);
            let mut firing = fire_ahead(&job, due.next_fire_at, now, due.active, due.runs_started);
            let quick = self.attempts.executor.ends_at_once(&job.draft.target);
            let starts_now = |run: &&mut Run| run.status == RunStatus::Pending && run.due_at == Some(at);
            for run in firing.runs.iter_mut().filter(starts_now) {
                if quick && quick_room > 0 {
                    quick_room -= 1;
                    *run = run.clone().leased(&lease);
                    at_once.insert(run.id, job.clone());
                    continue;
                }
                if free == 0 {
                    left_out = true;
                    break;
                }
                let Some(place) = self.hosts.enter(&job.draft.target) else {
                    run.due_at = Some(at + HOST_BUSY);
                    continue;
                };
                free -= 1;
                *run = run.clone().leased(&lease);
                starts.insert(run.id, (job.clone(), place));
            }
            firing
        };
        let firings = self.store.fire_due(now + self.ahead, clamp(limit), &mut decide).await?;
        let fired = firings.len();
        self.crowded.store(left_out, Ordering::Relaxed);
        let mut batch = Vec::with_capacity(at_once.len());
        let (late, mut waiting) = (self.is_late(&lease), Vec::new());
        for run in firings.into_iter().flat_map(|firing| firing.runs) {
            if run.status == RunStatus::Running {
                if late {
                    waiting.push(put_back(run, now));
                } else if let Some(job) = at_once.remove(&run.id) {
                    batch.push((run, job));
                } else if let (Some((job, place)), Some(permit)) = (starts.remove(&run.id), room.pop()) {
                    self.start(run, job, (permit, place));
                }
            } else {
                count_unexecuted(&run);
            }
        }
        self.start_at_once(batch);
        if !waiting.is_empty() {
            self.store.commit_settled(&waiting).await?;
        }
        Ok((fired, fired == limit))
    }

    /// Ends work: lets attempts finish for up to `grace`, then stops them and hands their runs back, which costs
    /// them no attempt. Returns when every outcome is written or the process must give up.
    pub async fn drain(&self, grace: Duration) {
        const LAST_WRITES: Duration = Duration::from_secs(5);
        self.tasks.close();
        if timeout(grace, self.tasks.wait()).await.is_err() {
            tracing::warn!(runs = self.in_flight.len(), "handing back runs that did not finish in time");
            self.in_flight.stop_all(Stop::Shutdown);
        }
        let written = async {
            self.tasks.wait().await;
            while self.in_flight.len() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if timeout(LAST_WRITES, written).await.is_err() {
            tracing::error!(
                runs = self.in_flight.len(),
                "runs left to be taken over when their leases run out"
            );
        }
    }

    /// As many permits as there are, up to `limit`.
    fn reserve(&self, limit: usize) -> Vec<OwnedSemaphorePermit> {
        std::iter::from_fn(|| self.permits.clone().try_acquire_owned().ok()).take(limit).collect()
    }

    fn start(&self, run: Run, job: Arc<Job>, room: (OwnedSemaphorePermit, Place)) {
        let stopper = self.hold(&run);
        let attempts = self.attempts.clone();
        self.tasks.spawn(async move {
            attempts.make(run, &job, &stopper).await;
            // Only now: attempts must not run ahead of the store that keeps their outcomes.
            drop(room);
        });
    }

    /// Starts attempts that end at once, all in one task: one each would cost more than the attempt.
    fn start_at_once(&self, batch: Vec<(Run, Arc<Job>)>) {
        if batch.is_empty() {
            return;
        }
        // This is the only place that takes them, so there are as many as were counted.
        let room = self.quick.clone().try_acquire_many_owned(clamp(batch.len())).ok();
        let held: Vec<_> = batch.into_iter().map(|(run, job)| (self.hold(&run), run, job)).collect();
        let attempts = self.attempts.clone();
        self.tasks.spawn(async move {
            for (stopper, run, job) in held {
                attempts.make(run, &job, &stopper).await;
            }
            drop(room);
        });
    }

    fn hold(&self, run: &Run) -> Stopper {
        self.in_flight.add(run.id, run.token, run.due_at.unwrap_or_else(|| self.clock.now()))
    }

    async fn settle_now(&self, leased: &Run, settled: Run, job: Option<Arc<Job>>) {
        let settled = Settled { run: settled, token: leased.token };
        let _ = self.outcomes.send(Ended { settled, job }).await;
    }
}

/// Lets a leased run wait until `due_at`, at the cost of no attempt.
fn put_back(run: Run, due_at: Instant) -> Settled {
    let token = run.token;
    Settled { run: Run { status: RunStatus::Pending, due_at: Some(due_at), ..run }, token }
}

fn count_unexecuted(run: &Run) {
    if run.status.is_finished() {
        counter!("scheduler_runs_total", "status" => run.status.as_str(), "trigger" => run.kind.as_str())
            .increment(run.count);
    }
    if run.status == RunStatus::Missed {
        counter!("scheduler_misfires_total").increment(run.count);
    }
}

fn clamp(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}
