//! From the driver's errors to the port's.

use engine::StoreError;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

/// What a failed statement means to the caller.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(cause) if is_name_taken(cause.as_ref()) => StoreError::NameTaken,
        sqlx::Error::Database(cause) if is_passing(cause.as_ref()) => {
            StoreError::Unavailable(Box::new(error))
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => StoreError::Unavailable(Box::new(error)),
        _ => StoreError::Failed(Box::new(error)),
    }
}

fn is_name_taken(error: &dyn DatabaseError) -> bool {
    error.is_unique_violation()
        && (error.constraint() == Some("jobs_project_name_key")
            || error.message().ends_with("jobs.project, jobs.name"))
}

/// Whether the same statement may succeed later, though nobody changes anything.
fn is_passing(error: &dyn DatabaseError) -> bool {
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        // Connection lost; deadlock or serialisation; out of resources, also of connections; shutting down or
        // starting up; a time limit of ours; a standby that has not been promoted yet.
        let code = error.code();
        return ["08", "40", "53", "57P"].iter().any(|class| code.starts_with(class))
            || ["57014", "55P03", "25P03", "25006"].contains(&code);
    }
    if error.try_downcast_ref::<SqliteError>().is_some() {
        // BUSY, LOCKED, IOERR, FULL and CANTOPEN; the bits above the lowest eight give details.
        let code = error.code().and_then(|code| code.parse::<u32>().ok());
        return code.is_some_and(|code| [5, 6, 10, 13, 14].contains(&(code & 0xff)));
    }
    false
}
