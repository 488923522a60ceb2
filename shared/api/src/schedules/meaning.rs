//! What a schedule means: in words, in instants, and on its own wall clock.

use chrono::{NaiveDateTime, TimeDelta};
use domain::schedule::Dialect;
use domain::time::{Explanation, Zone};
use domain::{Instant, Plan, Schedule};
use serde::Serialize;

use crate::views::Timestamp;

/// What a schedule means.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SchedulePreview {
    /// In words.
    #[schema(example = "At 02:00 on weekdays, Europe/Paris")]
    pub description: String,
    /// A cron expression written the standard way.
    #[schema(required, example = "0 2 * * MON-FRI")]
    pub normalized: Option<String>,
    /// How a cron expression was read.
    #[schema(required)]
    pub dialect: Option<Dialect>,
    /// Its first occurrences.
    pub next: Vec<PreviewedOccurrence>,
    /// What its calendars leave out before the last of those; no more of them than of those.
    pub left_out: Vec<LeftOutOccurrence>,
    /// How often a day it is due, averaged over the coming year; `null` where it does not repeat.
    #[schema(required)]
    pub runs_per_day: Option<f64>,
    /// What its author may not have meant.
    pub warnings: Vec<String>,
}

/// One occurrence of a schedule.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PreviewedOccurrence {
    /// The instant.
    pub at: Timestamp,
    /// When it is due, by the jitter of the job that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// The latest instant at which it may be due, by the jitter of a job that is not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_by: Option<Timestamp>,
    /// The wall clock of the schedule's zone at that instant.
    #[schema(example = "2026-11-24T02:00:00")]
    pub local: String,
    /// The zone's offset from UTC at that instant.
    #[schema(example = "+01:00")]
    pub offset: String,
    /// What is special about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An occurrence that a calendar leaves out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LeftOutOccurrence {
    /// The instant.
    pub at: Timestamp,
    /// The wall clock of the schedule's zone at that instant.
    #[schema(example = "2026-12-25T02:00:00")]
    pub local: String,
    /// The calendar that does not admit it.
    #[schema(example = "holidays")]
    pub calendar: String,
}

/// What is known of the jitter of a schedule that is tried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// There is none.
    None,
    /// It is that of a job that exists.
    Drawn,
    /// Every job would have its own.
    Unknown,
}

impl SchedulePreview {
    /// What `plan`, made of `schedule`, means after `from`, with at most `count` occurrences, and no more than the job has
    /// runs `left`.
    pub fn new(
        schedule: &Schedule,
        plan: &Plan,
        jitter: Jitter,
        from: Instant,
        count: usize,
        left: Option<u64>,
    ) -> Self {
        let zone = schedule.zone();
        let left = left.and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX);
        let next = occurrences(plan, jitter, &zone, from, count.min(left));
        let Explanation { description, normalized, dialect, mut warnings } =
            plan.timetable().explain(schedule);
        if left == 0 {
            warnings.push("the job has started as many runs as max_runs allows".to_owned());
        } else if next.is_empty() {
            warnings.push(format!("never due after {}", Timestamp(from)));
        }
        let until = next.last().map_or(from, |last| last.at.0);
        let left_out = plan.each_left_out(from, until).take(count).map(|(at, calendar)| LeftOutOccurrence {
            at: Timestamp(at),
            local: wall_clock(zone.local(at)),
            calendar: calendar.to_owned(),
        });
        let left_out = left_out.collect();
        let repeats = !matches!(schedule, Schedule::Date(_));
        let runs_per_day = repeats.then(|| runs_per_day(plan, from));
        Self { description, normalized, dialect, next, left_out, runs_per_day, warnings }
    }
}

fn occurrences(
    plan: &Plan,
    jitter: Jitter,
    zone: &Zone,
    from: Instant,
    count: usize,
) -> Vec<PreviewedOccurrence> {
    let mut before = zone.offset_seconds(from);
    let occurrence = |at| {
        let seconds = zone.offset_seconds(at);
        let local = zone.local(at);
        let note =
            skipped(plan, at, local).or_else(|| moved(plan, at, zone)).or_else(|| changed(before, seconds));
        before = seconds;
        PreviewedOccurrence {
            at: Timestamp(at),
            due_at: (jitter == Jitter::Drawn).then(|| plan.due_at(at).into()),
            due_by: (jitter == Jitter::Unknown).then(|| plan.due_by(at).into()),
            local: wall_clock(local),
            offset: offset(seconds),
            note,
        }
    };
    plan.after(from).take(count).map(occurrence).collect()
}

/// What the clock skips on that day, and is made up for.
fn skipped(plan: &Plan, at: Instant, local: NaiveDateTime) -> Option<String> {
    let skipped = plan.timetable().stands_for(at)?;
    Some(format!(
        "{} does not exist on {}, runs at {}",
        skipped.format("%H:%M"),
        skipped.format("%Y-%m-%d"),
        local.format("%H:%M")
    ))
}

fn moved(plan: &Plan, at: Instant, zone: &Zone) -> Option<String> {
    let from = plan.moved_from(at)?;
    Some(format!("moved here from {}", zone.local(from).format("%Y-%m-%d")))
}

fn changed(before: i32, now: i32) -> Option<String> {
    (before != now)
        .then(|| format!("the first since the clocks changed from {} to {}", offset(before), offset(now)))
}

fn wall_clock(local: NaiveDateTime) -> String {
    local.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Averaged over a year, because a day or a week may hold none or, of all, the busiest.
fn runs_per_day(plan: &Plan, from: Instant) -> f64 {
    const DAYS: i64 = 365;
    let count = plan.count(from + TimeDelta::milliseconds(1), from + TimeDelta::days(DAYS));
    #[expect(clippy::cast_precision_loss, reason = "at most 31 million a year")]
    let average = count as f64 / DAYS as f64;
    (average * 1_000.0).round() / 1_000.0
}

fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes, rest) = (seconds.abs() / 3_600, seconds.abs() / 60 % 60, seconds.abs() % 60);
    if rest == 0 {
        format!("{sign}{hours:02}:{minutes:02}")
    } else {
        format!("{sign}{hours:02}:{minutes:02}:{rest:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::offset;

    #[test]
    fn offsets_are_signed() {
        assert_eq!([0, 3_600, -12_600, 1_172].map(offset), ["+00:00", "+01:00", "-03:30", "+00:19:32"]);
    }
}
