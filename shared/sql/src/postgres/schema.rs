//! Migrating, and noticing that it was not done.

use engine::StoreError;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::PostgresStore;
use crate::error::store_error;
use crate::schema::{Migration, check, compare, migrate_error};

static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/postgres");

const APPLIED: &str = "-- applied_migrations
SELECT version FROM _sqlx_migrations WHERE success";

/// `undefined_table`: nobody has ever migrated.
const NO_SUCH_TABLE: &str = "42P01";

impl PostgresStore {
    /// Brings the schema up to date; returns what was done. Of several processes one works and the others wait.
    pub async fn migrate(&self) -> Result<Vec<Migration>, StoreError> {
        let before = self.migrations().await?;
        if before.iter().all(|migration| migration.applied) {
            return Ok(Vec::new());
        }
        let mut connection = self.patient().connect().await.map_err(store_error)?;
        let migrator =
            Migrator { ignore_missing: true, migrations: MIGRATOR.migrations.clone(), ..Migrator::DEFAULT };
        migrator.run_direct(None, &mut connection, false).await.map_err(migrate_error)?;
        connection.close().await.map_err(store_error)?;
        let done = before.into_iter().filter(|migration| !migration.applied);
        Ok(done.map(|migration| Migration { applied: true, ..migration }).collect())
    }

    /// The program's migrations, and which of them the database has.
    pub async fn migrations(&self) -> Result<Vec<Migration>, StoreError> {
        Ok(compare(&MIGRATOR, &self.applied().await?))
    }

    pub(super) async fn check_schema(&self) -> Result<(), StoreError> {
        check(&MIGRATOR, &self.applied().await?)
    }

    async fn applied(&self) -> Result<Vec<i64>, StoreError> {
        let applied = sqlx::query_scalar(APPLIED).fetch_all(&self.pool).await;
        match applied {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NO_SUCH_TABLE) => {
                Ok(Vec::new())
            }
            applied => applied.map_err(store_error),
        }
    }

    /// For statements that may take as long as they need: an index is built over everything there is.
    fn patient(&self) -> PgConnectOptions {
        self.options
            .clone()
            .options([("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0")])
    }
}
