//! Calendars whose documents cannot be read, whichever the database.

use domain::Calendar;
use engine::record::CalendarRecord;

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
