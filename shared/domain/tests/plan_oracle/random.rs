//! Random jobs, as far as it matters when they are due: schedules, calendars, bounds and jitter.

use std::fmt;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use domain::calendar::{
    CalendarCopy, CalendarDay, CalendarDraft, CalendarMode, CalendarRange, CalendarUse, Edge, Roll, Weekday,
    WeeklyHours,
};
use domain::plan::Timing;
use domain::time::Zone;
use domain::time_of_day::TimeOfDay;
use domain::{HumanDuration, Instant, Invalid, JobId, Plan, Schedule, parse};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Clocks with an hour's changes, half an hour's, at midnight and during Ramadan; a skipped day; none at all.
const ZONES: [&str; 8] = [
    "UTC",
    "America/New_York",
    "Europe/Paris",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/Santiago",
    "Asia/Kathmandu",
];

/// The first of the two years: the first there are, that of Apia's skipped day, now, and the last there are.
const YEARS: [i32; 5] = [1970, 2011, 2026, 2026, 2099];

/// Everything that says when a job is due.
#[derive(Clone)]
pub(crate) struct Random {
    pub(crate) year: i32,
    pub(crate) schedule: Schedule,
    pub(crate) uses: Vec<CalendarUse>,
    pub(crate) copies: Vec<CalendarCopy>,
    pub(crate) start_at: Option<Instant>,
    pub(crate) end_at: Option<Instant>,
    pub(crate) jitter: HumanDuration,
}

impl fmt::Debug for Random {
    /// As a user would write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let job = json!({
            "schedule": self.schedule, "calendars": self.uses, "start_at": self.start_at, "end_at": self.end_at,
            "jitter": self.jitter,
        });
        write!(f, "{} {job}", self.year)?;
        self.copies.iter().try_for_each(|copy| write!(f, " {}: {}", copy.name, json!(copy.draft)))
    }
}

impl Random {
    pub(crate) fn plan(&self) -> Result<Plan, Invalid> {
        let timing = Timing {
            schedule: &self.schedule,
            start_at: self.start_at,
            end_at: self.end_at,
            calendars: &self.uses,
            jitter: self.jitter,
        };
        Plan::compile(JobId::NIL, &timing, &self.copies)
    }

    pub(crate) fn rolls(&self) -> bool {
        self.uses.iter().any(|it| it.roll != Roll::None)
    }
}

/// Midnight of 1 January.
pub(crate) fn new_year(year: i32) -> Instant {
    NaiveDate::from_ymd_opt(year, 1, 1).expect("a date").and_time(NaiveTime::MIN).and_utc()
}

pub(crate) fn random() -> impl Strategy<Value = Random> {
    prop::sample::select(&YEARS[..]).prop_flat_map(|year| {
        let bound = || option::weighted(0.3, (0..700_i64 * 86_400).prop_map(TimeDelta::seconds));
        (schedule(year), calendars(year), bound(), bound(), jitter()).prop_map(
            move |(schedule, (uses, copies), start, end, jitter)| {
                let at = |offset: Option<TimeDelta>| offset.map(|offset| new_year(year) + offset);
                let (start_at, end_at) = match (at(start), at(end)) {
                    (Some(start), Some(end)) => (Some(start.min(end)), Some(start.max(end))),
                    bounds => bounds,
                };
                Random { year, schedule, uses, copies, start_at, end_at, jitter }
            },
        )
    })
}

fn zone() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&ZONES[..])
}

/// None, less than the schedule's distances, and much more.
fn jitter() -> impl Strategy<Value = HumanDuration> {
    let some = prop_oneof![1..60_000_u64, 1..86_400_000_u64];
    option::weighted(0.6, some).prop_map(|most| HumanDuration::from_millis(most.unwrap_or(0)))
}

/// Due once an hour to once in some months, now and then much more often.
fn schedule(year: i32) -> impl Strategy<Value = Schedule> {
    let interval =
        (2_000..400_000_u64, 0..86_400_000_i64, zone()).prop_map(move |(seconds, anchor, zone)| {
            let anchor = new_year(year) + TimeDelta::milliseconds(anchor);
            json!({"type": "interval", "every": format!("{seconds}s"), "anchor": anchor, "timezone": zone})
        });
    let unit = prop::sample::select(vec![("days", 40), ("weeks", 8), ("months", 14), ("years", 1)]);
    let calendar_interval = (unit, 1..1_000_i64, time_of_day(), 0..800_u64, zone(), gap_and_fold()).prop_map(
        move |((unit, most), count, time, days, zone, (gap, fold))| {
            let first = new_year(year).date_naive() - chrono::Days::new(days);
            let first = first.max(new_year(1970).date_naive());
            json!({
                "type": "calendar_interval", "every": {unit: 1 + count % most}, "time": time,
                "start_date": first, "timezone": zone, "gap": gap, "fold": fold,
            })
        },
    );
    let cron = (expression(), zone(), gap_and_fold()).prop_map(|(expression, zone, (gap, fold))| {
        json!({"type": "cron", "expression": expression, "timezone": zone, "gap": gap, "fold": fold})
    });
    prop_oneof![1 => interval, 1 => calendar_interval, 2 => cron].prop_map(read)
}

fn read(value: Value) -> Schedule {
    parse::from_value(value).expect("a schedule")
}

