//! iCalendar files (RFC 5545) as calendars: those published for public holidays, and maintenance windows exported
//! from a calendar program.
//!
//! Read are events (`VEVENT`), of whole days or with times, with `RRULE` (by day, month, day of month and weekday),
//! `RDATE`, `EXDATE` and `RECURRENCE-ID`. An event counts whether it is shown as busy or as free (`TRANSP`): holidays
//! are mostly shown as free. One that is cancelled, or takes no time, does not count. To-dos, journals and alarms are
//! passed over.
//!
//! All times end up on one clock, that of the calendar: `X-WR-TIMEZONE` where the file has it, else the first zone
//! that one of its events names. Events that recur for ever stay that short where a calendar can say it (the same
//! day every year, the same hours every week), and are otherwise written out to the end of 2100.

mod event;
mod lines;
mod moment;
mod recurrence;

use chrono::{Datelike as _, NaiveDate, NaiveTime, TimeDelta};

use self::event::Event;
use self::lines::{Line, lines};
use self::moment::{Kind, Zones, known};
use super::{CalendarDay, CalendarDraft, CalendarRange, Edge, MAX_ENTRIES, Weekday, WeeklyHours};
use crate::Invalid;
use crate::time::Zone;

type Result<T> = std::result::Result<T, Invalid>;

fn refuse(detail: impl Into<String>) -> Invalid {
    Invalid::one("", "invalid_value", detail)
}

/// What may be spent on following the recurrence rules of one file, in days looked at.
const MAX_DAYS: usize = 2_000_000;

/// Reads an iCalendar file. It must hold at least one event.
///
/// # Errors
/// What is wrong with it, and on which line.
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
    let mut days = MAX_DAYS;
    let overrides: Vec<_> = file.events.iter().filter(|event| event.replaces.is_some()).collect();
    for event in file.events.iter().filter(|event| !event.cancelled) {
        entries.add(event, &overrides, &mut days)?;
    }
    let CalendarDraft { dates, ranges, weekly, .. } = entries.finish();
    for (what, count) in [("days", dates.len()), ("ranges", ranges.len()), ("weekly hours", weekly.len())] {
        if count > MAX_ENTRIES {
            return Err(refuse(format!("holds {count} {what}; a calendar holds at most {MAX_ENTRIES}")));
        }
    }
    Ok(CalendarDraft { description: file.name, timezone: zone, dates, ranges, weekly })
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
        let mut event: Option<Event> = None;
        // Components begun and not ended: the calendar, an event, an alarm in it.
        let mut open: Vec<&str> = Vec::new();
        for line in lines {
            match (line.name.as_str(), open.as_slice()) {
                ("BEGIN", _) => {
                    open.push(line.value.trim());
                    if let [_, within] = open.as_slice()
                        && within.eq_ignore_ascii_case("VEVENT")
                    {
                        event = Some(Event::begun(line));
                    }
                }
                ("END", [.., last]) if line.value.trim().eq_ignore_ascii_case(last) => {
                    open.pop();
                    if open.len() == 1 {
                        file.events.extend(event.take());
                    }
                }
                ("END", _) => {
                    return Err(refuse(format!("line {} ends what has not begun", line.number)));
                }
                (_, [_, _]) => {
                    if let Some(event) = &mut event {
                        event.read(line, &zones)?;
                    }
                }
                ("X-WR-CALNAME" | "NAME", [_]) => file.name = line.text().chars().take(1_000).collect(),
                ("X-WR-TIMEZONE", [_]) => file.zone = known(&line.value),
                _ => {}
            }
        }
        if open.is_empty() { Ok(file) } else { Err(refuse("is cut off: something in it is not ended")) }
    }

    fn zone(&self) -> Option<Zone> {
        let named = self.events.iter().filter_map(|event| match &event.start().ok()?.kind {
            Kind::Zoned(zone) => Some(zone.clone()),
            Kind::Day | Kind::Floating => None,
        });
        self.zone.clone().or_else(|| named.into_iter().next())
    }
}

