//! What a job's calendars mean, in the words of their documentation: entry by entry, day by day, one occurrence
//! of the schedule after the other.

use chrono::{Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use domain::Instant;
use domain::calendar::{CalendarDay, CalendarDraft, CalendarMode, CalendarUse, Edge, Roll, WeeklyHours};
use domain::time::{Timetable, Zone};
use domain::time_of_day::TimeOfDay;

use crate::MILLI;
use crate::random::{Random, new_year};

/// What becomes of an occurrence of the schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    Admitted,
    MovedTo(Instant),
    LeftOut,
}

/// All of two years, written down.
pub(crate) struct Oracle<'a> {
    random: &'a Random,
    /// The time it speaks for; fewer than two years where the schedule is due often.
    pub(crate) from: Instant,
    pub(crate) until: Instant,
    /// Each occurrence of the schedule, also those around that may move into that time, and its fate.
    pub(crate) fates: Vec<(Instant, Fate)>,
    /// When the job's occurrences take place, each once, in order.
    pub(crate) nominal: Vec<Instant>,
}

/// A schedule is followed for so many occurrences, or for two years.
const MOST: usize = 2_400;

impl<'a> Oracle<'a> {
    pub(crate) fn of(random: &'a Random, timetable: &Timetable) -> Self {
        let (from, until) = (new_year(random.year), new_year(random.year + 2) - MILLI);
        // No occurrence moves further: 31 days, and a day more for clocks that change.
        let reach = TimeDelta::days(if random.rolls() { 32 } else { 0 });
        let raw: Vec<_> =
            timetable.after(from - reach - MILLI).take_while(|at| *at <= until + reach).take(MOST).collect();
        // Where there are more, what moves back into the end is not known.
        let until = if raw.len() < MOST { until } else { raw[MOST - 1] - reach };
        let mut oracle = Self { random, from, until, fates: Vec::new(), nominal: Vec::new() };
        oracle.fates = raw.into_iter().map(|at| (at, oracle.fate(at))).collect();
        let taking_place = oracle.fates.iter().filter_map(|(at, fate)| match fate {
            Fate::Admitted => Some(*at),
            Fate::MovedTo(to) => Some(*to),
            Fate::LeftOut => None,
        });
        oracle.nominal =
            taking_place.filter(|at| from <= *at && *at <= until && oracle.is_within(*at)).collect();
        oracle.nominal.sort_unstable();
        oracle.nominal.dedup();
        oracle
    }

    /// `start_at` and `end_at` belong to the time they bound; all of it ends with the year 2100.
    pub(crate) fn is_within(&self, at: Instant) -> bool {
        self.random.start_at.is_none_or(|start| start <= at)
            && self.random.end_at.is_none_or(|end| at <= end)
            && new_year(1970) <= at
            && at < new_year(2101)
    }

    fn fate(&self, at: Instant) -> Fate {
        let refusing: Vec<_> = self.random.uses.iter().filter(|it| !self.admits(it, at)).collect();
        let days: Vec<i64> = match refusing.first() {
            None => return if self.is_within(at) { Fate::Admitted } else { Fate::LeftOut },
            Some(first) if refusing.iter().any(|it| it.roll != first.roll) => return Fate::LeftOut,
            Some(first) => match first.roll {
                Roll::None => return Fate::LeftOut,
                Roll::Next => (1..=31).collect(),
                Roll::Previous => (-31..=-1).rev().collect(),
            },
        };
        let zone = self.random.schedule.zone();
        let local = zone.local(at);
        for days in days {
            let moved = shown_at(&zone, local + TimeDelta::days(days));
            if self.random.uses.iter().all(|it| self.admits(it, moved)) {
                return if self.is_within(moved) { Fate::MovedTo(moved) } else { Fate::LeftOut };
            }
        }
        Fate::LeftOut
    }

    /// Whether the calendar named `name` admits an occurrence at `at`.
    pub(crate) fn is_admitted_by(&self, name: &str, at: Instant) -> bool {
        let it = self.random.uses.iter().find(|it| it.name == name).expect("one of the job's calendars");
        self.admits(it, at)
    }

    fn admits(&self, it: &CalendarUse, at: Instant) -> bool {
        let calendar = &self.random.copies.iter().find(|copy| copy.name == it.name).expect("a copy").draft;
        let zone: Zone = calendar.timezone.clone().unwrap_or_else(|| self.random.schedule.zone());
        holds(calendar, zone.local(at)) == (it.mode == CalendarMode::Only)
    }

    /// Where an occurrence that takes place at `at` has come from, if it was not to be there anyway.
    pub(crate) fn moved_from(&self, at: Instant) -> Option<Instant> {
        if self.fates.contains(&(at, Fate::Admitted)) {
            return None;
        }
        self.fates.iter().find(|(_, fate)| *fate == Fate::MovedTo(at)).map(|(from, _)| *from)
    }
}

/// When a clock shows a reading: the first time of two, and where it skips the reading, when it does so.
fn shown_at(zone: &Zone, reading: NaiveDateTime) -> Instant {
    let utc = reading.and_utc();
    let offsets =
        [-1, 1].map(|days| TimeDelta::seconds(zone.offset_seconds(utc + TimeDelta::days(days)).into()));
    let candidates = offsets.map(|offset| utc - offset);
    if let Some(at) = candidates.into_iter().filter(|at| zone.local(*at) == reading).min() {
        return at;
    }
    let earliest = candidates[0].min(candidates[1]);
    let mut minute = earliest - TimeDelta::milliseconds(earliest.timestamp_millis().rem_euclid(60_000));
    while zone.local(minute) < reading {
        minute += TimeDelta::minutes(1);
    }
    minute
}

/// Whether a calendar holds a reading of the clock.
fn holds(calendar: &CalendarDraft, reading: NaiveDateTime) -> bool {
    let date = reading.date();
    let by_date = calendar.dates.iter().any(|day| match *day {
        CalendarDay::Once(once) => date == once,
        CalendarDay::Yearly { month, day } => (date.month(), date.day()) == (month, day),
    });
    let by_range = calendar.ranges.iter().any(|range| {
        let begun = match range.from {
            Edge::Day(first) => first <= date,
            Edge::Time(first) => first <= reading,
        };
        let ended = match range.until {
            Edge::Day(last) => last < date,
            Edge::Time(end) => end <= reading,
        };
        begun && !ended
    });
    let yesterday = date - Days::new(1);
    let by_week = calendar
        .weekly
        .iter()
        .any(|hours| [yesterday, date].into_iter().any(|day| day_holds(hours, day, reading)));
    by_date || by_range || by_week
}

/// Whether the hours that begin on `day` hold a reading of that day or of the next.
fn day_holds(hours: &WeeklyHours, day: NaiveDate, reading: NaiveDateTime) -> bool {
    let time = |seconds: u32| day.and_time(NaiveTime::MIN) + TimeDelta::seconds(seconds.into());
    let next_day = TimeDelta::days(1);
    let from = time(hours.from.map_or(0, TimeOfDay::seconds));
    let until = match hours.until.map(|until| time(until.seconds())) {
        None => time(0) + next_day,
        Some(until) if until <= from => until + next_day,
        Some(until) => until,
    };
    hours.days.iter().any(|weekday| *weekday == day.weekday().into()) && from <= reading && reading < until
}
