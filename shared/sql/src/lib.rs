//! The Store on PostgreSQL and on SQLite.
//!
//! Both modules say the same in two dialects: [`postgres`] leases with `SKIP LOCKED` on many connections,
//! [`sqlite`] with `BEGIN IMMEDIATE` on one. Rows and documents are made by `engine::record` alone, and no
//! statement here knows what a state or a policy means: what a due job becomes, the caller's closure says.
//!
//! Start at [`Database::connect`].

#[macro_use]
mod columns;

mod database;
mod definitions;
mod error;
mod known;
mod numbers;
pub mod postgres;
mod readable;
mod schema;
pub mod sqlite;

pub use database::{ConnectError, Connections, Database};
pub use postgres::PostgresStore;
pub use schema::{Migration, SchemaError};
pub use sqlite::SqliteStore;
