//! Faults on real processes, under load: what they did is judged from outside, see [`judge`].
//!
//! Every scenario takes `CHAOS_SECONDS` (15 by default); `make chaos` takes longer.

mod judge;
mod network;
mod receiver;
mod world;

use std::process::Command;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use rand::{Rng, SeedableRng};

use self::judge::{Verdict, judge};
use self::network::Namespace;
use self::world::{ENVIRONMENT, LEASE, World};
use super::cluster::{Cluster, fresh_database};
use super::service::{Options, Service, free_port, wall_clock};

#[expect(clippy::disallowed_methods, reason = "how long to test is for whoever runs the test to say")]
fn seconds() -> Duration {
    let given = std::env::var("CHAOS_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(given.unwrap_or(15))
}

/// Ends the scenario and judges it.
async fn verdict(scenario: &str, world: &mut World<'_>) -> Verdict {
    let (jobs, runs) = world.settle().await;
    let verdict = judge(&jobs, &runs, &world.receiver.calls());
    println!(
        "{scenario}: {} occurrences, {} executed, {} calls, {} attempts taken over, each within {} ms of its start",
        verdict.occurrences,
        verdict.executed,
        verdict.calls,
        verdict.abandoned,
        verdict.takeover.num_milliseconds(),
    );
    assert!(verdict.executed > 0);
    verdict
}

/// Bug classes 1 and 4: a random replica dies every two seconds, and its runs are taken over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn class_1_and_4_replicas_killed_every_two_seconds_lose_and_double_nothing() {
    let Some(database) = fresh_database("killed").await else { return };
    let _alone = crate::MACHINE.write().await;
    let directory = tempfile::tempdir().unwrap();
    let mut world = World::start(3, &database, directory.path()).await;
    world.create_jobs("127.0.0.1").await;
    let mut random = rand::rngs::SmallRng::seed_from_u64(1);
    let began = Instant::now();
    while began.elapsed() < seconds() {
        tokio::time::sleep(Duration::from_secs(2)).await;
        world.replace(random.random_range(0..3));
    }
    let verdict = verdict("kill -9 every 2 s", &mut world).await;
    assert!(verdict.abandoned > 0, "no run was under way when its worker died");
    let most = TimeDelta::from_std(LEASE + Duration::from_secs(10)).unwrap();
    assert!(verdict.takeover <= most, "taken over only after {}", verdict.takeover);
}

/// Bug classes 2 and 3: a worker stopped for longer than its lease comes back and finds its runs taken over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn class_2_and_3_a_worker_frozen_past_its_lease_writes_nothing_when_it_wakes() {
    let Some(database) = fresh_database("frozen").await else { return };
    let _alone = crate::MACHINE.write().await;
    let directory = tempfile::tempdir().unwrap();
    let mut world = World::start(2, &database, directory.path()).await;
    world.create_jobs("127.0.0.1").await;
    let began = Instant::now();
    while began.elapsed() < seconds() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.replicas[1].signal("STOP");
        tokio::time::sleep(2 * LEASE + Duration::from_secs(1)).await;
        world.replicas[1].signal("CONT");
    }
    let verdict = verdict("SIGSTOP past the lease", &mut world).await;
    assert!(verdict.abandoned > 0, "no run was under way when its worker was stopped");
}

/// Bug class 16: the database crashes and comes back, again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn class_16_a_database_that_crashes_under_load_loses_nothing() {
    let Some(cluster) = Cluster::start() else { return };
    let _alone = crate::MACHINE.write().await;
    let (database, directory) = (cluster.url(), tempfile::tempdir().unwrap());
    let mut world = World::start(2, &database, directory.path()).await;
    world.create_jobs("127.0.0.1").await;
    let began = Instant::now();
    while began.elapsed() < seconds() {
        tokio::time::sleep(Duration::from_secs(3)).await;
        cluster.down();
        cluster.up();
    }
    verdict("PostgreSQL crashes every 3 s", &mut world).await;
}

/// Bug class 15: the wall clock of one replica jumps an hour ahead and back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn class_15_a_replica_whose_clock_jumps_an_hour_fires_nothing_early_or_twice() {
    let Some(database) = fresh_database("skewed").await else { return };
    let _alone = crate::MACHINE.write().await;
    let directory = tempfile::tempdir().unwrap();
    let clock = directory.path().join("clock");
    let set = |jump: &str| std::fs::write(&clock, jump).unwrap();
    let faketime = [
        ("LD_PRELOAD", "/usr/$LIB/faketime/libfaketimeMT.so.1"),
        ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    set("+3600");
    let shown = Command::new("date").arg("+%s").envs(faketime).output().unwrap().stdout;
    let shown: i64 = String::from_utf8(shown).unwrap().trim().parse().unwrap();
    assert!(
        wall_clock().timestamp() + 3_000 < shown,
        "libfaketime is not installed: apt-get install faketime"
    );
    set("+0");
    let mut world = World::start(1, &database, directory.path()).await;
    let environment: Vec<_> = ENVIRONMENT.into_iter().chain(faketime).collect();
    let options = Options { environment: &environment, ..world.options() };
    world.replicas.push(Service::start(options).await);
    world.create_jobs("127.0.0.1").await;
    let began = Instant::now();
    for jump in ["+3600", "-3600", "+0"].iter().cycle() {
        if began.elapsed() >= seconds() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        set(jump);
    }
    verdict("the clock of one replica jumps by ±1 h", &mut world).await;
}

/// Bug classes 2 and 16: one replica loses its network to the database, and nobody closes its connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn class_2_and_16_a_replica_cut_off_from_the_database_stops_in_time_and_comes_back() {
    let Some(cluster) = Cluster::open_to(Some(network::NETWORK)) else { return };
    let Some(namespace) = Namespace::new() else { return };
    let _alone = crate::MACHINE.write().await;
    let (database, directory) = (cluster.url(), tempfile::tempdir().unwrap());
    let mut world = World::start(1, &database, directory.path()).await;
    let far = cluster.url_at(network::DATABASE);
    let cut_off =
        Service::spawn_in(&namespace.exec(), free_port(), &Options { database: &far, ..world.options() });
    cut_off.wait_until_it_says_so().await;
    world.replicas.push(cut_off);
    world.create_jobs(network::MACHINE).await;
    let began = Instant::now();
    while began.elapsed() < seconds() {
        tokio::time::sleep(Duration::from_secs(2)).await;
        namespace.cut(true);
        tokio::time::sleep(2 * LEASE + Duration::from_secs(1)).await;
        namespace.cut(false);
    }
    let verdict = verdict("cut off from the database past the lease", &mut world).await;
    assert!(verdict.abandoned > 0, "no run was under way when its worker was cut off");
}
