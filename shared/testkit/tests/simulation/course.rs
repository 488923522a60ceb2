//! The course of one run: a cluster is set up, haunted, healed, and brought to rest.

use std::sync::Arc;
use std::time::Duration;

use domain::{HumanDuration, JobState};
use tokio::time::sleep;

use super::alarm::Bells;
use super::database::Database;
use super::dice::Dice;
use super::event::{Event, Log, Request, Who};
use super::history::History;
use super::nemesis::Nemesis;
use super::node::{Cluster, World};
use super::time::TrueTime;
use super::users::Users;
use super::weather::Weather;
use super::wrong::{Bug, Wrong};
use testkit::{MemoryStore, at};

/// Where runs begin: an ordinary day, and a minute before clocks change in Paris.
const STARTS: [&str; 2] = ["2026-11-24T00:00:00Z", "2026-10-25T00:59:00Z"];

/// Longer than the pause between two looks, so that whatever is due has been noticed.
const LOOKED: Duration = Duration::from_secs(7);
/// However much is left at the end: a node that works has finished it by then.
const FINISHED: u32 = 900;

/// Runs `seed`, with a bug planted or without, and tells what happened.
pub(crate) fn run(seed: u64, bug: Option<Bug>) -> History {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without input and output always starts")
        .block_on(course(seed, bug))
}

async fn course(seed: u64, bug: Option<Bug>) -> History {
    let dice = Dice::new(seed);
    let lease = HumanDuration::from_secs(dice.pick(&[6, 10, 15, 30]));
    let cluster = Arc::new(Cluster::new(Arc::new(world(&dice, lease, bug)), dice.pick(&[2, 2, 3, 4])));
    let world = cluster.world.clone();
    let users = Arc::new(Users::new(cluster.clone()));

    let mut haunting = tokio::task::JoinSet::new();
    let pace = dice.pick(&[2_000, 5_000, 12_000]);
    for user in 0..=dice.index(2) {
        let (users, dice) = (users.clone(), dice.fork());
        haunting.spawn(async move { users.go_on(user, &dice, pace).await });
    }
    let nemesis = Arc::new(Nemesis::forecast(&dice, lease.as_millis()));
    for node in 0..cluster.size() {
        let (nemesis, cluster, dice) = (nemesis.clone(), cluster.clone(), dice.fork());
        haunting.spawn(async move { nemesis.haunt(&cluster, node, &dice).await });
    }
    if dice.chance(200) {
        let (nemesis, cluster, dice) = (nemesis.clone(), cluster.clone(), dice.fork());
        haunting.spawn(async move { nemesis.black_out(&cluster, &dice).await });
    }
    sleep(dice.millis(40_000..=110_000)).await;

    haunting.shutdown().await;
    world.weather.clear_up();
    cluster.heal();
    world.log.note(Who::World, Event::Healed);
    while !world.traffic.flows() {
        sleep(Duration::from_secs(1)).await;
    }
    sleep(LOOKED).await;
    come_to_rest(&cluster, &users, &dice).await;
    History::new(&world)
}

fn world(dice: &Dice, lease: HumanDuration, bug: Option<Bug>) -> World {
    let time = TrueTime::starting_at(at(dice.pick(&STARTS)));
    let memory = MemoryStore::new();
    let log = Log::new(time);
    let wrong = Wrong::with(bug);
    World {
        time,
        database: Arc::new(Database::new(memory.clone(), wrong.clone(), log.clone())),
        memory,
        log,
        weather: Arc::new(Weather::forecast(dice, lease.to_std())),
        bells: Bells::default(),
        traffic: Arc::default(),
        lease,
        grace: dice.millis(0..=5_000),
        reliability: dice.pick(&[300, 700, 950, 1_000]),
        dice: dice.fork(),
        wrong,
    }
}

/// Ends all pauses, lets everything fire that is due, pauses everything, and waits for the runs that are left.
async fn come_to_rest(cluster: &Cluster, users: &Users, dice: &Dice) {
    let world = &cluster.world;
    for (state, change) in
        [(JobState::Paused, Request::Resume as fn(_) -> _), (JobState::Active, Request::Pause as fn(_) -> _)]
    {
        for job in History::jobs_of(world).into_iter().filter(|job| job.state == state) {
            let nodes = cluster.up();
            let node = &nodes[dice.index(nodes.len())];
            users.ask(Who::World, node, change(job.id), dice).await;
        }
        sleep(LOOKED).await;
    }
    for _ in 0..FINISHED {
        if world.memory.all_runs().iter().all(|run| run.status.is_finished()) {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    for node in 0..cluster.size() {
        cluster.shut_down(node).await;
    }
}
