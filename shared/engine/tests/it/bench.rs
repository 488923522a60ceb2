//! An engine on a memory store, with every port in the test's hand.

use std::sync::Arc;

use domain::time::Zone;
use domain::{HumanDuration, Instant, JobDraft, Run, RunStatus};
use engine::{
    Bell, Calendars, Callbacks, Clock, Dispatcher, Executor, JobKey, LocalAlarm, Logs, RunQuery, Scheduler,
    Settings, Store, TokenKey,
};
use testkit::{FakeExecutor, ManualClock, MemoryStore, SeededEntropy, at};

pub(crate) const START: &str = "2026-11-24T00:00:00Z";

pub(crate) struct Bench {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) manual: ManualClock,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) executor: Arc<FakeExecutor>,
    pub(crate) bell: Bell,
    pub(crate) scheduler: Scheduler,
    pub(crate) logs: Logs,
    pub(crate) callbacks: Callbacks,
    pub(crate) dispatcher: Arc<Dispatcher>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_concurrency(100)
    }

    pub(crate) fn with_concurrency(concurrency: usize) -> Self {
        let manual = ManualClock::new(at(START));
        Self::on(manual.clone(), Arc::new(manual), concurrency)
    }

    /// Time passes as tokio's paused clock says.
    pub(crate) fn in_tokio_time() -> Self {
        let manual = ManualClock::new(at(START));
        Self::on(manual, Arc::new(TokioClock { start: at(START), began: tokio::time::Instant::now() }), 100)
    }

    fn on(manual: ManualClock, clock: Arc<dyn Clock>, concurrency: usize) -> Self {
        let store = Arc::new(MemoryStore::default());
        let executor = Arc::new(FakeExecutor::new(clock.clone()));
        let bell = Bell::default();
        let alarm = Arc::new(LocalAlarm::new(bell.clone(), clock.clone()));
        let entropy = Arc::new(SeededEntropy::new(1));
        let (calendars, zone) = (store.clone(), Zone::default());
        let scheduler = Scheduler::new(store.clone(), calendars, clock.clone(), alarm, entropy, zone);
        let logs = Logs::new(store.clone(), clock.clone());
        let callbacks = callbacks(&store, &clock, &bell);
        let mut bench = Self {
            dispatcher: Arc::new(dispatcher("a", &store, &clock, &executor, &bell, concurrency)),
            clock,
            manual,
            store,
            executor,
            bell,
            scheduler,
            logs,
            callbacks,
        };
        bench.dispatcher = Arc::new(bench.another("a", concurrency));
        bench
    }

    /// One more worker on the same store.
    pub(crate) fn another(&self, worker: &str, concurrency: usize) -> Dispatcher {
        dispatcher(worker, &self.store, &self.clock, &self.executor, &self.bell, concurrency)
    }

    /// One more scheduler on the same store, which reaches calendars in another way.
    pub(crate) fn scheduler_by(&self, calendars: Arc<dyn Calendars>) -> Scheduler {
        let alarm = Arc::new(LocalAlarm::new(self.bell.clone(), self.clock.clone()));
        let entropy = Arc::new(SeededEntropy::new(2));
        Scheduler::new(self.store.clone(), calendars, self.clock.clone(), alarm, entropy, Zone::default())
    }

    pub(crate) async fn create(&self, draft: JobDraft) -> domain::Job {
        self.scheduler.create("default", draft).await.unwrap().job.unwrap()
    }

    /// Moves the time on and looks once.
    pub(crate) async fn look_after(&self, duration: &str) -> engine::dispatcher::Look {
        let duration: HumanDuration = duration.parse().unwrap();
        self.manual.advance(duration.to_delta());
        self.dispatcher.look().await.unwrap()
    }

    /// All runs, oldest first.
    pub(crate) async fn runs(&self) -> Vec<Run> {
        let query = RunQuery {
            project: "default".to_owned(),
            job: None,
            statuses: Vec::new(),
            kinds: Vec::new(),
            from: None,
            until: None,
            ascending: true,
            after: None,
            limit: 10_000,
        };
        self.store.runs(&query).await.unwrap().items
    }

    /// All runs, once each is finished or waits.
    pub(crate) async fn settled(&self) -> Vec<Run> {
        self.runs_when(|run| run.status != RunStatus::Running).await
    }

    /// All runs, once so many of them were executed and have ended, and what follows from that is seen to.
    pub(crate) async fn settled_count(&self, count: usize) -> Vec<Run> {
        let executed = |run: &&Run| run.finished_at.is_some() && !run.attempts.is_empty();
        for _ in 0..100_000 {
            let runs = self.runs().await;
            if count <= runs.iter().filter(executed).count() {
                self.quiet().await;
                return self.runs().await;
            }
            tokio::task::yield_now().await;
        }
        panic!("never came to rest: {:#?}", self.runs().await);
    }

    /// Lets all tasks do what they can do without time passing.
    pub(crate) async fn quiet(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }

    /// All runs, once each `holds`.
    pub(crate) async fn runs_when(&self, holds: impl Fn(&Run) -> bool) -> Vec<Run> {
        for _ in 0..100_000 {
            let runs = self.runs().await;
            if runs.iter().all(&holds) {
                return runs;
            }
            tokio::task::yield_now().await;
        }
        panic!("never came to rest: {:#?}", self.runs().await);
    }
}

fn dispatcher(
    worker: &str,
    store: &Arc<MemoryStore>,
    clock: &Arc<dyn Clock>,
    executor: &Arc<FakeExecutor>,
    bell: &Bell,
    concurrency: usize,
) -> Dispatcher {
    let alarm = Arc::new(LocalAlarm::new(bell.clone(), clock.clone()));
    let executor: Arc<dyn Executor> = executor.clone();
    let logs = Logs::new(store.clone(), clock.clone());
    let callbacks = callbacks(store, clock, bell);
    let settings = Settings { worker: worker.to_owned(), lease: HumanDuration::from_secs(30), concurrency };
    Dispatcher::new(store.clone(), clock.clone(), alarm, executor, logs, callbacks, settings)
}

/// What takes reports of targets, as every process has it.
pub(crate) fn callbacks(store: &Arc<MemoryStore>, clock: &Arc<dyn Clock>, bell: &Bell) -> Callbacks {
    let logs = Logs::new(store.clone(), clock.clone());
    let alarm = Arc::new(LocalAlarm::new(bell.clone(), clock.clone()));
    let key = TokenKey::derived(b"test");
    Callbacks::new(store.clone(), store.clone(), logs, clock.clone(), alarm, key)
}

struct TokioClock {
    start: Instant,
    began: tokio::time::Instant,
}

impl Clock for TokioClock {
    fn now(&self) -> Instant {
        domain::whole_millis(self.start + self.began.elapsed())
    }
}

pub(crate) fn key(name: &str) -> JobKey {
    JobKey::from(name)
}
