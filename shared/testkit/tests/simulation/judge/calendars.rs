//! Jobs carry true copies of their calendars: whoever writes last, a job or a calendar, leaves the job right.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::{Calendar, Job, JobId};

use super::super::event::{Answer, Event, Request};
use super::super::history::History;
use super::{Judgement, Violation};

pub(super) fn check(history: &History) -> Judgement {
    let mut calendars: BTreeMap<&str, (usize, &Arc<Calendar>)> = BTreeMap::new();
    let mut jobs: BTreeMap<JobId, (usize, &Arc<Job>)> = BTreeMap::new();
    for (index, entry) in history.entries.iter().enumerate() {
        match &entry.event {
            Event::CalendarPut(calendar) => drop(calendars.insert(&calendar.name, (index, calendar))),
            Event::JobInserted(job) | Event::JobReplaced(job, _) => drop(jobs.insert(job.id, (index, job))),
            Event::JobDeleted(job) => drop(jobs.remove(job)),
            _ => {}
        }
    }
    for (written, job) in jobs.values() {
        for copy in &job.calendars {
            let Some((put, calendar)) = calendars.get(copy.name.as_str()) else { continue };
            let last = *written.max(put);
            if copy.version != calendar.version && promised(history, last, job, calendar) {
                let what = format!(
                    "it has version {} of {}, which is at {}",
                    copy.version, copy.name, calendar.version
                );
                let broken = Violation::new("jobs carry true copies of their calendars", what);
                return Err(broken.at(history.entries[last].at).of_job(job.id));
            }
        }
    }
    Ok(())
}

/// Whether every request that may have made the write at `index` was answered with success: one that failed, or was
/// never answered, may have been interrupted between its writes.
fn promised(history: &History, index: usize, job: &Job, calendar: &Calendar) -> bool {
    let about = |request: &Request| match request {
        Request::PutCalendar(name) => *name == calendar.name,
        Request::Create(name) => *name == job.draft.name,
        Request::Replace(id) | Request::Rename(id) | Request::Pause(id) | Request::Resume(id) => {
            *id == job.id
        }
        _ => false,
    };
    let mut open: BTreeSet<u32> = BTreeSet::new();
    for (at, entry) in history.entries.iter().enumerate() {
        match &entry.event {
            Event::Asked(number, request) if at < index && about(request) => drop(open.insert(*number)),
            Event::Told(number, Answer::Job(_) | Answer::Calendar) => drop(open.remove(number)),
            Event::Told(number, Answer::Refused) if at < index => drop(open.remove(number)),
            _ => {}
        }
    }
    open.is_empty()
}