/// Mostly once a day or less; some too often to roll.
fn expression() -> impl Strategy<Value = String> {
    let days = prop::sample::select(vec![
        "* * *", "* * *", "* * 1-5", "* * 1", "1 * *", "L * *", "25 * *", "13 * FRI", "29 2 *", "*/3 * *",
        "LW * *",
    ]);
    let hours = prop_oneof![
        6 => (0..24_u32).prop_map(|hour| hour.to_string()),
        2 => (0..4_u32).prop_map(|hour| hour.to_string()),
        2 => Just("*/8".to_owned()),
        1 => Just("*".to_owned()),
    ];
    let minutes = prop_oneof![
        6 => (0..60_u32).prop_map(|minute| minute.to_string()),
        1 => Just("0,30".to_owned()),
        1 => Just("*/20".to_owned()),
    ];
    (minutes, hours, days).prop_map(|(minutes, hours, days)| format!("{minutes} {hours} {days}"))
}

fn gap_and_fold() -> impl Strategy<Value = (&'static str, &'static str)> {
    (prop::sample::select(vec!["next_valid", "skip"]), prop::sample::select(vec!["first", "second", "both"]))
}

/// Often in the hours in which clocks change.
fn time_of_day() -> impl Strategy<Value = String> {
    (prop_oneof![0..4_u32, 0..24_u32], 0..4_u32)
        .prop_map(|(hour, quarter)| format!("{hour:02}:{:02}", quarter * 15))
}

/// Up to three calendars, and how they are used.
fn calendars(year: i32) -> impl Strategy<Value = (Vec<CalendarUse>, Vec<CalendarCopy>)> {
    // Whether several calendars of a job roll or not, they roll in one direction.
    let roll = prop::sample::select(vec![Roll::None, Roll::Next, Roll::Previous]);
    let mode = prop::sample::select(vec![CalendarMode::Exclude, CalendarMode::Only]);
    let each = (calendar(year), mode, prop::bool::weighted(0.7));
    (roll, vec(each, 0..4)).prop_map(|(roll, calendars)| {
        let used = calendars.into_iter().enumerate().map(|(index, (draft, mode, rolls))| {
            let name = format!("calendar-{index}");
            let roll = if rolls { roll } else { Roll::None };
            (CalendarUse { name: name.clone(), mode, roll }, CalendarCopy { name, version: 1, draft })
        });
        used.unzip()
    })
}

fn calendar(year: i32) -> impl Strategy<Value = CalendarDraft> {
    let timezone = option::of(zone().prop_map(|name| Zone::named(name).expect("a zone")));
    let dates = prop_oneof![
        1 => vec(day(year), 0..30),
        2 => vec(day(year), 0..3),
        3 => Just(Vec::new()),
    ];
    let ranges = prop_oneof![1 => vec(range(year), 1..4), 2 => Just(Vec::new())];
    let weekly = prop_oneof![2 => vec(weekly(), 1..4), 1 => Just(Vec::new())];
    (timezone, dates, ranges, weekly).prop_map(|(timezone, dates, ranges, weekly)| CalendarDraft {
        description: String::new(),
        timezone,
        dates,
        ranges,
        weekly,
    })
}

fn date(year: i32) -> impl Strategy<Value = NaiveDate> {
    // One of the two years, as far as there are any.
    (0..730_u64).prop_map(move |days| {
        let date = new_year(year).date_naive() + chrono::Days::new(days);
        date.min(NaiveDate::from_ymd_opt(2100, 12, 31).expect("a date"))
    })
}

fn day(year: i32) -> impl Strategy<Value = CalendarDay> {
    let yearly =
        prop_oneof![3 => date(2028), 1 => Just(NaiveDate::from_ymd_opt(2028, 2, 29).expect("a date"))];
    prop_oneof![
        date(year).prop_map(CalendarDay::Once),
        yearly.prop_map(|date| date.format("%m-%d").to_string().parse().expect("a day")),
    ]
}

/// From some hours to some months long.
fn range(year: i32) -> impl Strategy<Value = CalendarRange> {
    let time = (0..24_u32, 0..60_u32, 0..3_u32)
        .prop_map(|(hour, minute, second)| NaiveTime::from_hms_opt(hour, minute, second).expect("a time"));
    let edge = |date: NaiveDate, time: Option<NaiveTime>| {
        time.map_or(Edge::Day(date), |time| Edge::Time(date.and_time(time)))
    };
    let length = prop_oneof![0..3_u64, 0..200_u64];
    (date(year), length, option::of(time.clone()), option::of(time))
        .prop_map(move |(first, days, from, until)| {
            let last =
                (first + chrono::Days::new(days)).min(NaiveDate::from_ymd_opt(2100, 12, 31).expect("a date"));
            CalendarRange { from: edge(first, from), until: edge(last, until) }
        })
        .prop_filter("a range ends after it begins", |range| match (range.from, range.until) {
            (Edge::Time(from), Edge::Time(until)) => from < until,
            (Edge::Day(from), Edge::Time(until)) => from.and_time(NaiveTime::MIN) < until,
            _ => true,
        })
}

/// Whole days, hours of a day, and hours over midnight.
fn weekly() -> impl Strategy<Value = WeeklyHours> {
    const DAYS: [Weekday; 7] =
        [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
    let days = prop_oneof![
        Just(DAYS[..5].to_vec()),
        Just(DAYS[5..].to_vec()),
        prop::sample::subsequence(DAYS.to_vec(), 1..=7),
    ];
    let time =
        || option::weighted(0.6, time_of_day().prop_map(|time| time.parse::<TimeOfDay>().expect("a time")));
    (days, time(), time())
        .prop_map(|(days, from, until)| WeeklyHours { days, from, until })
        .prop_filter("from and until differ", |hours| hours.from.is_none() || hours.from != hours.until)
}
