//! The nodes: a whole engine each, started, stopped, killed and started again.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use domain::HumanDuration;
use domain::time::Zone;
use engine::{Bell, Callbacks, Dispatcher, Logs, Scheduler, Settings, TokenKey, tick};
use futures::FutureExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::alarm::{Bells, SimulatedAlarm};
use super::database::Database;
use super::dice::Dice;
use super::event::{Fate, Log, Who};
use super::executor::SimulatedExecutor;
use super::faulty_store::FaultyStore;
use super::process::Process;
use super::time::{NodeClock, TrueTime};
use super::traffic::Traffic;
use super::weather::Weather;
use super::wrong::{Bug, Wrong};
use testkit::MemoryStore;

/// What all nodes share.
pub(crate) struct World {
    pub(crate) time: TrueTime,
    pub(crate) log: Log,
    pub(crate) memory: MemoryStore,
    pub(crate) database: Arc<Database>,
    pub(crate) weather: Arc<Weather>,
    pub(crate) bells: Bells,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) lease: HumanDuration,
    pub(crate) grace: Duration,
    /// How many calls in a thousand targets answer well.
    pub(crate) reliability: u64,
    pub(crate) dice: Dice,
    pub(crate) wrong: Wrong,
}

/// A running process.
pub(crate) struct Node {
    pub(crate) process: Arc<Process>,
    pub(crate) scheduler: Scheduler,
    shutdown: CancellationToken,
    serving: Mutex<Option<JoinHandle<()>>>,
}

/// All nodes; those that are down are `None`.
pub(crate) struct Cluster {
    pub(crate) world: Arc<World>,
    nodes: Mutex<Vec<Slot>>,
}

#[derive(Default)]
struct Slot {
    lives: usize,
    node: Option<Arc<Node>>,
}

impl Cluster {
    pub(crate) fn new(world: Arc<World>, nodes: usize) -> Self {
        let slots = (0..nodes).map(|_| Slot::default()).collect();
        let cluster = Self { world, nodes: Mutex::new(slots) };
        for node in 0..nodes {
            cluster.start(node);
        }
        cluster
    }

    /// Starts a node that is down.
    pub(crate) fn start(&self, node: usize) {
        let mut slots = self.lock();
        let slot = &mut slots[node];
        if slot.node.is_none() {
            slot.node = Some(Arc::new(Node::start(&self.world, Who::Node { node, life: slot.lives }, node)));
            slot.lives += 1;
        }
    }

    /// The node, if it is up.
    pub(crate) fn node(&self, node: usize) -> Option<Arc<Node>> {
        self.lock()[node].node.clone()
    }

    /// All nodes that are up.
    pub(crate) fn up(&self) -> Vec<Arc<Node>> {
        self.lock().iter().filter_map(|slot| slot.node.clone()).collect()
    }

    pub(crate) fn size(&self) -> usize {
        self.lock().len()
    }

    /// SIGKILL: nothing of the process is ever seen again, except for what it had sent already.
    pub(crate) fn kill(&self, node: usize) {
        let Some(killed) = self.take_down(node) else { return };
        killed.process.gate.kill();
        if let Some(serving) = killed.serving().take() {
            serving.abort();
        }
        killed.process.note(Fate::Killed);
    }

    /// SIGTERM: returns when the process has ended by itself.
    pub(crate) async fn shut_down(&self, node: usize) {
        let Some(leaving) = self.node(node) else { return };
        leaving.process.note(Fate::Leaving);
        leaving.shutdown.cancel();
        let serving = leaving.serving().take();
        if let Some(serving) = serving {
            // Killed meanwhile, it has ended as well.
            let _ = serving.await;
        }
        leaving.process.gate.kill();
        if self.node(node).is_some_and(|node| Arc::ptr_eq(&node, &leaving)) {
            self.take_down(node);
            leaving.process.note(Fate::Left);
        }
    }

