//! iCalendar files as calendars: what published ones look like, what broken ones are told, and recurrence rules beside
//! a walk over all days.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use chrono::{Datelike as _, NaiveDate, TimeDelta, Weekday};
use domain::calendar::{Calendar, CalendarDay, CalendarDraft, ical};
use proptest::prelude::*;
use serde_json::{Value, json};

fn file(events: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{events}END:VCALENDAR\r\n")
}

/// An event of these lines.
fn event(lines: &[&str]) -> String {
    format!("BEGIN:VEVENT\r\nUID:1@test\r\nSUMMARY:Something\r\n{}\r\nEND:VEVENT\r\n", lines.join("\r\n"))
}

/// What a file with one event of these lines comes to, as JSON, without what is empty.
fn read_one(lines: &[&str]) -> Value {
    gist(&read(&file(&event(lines))))
}

/// Reads a file, and makes sure that what it comes to can be stored.
fn read(text: &str) -> CalendarDraft {
    let draft = ical::read(text).unwrap();
    Calendar::create("default", "imported", draft.clone(), chrono::DateTime::UNIX_EPOCH).unwrap();
    draft
}

fn gist(draft: &CalendarDraft) -> Value {
    let mut value = serde_json::to_value(draft).unwrap();
    let fields = value.as_object_mut().unwrap();
    fields.retain(|_, field| !(field.is_null() || *field == json!("") || *field == json!([])));
    value
}

fn refusal(text: &str) -> String {
    ical::read(text).unwrap_err().to_string()
}

/// In the shape of the files that large providers publish for a country's public holidays.
#[test]
fn a_published_file_of_public_holidays() {
    let draft = read(include_str!("data/ical/holidays.ics"));
    assert_eq!(draft.description, "Holidays in Germany, with a folded name");
    let days: Vec<_> = draft.dates.iter().map(CalendarDay::to_string).collect();
    assert_eq!(days, ["2026-12-25", "2026-12-26", "2027-01-01", "2027-03-26", "2027-03-29"]);
    assert!(draft.timezone.is_none() && draft.ranges.is_empty() && draft.weekly.is_empty());
}

/// In the shape of what office programs export: their own names of zones, alarms inside of events.
#[test]
fn maintenance_windows_of_an_office_program() {
    let draft = read(include_str!("data/ical/maintenance.ics"));
    assert_eq!(
        gist(&draft),
        json!({
            "timezone": "Europe/Berlin",
            "ranges": [{"from": "2026-12-05T22:00:00", "until": "2026-12-06T06:00:00"}],
            "weekly": [{"days": ["sun"], "from": "02:00", "until": "04:30"}],
        })
    );
}

#[test]
fn days_and_ranges_of_days() {
    assert_eq!(read_one(&["DTSTART;VALUE=DATE:20261225"]), json!({"dates": ["2026-12-25"]}));
    // The end is the first day after it.
    let two = read_one(&["DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261227"]);
    assert_eq!(two, json!({"ranges": [{"from": "2026-12-25", "until": "2026-12-26"}]}));
    let week = read_one(&["dtstart;value=date:20261221", "duration:P1W"]);
    assert_eq!(week, json!({"ranges": [{"from": "2026-12-21", "until": "2026-12-27"}]}));
    let own_end = read_one(&["DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261225"]);
    assert_eq!(own_end, json!({"dates": ["2026-12-25"]}));
}

