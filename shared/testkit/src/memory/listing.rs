//! Lists, by sorting everything and cutting out the page.

use std::cmp::Ordering;

use domain::{Instant, JobId, Run};
use engine::query::{JobCursor, JobSort, JobSortKey};
use engine::{JobQuery, LastRun, Page, RunQuery, StoredJob};

use super::{Row, State};

/// What a job is sorted by, whatever the sort.
struct Key<'a> {
    id: JobId,
    name: &'a str,
    next_fire_at: Option<Instant>,
}

impl State {
    pub(super) fn stored(&self, row: &Row) -> StoredJob {
        let finished = self.runs.values().filter(|run| run.job_id == row.job.id);
        let newest = finished.filter_map(|run| Some((run, run.finished_at?))).max_by_key(|(run, _)| run.id);
        let last_run =
            newest.map(|(run, finished_at)| LastRun { id: run.id, status: run.status, finished_at });
        StoredJob { job: row.read(), last_run }
    }

    pub(super) fn list_jobs(&self, query: &JobQuery) -> Page<StoredJob> {
        let after = query.after.as_ref().map(|cursor| cursor_key(cursor));
        let mut rows: Vec<&Row> = self.jobs.values().filter(|row| matches(row, query)).collect();
        rows.sort_by(|left, right| compare(&key(left), &key(right), query.sort));
        rows.retain(|row| {
            after.as_ref().is_none_or(|after| compare(&key(row), after, query.sort) == Ordering::Greater)
        });
        rows.truncate(query.limit as usize + 1);
        Page::from_one_more(rows.into_iter().map(|row| self.stored(row)).collect(), query.limit)
    }

    pub(super) fn list_runs(&self, query: &RunQuery) -> Page<Run> {
        let (low, high) = query.bounds();
        let listed = |run: &&Run| {
            run.project == query.project
                && (low..high).contains(&run.id)
                && query.job.is_none_or(|job| run.job_id == job)
                && (query.statuses.is_empty() || query.statuses.contains(&run.status))
                && (query.kinds.is_empty() || query.kinds.contains(&run.kind))
        };
        let mut runs: Vec<Run> = self.runs.values().filter(listed).cloned().collect();
        if !query.ascending {
            runs.reverse();
        }
        runs.truncate(query.limit as usize + 1);
        Page::from_one_more(runs, query.limit)
    }
}

fn matches(row: &Row, query: &JobQuery) -> bool {
    let job = &row.job;
    job.project == query.project
        && (query.states.is_empty() || query.states.contains(&job.state))
        && query.labels.iter().all(|(key, value)| job.draft.labels.get(key) == Some(value))
        && query.text.as_ref().is_none_or(|text| job.draft.name.to_lowercase().contains(&text.to_lowercase()))
}

fn key(row: &Row) -> Key<'_> {
    Key { id: row.job.id, name: &row.job.draft.name, next_fire_at: row.job.next_fire_at }
}

fn cursor_key(cursor: &JobCursor) -> Key<'_> {
    Key { id: cursor.id, name: &cursor.name, next_fire_at: cursor.next_fire_at }
}

fn compare(left: &Key<'_>, right: &Key<'_>, sort: JobSort) -> Ordering {
    let turned = |order: Ordering| if sort.descending { order.reverse() } else { order };
    let by = match sort.by {
        JobSortKey::CreatedAt => Ordering::Equal,
        JobSortKey::Name => turned(left.name.as_bytes().cmp(right.name.as_bytes())),
        // Jobs without one come last in either direction.
        JobSortKey::NextFireAt => match (left.next_fire_at, right.next_fire_at) {
            (Some(left), Some(right)) => turned(left.cmp(&right)),
            (left, right) => left.is_none().cmp(&right.is_none()),
        },
    };
    by.then_with(|| turned(left.id.cmp(&right.id)))
}
