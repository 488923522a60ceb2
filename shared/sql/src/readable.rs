//! Calendars and backfills whose documents cannot be read, whichever the database.

use domain::{Backfill, BackfillId, Calendar};
use engine::Page;
use engine::record::{BackfillRecord, CalendarRecord};

/// The calendar of a row somebody asked for.
pub(crate) fn required(record: CalendarRecord) -> sqlx::Result<Calendar> {
    record.into_calendar().map_err(|invalid| sqlx::Error::Decode(invalid.into()))
}

/// The calendar of one row among others: a list goes on without one that cannot be read.
pub(crate) fn listed(record: CalendarRecord) -> Option<Calendar> {
    let (project, name) = (record.project.clone(), record.name.clone());
    let read = record.into_calendar();
    read.inspect_err(|error| {
        tracing::error!(calendar.project = project, calendar.name = name, %error, "a calendar cannot be read");
    })
    .ok()
}

/// The backfill of a row somebody asked for.
pub(crate) fn required_backfill(record: BackfillRecord) -> sqlx::Result<Backfill> {
    record.into_backfill().map_err(|invalid| sqlx::Error::Decode(invalid.into()))
}

/// A page of backfills from one row more than its `limit`, without those that cannot be read.
pub(crate) fn backfills(
    rows: impl Iterator<Item = sqlx::Result<BackfillRecord>>,
    limit: u32,
) -> sqlx::Result<Page<Backfill>> {
    let records = rows.collect::<sqlx::Result<Vec<_>>>()?;
    let Page { items, has_more } = Page::from_one_more(records, limit);
    let listed = |record: BackfillRecord| {
        let id = BackfillId(record.id);
        let read = record.into_backfill();
        read.inspect_err(|error| tracing::error!(backfill.id = %id, %error, "a backfill cannot be read")).ok()
    };
    Ok(Page { items: items.into_iter().filter_map(listed).collect(), has_more })
}
