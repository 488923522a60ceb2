//! A zone's wall clock over two years, written down by walking it.

use std::sync::OnceLock;

use chrono::{DateTime, NaiveDate};
use domain::schedule::{Fold, Gap};
use domain::time::Zone;

/// Which readings of a wall clock a schedule names.
pub(crate) trait Readings {
    fn admits_day(&self, date: NaiveDate) -> bool;

    /// `time` is in seconds since midnight, on a whole minute.
    fn admits_minute(&self, time: i64) -> bool;

    /// Within a minute.
    fn seconds(&self) -> &[i64];
}

/// Zones and the first of the two years: half-hour and two-hour shifts, changes at midnight, Ramadan, zones that
/// changed for good in 2026, a skipped day, and zones without changes.
pub(crate) const PLACES: [(&str, i32); 42] = [
    ("UTC", 2026),
    ("Europe/Paris", 2026),
    ("Europe/London", 2026),
    ("Europe/Dublin", 2026),
    ("Europe/Lisbon", 2027),
    ("Europe/Chisinau", 2026),
    ("Europe/Moscow", 2011),
    ("Europe/Istanbul", 2015),
    ("America/New_York", 2026),
    ("America/Los_Angeles", 2027),
    ("America/Vancouver", 2026),
    ("America/Winnipeg", 2026),
    ("America/Edmonton", 2026),
    ("America/St_Johns", 2026),
    ("America/Havana", 2026),
    ("America/Santiago", 2026),
    ("America/Asuncion", 2023),
    ("America/Sao_Paulo", 2017),
    ("America/Caracas", 2007),
    ("America/Nuuk", 2022),
    ("America/Scoresbysund", 2023),
    ("America/Port-au-Prince", 2026),
    ("America/Miquelon", 2026),
    ("Atlantic/Azores", 2026),
    ("Africa/Cairo", 2026),
    ("Africa/Casablanca", 2026),
    ("Africa/El_Aaiun", 2012),
    ("Africa/Lagos", 2026),
    ("Asia/Beirut", 2026),
    ("Asia/Gaza", 2026),
    ("Asia/Jerusalem", 2026),
    ("Asia/Kathmandu", 2026),
    ("Asia/Pyongyang", 2015),
    ("Asia/Tehran", 2021),
    ("Australia/Lord_Howe", 2026),
    ("Australia/Sydney", 2026),
    ("Australia/Adelaide", 2026),
    ("Pacific/Chatham", 2026),
    ("Pacific/Easter", 2026),
    ("Pacific/Auckland", 2026),
    ("Pacific/Apia", 2011),
    ("Antarctica/Troll", 2026),
];

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

pub(crate) struct Clock {
    /// First instant, and the first after the two years.
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// When the clock is changed.
    pub(crate) changes: Vec<i64>,
    /// The days on which something is skipped or shown twice.
    pub(crate) odd_days: Vec<NaiveDate>,
    /// What it shows, in stretches of even running: instant and reading of its first minute, number of minutes.
    shows: Vec<(i64, i64, i64)>,
    /// What it skips: the instant of the change, the first reading skipped, number of minutes.
    skips: Vec<(i64, i64, i64)>,
}

impl Clock {
    /// The clock of one of the [`PLACES`]; walked once.
    pub(crate) fn of(place: usize) -> &'static Self {
        static CLOCKS: [OnceLock<Clock>; PLACES.len()] = [const { OnceLock::new() }; PLACES.len()];
        let (zone, year) = PLACES[place];
        CLOCKS[place].get_or_init(|| Self::walk(zone, year))
    }

    fn walk(zone: &str, year: i32) -> Self {
        let zone = Zone::named(zone).expect("a zone");
        let day = |year| {
            let date = NaiveDate::from_ymd_opt(year, 1, 1).expect("a date");
            i64::from(date.to_epoch_days()) * DAY
        };
        let (start, end) = (day(year), day(year + 2));
        let reading =
            |at| zone.local(DateTime::from_timestamp_secs(at).expect("an instant")).and_utc().timestamp();
        let mut clock = Self {
            start,
            end,
            changes: Vec::new(),
            odd_days: Vec::new(),
            shows: Vec::new(),
            skips: Vec::new(),
        };
        let (mut from, mut at) = (start, start);
        while at < end {
            // By the hour where nothing happens, by the minute where something does.
            let even = at + HOUR <= end && reading(at + HOUR) == reading(at) + HOUR;
            let next = at + if even { HOUR } else { MINUTE };
            let (before, now) = (reading(next - MINUTE) + MINUTE, reading(next));
            if before != now && next < end {
                clock.changes.push(next);
                clock.odd_days.push(date(before.min(now)));
                clock.shows.push((from, reading(from), (next - from) / MINUTE));
                if now > before {
                    clock.skips.push((next, before, (now - before) / MINUTE));
                }
                from = next;
            }
            at = next;
        }
        clock.shows.push((from, reading(from), (end - from) / MINUTE));
        clock
    }

    /// Every second at which a schedule of these readings must fire, in order.
    pub(crate) fn fires(&self, readings: &impl Readings, gap: Gap, fold: Fold) -> Vec<i64> {
        let mut fires = Vec::new();
        let mut day = (0, false);
        for (at, reading, minutes) in self.shows.iter().copied() {
            for minute in 0..minutes {
                let (at, reading) = (at + minute * MINUTE, reading + minute * MINUTE);
                // The same day is asked for 1 440 times.
                if day.0 != reading.div_euclid(DAY) {
                    day = (reading.div_euclid(DAY), readings.admits_day(date(reading)));
                }
                if day.1 && readings.admits_minute(reading.rem_euclid(DAY)) {
                    let admitted = match fold {
                        Fold::Both => true,
                        Fold::First => !self.shown(reading).any(|other| other < at),
                        Fold::Second => !self.shown(reading).any(|other| other > at),
                    };
                    if admitted {
                        fires.extend(readings.seconds().iter().map(|second| at + second));
                    }
                }
            }
        }
        for (at, reading, minutes) in self.skips.iter().copied().filter(|_| gap == Gap::NextValid) {
            let mut skipped = (0..minutes).map(|minute| reading + minute * MINUTE);
            if skipped.any(|reading| {
                readings.admits_day(date(reading)) && readings.admits_minute(reading.rem_euclid(DAY))
            }) {
                fires.push(at);
            }
        }
        fires.sort_unstable();
        fires.dedup();
        fires
    }

    /// The instants at which the clock shows `reading`.
    fn shown(&self, reading: i64) -> impl Iterator<Item = i64> {
        self.shows
            .iter()
            .filter(move |(_, first, minutes)| (*first..first + minutes * MINUTE).contains(&reading))
            .map(move |(at, first, _)| at + (reading - first))
    }
}

fn date(reading: i64) -> NaiveDate {
    DateTime::from_timestamp_secs(reading).expect("a reading").date_naive()
}
