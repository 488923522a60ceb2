//! iCalendar files as calendars: what published ones look like, what broken ones are told, and what hostile ones cost.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use domain::calendar::{Calendar, CalendarDay, CalendarDraft, ical};
use domain::parse;
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
    let stored = serde_json::to_vec(&draft).unwrap();
    assert_eq!(
        parse::from_slice::<CalendarDraft>(&stored).as_ref(),
        Ok(&draft),
        "what is stored is read back"
    );
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

/// Holidays are published with UTC as the calendar's zone; a job in Paris still means its own days.
#[test]
fn days_alone_are_those_of_each_jobs_own_zone() {
    let fr = read(include_str!("data/ical/google.ics"));
    assert_eq!(gist(&fr), json!({"description": "Jours fériés en France", "dates": ["2026-07-14"]}));
    let gb = read(include_str!("data/ical/govuk.ics"));
    assert_eq!(gist(&gb), json!({"dates": ["2026-01-01", "2026-12-28"]}));
}

#[test]
fn rules_of_holidays() {
    let days = [
        "07-04",
        "2006-11-07",
        "2006-11-23",
        "2007-11-22",
        "2008-11-04",
        "2008-11-27",
        "2009-11-26",
        "2010-11-02",
    ];
    assert_eq!(
        gist(&read(include_str!("data/ical/apple.ics"))),
        json!({"description": "US Holidays", "dates": days})
    );
}

/// Nights that a clock change falls in, one left out and one moved; the zone has a name of the file's own.
#[test]
fn maintenance_windows_of_a_mail_program() {
    let night = |from: &str, until: &str| json!({"from": from, "until": until});
    assert_eq!(
        gist(&read(include_str!("data/ical/thunderbird.ics"))),
        json!({
            "timezone": "Europe/Paris",
            "ranges": [
                night("2026-10-18T22:00:00", "2026-10-19T02:00:00"),
                night("2026-10-24T22:00:00", "2026-10-25T06:00:00"),
                night("2026-11-07T22:00:00", "2026-11-08T06:00:00"),
            ],
        })
    );
}

#[test]
fn one_zone_beside_utc_is_the_calendars() {
    let utc = event(&["DTSTART:20261205T220000Z", "DURATION:PT1H"]);
    let zoned = |zone: &str| event(&[&format!("DTSTART;TZID={zone}:20261205T120000"), "DURATION:PT1H"]);
    let zone = |events: &[&str]| read(&file(&events.concat())).timezone.unwrap().to_string();
    assert_eq!(zone(&[&utc, &zoned("Europe/Paris"), &zoned("Europe/Paris")]), "Europe/Paris");
    assert_eq!(zone(&[&zoned("Europe/Paris"), &zoned("Asia/Tokyo")]), "UTC");
    assert_eq!(zone(&[&zoned("\"tzone://Microsoft/Utc\"")]), "UTC");
    let vendors = "/mozilla.org/20050126_1/America/Argentina/Buenos_Aires";
    assert_eq!(zone(&[&zoned(vendors)]), "America/Argentina/Buenos_Aires");
    assert_eq!(zone(&[&zoned("Mountain Standard Time")]), "America/Denver");
}

/// A stored calendar must be readable again, and serves the years that schedules do.
#[test]
fn what_lies_beyond_the_years_served_is_cut_off() {
    let far = read_one(&["DTSTART;VALUE=DATE:20260101", "DTEND;VALUE=DATE:99991231"]);
    assert_eq!(far, json!({"ranges": [{"from": "2026-01-01", "until": "2100-12-31"}]}));
    assert_eq!(read_one(&["DTSTART;VALUE=DATE:21001231"]), json!({"dates": ["2100-12-31"]}));
    let early = read_one(&["DTSTART;VALUE=DATE:19691230", "DTEND;VALUE=DATE:19700103"]);
    assert_eq!(early, json!({"ranges": [{"from": "1970-01-01", "until": "1970-01-02"}]}));
    let night = read_one(&["DTSTART:21001231T220000", "DURATION:PT8H"]);
    assert_eq!(night, json!({"ranges": [{"from": "2100-12-31T22:00:00", "until": "2100-12-31"}]}));
}

