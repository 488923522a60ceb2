//! What is told of jobs and runs: written by whoever changes them, in the same transaction.

use async_trait::async_trait;
use domain::{Instant, JobId, RunId};
use engine::bell::Ear;
use engine::{Deed, Entry, Events, Place, StoreError, Telling};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::{SqliteStore, batch};
use crate::error::store_error;
use crate::numbers::to_i64;

const TELL: &str = "-- tell
INSERT INTO events (deed, entries) VALUES ($1, $2)";

/// Tells of these jobs and runs, if there are any.
pub(super) async fn tell(
    connection: &mut SqliteConnection,
    deed: Deed,
    entries: Vec<Entry>,
) -> sqlx::Result<()> {
    if !entries.is_empty() {
        let entries = batch::rows(entries.into_iter().map(Kept::from));
        sqlx::query(TELL).bind(deed as i16).bind(entries).execute(connection).await?;
    }
    Ok(())
}

/// An entry as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept(String, Uuid, Option<Uuid>, i16);

impl From<Entry> for Kept {
    fn from(entry: Entry) -> Self {
        Self(entry.project, entry.job.0, entry.run.map(|run| run.0), entry.status)
    }
}

impl From<Kept> for Entry {
    fn from(Kept(project, job, run, status): Kept) -> Self {
        Self { project, job: JobId(job), run: run.map(RunId), status }
    }
}

pub(super) const LATEST: &str = "-- latest_event
SELECT max(seq) FROM events";

/// With the one at the place itself, which must be there; of that no more than is asked for.
pub(super) const READ: &str = "-- read_events
SELECT seq, deed, CASE WHEN seq > $1 OR $3 THEN entries END FROM events WHERE seq >= $1 ORDER BY seq LIMIT $2";

async fn read(pool: &SqlitePool, place: Place, own: bool, limit: u32) -> sqlx::Result<Option<Vec<Telling>>> {
    let rows = sqlx::query(READ)
        .bind(to_i64(place.seq))
        .bind(i64::from(limit) + i64::from(!own))
        .bind(own)
        .fetch_all(pool)
        .await?;
    let told = rows.iter().map(telling).collect::<sqlx::Result<Vec<_>>>()?;
    let there = place.transaction == 0 && told.first().is_some_and(|first| first.place == place);
    Ok(there.then(|| told.into_iter().skip(usize::from(!own)).collect()))
}

fn telling(row: &SqliteRow) -> sqlx::Result<Telling> {
    let place = Place { transaction: 0, seq: row.try_get::<i64, _>(0)?.unsigned_abs() };
    let entries: Option<String> = row.try_get(2)?;
    let entries: Vec<Kept> =
        serde_json::from_str(entries.as_deref().unwrap_or("[]")).unwrap_or_else(|error| {
            tracing::error!(%error, "an event cannot be read");
            Vec::new()
        });
    Ok(Telling { place, deed: row.try_get(1)?, entries: entries.into_iter().map(Entry::from).collect() })
}

/// From the front, up to the first that is to stay.
pub(super) const FORGET: &str = "-- purge_events
DELETE FROM events WHERE seq IN (
    SELECT seq FROM (
        SELECT seq, min(at < $1) OVER (ORDER BY seq) AS old FROM (SELECT seq, at FROM events ORDER BY seq LIMIT $2)
    ) WHERE old
) AND seq < (SELECT max(seq) FROM events)";

pub(super) async fn forget(pool: &SqlitePool, before: Instant, limit: u32) -> sqlx::Result<u64> {
    let query = sqlx::query(FORGET).bind(before.timestamp_millis()).bind(i64::from(limit));
    Ok(query.execute(pool).await?.rows_affected())
}

#[async_trait]
impl Events for SqliteStore {
    async fn latest(&self) -> Result<Option<Place>, StoreError> {
        let seq: Option<i64> =
            sqlx::query_scalar(LATEST).fetch_one(&self.readers).await.map_err(store_error)?;
        Ok(seq.map(|seq| Place { transaction: 0, seq: seq.unsigned_abs() }))
    }

    async fn events_after(
        &self,
        place: Place,
        own: bool,
        limit: u32,
    ) -> Result<Option<Vec<Telling>>, StoreError> {
        read(&self.readers, place, own, limit).await.map_err(store_error)
    }

    fn listen(&self) -> Ear {
        self.told.listen()
    }
}
