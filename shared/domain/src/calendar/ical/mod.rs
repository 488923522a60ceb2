//! iCalendar files (RFC 5545) as calendars: those published for public holidays, and maintenance windows exported
//! from a calendar program.
//!
//! Read are events (`VEVENT`), of whole days or with times, with `RRULE` (`FREQ` from `DAILY` to `YEARLY`, `INTERVAL`,
//! `COUNT`, `UNTIL`, `BYMONTH`, `BYMONTHDAY`, `BYDAY`, `BYSETPOS`, `WKST`), `RDATE`, `EXDATE` and `RECURRENCE-ID`. An
//! event counts whether it is shown as busy or as free (`TRANSP`): holidays are mostly shown as free. One that is
//! cancelled, or takes no time, does not count. To-dos, journals, free/busy times and alarms are passed over.
//!
//! Refused, rather than read as something else, are other parts of a rule, `EXRULE`, an `RDATE` of periods and changes
//! to all times from one on (`RANGE=THISANDFUTURE`). What a `VTIMEZONE` says of offsets is not read: zones are known by
//! their IANA name, by the name that Windows has for them, or by the file's `X-LIC-LOCATION`.
//!
//! All times end up on one clock, that of the calendar: `X-WR-TIMEZONE` where the file has it, else the one zone that
//! all of its times name (beside UTC), else UTC. A file of whole days alone says nothing of a clock, even where it has
//! `X-WR-TIMEZONE` (some publish holidays with UTC): its days are those of each job's own schedule.
//!
//! An event ends at the same reading of its clock each time: 22:00 to 06:00 is that in the night of a clock change as
//! well, also where the file gives a `DURATION`. Events that recur for ever stay that short where a calendar can say
//! it (the same day every year, the same hours every week), and then count before their first time as well. Others
//! are written out to the end of 2100.

mod event;
mod lines;
mod moment;
mod recurrence;
mod windows;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use self::event::{Event, Replaced};
use self::lines::{Line, lines};
use self::moment::{Kind, Moment, Zones, known};
use self::recurrence::Rule;
use super::{CalendarDay, CalendarDraft, CalendarRange, Edge, MAX_ENTRIES, Weekday, WeeklyHours};
use crate::Invalid;
use crate::time::Zone;

type Result<T> = std::result::Result<T, Invalid>;

fn refuse(detail: impl Into<String>) -> Invalid {
    Invalid::one("", "invalid_value", detail)
}

/// Calendars reach as far as schedules do.
const FIRST_YEAR: i32 = 1970;
const LAST_YEAR: i32 = 2100;

/// What may be spent on following the recurrence rules of one file: days and periods looked at.
const MAX_LOOKS: usize = 2_000_000;

/// Reads an iCalendar file. It must hold at least one event that counts.
///
/// # Errors
/// What is wrong with it, and on which line or with which event.
pub fn read(text: &str) -> Result<CalendarDraft> {
    let lines = lines(text)?;
    if !lines.first().is_some_and(|line| is(line, "BEGIN", "VCALENDAR")) {
        return Err(refuse("is not an iCalendar file: it does not begin with BEGIN:VCALENDAR"));
    }
    let file = File::read(&lines)?;
    if file.events.is_empty() {
        return Err(refuse("holds no events"));
    }
    let zone = file.zone();
    let mut entries = Entries::new(zone.clone());
    let mut looks = MAX_LOOKS;
    let replaced = Replaced::by(&file.events);
    for event in file.events.iter().filter(|event| !event.cancelled) {
        entries.add(event, &replaced, &mut looks)?;
    }
    if entries.count() == 0 {
        return Err(refuse(
            "holds no events that count: they are cancelled, take no time, or are not in 1970–2100",
        ));
    }
    Ok(CalendarDraft { description: file.name, timezone: zone, ..entries.draft() })
}

fn is(line: &Line<'_>, name: &str, value: &str) -> bool {
    line.name == name && line.value.trim().eq_ignore_ascii_case(value)
}

