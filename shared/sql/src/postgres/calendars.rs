//! Calendars.

use async_trait::async_trait;
use domain::Calendar;
use engine::record::CalendarRecord;
use engine::{CalendarQuery, Calendars, Page, StoreError};
use sqlx::postgres::PgPool;

use super::{PostgresStore, answered, has_nul, rows};
use crate::readable;

const INSERT: &str = concat!(
    "-- insert_calendar
INSERT INTO calendars (",
    calendar_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6::json)
ON CONFLICT (project, name) DO NOTHING"
);

const REPLACE: &str = "-- replace_calendar
UPDATE calendars SET version = $3, created_at = $4, updated_at = $5, document = $6::json
WHERE project = $1 AND name = $2 AND version = $3 - 1";

async fn put(pool: &PgPool, calendar: &Calendar) -> sqlx::Result<bool> {
    let record = CalendarRecord::from(calendar);
    let done = sqlx::query(if calendar.version == 1 { INSERT } else { REPLACE })
        .bind(record.project)
        .bind(record.name)
        .bind(record.version)
        .bind(record.created_at)
        .bind(record.updated_at)
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

async fn find(pool: &PgPool, project: &str, name: &str) -> sqlx::Result<Option<Calendar>> {
    if has_nul(project) || has_nul(name) {
        return Ok(None);
    }
    let row = sqlx::query(FIND).bind(project).bind(name).fetch_optional(pool).await?;
    row.as_ref().map(rows::calendar_record).transpose()?.map(readable::required).transpose()
}

const VERSION: &str = "-- calendar_version
SELECT version FROM calendars WHERE project = $1 AND name = $2";

async fn version(pool: &PgPool, project: &str, name: &str) -> sqlx::Result<u64> {
    if has_nul(project) || has_nul(name) {
        return Ok(0);
    }
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

async fn list(pool: &PgPool, query: &CalendarQuery) -> sqlx::Result<Page<Calendar>> {
    if has_nul(&query.project) {
        return Ok(Page { items: Vec::new(), has_more: false });
    }
    let wanted = query.limit as usize + 1;
    let mut items = Vec::new();
    // Every name comes after the empty one.
    // No name holds the character 0, so what follows it in the cursor makes no difference.
    let after = query.after.as_deref().and_then(|after| after.split('\0').next());
    let mut after = after.unwrap_or_default().to_owned();
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

async fn delete(pool: &PgPool, project: &str, name: &str, expected: u64) -> sqlx::Result<bool> {
    if has_nul(project) || has_nul(name) {
        return Ok(false);
    }
    let expected = i64::try_from(expected).unwrap_or(i64::MAX);
    let done = sqlx::query(DELETE).bind(project).bind(name).bind(expected).execute(pool).await?;
    Ok(done.rows_affected() == 1)
}

#[async_trait]
impl Calendars for PostgresStore {
    async fn put_calendar(&self, calendar: &Calendar) -> Result<bool, StoreError> {
        answered(put(&self.pool, calendar)).await
    }

    async fn calendar(&self, project: &str, name: &str) -> Result<Option<Calendar>, StoreError> {
        answered(find(&self.pool, project, name)).await
    }

    async fn calendar_version(&self, project: &str, name: &str) -> Result<u64, StoreError> {
        answered(version(&self.pool, project, name)).await
    }

    async fn calendars(&self, query: &CalendarQuery) -> Result<Page<Calendar>, StoreError> {
        answered(list(&self.pool, query)).await
    }

    async fn delete_calendar(&self, project: &str, name: &str, expected: u64) -> Result<bool, StoreError> {
        answered(delete(&self.pool, project, name, expected)).await
    }
}
