//! Events: what a file says of each, and when each takes place.

use chrono::TimeDelta;

use super::lines::Line;
use super::moment::{Kind, Moment, Zones, duration};
use super::recurrence::{Rule, is_same};
use super::{Result, refuse};
use crate::duration::shorten;

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
    pub(super) more: Vec<Moment>,
    pub(super) except: Vec<Moment>,
    /// Of the event with this `uid`, it replaces the one that starts here.
    pub(super) replaces: Option<Moment>,
}

impl Event {
    pub(super) fn begun(line: &Line<'_>) -> Self {
        Self { line: line.number, ..Self::default() }
    }

    pub(super) fn read(&mut self, line: &Line<'_>, zones: &Zones) -> Result<()> {
        let one = || Ok(zones.moments(line, &line.value)?.into_iter().next());
        match line.name.as_str() {
            "UID" => line.value.trim().clone_into(&mut self.uid),
            "SUMMARY" => self.summary = line.text(),
            "STATUS" => self.cancelled = line.value.trim().eq_ignore_ascii_case("CANCELLED"),
            "DTSTART" => self.start = one()?,
            "DTEND" => self.end = one()?,
            "DURATION" => self.duration = Some(duration(line)?),
            "RRULE" => self.rules.push(Rule::read(line, zones)?),
            "RDATE" => self.more.extend(zones.moments(line, &line.value)?),
            "EXDATE" => self.except.extend(zones.moments(line, &line.value)?),
            "RECURRENCE-ID" => self.replaces = one()?,
            "EXRULE" => return Err(self.refuse("EXRULE is not supported")),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn refuse(&self, detail: &str) -> crate::Invalid {
        let name = if self.summary.is_empty() { &self.uid } else { &self.summary };
        refuse(format!("the event “{}” on line {}: {detail}", shorten(name), self.line))
    }

    pub(super) fn start(&self) -> Result<&Moment> {
        self.start.as_ref().ok_or_else(|| self.refuse("DTSTART is missing"))
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
    pub(super) fn is_regular(&self) -> bool {
        self.more.is_empty() && self.except.is_empty() && self.replaces.is_none()
    }

    /// When it starts, each time: at most `most` times; `days` is what may be spent on looking. `overrides` replace
    /// single times of this event or others.
    pub(super) fn starts(&self, overrides: &[&Self], most: usize, days: &mut usize) -> Result<Vec<Moment>> {
        let first = self.start()?;
        let mut starts = vec![first.clone()];
        if let Some(rule) = self.rules.first() {
            starts = rule
                .starts(first, most, days)
                .ok_or_else(|| self.refuse("its recurrence rule takes too long to follow"))?;
            if starts.len() >= most {
                return Err(self.refuse("comes again too often; give its rule an UNTIL or a COUNT"));
            }
        }
        starts.extend(self.more.iter().cloned());
        if !(starts.len() == 1 && self.is_regular()) {
            let of_this = overrides.iter().filter(|it| it.uid == self.uid && self.replaces.is_none());
            let replaced: Vec<_> =
                of_this.filter_map(|it| it.replaces.as_ref()).chain(&self.except).collect();
            starts.retain(|start| !replaced.iter().any(|excluded| is_same(start, excluded)));
        }
        Ok(starts)
    }
}
