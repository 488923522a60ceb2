//! Dates and times as iCalendar writes them, and the zones they are in.

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::lines::Line;
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
        known(name).or_else(|| self.0.get(name).cloned()).ok_or_else(|| {
            let name = shorten(name);
            refuse(format!(
                "line {}: “{name}” is not the IANA name of a time zone, such as Europe/Paris",
                line.number
            ))
        })
    }

    /// The moments in (a part of) the value of a property: one, or several in a list.
    pub(super) fn moments(&self, line: &Line<'_>, value: &str) -> Result<Vec<Moment>> {
        value.split(',').map(|text| self.moment(line, text.trim())).collect()
    }

    fn moment(&self, line: &Line<'_>, text: &str) -> Result<Moment> {
        let malformed = || refuse(format!("line {}: “{}” is not a date or time", line.number, shorten(text)));
        // A period: its start is what matters here.
        let text = text.split('/').next().unwrap_or_default();
        if text.len() == 8 {
            let date = NaiveDate::parse_from_str(text, "%Y%m%d").map_err(|_| malformed())?;
            return Ok(Moment { local: date.and_time(NaiveTime::MIN), kind: Kind::Day });
        }
        let (reading, utc) = text.strip_suffix(['Z', 'z']).map_or((text, false), |reading| (reading, true));
        let parsed =
            (reading.len() == 15).then(|| NaiveDateTime::parse_from_str(reading, "%Y%m%dT%H%M%S").ok());
        let local = parsed.flatten().ok_or_else(malformed)?;
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
    let mut segments = name.rsplit('/').filter(|segment| !segment.is_empty());
    let (city, region) = segments.next().zip(segments.next())?;
    Zone::named(&format!("{region}/{city}")).ok()
}

/// The names that calendars of offices are exported with.
const WINDOWS: [(&str, &str); 30] = [
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("Arabian Standard Time", "Asia/Dubai"),
    ("Argentina Standard Time", "America/Buenos_Aires"),
    ("Atlantic Standard Time", "America/Halifax"),
    ("Cen. Australia Standard Time", "Australia/Adelaide"),
    ("Central America Standard Time", "America/Guatemala"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Central Standard Time", "America/Chicago"),
    ("China Standard Time", "Asia/Shanghai"),
    ("E. Europe Standard Time", "Europe/Chisinau"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("Eastern Standard Time", "America/New_York"),
    ("FLE Standard Time", "Europe/Kiev"),
    ("GMT Standard Time", "Europe/London"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("Greenwich Standard Time", "Atlantic/Reykjavik"),
    ("India Standard Time", "Asia/Calcutta"),
    ("Israel Standard Time", "Asia/Jerusalem"),
    ("Korea Standard Time", "Asia/Seoul"),
    ("Mountain Standard Time", "America/Denver"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Russian Standard Time", "Europe/Moscow"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("South Africa Standard Time", "Africa/Johannesburg"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("Turkey Standard Time", "Europe/Istanbul"),
    ("W. Europe Standard Time", "Europe/Berlin"),
];

/// `P1D`, `PT2H30M`, `P1W` (RFC 5545, section 3.3.6).
pub(super) fn duration(line: &Line<'_>) -> Result<TimeDelta> {
    let malformed = || refuse(format!("line {}: “{}” is not a duration", line.number, shorten(&line.value)));
    let text = line.value.trim().trim_start_matches('+').strip_prefix('P').ok_or_else(malformed)?;
    let mut total: i64 = 0;
    let mut digits = String::new();
    for char in text.chars() {
        let scale = match char {
            'T' if digits.is_empty() => continue,
            '0'..='9' if digits.len() < 6 => {
                digits.push(char);
                continue;
            }
            'W' => 604_800,
            'D' => 86_400,
            'H' => 3_600,
            'M' => 60,
            'S' => 1,
            _ => return Err(malformed()),
        };
        total += digits.parse::<i64>().map_err(|_| malformed())? * scale;
        digits.clear();
    }
    if digits.is_empty() { Ok(TimeDelta::seconds(total)) } else { Err(malformed()) }
}
