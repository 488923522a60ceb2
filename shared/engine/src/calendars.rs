//! A second small port beside the store: calendars.

use async_trait::async_trait;
use domain::Calendar;

use crate::error::StoreError;
use crate::query::Page;

/// Keeps calendars. Like a store it decides nothing: it compares versions and sets.
#[async_trait]
pub trait Calendars: Send + Sync {
    /// Puts `calendar` in place of the one of that name whose version is one less; version 1 is a new one.
    /// False, and nothing is changed, where that is not what there is.
    async fn put_calendar(&self, calendar: &Calendar) -> Result<bool, StoreError>;

    /// Looks a calendar up.
    async fn calendar(&self, project: &str, name: &str) -> Result<Option<Calendar>, StoreError>;

    /// The version of a calendar, also of one that cannot be read; 0 where there is none.
    async fn calendar_version(&self, project: &str, name: &str) -> Result<u64, StoreError>;

    /// Lists calendars by the bytes of their names.
    async fn calendars(&self, query: &CalendarQuery) -> Result<Page<Calendar>, StoreError>;

    /// Removes a calendar whose version is `expected`. False where there is none.
    async fn delete_calendar(&self, project: &str, name: &str, expected: u64) -> Result<bool, StoreError>;
}

/// Which calendars.
#[derive(Clone, Debug)]
pub struct CalendarQuery {
    /// Whose.
    pub project: String,
    /// The name the page before ended with.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}