    /// Mends everything: stopped nodes go on, those that are down or stuck are started anew.
    pub(crate) fn heal(&self) {
        for index in 0..self.size() {
            let sound = self.node(index).is_some_and(|node| {
                if node.process.gate.is_stopped() {
                    node.go_on(false);
                }
                node.process.come_back();
                node.read_clock(TimeDelta::milliseconds(2));
                !node.process.is_hung() && node.is_serving()
            });
            if !sound {
                self.kill(index);
                self.start(index);
            }
        }
    }

    fn take_down(&self, node: usize) -> Option<Arc<Node>> {
        self.world.bells.hang(node, None);
        self.lock()[node].node.take()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    fn start(world: &World, who: Who, index: usize) -> Self {
        let dice = &world.dice;
        let lag = if world.weather.is_calm() { 2 } else { dice.number(0..=60) };
        let ahead = if world.wrong.is(Bug::ClockAhead) { -2_000 } else { 0 };
        let lag = TimeDelta::milliseconds(ahead + i64::try_from(lag).unwrap_or(0));
        let clock = NodeClock::new(world.time, lag);
        let process = Arc::new(Process::new(who, clock, world.weather.clone(), world.log.clone()));
        let store = Arc::new(FaultyStore::new(
            world.database.clone(),
            process.clone(),
            dice.fork(),
            world.traffic.clone(),
            world.wrong.clone(),
        ));
        let alarm = Arc::new(SimulatedAlarm::new(world.bells.clone(), process.clone(), dice.fork()));
        let executor = Arc::new(SimulatedExecutor::new(process.clone(), dice.fork(), world.reliability));
        let entropy = Arc::new(dice.fork());
        let bell = Bell::default();
        world.bells.hang(index, Some(bell.clone()));
        let scheduler = Scheduler::new(
            store.clone(),
            store.clone(),
            process.clock.clone(),
            alarm.clone(),
            entropy.clone(),
            Zone::default(),
        );
        let concurrency = dice.pick(&[2, 4, 8, 16, 32]);
        let settings = Settings { worker: who.to_string(), lease: world.lease, concurrency };
        // No target of the simulation reports or writes a log.
        let memory = Arc::new(MemoryStore::new());
        let logs = Logs::new(memory.clone(), process.clock.clone());
        let callbacks = Callbacks::new(
            store.clone(),
            memory,
            logs.clone(),
            process.clock.clone(),
            alarm.clone(),
            TokenKey::derived(b"simulation"),
        );
        let clock = process.clock.clone();
        let dispatcher = Arc::new(Dispatcher::new(store, clock, alarm, executor, logs, callbacks, settings));
        let shutdown = CancellationToken::new();
        let serve = tick::serve(dispatcher, bell, entropy, shutdown.clone(), world.grace);
        process.note(Fate::Started { concurrency });
        let watched = process.clone();
        let serving = tokio::spawn(async move {
            if AssertUnwindSafe(serve).catch_unwind().await.is_err() {
                watched.note(Fate::Panicked);
            }
        });
        Self { process, scheduler, shutdown, serving: Mutex::new(Some(serving)) }
    }

    /// SIGSTOP, or the machine is suspended.
    pub(crate) fn stop(&self) {
        self.process.clock.stop();
        self.process.gate.stop();
        self.process.note(Fate::Stopped);
    }

    /// SIGCONT, or the machine wakes up.
    pub(crate) fn go_on(&self, suspended: bool) {
        self.process.clock.go_on(suspended);
        self.process.note(Fate::Lags(self.process.clock.lag()));
        self.process.note(Fate::WentOn);
        self.process.gate.go_on();
    }

    /// Its clock is read, by an answer that took so long.
    pub(crate) fn read_clock(&self, lag: TimeDelta) {
        self.process.clock.read(lag);
        self.process.note(Fate::Lags(lag));
    }

    /// Whether its loops are running, as far as they were not told to end.
    fn is_serving(&self) -> bool {
        self.serving().as_ref().is_some_and(|serving| !serving.is_finished())
    }

    fn serving(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
