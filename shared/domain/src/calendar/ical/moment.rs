//! Dates and times as iCalendar writes them, and the zones they are in.

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike as _};

use super::lines::Line;
use super::windows::WINDOWS;
use super::{Result, refuse};
use crate::duration::shorten;
use crate::time::Zone;

/// A day, or a time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moment {
    /// The reading of the clock; a day's start where it is a whole day.
    pub(super) local: NaiveDateTime,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A whole day.
    Day,
    /// A time on whatever clock the reader has.
    Floating,
    /// A time on the clock of a zone.
    Zoned(Zone),
}

impl Moment {
    /// The same on the clock of `zone`; a day and a floating time are the same on every clock.
    pub(super) fn on_clock_of(&self, zone: &Zone) -> NaiveDateTime {
        match &self.kind {
            Kind::Zoned(own) if own != zone => {
                own.instant(self.local).map_or(self.local, |at| zone.local(at))
            }
            _ => self.local,
        }
    }

    pub(super) fn plus(&self, duration: TimeDelta) -> Option<Self> {
        let local = self.local.checked_add_signed(duration)?;
        Some(Self { local, kind: self.kind.clone() })
    }
}

/// Zones by the names a file gives them.
#[derive(Default)]
pub(super) struct Zones(HashMap<String, Zone>);

impl Zones {
    /// What a file says of a zone of its own, in a `VTIMEZONE`.
    pub(super) fn define(&mut self, name: &str, location: &str) {
        if let Some(zone) = known(location) {
            self.0.insert(name.to_owned(), zone);
        }
    }

    fn find(&self, line: &Line<'_>, name: &str) -> Result<Zone> {
        self.0.get(name).cloned().or_else(|| known(name)).ok_or_else(|| {
            let (number, name) = (line.number, shorten(name));
            refuse(format!(
                "line {number}: “{name}” is not the IANA name of a time zone, such as Europe/Paris, nor one that \
                 Windows has, and the file does not say where it is (X-LIC-LOCATION)"
            ))
        })
    }

    /// The moments in the value of a property that is a list of them.
    pub(super) fn moments(&self, line: &Line<'_>) -> Result<Vec<Moment>> {
        line.value.split(',').map(|text| self.moment(line, text)).collect()
    }

    /// The moment in (a part of) the value of a property.
    pub(super) fn moment(&self, line: &Line<'_>, text: &str) -> Result<Moment> {
        let text = text.trim();
        let malformed = || {
            let (number, text) = (line.number, shorten(text));
            refuse(format!(
                "line {number}: “{text}” is not a date or time; 20261224 and 20261224T180000Z are"
            ))
        };
        if text.len() == 8 {
            let date = NaiveDate::parse_from_str(text, "%Y%m%d").map_err(|_| malformed())?;
            return Ok(Moment { local: date.and_time(NaiveTime::MIN), kind: Kind::Day });
        }
        let (reading, utc) = text.strip_suffix(['Z', 'z']).map_or((text, false), |reading| (reading, true));
        let parsed =
            (reading.len() == 15).then(|| NaiveDateTime::parse_from_str(reading, "%Y%m%dT%H%M%S").ok());
        // Second 60 is read as a leap second; no wall clock here shows one.
        let local = parsed.flatten().and_then(|time| time.with_nanosecond(0)).ok_or_else(malformed)?;
        let kind = match line.param("TZID") {
            _ if utc => Kind::Zoned(Zone::default()),
            Some(name) => Kind::Zoned(self.find(line, name)?),
            None => Kind::Floating,
        };
        Ok(Moment { local, kind })
    }
}

/// A zone by an IANA name, by one with a vendor's prefix (`/mozilla.org/20050126_1/Europe/Paris`), or by one of the
/// names that Windows has for zones (Unicode CLDR, `windowsZones.xml`).
pub(super) fn known(name: &str) -> Option<Zone> {
    let name = name.trim();
    if let Ok(zone) = Zone::named(name) {
        return Some(zone);
    }
    if let Some((_, iana)) = WINDOWS.iter().find(|(windows, _)| windows.eq_ignore_ascii_case(name)) {
        return Zone::named(iana).ok();
    }
    if !name.starts_with('/') && !name.contains("://") {
        return None;
    }
    let mut tails = name.match_indices('/').filter_map(|(slash, _)| name.get(slash + 1..));
    tails.find_map(|tail| Zone::named(tail).ok())
}

/// `P1D`, `PT2H30M`, `P1W` (RFC 5545, section 3.3.6).
pub(super) fn duration(line: &Line<'_>) -> Result<TimeDelta> {
    let malformed = || refuse(format!("line {}: “{}” is not a duration", line.number, shorten(&line.value)));
    let text = line.value.trim().to_ascii_uppercase();
    let text = text.trim_start_matches('+').strip_prefix('P').ok_or_else(malformed)?;
    let (mut total, mut digits) = (0, String::new());
    let mut of_a_day = false;
    // Each unit at most once, the large ones first: so the total is bounded however long the text.
    let mut smallest = i64::MAX;
    for char in text.chars() {
        let unit = match char {
            'T' if digits.is_empty() && !of_a_day => {
                of_a_day = true;
                continue;
            }
            '0'..='9' if digits.len() < 6 => {
                digits.push(char);
                continue;
            }
            'W' if !of_a_day => 604_800,
            'D' if !of_a_day => 86_400,
            'H' if of_a_day => 3_600,
            'M' if of_a_day => 60,
            'S' if of_a_day => 1,
            _ => return Err(malformed()),
        };
        if unit >= smallest {
            return Err(malformed());
        }
        total += digits.parse::<i64>().map_err(|_| malformed())? * unit;
        smallest = unit;
        digits.clear();
    }
    // Something must follow the P, and the T where there is one.
    let whole = digits.is_empty() && smallest < if of_a_day { 86_400 } else { i64::MAX };
    if whole { Ok(TimeDelta::seconds(total)) } else { Err(malformed()) }
}
