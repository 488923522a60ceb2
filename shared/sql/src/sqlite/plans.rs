//! That no hot statement reads a whole table. Most cannot: `INDEXED BY` makes another plan an error.

use sqlx::{AssertSqlSafe, Row};

use super::{SqliteStore, firing, leasing, listing, logs, runs};

#[tokio::test]
async fn hot_statements_look_up_keys() {
    let store = SqliteStore::open("sqlite::memory:").await.unwrap();
    store.migrate().await.unwrap();
    for (statement, searches) in [
        (firing::CLAIM_DUE, &["SEARCH job_state USING INDEX job_state_due_idx (next_fire_at<?)"][..]),
        (firing::COUNT_ACTIVE, &["SEARCH runs USING INDEX runs_active_idx (job_id=?)"]),
        (
            firing::LOAD_DEFINITIONS,
            &["SEARCH j USING INDEX sqlite_autoindex_jobs_1 (id=?)", "SEARCH s USING PRIMARY KEY (job_id=?)"],
        ),
        (firing::ADVANCE, &["SEARCH job_state USING PRIMARY KEY (job_id=?)"]),
        (
            firing::NEXT_DUE,
            &[
                "SEARCH job_state USING COVERING INDEX job_state_due_idx",
                "SEARCH runs USING COVERING INDEX runs_due_idx",
            ],
        ),
        (
            listing::COUNT_DUE,
            &["SEARCH job_state USING COVERING INDEX job_state_due_idx (next_fire_at>? AND next_fire_at<?)"],
        ),
        (leasing::CLAIM, &["SEARCH runs USING INDEX runs_due_idx (due_at<?)"]),
        (leasing::LEASE, &["sqlite_autoindex_runs_1 (id=?)"]),
        (leasing::RENEW, &["sqlite_autoindex_runs_1 (id=?)"]),
        (leasing::COMMIT, &["sqlite_autoindex_runs_1 (id=?)"]),
        (runs::FIND, &["sqlite_autoindex_runs_1 (id=?)"]),
        (logs::APPEND, &["SEARCH run_logs USING INDEX sqlite_autoindex_run_logs_1 (run_id=?)"]),
        (logs::READ, &["SEARCH run_logs USING INDEX sqlite_autoindex_run_logs_1 (run_id=? AND after_seq>?)"]),
    ] {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let rows = sqlx::query(explain).fetch_all(&store.writer).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        for search in searches {
            assert!(plan.iter().any(|step| step.contains(search)), "{statement}\n{plan:#?}");
        }
        for table in ["jobs", "job_state", "runs", "run_logs", "j", "s", "r"] {
            let scan = format!("SCAN {table}");
            assert!(!plan.contains(&scan), "{statement}\n{plan:#?}");
        }
    }
}
