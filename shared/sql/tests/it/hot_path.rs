//! What a run costs the server: statements, transactions, and how much of the table each outcome writes anew.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{HumanDuration, Outcome, RunStatus, Target, Verdict};
use engine::{Bell, Call, Callbacks, Dispatcher, Executor, LocalAlarm, Logs, Settings, Store, TokenKey};
use sql::PostgresStore;
use sqlx::PgPool;
use testkit::{ManualClock, at, job};
use tokio_util::sync::CancellationToken;

use crate::recorder::Recorder;
use crate::support::PgDatabase;

const RUNS: usize = 1_200;
const DUE: &str = "2026-11-24T00:01:00Z";

/// A target that is called and answers at once.
struct Answers;

#[async_trait]
impl Executor for Answers {
    async fn execute(&self, _: &Call, _: CancellationToken) -> Outcome {
        tokio::task::yield_now().await;
        Verdict::Succeeded.into()
    }

    fn ends_at_once(&self, _: &Target) -> bool {
        true
    }
}

/// More than a batch: what is done for each run is done in statements for all of them, and completing a run
/// leaves the indexes alone.
#[tokio::test]
async fn a_run_costs_a_part_of_a_statement_and_its_outcome_no_index() {
    let Some(database) = PgDatabase::new().await else { return };
    let other = PostgresStore::connect_with(database.guard.options.clone());
    for index in 0..RUNS {
        other.insert_job(&job(&format!("job-{index}")).once(DUE).build()).await.unwrap();
    }
    other.close().await;
    let runs = i64::try_from(RUNS).unwrap();
    let before = counted(&database.raw, TRANSACTIONS, runs).await;

    let store = Arc::new(database.store.clone());
    let clock = Arc::new(ManualClock::new(at(DUE)));
    let alarm = Arc::new(LocalAlarm::new(Bell::default(), clock.clone()));
    let settings = Settings { worker: "w".to_owned(), lease: HumanDuration::from_secs(30), concurrency: 256 };
    let logs = Logs::new(store.clone(), clock.clone());
    let key = TokenKey::derived(b"test");
    let callbacks =
        Callbacks::new(store.clone(), store.clone(), logs.clone(), clock.clone(), alarm.clone(), key);
    let dispatcher =
        Dispatcher::new(store.clone(), clock, alarm, Arc::new(Answers), logs, callbacks, settings);

    let recorder = Recorder::start();
    while dispatcher.look().await.unwrap().more {
        dispatcher.wait_for_room(Duration::from_secs(5)).await;
    }
    while store.next_due().await.unwrap().is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut statements = recorder.statements();
    statements.retain(|name| name != "next_due");
    let count = |name: &str| statements.iter().filter(|it| *it == name).count();
    assert!(count("advance") <= 4, "{statements:?}");
    // How many outcomes have gathered when they are written is a matter of time.
    assert!(statements.len() < RUNS / 10, "{} statements for {RUNS} runs: {statements:?}", statements.len());

    let succeeded = "SELECT count(*) FROM runs WHERE status = $1";
    let succeeded: i64 = sqlx::query_scalar(succeeded)
        .bind(RunStatus::Succeeded as i16)
        .fetch_one(&database.raw)
        .await
        .unwrap();
    assert_eq!(succeeded, runs);
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM leases").fetch_one(&database.raw).await.unwrap();
    assert_eq!(left, 0, "leases end with their runs");

    // Connections tell what they have done when they end.
    drop(dispatcher);
    store.close().await;
    let updated = counted(&database.raw, UPDATES, runs).await;
    assert_eq!(updated, runs, "each run is updated once");
    let in_place = counted(&database.raw, UPDATES_IN_PLACE, 0).await;
    assert!(in_place * 100 >= updated * 80, "{in_place} of {updated} outcomes left the indexes alone");
    let transactions = counted(&database.raw, TRANSACTIONS, 0).await - before;
    assert!(transactions < runs / 2, "{transactions} transactions for {RUNS} runs");
}

const TRANSACTIONS: &str = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";

const UPDATES: &str = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'runs'";
const UPDATES_IN_PLACE: &str = "SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'runs'";

/// What the server has counted, once that is at least so much: connections report a little later than they act.
async fn counted(pool: &PgPool, query: &'static str, at_least: i64) -> i64 {
    for _ in 0..200 {
        let count = sqlx::query_scalar(query).fetch_one(pool).await.unwrap();
        if at_least <= count {
            return count;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{query}: never as many as {at_least}");
}

/// Another process ends the runs, or the one that fired them forgets: the lease runs out, and nothing comes of it.
#[tokio::test]
async fn a_lease_that_nobody_ends_runs_out_without_harm() {
    let Some(database) = PgDatabase::new().await else { return };
    let other = PostgresStore::connect_with(database.guard.options.clone());
    database.store.insert_job(&job("report").once(DUE).build()).await.unwrap();
    let until = at("2026-11-24T00:01:30Z");
    let lease = domain::run::Lease { worker: "w".to_owned(), until };
    let mut decide = |due: engine::DueJob| {
        let mut firing = domain::fire(&due.job.unwrap(), due.next_fire_at, at(DUE), due.active, 0);
        firing.runs = firing.runs.into_iter().map(|run| run.leased(&lease)).collect();
        firing
    };
    let firings = database.store.fire_due(at(DUE), 10, &mut decide).await.unwrap();
    let run = firings.into_iter().flat_map(|firing| firing.runs).next().unwrap();
    let ended = domain::settle::cancelled(&run, domain::Reason::Requested, at(DUE));
    let settled = engine::Settled { token: run.token, run: ended.clone() };
    assert_eq!(other.commit_settled(&[settled]).await.unwrap(), [true]);
    assert_eq!(other.next_due().await.unwrap(), Some(until), "it is looked at once more");
    assert!(other.lease_runs(until, &lease, 10).await.unwrap().is_empty());
    assert_eq!(other.next_due().await.unwrap(), None);
    assert_eq!(other.run("default", run.id).await.unwrap(), Some(ended));
}
