//! Migrating, and noticing that it was not done.

use engine::StoreError;
use sqlx::migrate::Migrator;

use super::SqliteStore;
use crate::error::store_error;
use crate::schema::{Migration, check, compare, migrate_error};

static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// Whether anybody has ever migrated.
const HAS_MIGRATIONS: &str = "-- has_migrations
SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations'";

const APPLIED: &str = "-- applied_migrations
SELECT version FROM _sqlx_migrations WHERE success";

impl SqliteStore {
    /// Brings the schema up to date; returns what was done. Of several processes one works and the others wait.
    pub async fn migrate(&self) -> Result<Vec<Migration>, StoreError> {
        let before = self.migrations().await?;
        if before.iter().all(|migration| migration.applied) {
            return Ok(Vec::new());
        }
        // The migrator takes no lock on SQLite, so all of it happens under the writer's.
        let mut tx = self.begin().await.map_err(store_error)?;
        let migrator =
            Migrator { ignore_missing: true, migrations: MIGRATOR.migrations.clone(), ..Migrator::DEFAULT };
        migrator.run_direct(None, &mut *tx, false).await.map_err(migrate_error)?;
        tx.commit().await.map_err(store_error)?;
        let done = before.into_iter().filter(|migration| !migration.applied);
        Ok(done.map(|migration| Migration { applied: true, ..migration }).collect())
    }

    /// The program's migrations, and which of them the database has.
    pub async fn migrations(&self) -> Result<Vec<Migration>, StoreError> {
        Ok(compare(&MIGRATOR, &self.applied().await.map_err(store_error)?))
    }

    pub(super) async fn check_schema(&self) -> Result<(), StoreError> {
        check(&MIGRATOR, &self.applied().await.map_err(store_error)?)
    }

    async fn applied(&self) -> sqlx::Result<Vec<i64>> {
        let tables: i64 = sqlx::query_scalar(HAS_MIGRATIONS).fetch_one(&self.readers).await?;
        if tables == 0 {
            return Ok(Vec::new());
        }
        sqlx::query_scalar(APPLIED).fetch_all(&self.readers).await
    }
}