#[test]
fn times_are_on_the_calendars_clock() {
    let range = |zone: Option<&str>, from: &str, until: &str| {
        let mut value = json!({"ranges": [{"from": from, "until": until}]});
        if let Some(zone) = zone {
            value["timezone"] = json!(zone);
        }
        value
    };
    let utc = read_one(&["DTSTART:20261205T220000Z", "DTEND:20261206T060000Z"]);
    assert_eq!(utc, range(Some("UTC"), "2026-12-05T22:00:00", "2026-12-06T06:00:00"));
    let floating = read_one(&["DTSTART:20261205T220000", "DURATION:PT8H"]);
    assert_eq!(floating, range(None, "2026-12-05T22:00:00", "2026-12-06T06:00:00"));
    let zoned = read_one(&["DTSTART;TZID=\"Europe/Paris\":20261205T220000", "DTEND:20261206T050000Z"]);
    assert_eq!(zoned, range(Some("Europe/Paris"), "2026-12-05T22:00:00", "2026-12-06T06:00:00"));
    let vendor =
        read_one(&["DTSTART;TZID=/mozilla.org/20050126_1/Europe/Paris:20261205T220000", "DURATION:PT1H"]);
    assert_eq!(vendor, range(Some("Europe/Paris"), "2026-12-05T22:00:00", "2026-12-05T23:00:00"));
    let other = file(&format!(
        "X-WR-TIMEZONE:Asia/Tokyo\r\n{}",
        event(&["DTSTART;TZID=Europe/Paris:20261205T220000", "DURATION:PT1H"])
    ));
    assert_eq!(gist(&read(&other)), range(Some("Asia/Tokyo"), "2026-12-06T06:00:00", "2026-12-06T07:00:00"));
    // The night in which Paris has an hour twice.
    let long =
        read_one(&["DTSTART;TZID=Europe/Paris:20261024T220000", "DTEND;TZID=Europe/Paris:20261025T060000"]);
    assert_eq!(long, range(Some("Europe/Paris"), "2026-10-24T22:00:00", "2026-10-25T06:00:00"));
}

#[test]
fn what_recurs_for_ever_stays_short() {
    let christmas = read_one(&["DTSTART;VALUE=DATE:20201225", "RRULE:FREQ=YEARLY"]);
    assert_eq!(christmas, json!({"dates": ["12-25"]}));
    let named = read_one(&["DTSTART;VALUE=DATE:20201225", "RRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25"]);
    assert_eq!(named, json!({"dates": ["12-25"]}));
    let weekend = read_one(&["DTSTART;VALUE=DATE:20260103", "RRULE:FREQ=WEEKLY;BYDAY=SA,SU"]);
    assert_eq!(weekend, json!({"weekly": [{"days": ["sat", "sun"]}]}));
    let nights =
        read_one(&["DTSTART;TZID=Europe/Paris:20260103T220000", "DURATION:PT8H", "RRULE:FREQ=DAILY"]);
    let days = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
    let weekly = json!([{"days": days, "from": "22:00", "until": "06:00"}]);
    assert_eq!(nights, json!({"timezone": "Europe/Paris", "weekly": weekly}));
}

#[test]
fn single_times_are_left_out_moved_and_added() {
    let lines = ["DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=DAILY;COUNT=4", "EXDATE;VALUE=DATE:20261202"];
    assert_eq!(read_one(&lines), json!({"dates": ["2026-12-01", "2026-12-03", "2026-12-04"]}));
    let added = read_one(&["DTSTART;VALUE=DATE:20261201", "RDATE;VALUE=DATE:20261210,20261211"]);
    assert_eq!(added, json!({"dates": ["2026-12-01", "2026-12-10", "2026-12-11"]}));
    let daily = event(&["DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=DAILY;COUNT=3"]);
    let moved = event(&["RECURRENCE-ID;VALUE=DATE:20261202", "DTSTART;VALUE=DATE:20261220"]);
    let gone =
        event(&["RECURRENCE-ID;VALUE=DATE:20261203", "DTSTART;VALUE=DATE:20261203", "STATUS:CANCELLED"]);
    let all = gist(&read(&file(&[daily, moved, gone].concat())));
    assert_eq!(all, json!({"dates": ["2026-12-01", "2026-12-20"]}));
}

