//! [`engine::Calendars`] in memory.

use async_trait::async_trait;
use domain::Calendar;
use engine::{CalendarQuery, Calendars, Page, StoreError};

use super::{MemoryStore, State};

/// A stored calendar.
#[derive(Clone)]
pub(super) struct Row {
    calendar: Calendar,
    corrupt: bool,
}

impl Row {
    fn read(&self) -> Result<Calendar, StoreError> {
        if self.corrupt {
            return Err(StoreError::Failed("the document was overwritten by a test".into()));
        }
        Ok(self.calendar.clone())
    }
}

fn key(project: &str, name: &str) -> (String, String) {
    (project.to_owned(), name.to_owned())
}

impl MemoryStore {
    /// Overwrites the calendar's document with something that is no calendar; its version grows.
    pub fn corrupt_calendar(&self, project: &str, name: &str) {
        if let Some(row) = self.lock().calendars.get_mut(&key(project, name)) {
            row.corrupt = true;
            row.calendar.version += 1;
        }
    }
}

impl State {
    /// The version of the calendar of that name; 0 where there is none.
    fn calendar_version(&self, project: &str, name: &str) -> u64 {
        self.calendars.get(&key(project, name)).map_or(0, |row| row.calendar.version)
    }
}

#[async_trait]
impl Calendars for MemoryStore {
    async fn put_calendar(&self, calendar: &Calendar) -> Result<bool, StoreError> {
        self.perform("put_calendar", |state| {
            let Calendar { project, name, version, .. } = calendar;
            let follows = state.calendar_version(project, name) + 1 == *version;
            if follows {
                let row = Row { calendar: calendar.clone(), corrupt: false };
                state.calendars.insert(key(project, name), row);
            }
            Ok(follows)
        })
        .await
    }

    async fn calendar(&self, project: &str, name: &str) -> Result<Option<Calendar>, StoreError> {
        self.perform("calendar", |state| state.calendars.get(&key(project, name)).map(Row::read).transpose())
            .await
    }

    async fn calendar_version(&self, project: &str, name: &str) -> Result<u64, StoreError> {
        self.perform("calendar_version", |state| Ok(state.calendar_version(project, name))).await
    }

    async fn calendars(&self, query: &CalendarQuery) -> Result<Page<Calendar>, StoreError> {
        self.perform("calendars", |state| {
            let listed = state.calendars.iter().filter(|((project, name), _)| {
                *project == query.project && query.after.as_ref().is_none_or(|after| name > after)
            });
            let readable = listed.filter_map(|(_, row)| row.read().ok());
            Ok(Page::from_one_more(readable.take(query.limit as usize + 1).collect(), query.limit))
        })
        .await
    }

    async fn delete_calendar(&self, project: &str, name: &str, expected: u64) -> Result<bool, StoreError> {
        self.perform("delete_calendar", |state| {
            let there = state.calendar_version(project, name) == expected;
            Ok(there && state.calendars.remove(&key(project, name)).is_some())
        })
        .await
    }
}
