//! Keeping calendars, and the jobs that use them in step.
//!
//! A job carries copies of its calendars, so that firing it reads nothing else. Whoever changes a calendar carries
//! the change to every job that uses it; whoever changes a job looks afterwards whether its copies are still true.
//! Whichever of two writers comes last therefore leaves the job right.

use domain::calendar::{CalendarCopy, CalendarUse};
use domain::{Calendar, CalendarDraft};

use super::edit::Edit;
use super::{MAX_RACES, Result, Scheduler, lost_race};
use crate::calendars::CalendarQuery;
use crate::error::{SchedulerError, StoreError};
use crate::ports::StoredJob;
use crate::query::{JobQuery, JobSort, JobSortKey, Page};

/// What became of a calendar that was put.
#[derive(Debug)]
pub struct CalendarPut {
    /// The calendar as it is now.
    pub calendar: Calendar,
    /// Whether there was none of that name before.
    pub created: bool,
    /// How many jobs are due at other times now, or may be.
    pub jobs_changed: u64,
}

impl Scheduler {
    /// Stores a calendar under `name`, in place of the one there may be, and reschedules the jobs that use it.
    ///
    /// Where it fails between the two, the same request again finishes the work.
    pub async fn put_calendar(
        &self,
        project: &str,
        name: &str,
        draft: &CalendarDraft,
        expected: Option<u64>,
    ) -> Result<CalendarPut> {
        for _ in 0..MAX_RACES {
            let now = self.now();
            let before = self.there_is(project, name).await?;
            check_version(expected, version(before.as_ref()))?;
            let calendar = match &before {
                None => Calendar::create(project, name, draft.clone(), now)?,
                Some(Ok(before)) if before.draft == *draft => before.clone(),
                Some(Ok(before)) => before.edit(draft.clone(), now)?,
                Some(Err(broken)) => {
                    let anew = Calendar::create(project, name, draft.clone(), now)?;
                    Calendar { version: broken + 1, ..anew }
                }
            };
            let unchanged = matches!(&before, Some(Ok(before)) if *before == calendar);
            if unchanged || self.calendars.put_calendar(&calendar).await? {
                let jobs_changed = self.refresh_jobs(project, name).await?;
                return Ok(CalendarPut { calendar, created: before.is_none(), jobs_changed });
            }
        }
        Err(lost_race("calendar"))
    }

    /// Looks a calendar up.
    pub async fn calendar(&self, project: &str, name: &str) -> Result<Calendar> {
        self.calendars.calendar(project, name).await?.ok_or_else(|| no_calendar(name))
    }

    /// Lists calendars.
    pub async fn calendars(&self, query: &CalendarQuery) -> Result<Page<Calendar>> {
        Ok(self.calendars.calendars(query).await?)
    }

    /// Removes a calendar that no job uses.
    pub async fn delete_calendar(&self, project: &str, name: &str, expected: Option<u64>) -> Result<()> {
        for _ in 0..MAX_RACES {
            let there_is = self.there_is(project, name).await?.ok_or_else(|| no_calendar(name))?;
            let version = version(Some(&there_is));
            check_version(expected, version)?;
            if let Some(user) = self.users(project, name, 1).await?.first() {
                let user = user.job.as_ref().map_or("", |job| job.draft.name.as_str());
                return Err(SchedulerError::Conflict(format!(
                    "the calendar is in use: by the job “{user}”; take it out of the job's calendars first"
                )));
            }
            if self.calendars.delete_calendar(project, name, version).await? {
                return Ok(());
            }
        }
        Err(lost_race("calendar"))
    }

    /// The calendar of that name, or the version of one that cannot be read: it can be replaced and removed all the same.
    async fn there_is(
        &self,
        project: &str,
        name: &str,
    ) -> Result<Option<std::result::Result<Calendar, u64>>> {
        let error = match self.calendars.calendar(project, name).await {
            Err(StoreError::Failed(error)) => error,
            found => return Ok(found?.map(Ok)),
        };
        match self.calendars.calendar_version(project, name).await? {
            0 => Err(StoreError::Failed(error).into()),
            version => {
                tracing::warn!(
                    calendar.name = name,
                    error = &*error as &dyn std::error::Error,
                    "a calendar cannot be read"
                );
                Ok(Some(Err(version)))
            }
        }
    }

    /// The calendars that a job's `uses` name, as far as they exist.
    pub(super) async fn copies(&self, project: &str, uses: &[CalendarUse]) -> Result<Vec<CalendarCopy>> {
        let mut copies = Vec::with_capacity(uses.len());
        for it in uses {
            copies.extend(self.calendars.calendar(project, &it.name).await?.as_ref().map(CalendarCopy::from));
        }
        Ok(copies)
    }

    /// The job, which has just been written, with copies of its calendars that are true now.
    pub(super) async fn refreshed(&self, project: &str, stored: StoredJob) -> StoredJob {
        let Some(job) = stored.job.as_ref().ok().filter(|job| !job.calendars.is_empty()) else {
            return stored;
        };
        match self.change(project, &job.id.into(), None, &Edit::Calendars).await {
            Ok(refreshed) => refreshed,
            // The write that was asked for is done, whatever has become of the job since.
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(job.id = %job.id, error, "a job's calendars could not be looked at again");
                stored
            }
        }
    }

    async fn refresh_jobs(&self, project: &str, calendar: &str) -> Result<u64> {
        let mut changed = 0;
        for user in self.users(project, calendar, usize::MAX).await? {
            let Ok(job) = user.job else { continue };
            match self.change(project, &job.id.into(), None, &Edit::Calendars).await {
                Ok(now) => changed += u64::from(now.job.is_ok_and(|now| now.version != job.version)),
                // Deleted, or broken, in the meantime.
                Err(SchedulerError::NotFound { .. } | SchedulerError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(changed)
    }

    /// Up to `limit` of the jobs that use a calendar. Looks at all jobs: calendars change seldom, and what stores
    /// index stays small.
    async fn users(&self, project: &str, calendar: &str, limit: usize) -> Result<Vec<StoredJob>> {
        const PAGE: u32 = 500;
        let sort = JobSort { by: JobSortKey::CreatedAt, descending: false };
        let mut query = JobQuery {
            project: project.to_owned(),
            states: Vec::new(),
            labels: Vec::new(),
            text: None,
            sort,
            after: None,
            limit: PAGE,
        };
        let uses = |stored: &StoredJob| {
            stored.job.as_ref().is_ok_and(|job| job.draft.calendars.iter().any(|it| it.name == calendar))
        };
        let mut found = Vec::new();
        loop {
            let page = self.store.jobs(&query).await?;
            query.after = page.items.last().map(|last| last.cursor(sort));
            found.extend(page.items.into_iter().filter(uses));
            found.truncate(limit);
            if !page.has_more || found.len() == limit {
                return Ok(found);
            }
        }
    }
}

fn version(there_is: Option<&std::result::Result<Calendar, u64>>) -> u64 {
    there_is.map_or(0, |it| it.as_ref().map_or_else(|version| *version, |calendar| calendar.version))
}

fn check_version(expected: Option<u64>, current: u64) -> Result<()> {
    match expected {
        Some(expected) if expected != current => {
            Err(SchedulerError::Stale { what: "calendar", expected, current })
        }
        _ => Ok(()),
    }
}

fn no_calendar(name: &str) -> SchedulerError {
    SchedulerError::NotFound { what: "calendar", key: name.to_owned() }
}
