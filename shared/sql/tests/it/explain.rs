//! The plans of hot statements, on tables new, empty and full.
//!
//! Only the price of a plan shows from outside, and only on large tables. So the server is asked for the plans of
//! the statements that the store really sends, over its own connections: `auto_explain` sends them as notices.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::fire;
use domain::run::Lease;
use engine::{DueJob, Settled, Store};
use sql::PostgresStore;
use sqlx::Executor;
use sqlx::postgres::PgConnectOptions;
use testkit::{at, job};

use crate::recorder::Recorder;
use crate::support::PgDatabase;

const NOW: &str = "2026-11-24T00:01:00Z";

/// Each hot statement, and the words its plan must hold.
const PLANS: [(&str, &[&str]); 9] = [
    ("claim_due", &["Index Scan using job_state_due_idx", "Index Cond: (next_fire_at <="]),
    ("due_definitions", &["Index Scan using jobs_pkey"]),
    ("load_definitions", &["Index Scan using jobs_pkey", "Index Scan using job_state_pkey"]),
    (
        "count_active",
        &[
            "runs_active_idx",
            "Index Cond: (job_id = k.job_id)",
            "runs_job_idx",
            "Index Cond: ((job_id = k.job_id) AND (id >= k.open_from))",
        ],
    ),
    ("advance", &["Index Scan using job_state_pkey", "Index Cond: (job_id = ANY"]),
    ("renew", &["Index Scan using runs_pkey", "Index Cond: (id = ANY"]),
    ("commit_settled", &["Index Scan using runs_pkey", "Index Cond: (id = ANY"]),
    ("dissolve_leases", &["leases_until_idx", "Index Scan using runs_pkey", "Index Cond: (id = ANY"]),
    ("lease_runs", &["Index Scan using runs_due_idx", "Index Scan using runs_pkey", "Index Cond: (id = ANY"]),
];

/// What requests ask of large tables; small ones are read as the planner likes.
const GROWN: [(&str, &[&str]); 1] = [("count_due", &["job_state_due_idx", "Index Cond: ((next_fire_at >="])];

/// The same once the planner knows how large they are: it stops at the limit.
const FULL: [(&str, &[&str]); 1] =
    [("count_due", &["Index Only Scan using job_state_due_idx", "Index Cond: ((next_fire_at >="])];

#[tokio::test]
async fn plans_are_right_on_tables_new_empty_and_full() {
    for mode in ["force_generic_plan", "force_custom_plan"] {
        let Some(database) = PgDatabase::new().await else { return };
        let options = database.guard.options.clone().options([
            ("session_preload_libraries", "auto_explain"),
            ("auto_explain.log_min_duration", "0"),
            ("client_min_messages", "log"),
            ("plan_cache_mode", mode),
        ]);
        let store = PostgresStore::connect_with(options.clone());
        let recorder = Recorder::start();
        check(&format!("{mode}, new"), &PLANS, &plans(&store, &options, &recorder, 5).await);
        database.raw.execute("TRUNCATE jobs, job_state, runs, leases, slots").await.unwrap();
        database.raw.execute("ANALYZE").await.unwrap();
        check(&format!("{mode}, empty"), &PLANS, &plans(&store, &options, &recorder, 5).await);
        fill(&database).await;
        let grown = plans(&store, &options, &recorder, 500).await;
        check(&format!("{mode}, grown"), &PLANS, &grown);
        check(&format!("{mode}, grown"), &GROWN, &grown);
        database.raw.execute("ANALYZE").await.unwrap();
        let full = plans(&store, &options, &recorder, 500).await;
        check(&format!("{mode}, full"), &PLANS, &full);
        check(&format!("{mode}, full"), &FULL, &full);
    }
}

fn check(when: &str, expected: &[(&str, &[&str])], plans: &[String]) {
    for (name, words) in expected {
        let named = format!("-- {name}\n");
        let plan = plans.iter().find(|plan| plan.contains(&named));
        let plan = plan.unwrap_or_else(|| panic!("{when}: no plan of {name}"));
        for word in *words {
            assert!(plan.contains(word), "{when}: {name} does not use {word}:\n{plan}");
        }
        for word in ["Seq Scan", "Hash Join", "Merge Join"] {
            assert!(!plan.contains(word), "{when}: {name} uses a {word}:\n{plan}");
        }
    }
}

/// Sends every hot statement, for `limit` rows.
async fn plans(
    store: &PostgresStore,
    options: &PgConnectOptions,
    recorder: &Recorder,
    limit: u32,
) -> Vec<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    for _ in 0..5 {
        let name = format!("another-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        store.insert_job(&job(&name).once(NOW).build()).await.unwrap();
    }
    recorder.notices();
    store.count_due(at(NOW), at("2026-11-25T00:00:00Z"), limit).await.unwrap();
    let lease = Lease { worker: "w".to_owned(), until: at("2026-11-24T00:01:30Z") };
    let mut decide =
        |due: DueJob| fire(&due.job.unwrap(), due.next_fire_at, at(NOW), due.active, due.runs_started);
    assert!(!store.fire_due(at(NOW), limit, &mut decide).await.unwrap().is_empty());
    // Another process, which has not read the definitions yet.
    let other = PostgresStore::connect_with(options.clone());
    let leased = other.lease_runs(at(NOW), &lease, limit).await.unwrap();
    let held: Vec<_> = leased.iter().map(|leased| (leased.run.id, leased.run.token)).collect();
    store.renew(&held, lease.until).await.unwrap();
    let settled: Vec<_> =
        leased.into_iter().map(|leased| Settled { token: leased.run.token, run: leased.run }).collect();
    assert!(store.commit_settled(&settled).await.unwrap().iter().all(|written| *written));
    recorder.notices()
}

/// 20 000 jobs and three runs of each: due, waiting for later, finished.
async fn fill(database: &PgDatabase) {
    for statement in [
        "CREATE TABLE many AS SELECT gen_random_uuid() AS id, j.project, number::text AS name, j.labels, j.document
         FROM (SELECT * FROM jobs LIMIT 1) AS j, generate_series(1, 20000) AS number",
        "INSERT INTO jobs SELECT id, project, name, name, labels, document, now(), now() FROM many",
        "INSERT INTO job_state SELECT id, 1, 0, '2026-11-24T00:01:00Z' FROM many",
        "INSERT INTO runs SELECT gen_random_uuid(), m.project, m.id, 0, r.status, now(), r.due_at, NULL, 0, NULL, false,
            now(), r.finished_at, '{\"v\":1,\"job_name\":\"x\"}'
         FROM many AS m, (VALUES
            (0, '2026-11-24T00:01:00Z'::timestamptz, NULL::timestamptz),
            (0, '2026-11-25T00:01:00Z', NULL),
            (2, NULL, '2026-11-24T00:01:00Z')
         ) AS r (status, due_at, finished_at)",
        "DROP TABLE many",
    ] {
        database.raw.execute(statement).await.unwrap();
    }
}
