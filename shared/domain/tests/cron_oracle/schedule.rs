//! Random schedules that know, without any parsing, what they mean.

use chrono::{Datelike as _, Days, NaiveDate, Weekday};
use domain::schedule::Dialect;
use proptest::prelude::*;

use crate::clock::Readings;

#[derive(Clone, Debug)]
pub(crate) struct Random {
    pub(crate) text: String,
    pub(crate) dialect: Dialect,
    pub(crate) wildcard: bool,
    pub(crate) seconds: Vec<i64>,
    minute: Vec<Part>,
    hour: Vec<Part>,
    month: Vec<Part>,
    year: Vec<Part>,
    day_of_month: Vec<Part>,
    day_of_week: Vec<Part>,
    either: bool,
}

#[derive(Clone, Debug)]
enum Part {
    Star,
    Question,
    StarStep(u32),
    One(u32),
    Range(u32, u32),
    RangeStep(u32, u32, u32),
    From(u32, u32),
    Last(u32),
    LastWorkday,
    Workday(u32),
    Nth(u32, u32),
    LastOf(u32),
}

impl Readings for Random {
    fn admits_minute(&self, time: i64) -> bool {
        let time = u32::try_from(time).expect("a time of day");
        admits(&self.hour, 0, time / 3600) && admits(&self.minute, 0, time / 60 % 60)
    }

    fn admits_day(&self, date: NaiveDate) -> bool {
        let month = admits(&self.month, 1, date.month());
        let year = admits(&self.year, 1970, date.year().unsigned_abs());
        let of_month = self.day_of_month.iter().any(|part| match part {
            Part::Last(before) => date.day() + before == last(date).day(),
            Part::LastWorkday => date == workday_near(last(date)),
            Part::Workday(day) => date.with_day(*day).is_some_and(|day| date == workday_near(day)),
            part => part.admits(1, date.day()),
        });
        let weekday = date.weekday().num_days_from_sunday();
        let of_week = self.day_of_week.iter().any(|part| {
            let is = |written: u32| match self.dialect {
                Dialect::Unix => written % 7 == weekday,
                _ => written == weekday + 1,
            };
            match part {
                Part::Nth(written, n) => is(*written) && (date.day() - 1) / 7 + 1 == *n,
                Part::LastOf(written) => is(*written) && date.day() + 7 > last(date).day(),
                part => match self.dialect {
                    Dialect::Unix => part.admits(0, weekday) || weekday == 0 && part.admits(0, 7),
                    _ => part.admits(1, weekday + 1),
                },
            }
        });
        month && year && if self.either { of_month || of_week } else { of_month && of_week }
    }

    fn seconds(&self) -> &[i64] {
        &self.seconds
    }
}

fn admits(parts: &[Part], low: u32, value: u32) -> bool {
    parts.iter().any(|part| part.admits(low, value))
}

fn last(date: NaiveDate) -> NaiveDate {
    (28..=31).rev().find_map(|day| date.with_day(day)).expect("every month has 28 days")
}

fn workday_near(date: NaiveDate) -> NaiveDate {
    // In the order of nearness; a Saturday is nearer to Friday, a Sunday to Monday.
    let (back, on) = (|days| date - Days::new(days), |days| date + Days::new(days));
    let candidates = [date, back(1), on(1), back(2), on(2)];
    candidates
        .into_iter()
        .find(|day| day.month() == date.month() && !matches!(day.weekday(), Weekday::Sat | Weekday::Sun))
        .expect("a working day within two days")
}

impl Part {
    fn admits(&self, low: u32, value: u32) -> bool {
        match *self {
            Self::Star | Self::Question => true,
            Self::StarStep(step) => (value - low).is_multiple_of(step),
            Self::One(one) => value == one,
            Self::Range(from, to) => (from..=to).contains(&value),
            Self::RangeStep(from, to, step) => {
                (from..=to).contains(&value) && (value - from).is_multiple_of(step)
            }
            Self::From(from, step) => value >= from && (value - from).is_multiple_of(step),
            _ => false,
        }
    }

    fn write(&self) -> String {
        match *self {
            Self::Star => "*".to_owned(),
            Self::Question => "?".to_owned(),
            Self::StarStep(step) => format!("*/{step}"),
            Self::One(one) => one.to_string(),
            Self::Range(from, to) => format!("{from}-{to}"),
            Self::RangeStep(from, to, step) => format!("{from}-{to}/{step}"),
            Self::From(from, step) => format!("{from}/{step}"),
            Self::Last(0) => "L".to_owned(),
            Self::Last(before) => format!("L-{before}"),
            Self::LastWorkday => "LW".to_owned(),
            Self::Workday(day) => format!("{day}W"),
            Self::Nth(weekday, n) => format!("{weekday}#{n}"),
            Self::LastOf(weekday) => format!("{weekday}L"),
        }
    }
}

