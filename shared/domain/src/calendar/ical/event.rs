//! Events: what a file says of each, and when each takes place.

use std::collections::{HashMap, HashSet};

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use super::lines::Line;
use super::moment::{Kind, Moment, Zones, duration};
use super::recurrence::Rule;
use super::{Result, refuse};
use crate::duration::shorten;
use crate::time::Zone;

/// One `VEVENT`.
#[derive(Debug, Default)]
pub(super) struct Event {
    /// Where it begins in the file.
    line: usize,
    pub(super) uid: String,
    summary: String,
    pub(super) cancelled: bool,
    start: Option<Moment>,
    end: Option<Moment>,
    duration: Option<TimeDelta>,
    pub(super) rules: Vec<Rule>,
    more: Vec<Moment>,
    except: Excluded,
    /// Of the event with this `uid`, it replaces the one that starts here.
    pub(super) replaces: Option<Moment>,
}

impl Event {
    /// Reads an event from its own lines, without those of alarms in it.
    pub(super) fn read(begins: usize, lines: &[&Line<'_>], zones: &Zones) -> Result<Self> {
        let mut event = Self { line: begins, ..Self::default() };
        // First, because what is wrong with the others is told with them.
        for line in lines {
            match line.name.as_str() {
                "UID" => line.value.trim().clone_into(&mut event.uid),
                "SUMMARY" => event.summary = line.text(),
                _ => {}
            }
        }
        for line in lines {
            event.property(line, zones).map_err(|wrong| event.told_with(wrong))?;
        }
        Ok(event)
    }

    fn property(&mut self, line: &Line<'_>, zones: &Zones) -> Result<()> {
        let one = || zones.moment(line, &line.value).map(Some);
        let unsupported = |what: &str| Err(refuse(format!("line {}: {what} is not supported", line.number)));
        match line.name.as_str() {
            "STATUS" => self.cancelled = line.value.trim().eq_ignore_ascii_case("CANCELLED"),
            "DTSTART" => self.start = one()?,
            "DTEND" => self.end = one()?,
            "DURATION" => self.duration = Some(duration(line)?),
            "RRULE" => self.rules.push(Rule::read(line, zones)?),
            "RDATE" if line.value.contains('/') => return unsupported("an RDATE of periods"),
            "RDATE" => self.more.extend(zones.moments(line)?),
            "EXDATE" => self.except.extend(&zones.moments(line)?),
            "RECURRENCE-ID" if line.param("RANGE").is_some() => {
                return unsupported("RECURRENCE-ID with RANGE");
            }
            "RECURRENCE-ID" => self.replaces = one()?,
            "EXRULE" => return unsupported("EXRULE"),
            _ => {}
        }
        Ok(())
    }

    fn name(&self) -> String {
        shorten(if self.summary.is_empty() { &self.uid } else { &self.summary })
    }

    fn told_with(&self, mut wrong: crate::Invalid) -> crate::Invalid {
        for error in &mut wrong.0 {
            error.detail = format!("the event “{}”, {}", self.name(), error.detail);
        }
        wrong
    }

    pub(super) fn refuse(&self, detail: &str) -> crate::Invalid {
        refuse(format!("the event “{}” on line {}: {detail}", self.name(), self.line))
    }

    pub(super) fn start(&self) -> Result<&Moment> {
        self.start.as_ref().ok_or_else(|| self.refuse("DTSTART is missing"))
    }

    /// The zone that it names, UTC included.
    pub(super) fn zone(&self) -> Option<&Zone> {
        match &self.start.as_ref()?.kind {
            Kind::Zoned(zone) => Some(zone),
            Kind::Day | Kind::Floating => None,
        }
    }

    /// How long it lasts on its own clock; whole days for one of whole days.
    pub(super) fn length(&self) -> Result<TimeDelta> {
        let start = self.start()?;
        let day = TimeDelta::days(1);
        let length = match (&self.end, self.duration) {
            (Some(end), _) => {
                let end = match &start.kind {
                    Kind::Zoned(zone) => end.on_clock_of(zone),
                    Kind::Day | Kind::Floating => end.local,
                };
                end - start.local
            }
            (None, Some(duration)) => duration,
            (None, None) if start.kind == Kind::Day => day,
            (None, None) => TimeDelta::zero(),
        };
        if length < TimeDelta::zero() {
            return Err(self.refuse("ends before it starts"));
        }
        // Some files end a day on the day itself.
        Ok(if start.kind == Kind::Day { length.max(day) } else { length })
    }

    /// Whether nothing is said of single times of it.
    pub(super) fn is_regular(&self, replaced: &Replaced<'_>) -> bool {
        self.more.is_empty()
            && self.except.0.is_empty()
            && self.replaces.is_none()
            && !replaced.0.contains_key(self.uid.as_str())
    }

    /// When it starts, each time; `looks` is what may be spent on looking.
    pub(super) fn starts(&self, replaced: &Replaced<'_>, looks: &mut usize) -> Result<Vec<Moment>> {
        let first = self.start()?;
        let mut starts = match self.rules.first() {
            Some(rule) => rule.starts(first, looks).map_err(|why| self.refuse(why))?,
            None => vec![first.clone()],
        };
        starts.extend(self.more.iter().cloned());
        let replaced = replaced.0.get(self.uid.as_str()).filter(|_| self.replaces.is_none());
        starts.retain(|start| {
            !self.except.holds(start) && !replaced.is_some_and(|replaced| replaced.holds(start))
        });
        Ok(starts)
    }
}

/// Starts of events that do not take place.
#[derive(Debug, Default)]
struct Excluded(HashSet<Key>);

#[derive(Debug, PartialEq, Eq, Hash)]
enum Key {
    /// Whenever on that day.
    Day(NaiveDate),
    /// On whatever clock.
    Reading(NaiveDateTime),
    /// In UTC.
    Instant(NaiveDateTime),
}

impl Excluded {
    fn extend<'a>(&mut self, moments: impl IntoIterator<Item = &'a Moment>) {
        self.0.extend(moments.into_iter().map(|moment| match moment.kind {
            Kind::Day => Key::Day(moment.local.date()),
            Kind::Floating => Key::Reading(moment.local),
            Kind::Zoned(_) => Key::Instant(moment.on_clock_of(&Zone::default())),
        }));
    }

    /// A day that some program excludes as midnight in UTC is that day.
    fn holds(&self, start: &Moment) -> bool {
        !self.0.is_empty()
            && (self.0.contains(&Key::Day(start.local.date()))
                || self.0.contains(&Key::Reading(start.local))
                || self.0.contains(&Key::Instant(start.on_clock_of(&Zone::default()))))
    }
}

/// Single times that other events of the file replace, by `UID`.
pub(super) struct Replaced<'a>(HashMap<&'a str, Excluded>);

impl<'a> Replaced<'a> {
    /// One that is cancelled replaces its time with nothing.
    pub(super) fn by(events: &'a [Event]) -> Self {
        let mut all = HashMap::<_, Excluded>::new();
        for event in events.iter().filter(|event| !event.uid.is_empty()) {
            if let Some(time) = &event.replaces {
                all.entry(event.uid.as_str()).or_default().extend([time]);
            }
        }
        Self(all)
    }
}
