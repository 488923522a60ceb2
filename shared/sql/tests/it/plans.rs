//! That no hot statement reads a whole table, whatever the planner believes of its size.
//!
//! Specific to these stores: the contract cannot see a plan, only its price.

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};

use crate::support::{PgDatabase, SqliteFile};

/// The statements, taken from the program's own text by their names, with the settings of the hot pool and a plan
/// for any parameters: that is what a long-lived connection ends up with.
async fn plan(connection: &mut PgConnection, name: &str, arguments: &str) -> String {
    let statement = statement(include_str!("../../src/postgres/firing.rs"), name)
        .or_else(|| statement(include_str!("../../src/postgres/leasing.rs"), name))
        .unwrap_or_else(|| panic!("no statement is named {name}"));
    let prepare = format!("PREPARE hot AS {statement}");
    connection.execute(AssertSqlSafe(prepare)).await.unwrap();
    let explain = format!("EXPLAIN EXECUTE hot ({arguments})");
    let rows: Vec<PgRow> = sqlx::query(AssertSqlSafe(explain)).fetch_all(&mut *connection).await.unwrap();
    connection.execute("DEALLOCATE hot").await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}