fn write(parts: &[Part]) -> String {
    parts.iter().map(Part::write).collect::<Vec<_>>().join(",")
}

fn starred(parts: &[Part]) -> bool {
    matches!(parts[0], Part::Star | Part::StarStep(_) | Part::Question)
}

/// A list of plain parts within bounds; often just `*`, often one number.
fn plain(low: u32, high: u32) -> BoxedStrategy<Vec<Part>> {
    let value = low..=high;
    let range = (low..=high, low..=high).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let part = prop_oneof![
        6 => value.clone().prop_map(Part::One),
        2 => range.clone().prop_map(|(from, to)| Part::Range(from, to)),
        1 => (range, 1..=high.min(31)).prop_map(|((from, to), step)| Part::RangeStep(from, to, step)),
        1 => (value, 1..=high.min(31)).prop_map(|(from, step)| Part::From(from, step)),
    ];
    prop_oneof![
        3 => Just(vec![Part::Star]),
        2 => (1..=high.min(31)).prop_map(|step| vec![Part::StarStep(step)]),
        6 => proptest::collection::vec(part, 1..=3),
    ]
    .boxed()
}

fn day_of_month() -> BoxedStrategy<Vec<Part>> {
    let special = prop_oneof![
        (0..=30u32).prop_map(Part::Last),
        Just(Part::Last(0)),
        Just(Part::LastWorkday),
        (1..=31u32).prop_map(Part::Workday),
        (1..=31u32).prop_map(Part::One),
    ];
    prop_oneof![3 => plain(1, 31), 1 => proptest::collection::vec(special, 1..=2)].boxed()
}

fn day_of_week(low: u32) -> BoxedStrategy<Vec<Part>> {
    let special = prop_oneof![
        (low..=7, 1..=5u32).prop_map(|(weekday, n)| Part::Nth(weekday, n)),
        (low..=7).prop_map(Part::LastOf),
    ];
    prop_oneof![3 => plain(low, 7), 1 => special.prop_map(|part| vec![part])].boxed()
}

/// Hours near the usual changes of the clock more often than others.
fn hour() -> BoxedStrategy<Vec<Part>> {
    prop_oneof![
        2 => plain(0, 23),
        1 => proptest::collection::vec((0..=3u32).prop_map(Part::One), 1..=2),
        1 => Just(vec![Part::Range(0, 3)]),
    ]
    .boxed()
}

pub(crate) fn random() -> BoxedStrategy<Random> {
    let dialect = prop_oneof![3 => Just(Dialect::Unix), 1 => Just(Dialect::Quartz), 1 => Just(Dialect::Aws)];
    dialect.prop_flat_map(in_dialect).boxed()
}

fn in_dialect(dialect: Dialect) -> BoxedStrategy<Random> {
    let unix = dialect == Dialect::Unix;
    let seconds = proptest::collection::btree_set(0..60i64, 1..=3);
    let year = prop_oneof![3 => Just(vec![Part::Star]), 1 => Just(vec![Part::Range(2011, 2027)])];
    (
        (any::<bool>(), seconds),
        (plain(0, 59), hour(), day_of_month()),
        (plain(1, 12), day_of_week(u32::from(!unix)), year),
        any::<bool>(),
    )
        .prop_map(move |(seconds, (minute, hour, mut of_month), (month, mut of_week, mut year), which)| {
            let with_seconds = seconds.0 && dialect != Dialect::Aws || dialect == Dialect::Quartz;
            let seconds = if with_seconds { seconds.1.into_iter().collect() } else { vec![0] };
            if !unix {
                *(if which { &mut of_month } else { &mut of_week }) = vec![Part::Question];
            }
            if unix {
                year = vec![Part::Star];
            }
            let list = seconds.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
            let mut text = [&minute, &hour, &of_month, &month, &of_week].map(|parts| write(parts)).join(" ");
            if with_seconds {
                text = format!("{list} {text}");
            }
            if !unix {
                text = format!("{text} {}", write(&year));
            }
            Random {
                text,
                dialect,
                wildcard: starred(&minute) || starred(&hour),
                seconds,
                either: unix && !starred(&of_month) && !starred(&of_week),
                minute,
                hour,
                month,
                year,
                day_of_month: of_month,
                day_of_week: of_week,
            }
        })
        .boxed()
}