#[test]
fn what_cannot_be_read_rightly_is_refused() {
    let day = "DTSTART;VALUE=DATE:20261201";
    let refused = |lines: &[&str]| refusal(&file(&event(lines)));
    assert!(
        refused(&[day, "RRULE:FREQ=WEEKLY;BYDAY=2MO"])
            .contains("event “Something”, line 8: BYDAY with numbers")
    );
    assert!(refused(&[day, "RRULE:FREQ=WEEKLY;BYMONTHDAY=2"]).contains("BYMONTHDAY does not go with"));
    assert!(refused(&[day, "RRULE:COUNT=2"]).contains("needs a FREQ"));
    assert!(refused(&[day, "RDATE;VALUE=PERIOD:20261206T220000Z/PT8H"]).contains("an RDATE of periods"));
    assert!(
        refused(&[day, "RECURRENCE-ID;RANGE=THISANDFUTURE:20261201"]).contains("RECURRENCE-ID with RANGE")
    );
    assert!(refused(&[day, "STATUS:CANCELLED"]).contains("no events that count"));
    for duration in ["P", "PT", "P1M", "PT1D", "P1D1W", "PT1H1H", "-PT1H", "P1DT", "PT9999999S"] {
        let refusal = refused(&["DTSTART:20261201T000000Z", &format!("DURATION:{duration}")]);
        assert!(refusal.contains("is not a duration"), "{duration}: {refusal}");
    }
}

#[test]
fn small_print() {
    let once = event(&["DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=DAILY;COUNT=1"]);
    let moved = event(&["RECURRENCE-ID;VALUE=DATE:20261201", "DTSTART;VALUE=DATE:20261204"]);
    assert_eq!(gist(&read(&file(&[once, moved].concat()))), json!({"dates": ["2026-12-04"]}));
    let leap = read_one(&["DTSTART:20261201T220060", "DURATION:PT1H"]);
    assert_eq!(leap, json!({"ranges": [{"from": "2026-12-01T22:00:59", "until": "2026-12-01T23:00:59"}]}));
    let often = read_one(&["DTSTART;VALUE=DATE:20261207", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,MO,MO,MO,MO,MO,MO"]);
    assert_eq!(often, json!({"weekly": [{"days": ["mon", "tue"]}]}));
    let named = format!("X-WR-CALNAME:a\0b\r\n{}", event(&["DTSTART;VALUE=DATE:20261201"]));
    assert_eq!(read(&file(&named)).description, "ab");
    let unix = "\u{feff}begin:vcalendar\nbegin:vevent\ndtstart:2026\n\t1224\nend:vevent\nend:vcalendar";
    assert_eq!(gist(&read(unix)), json!({"dates": ["2026-12-24"]}));
}

/// Large, and each part cheap to write but dear to follow.
#[test]
fn hostile_files_are_done_with_soon() {
    let began = std::time::Instant::now();
    let daily = event(&["DTSTART;VALUE=DATE:20200101", "RRULE:FREQ=DAILY;COUNT=1999"]);
    let _ = ical::read(&file(&daily.repeat(9_000)));
    let rdates = format!("RDATE:{}", vec!["20261206T220000Z"; 30_000].join(","));
    let exdates = format!("EXDATE;TZID=Europe/Paris:{}", vec!["20261205T220000"; 30_000].join(","));
    let _ = ical::read(&file(&event(&["DTSTART:20261205T220000Z", "DURATION:PT1H", &rdates, &exdates])));
    let overrides = event(&["DTSTART:20261201", "RECURRENCE-ID:20261201"]);
    let _ = ical::read(&file(&overrides.repeat(10_000)));
    let weeks = format!("DURATION:P{}", "99999W".repeat(160_000));
    assert!(refusal(&file(&event(&["DTSTART:20261205T220000Z", &weeks]))).contains("is not a duration"));
    let _ = ical::read(&"A:\n".repeat(3_300_000));
    let old = event(&["DTSTART;VALUE=DATE:00010101", "RRULE:FREQ=DAILY;INTERVAL=400"]);
    assert!(refusal(&file(&old.repeat(9_000))).contains("takes too long"));
    assert!(began.elapsed().as_secs() < 300, "{:?}", began.elapsed());
}

/// A hundred rules since long ago are nothing unusual for a calendar of holidays.
#[test]
fn honest_files_of_many_old_rules_are_read() {
    let rule = event(&["DTSTART;VALUE=DATE:16041125", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"]);
    assert_eq!(read(&file(&rule.repeat(50))).dates.len(), 131);
}

proptest! {
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
        if ical::read(&text).is_ok() {
            read(&text);
        }
    }
}
