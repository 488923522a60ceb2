//! Migrations: which there are, which of them a database has.

use engine::StoreError;
use sqlx::migrate::{MigrateError, Migrator};

use crate::error::store_error;

/// A step of the schema's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its place in the order.
    pub version: i64,
    /// Its file's name, without the number.
    pub description: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// Why the schema does not fit the program.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The database lacks migrations.
    #[error("the schema is at version {found}, this program needs {needed}: run `scheduler migrate`")]
    TooOld {
        /// The newest migration the database has; 0 where it has none.
        found: i64,
        /// The newest migration the program has.
        needed: i64,
    },
    /// A migration could not be carried out, or the database has another one of its number.
    #[error("the schema could not be migrated")]
    Migrate(#[source] MigrateError),
}

/// The program's migrations beside those the database has.
pub(crate) fn compare(migrator: &Migrator, applied: &[i64]) -> Vec<Migration> {
    let known = migrator.iter().map(|migration| Migration {
        version: migration.version,
        description: migration.description.to_string(),
        applied: applied.contains(&migration.version),
    });
    known.collect()
}

/// That the database has all of the program's migrations. It may have more: while replicas are replaced one by
/// one, the older ones work on the newer schema.
pub(crate) fn check(migrator: &Migrator, applied: &[i64]) -> Result<(), StoreError> {
    let missing = migrator.iter().any(|migration| !applied.contains(&migration.version));
    if missing {
        let found = applied.iter().copied().max().unwrap_or(0);
        let needed = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
        return Err(StoreError::Failed(Box::new(SchemaError::TooOld { found, needed })));
    }
    Ok(())
}

/// What a failed migration means to the caller.
pub(crate) fn migrate_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) => store_error(error),
        MigrateError::ExecuteMigration(error, version) => match store_error(error) {
            StoreError::Unavailable(cause) => StoreError::Unavailable(cause),
            StoreError::Failed(cause) => {
                tracing::error!(migration.version = version, error = %cause, "a migration failed");
                StoreError::Failed(cause)
            }
            StoreError::NameTaken => StoreError::NameTaken,
        },
        error => StoreError::Failed(Box::new(SchemaError::Migrate(error))),
    }
}