/// What a file holds.
#[derive(Default)]
struct File {
    name: String,
    zone: Option<Zone>,
    events: Vec<Event>,
}

impl File {
    fn read(lines: &[Line<'_>]) -> Result<Self> {
        let zones = own_zones(lines);
        let mut file = Self::default();
        // Components begun and not ended: the calendar, an event, an alarm in it.
        let mut open: Vec<&str> = Vec::new();
        let (mut begins, mut own) = (0, Vec::new());
        for line in lines {
            match (line.name.as_str(), open.as_slice()) {
                ("BEGIN", outer) => {
                    if let [_] = outer {
                        (begins, own) = (line.number, Vec::new());
                    }
                    open.push(line.value.trim());
                }
                ("END", [outer @ .., last]) if line.value.trim().eq_ignore_ascii_case(last) => {
                    if let ([_], true) = (outer, last.eq_ignore_ascii_case("VEVENT")) {
                        file.events.push(Event::read(begins, &own, &zones)?);
                    }
                    open.pop();
                }
                ("END", _) => {
                    return Err(refuse(format!("line {} ends what has not begun", line.number)));
                }
                (_, [_, _]) => own.push(line),
                ("X-WR-CALNAME" | "NAME", [_]) => file.name = name(line),
                ("X-WR-TIMEZONE", [_]) => file.zone = known(&line.value),
                _ => {}
            }
        }
        if open.is_empty() { Ok(file) } else { Err(refuse("is cut off: something in it is not ended")) }
    }

    /// On whose clock its times are to be read. Days alone need none: each job has them on its own.
    fn zone(&self) -> Option<Zone> {
        let mut zones =
            self.events.iter().filter(|event| !event.cancelled).filter_map(Event::zone).peekable();
        zones.peek()?;
        let utc = Zone::default();
        let mut named = zones.filter(|zone| **zone != utc);
        let first = named.next();
        let only = first.filter(|first| named.all(|zone| zone == *first)).cloned();
        Some(self.zone.clone().or(only).unwrap_or(utc))
    }
}

/// For people; text with control characters in it is more than some databases store.
fn name(line: &Line<'_>) -> String {
    line.text().chars().filter(|char| !char.is_control()).take(1_000).collect()
}

/// The zones that a file describes, as far as it says where they are.
fn own_zones(lines: &[Line<'_>]) -> Zones {
    let mut zones = Zones::default();
    let (mut name, mut location) = (None, None);
    for line in lines {
        match line.name.as_str() {
            "TZID" => name = Some(&line.value),
            "X-LIC-LOCATION" => location = Some(&line.value),
            "END" if is(line, "END", "VTIMEZONE") => {
                if let Some((name, location)) = name.take().zip(location.take()) {
                    zones.define(name, location);
                }
            }
            _ => {}
        }
    }
    zones
}

/// What a calendar is to consist of: in order, and each entry once.
struct Entries {
    /// On whose clock.
    zone: Zone,
    yearly: BTreeSet<(u32, u32)>,
    days: BTreeSet<NaiveDate>,
    /// By where they begin and end.
    ranges: BTreeMap<(NaiveDateTime, NaiveDateTime), CalendarRange>,
    weekly: Vec<WeeklyHours>,
}

impl Entries {
    fn new(zone: Option<Zone>) -> Self {
        Self {
            zone: zone.unwrap_or_default(),
            yearly: BTreeSet::new(),
            days: BTreeSet::new(),
            ranges: BTreeMap::new(),
            weekly: Vec::new(),
        }
    }

    fn add(&mut self, event: &Event, replaced: &Replaced<'_>, looks: &mut usize) -> Result<()> {
        let length = event.length()?;
        if length.is_zero() {
            return Ok(());
        }
        let regular = event.is_regular(replaced);
        let is_added = match event.rules.as_slice() {
            [rule] if regular => self.add_for_ever(rule, event.start()?, length),
            [] | [_] => false,
            _ => return Err(event.refuse("has more than one recurrence rule")),
        };
        if !is_added {
            self.write_out(event, length, replaced, looks)?;
        }
        self.bounded(event)
    }

    /// Adds an event that recurs for ever, if a calendar has a short form for it.
    fn add_for_ever(&mut self, rule: &Rule, start: &Moment, length: TimeDelta) -> bool {
        let first = start.local.date();
        let day = TimeDelta::days(1);
        if start.kind == Kind::Day && length == day && rule.is_yearly_like(first) {
            self.yearly.insert((first.month(), first.day()));
            return true;
        }
        let on_our_clock = match &start.kind {
            Kind::Zoned(zone) => *zone == self.zone,
            Kind::Day | Kind::Floating => true,
        };
        let Some(weekdays) = rule.every_week(first).filter(|_| on_our_clock && length <= day) else {
            return false;
        };
        let from = start.local.time();
        let until = (start.local + length).time();
        // A whole day that does not begin at midnight has no such form.
        if from == until && from != NaiveTime::MIN {
            return false;
        }
        let time = |time: NaiveTime| (time != NaiveTime::MIN).then(|| time.into());
        let days = weekdays.into_iter().map(Weekday::from).collect();
        let hours = WeeklyHours { days, from: time(from), until: time(until) };
        if !self.weekly.contains(&hours) {
            self.weekly.push(hours);
        }
        true
    }

    /// One entry for each time that the event takes place.
    fn write_out(
        &mut self,
        event: &Event,
        length: TimeDelta,
        replaced: &Replaced<'_>,
        looks: &mut usize,
    ) -> Result<()> {
        for start in event.starts(replaced, looks)? {
            let Some(end) = start.plus(length) else { continue };
            if start.kind == Kind::Day {
                let last = end.local.date().pred_opt().unwrap_or_default().max(start.local.date());
                self.range(Edge::Day(start.local.date()), Edge::Day(last));
            } else {
                let from = start.on_clock_of(&self.zone);
                // On a clock that goes back in between the end may come first.
                let until = Some(end.on_clock_of(&self.zone)).filter(|until| from < *until);
                let until = until.or_else(|| from.checked_add_signed(length)).unwrap_or(from);
                self.range(Edge::Time(from), Edge::Time(until));
            }
            self.bounded(event)?;
        }
        Ok(())
    }

    /// As much of it as lies in the years that calendars reach.
    fn range(&mut self, from: Edge, until: Edge) {
        let served = CalendarRange { from: first_day(), until: last_day() }.bounds();
        let bounds = CalendarRange { from, until }.bounds();
        if bounds.1 <= served.0 || served.1 <= bounds.0 {
            return;
        }
        let from = if bounds.0 < served.0 { first_day() } else { from };
        let until = if served.1 <= bounds.1 { last_day() } else { until };
        match (from, until) {
            (Edge::Day(from), Edge::Day(until)) if from == until => {
                self.days.insert(from);
            }
            _ => {
                let range = CalendarRange { from, until };
                self.ranges.insert(range.bounds(), range);
            }
        }
    }

    fn count(&self) -> usize {
        self.yearly.len() + self.days.len() + self.ranges.len() + self.weekly.len()
    }

    fn bounded(&self, event: &Event) -> Result<()> {
        if self.count() <= MAX_ENTRIES {
            return Ok(());
        }
        Err(event.refuse(&format!(
            "with it there are more than {MAX_ENTRIES} entries, and a calendar holds no more"
        )))
    }

    fn draft(self) -> CalendarDraft {
        let yearly = self.yearly.into_iter().map(|(month, day)| CalendarDay::Yearly { month, day });
        CalendarDraft {
            dates: yearly.chain(self.days.into_iter().map(CalendarDay::Once)).collect(),
            ranges: self.ranges.into_values().collect(),
            weekly: self.weekly,
            ..CalendarDraft::default()
        }
    }
}

fn first_day() -> Edge {
    Edge::Day(NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).unwrap_or_default())
}

fn last_day() -> Edge {
    Edge::Day(NaiveDate::from_ymd_opt(LAST_YEAR, 12, 31).unwrap_or_default())
}