/// The zones that a file describes, as far as it says where they are.
fn own_zones(lines: &[Line<'_>]) -> Zones {
    let mut zones = Zones::default();
    let mut name = None;
    for line in lines {
        match line.name.as_str() {
            "BEGIN" if is(line, "BEGIN", "VTIMEZONE") => name = None,
            "TZID" => name = Some(&line.value),
            "X-LIC-LOCATION" => zones.define(name.map_or("", |name| name), &line.value),
            _ => {}
        }
    }
    zones
}

/// What a calendar is to consist of.
struct Entries {
    /// On whose clock.
    zone: Zone,
    calendar: CalendarDraft,
}

impl Entries {
    fn new(zone: Option<Zone>) -> Self {
        Self { zone: zone.unwrap_or_default(), calendar: CalendarDraft::default() }
    }

    fn add(&mut self, event: &Event, overrides: &[&Event], days: &mut usize) -> Result<()> {
        let length = event.length()?;
        if length.is_zero() {
            return Ok(());
        }
        let [rule] = event.rules.as_slice() else {
            if event.rules.is_empty() {
                return self.write_out(event, length, overrides, days);
            }
            return Err(event.refuse("has more than one recurrence rule"));
        };
        let start = event.start()?;
        let first = start.local.date();
        let regular = event.is_regular() && !overrides.iter().any(|it| it.uid == event.uid);
        let day = TimeDelta::days(1);
        if regular && start.kind == Kind::Day && length == day && rule.is_yearly_like(first) {
            self.calendar.dates.push(CalendarDay::Yearly { month: first.month(), day: first.day() });
            return Ok(());
        }
        let on_our_clock = match &start.kind {
            Kind::Zoned(zone) => *zone == self.zone,
            Kind::Day | Kind::Floating => true,
        };
        if let Some(weekdays) = rule.every_week(first).filter(|_| regular && on_our_clock && length <= day) {
            let from = start.local.time();
            let until = (start.local + length).time();
            // A whole day that does not begin at midnight has no such form.
            if from != until || from == NaiveTime::MIN {
                let time = |time: NaiveTime| (time != NaiveTime::MIN).then(|| time.into());
                self.calendar.weekly.push(WeeklyHours {
                    days: weekdays.into_iter().map(Weekday::from).collect(),
                    from: time(from),
                    until: time(until),
                });
                return Ok(());
            }
        }
        self.write_out(event, length, overrides, days)
    }

    /// One entry for each time that the event takes place.
    fn write_out(
        &mut self,
        event: &Event,
        length: TimeDelta,
        overrides: &[&Event],
        days: &mut usize,
    ) -> Result<()> {
        for start in event.starts(overrides, MAX_ENTRIES, days)? {
            let Some(end) = start.plus(length) else { continue };
            if start.kind == Kind::Day {
                let first = start.local.date();
                match end.local.date().pred_opt().filter(|last| first < *last) {
                    Some(last) => self.range(Edge::Day(first), Edge::Day(last), first),
                    None if is_served(first) => self.calendar.dates.push(CalendarDay::Once(first)),
                    None => {}
                }
                continue;
            }
            let from = start.on_clock_of(&self.zone);
            // On a clock that goes back in between the end may come first.
            let until = Some(end.on_clock_of(&self.zone)).filter(|until| from < *until);
            let until = until.unwrap_or(from + length);
            self.range(Edge::Time(from), Edge::Time(until), from.date());
        }
        Ok(())
    }

    fn range(&mut self, from: Edge, until: Edge, first: NaiveDate) {
        if is_served(first) {
            self.calendar.ranges.push(CalendarRange { from, until });
        }
    }

    /// In order, and each entry once.
    fn finish(mut self) -> CalendarDraft {
        let CalendarDraft { dates, ranges, weekly, .. } = &mut self.calendar;
        dates.sort_by_key(ToString::to_string);
        dates.dedup();
        ranges.sort_by_key(CalendarRange::bounds);
        ranges.dedup();
        let mut kept: Vec<WeeklyHours> = Vec::new();
        for hours in std::mem::take(weekly) {
            if !kept.contains(&hours) {
                kept.push(hours);
            }
        }
        *weekly = kept;
        self.calendar
    }
}

/// Calendars reach as far as schedules do; a range may end a little after.
fn is_served(first: NaiveDate) -> bool {
    (1970..2100).contains(&first.year())
}
