//! Calendars.

use async_trait::async_trait;
use domain::Calendar;
use engine::record::CalendarRecord;
use engine::{CalendarQuery, Calendars, Page, StoreError};
use sqlx::sqlite::SqlitePool;

use super::{SqliteStore, rows};
use crate::error::store_error;
use crate::readable;

const INSERT: &str = concat!(
    "-- insert_calendar
INSERT INTO calendars (",
    calendar_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (project, name) DO NOTHING"
);

const REPLACE: &str = "-- replace_calendar
UPDATE calendars SET version = $3, created_at = $4, updated_at = $5, document = $6
WHERE project = $1 AND name = $2 AND version = $3 - 1";

async fn put(pool: &SqlitePool, calendar: &Calendar) -> sqlx::Result<bool> {
    let record = CalendarRecord::from(calendar);
    let done = sqlx::query(if calendar.version == 1 { INSERT } else { REPLACE })
        .bind(record.project)
        .bind(record.name)
        .bind(record.version)
        .bind(record.created_at.timestamp_millis())
        .bind(record.updated_at.timestamp_millis())
        .bind(record.document.to_string())
        .execute(pool)
        .await?;
    Ok(done.rows_affected() == 1)
}

const FIND: &str = concat!(
    "-- find_calendar
SELECT ",
    calendar_columns!(),
    " FROM calendars WHERE project = $1 AND name = $2"
);

async fn find(pool: &SqlitePool, project: &str, name: &str) -> sqlx::Result<Option<Calendar>> {
    let row = sqlx::query(FIND).bind(project).bind(name).fetch_optional(pool).await?;
    row.as_ref().map(rows::calendar_record).transpose()?.map(readable::required).transpose()
}

const VERSION: &str = "-- calendar_version
SELECT version FROM calendars WHERE project = $1 AND name = $2";

async fn version(pool: &SqlitePool, project: &str, name: &str) -> sqlx::Result<u64> {
    let version: Option<i64> =
        sqlx::query_scalar(VERSION).bind(project).bind(name).fetch_optional(pool).await?;
    Ok(u64::try_from(version.unwrap_or(0)).unwrap_or(0))
}

const LIST: &str = concat!(
    "-- list_calendars
SELECT ",
    calendar_columns!(),
    " FROM calendars WHERE project = $1 AND name > $2 ORDER BY name LIMIT $3"
);

async fn list(pool: &SqlitePool, query: &CalendarQuery) -> sqlx::Result<Page<Calendar>> {
    let wanted = query.limit as usize + 1;
    let mut items = Vec::new();
    // Every name comes after the empty one.
    let mut after = query.after.clone().unwrap_or_default();
    // Again in place of those that cannot be read: a page that is not the last is full.
    loop {
        let missing = wanted - items.len();
        let rows = sqlx::query(LIST)
            .bind(&query.project)
            .bind(&after)
            .bind(i64::try_from(missing).unwrap_or(i64::MAX))
            .fetch_all(pool)
            .await?;
        let records = rows.iter().map(rows::calendar_record).collect::<sqlx::Result<Vec<_>>>()?;
        let no_more = records.len() < missing;
        if let Some(last) = records.last() {
            last.name.clone_into(&mut after);
        }
        items.extend(records.into_iter().filter_map(readable::listed));
        if no_more || items.len() == wanted {
            return Ok(Page::from_one_more(items, query.limit));
        }
    }
}

const DELETE: &str = "-- delete_calendar
DELETE FROM calendars WHERE project = $1 AND name = $2 AND version = $3";

async fn delete(pool: &SqlitePool, project: &str, name: &str, expected: u64) -> sqlx::Result<bool> {
    let expected = i64::try_from(expected).unwrap_or(i64::MAX);
    let done = sqlx::query(DELETE).bind(project).bind(name).bind(expected).execute(pool).await?;
    Ok(done.rows_affected() == 1)
}

#[async_trait]
impl Calendars for SqliteStore {
    async fn put_calendar(&self, calendar: &Calendar) -> Result<bool, StoreError> {
        put(&self.writer, calendar).await.map_err(store_error)
    }

    async fn calendar(&self, project: &str, name: &str) -> Result<Option<Calendar>, StoreError> {
        find(&self.readers, project, name).await.map_err(store_error)
    }

    async fn calendar_version(&self, project: &str, name: &str) -> Result<u64, StoreError> {
        version(&self.readers, project, name).await.map_err(store_error)
    }

    async fn calendars(&self, query: &CalendarQuery) -> Result<Page<Calendar>, StoreError> {
        list(&self.readers, query).await.map_err(store_error)
    }

    async fn delete_calendar(&self, project: &str, name: &str, expected: u64) -> Result<bool, StoreError> {
        delete(&self.writer, project, name, expected).await.map_err(store_error)
    }
}
