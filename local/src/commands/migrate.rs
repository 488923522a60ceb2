//! `scheduler migrate`: brings the database's schema up to date, or says how far it is.

use std::process::ExitCode;

use anyhow::Context;
use sql::Database;

use super::config::without_password;
use crate::config::Config;

pub(crate) async fn run(config: &Config, only_status: bool) -> anyhow::Result<ExitCode> {
    let place = without_password(&config.database_url);
    let database = Database::connect(&config.database_url).await.with_context(|| place.clone())?;
    if only_status {
        let migrations = database.migrations().await.with_context(|| place.clone())?;
        let mut pending = false;
        for migration in migrations {
            pending |= !migration.applied;
            let state = if migration.applied { "applied" } else { "pending" };
            println!("{:>4}  {state}  {}", migration.version, migration.description);
        }
        return Ok(if pending { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    let applied = database.migrate().await.with_context(|| place.clone())?;
    if applied.is_empty() {
        println!("{place} is up to date");
    }
    for migration in applied {
        println!("applied {} {}", migration.version, migration.description);
    }
    database.close().await;
    Ok(ExitCode::SUCCESS)
}