#[test]
fn what_takes_no_time_or_is_cancelled_does_not_count() {
    let kept = event(&["DTSTART;VALUE=DATE:20261225", "TRANSP:TRANSPARENT"]);
    let instant = event(&["DTSTART:20261225T090000Z"]);
    let cancelled = event(&["DTSTART;VALUE=DATE:20261226", "STATUS:CANCELLED"]);
    let todo = "BEGIN:VTODO\r\nUID:2\r\nDUE:20261201T000000Z\r\nEND:VTODO\r\n".to_owned();
    let draft = read(&file(&[kept, instant, cancelled, todo].concat()));
    assert_eq!(draft.dates.len() + draft.ranges.len() + draft.weekly.len(), 1);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let cases = [
        (String::new(), "does not begin with BEGIN:VCALENDAR"),
        ("hello".to_owned(), "line 1 is not iCalendar"),
        (file(""), "holds no events"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n".to_owned(), "is cut off"),
        ("BEGIN:VCALENDAR\nEND:VEVENT\n".to_owned(), "line 2 ends what has not begun"),
        (file(&event(&["DTEND;VALUE=DATE:20261225"])), "“Something” on line 4: DTSTART is missing"),
        (file(&event(&["DTSTART;VALUE=DATE:20261301"])), "line 7: “20261301” is not a date"),
        (file(&event(&["DTSTART;TZID=Mars/Olympus:20261225T000000"])), "“Mars/Olympus” is not the IANA name"),
        (file(&event(&["DTSTART:20261225T000000Z", "DTEND:20261224T000000Z"])), "ends before it starts"),
        (
            file(&event(&["DTSTART:20261225T000000Z", "RRULE:FREQ=HOURLY"])),
            "“FREQ=HOURLY” of a recurrence rule",
        ),
        (file(&event(&["DTSTART:20261225T000000Z", "RRULE:FREQ=YEARLY;BYWEEKNO=1"])), "“BYWEEKNO=1”"),
        (file(&event(&["DTSTART:20261225T000000Z", "DURATION:1 hour"])), "“1 hour” is not a duration"),
        (
            file(&event(&["DTSTART;VALUE=DATE:20200101", "RRULE:FREQ=DAILY;INTERVAL=2"])),
            "comes again too often",
        ),
    ];
    for (text, part) in cases {
        let refusal = refusal(&text);
        assert!(refusal.contains(part), "{refusal}\n  lacks: {part}");
    }
}

/// Never a hang or an allocation in proportion to a number in the text.
#[test]
fn absurd_numbers_are_bounded() {
    let absurd = [
        "RRULE:FREQ=DAILY;INTERVAL=4294967295",
        "RRULE:FREQ=YEARLY;INTERVAL=4294967295;COUNT=4294967295",
        "RRULE:FREQ=DAILY;COUNT=4294967295;BYMONTH=2;BYMONTHDAY=30",
        "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    ];
    for rule in absurd {
        let _ = ical::read(&file(&event(&["DTSTART;VALUE=DATE:19700101", rule])));
    }
    let deep = "BEGIN:VEVENT\n".repeat(70_000);
    assert!(refusal(&format!("BEGIN:VCALENDAR\n{deep}")).contains("is cut off"));
    let many = event(&["DTSTART;VALUE=DATE:19700101", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"]);
    assert!(refusal(&file(&many.repeat(5_000))).contains("too long to follow"));
}

/// A rule, and what it says in parts.
#[derive(Clone, Debug)]
struct Rule {
    frequency: &'static str,
    interval: u32,
    count: u32,
    months: Vec<u32>,
    month_days: Vec<i32>,
    weekdays: Vec<(i32, usize)>,
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Mon),
    ("TU", Weekday::Tue),
    ("WE", Weekday::Wed),
    ("TH", Weekday::Thu),
    ("FR", Weekday::Fri),
    ("SA", Weekday::Sat),
    ("SU", Weekday::Sun),
];

prop_compose! {
    fn rules()(
        frequency in prop::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
        interval in 1u32..5,
        count in 1u32..30,
        months in prop::collection::vec(1u32..=12, 0..3),
        month_days in prop::collection::vec(prop_oneof![1i32..=31, -31i32..=-1], 0..3),
        weekdays in prop::collection::vec((prop_oneof![Just(0), -2i32..=4], 0usize..7), 0..3),
    ) -> Rule {
        let ordinals = matches!(frequency, "MONTHLY" | "YEARLY");
        let weekdays = weekdays.into_iter().map(|(nth, day)| (if ordinals { nth } else { 0 }, day)).collect();
        let month_days = if frequency == "WEEKLY" { Vec::new() } else { month_days };
        Rule { frequency, interval, count, months, month_days, weekdays }
    }
}

impl Rule {
    fn text(&self) -> String {
        let mut text =
            format!("RRULE:FREQ={};INTERVAL={};COUNT={}", self.frequency, self.interval, self.count);
        let mut list = |name: &str, items: Vec<String>| {
            if !items.is_empty() {
                text = format!("{text};{name}={}", items.join(","));
            }
        };
        list("BYMONTH", self.months.iter().map(ToString::to_string).collect());
        list("BYMONTHDAY", self.month_days.iter().map(ToString::to_string).collect());
        let weekday = |(nth, day): &(i32, usize)| {
            let name = WEEKDAYS[*day].0;
            if *nth == 0 { name.to_owned() } else { format!("{nth}{name}") }
        };
        list("BYDAY", self.weekdays.iter().map(weekday).collect());
        text
    }

    /// Whether a day belongs to the rule, by its definition, when the event first is on `first`.
    fn holds(&self, day: NaiveDate, first: NaiveDate) -> bool {
        let monday = |day: NaiveDate| day - TimeDelta::days(day.weekday().num_days_from_monday().into());
        let months = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month0());
        let periods = match self.frequency {
            "DAILY" => (day - first).num_days(),
            "WEEKLY" => (monday(day) - monday(first)).num_days() / 7,
            "MONTHLY" => months(day) - months(first),
            _ => i64::from(day.year() - first.year()),
        };
        let named_days = !self.month_days.is_empty() || !self.weekdays.is_empty();
        let in_month = match (self.months.as_slice(), self.frequency) {
            ([], "YEARLY") if !named_days => day.month() == first.month(),
            ([], _) => true,
            (months, _) => months.contains(&day.month()),
        };
        let last =
            (day.with_day(1).unwrap() + chrono::Months::new(1)).pred_opt().unwrap().day().cast_signed();
        let on_day = match self.frequency {
            _ if !self.month_days.is_empty() => self.month_days.iter().any(|wanted| {
                *wanted == day.day().cast_signed() || wanted + last + 1 == day.day().cast_signed()
            }),
            "MONTHLY" | "YEARLY" if !named_days => day.day() == first.day(),
            _ => true,
        };
        let on_weekday = match self.frequency {
            _ if !self.weekdays.is_empty() => self.weekdays.iter().any(|(nth, weekday)| {
                day.weekday() == WEEKDAYS[*weekday].1 && (*nth == 0 || self.is_nth(day, *nth))
            }),
            "WEEKLY" => day.weekday() == first.weekday(),
            _ => true,
        };
        day >= first && periods % i64::from(self.interval) == 0 && in_month && on_day && on_weekday
    }

    /// Counts the days of that weekday before (or after) this one in the month or year.
    fn is_nth(&self, day: NaiveDate, nth: i32) -> bool {
        let whole_year = self.frequency == "YEARLY" && self.months.is_empty();
        let same =
            |other: &NaiveDate| other.year() == day.year() && (whole_year || other.month() == day.month());
        let step = TimeDelta::days(if nth > 0 { -7 } else { 7 });
        let others = std::iter::successors(Some(day), |day| Some(*day + step)).take_while(same).count();
        others == nth.unsigned_abs() as usize
    }
}

proptest! {
    #[test]
    fn rules_give_the_days_that_a_walk_finds(rule in rules(), offset in 0i64..2_000) {
        let first = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap() + TimeDelta::days(offset);
        let walk = first.iter_days().take_while(|day| day.year() <= 2100).filter(|day| rule.holds(*day, first));
        let expected: Vec<_> = walk.take(rule.count as usize).map(|day| day.to_string()).collect();
        let start = format!("DTSTART;VALUE=DATE:{}", first.format("%Y%m%d"));
        let read = ical::read(&file(&event(&[&start, &rule.text()]))).unwrap();
        let days: Vec<_> = read.dates.iter().map(CalendarDay::to_string).collect();
        let served = expected.iter().filter(|day| *day < &"2100".to_owned()).cloned().collect::<Vec<_>>();
        prop_assert_eq!(days, served, "{}", rule.text());
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".*") {
        let _ = ical::read(&text);
        let _ = ical::read(&file(&event(&[&text.replace(['\r', '\n'], " ")])));
    }

    /// A real file with some of it cut out, doubled or overwritten.
    #[test]
    fn any_damage_is_read_or_refused(at in 0usize..1_200, length in 0usize..80, with in "[A-Z0-9:;=,TZ\r\n-]{0,12}") {
        let mut text = include_str!("data/ical/maintenance.ics").to_owned();
        let (start, end) = (at.min(text.len()), (at + length).min(text.len()));
        text.replace_range(start..end, &with);
        if let Ok(draft) = ical::read(&text) {
            Calendar::create("default", "imported", draft, chrono::DateTime::UNIX_EPOCH).unwrap();
        }
    }
}
