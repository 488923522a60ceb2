//! Calendars: kept whole, compared by version, listed by name; and what of them comes with a job.

use domain::calendar::{CalendarMode, CalendarRange, Edge, Roll, Weekday, WeeklyHours};
use domain::{Calendar, CalendarDraft, HumanDuration, Run, RunKind};
use engine::{CalendarQuery, Page, StoreError};

use super::Fixture;
use super::support::{expected, facts};
use crate::fixtures::{START, at, calendar, days, job, zone};

async fn put(it: &Fixture, calendar: &Calendar) -> bool {
    it.calendars.put_calendar(calendar).await.unwrap()
}

/// The calendar as it is stored.
async fn stored(it: &Fixture, calendar: &Calendar) -> Option<Calendar> {
    it.calendars.calendar(&calendar.project, &calendar.name).await.unwrap()
}

async fn delete(it: &Fixture, calendar: &Calendar, version: u64) -> bool {
    it.calendars.delete_calendar(&calendar.project, &calendar.name, version).await.unwrap()
}

async fn list(it: &Fixture, project: &str, after: Option<&str>, limit: u32) -> Page<Calendar> {
    let query = CalendarQuery { project: project.to_owned(), after: after.map(str::to_owned), limit };
    it.calendars.calendars(&query).await.unwrap()
}

fn names(page: &Page<Calendar>) -> Vec<&str> {
    page.items.iter().map(|calendar| calendar.name.as_str()).collect()
}

fn edited(calendar: &Calendar, draft: CalendarDraft, now: &str) -> Calendar {
    calendar.edit(draft, at(now)).unwrap()
}

/// A stored calendar is found by its name, as it was stored.
pub async fn a_calendar_is_found_by_its_name(it: &Fixture) {
    let holidays = calendar("holidays", days(["12-25", "2027-03-26"]));
    assert_eq!(stored(it, &holidays).await, None);
    assert!(put(it, &holidays).await);
    assert_eq!(stored(it, &holidays).await, Some(holidays.clone()));
    for name in ["Holidays", "holiday", "holidays ", ""] {
        assert_eq!(it.calendars.calendar("default", name).await.unwrap(), None, "{name:?}");
    }
}

/// The next version takes the place of the one before, with all of its columns.
pub async fn the_next_version_replaces_a_calendar(it: &Fixture) {
    let first = calendar("holidays", days(["12-25"]));
    let second = edited(&first, days(["12-26"]), "2026-11-25T00:00:00.123Z");
    let third = edited(&second, CalendarDraft::default(), "2026-11-26T00:00:00Z");
    for version in [&first, &second, &third] {
        assert!(put(it, version).await);
        assert_eq!(stored(it, version).await.as_ref(), Some(version));
    }
    assert_eq!(list(it, "default", None, 10).await.items, [third]);
}

/// Any other version than the next one changes nothing.
pub async fn a_stale_put_changes_nothing(it: &Fixture) {
    let first = calendar("holidays", days(["12-25"]));
    let version = |version| Calendar { version, ..calendar("holidays", days(["01-01"])) };
    for early in [0, 2, 3] {
        assert!(!put(it, &version(early)).await, "there is none of version {early} − 1");
        assert_eq!(stored(it, &first).await, None);
    }
    assert!(put(it, &first).await);
    for wrong in [0, 1, 3, 4, u64::MAX] {
        assert!(!put(it, &version(wrong)).await, "version {wrong} does not follow 1");
        assert_eq!(stored(it, &first).await, Some(first.clone()));
    }
    assert!(put(it, &version(2)).await);
    assert!(!put(it, &version(2)).await, "it is at version 2 already");
}

/// Deleting compares the version.
pub async fn deleting_compares_its_version(it: &Fixture) {
    let (first, other) = (calendar("holidays", days(["12-25"])), calendar("other", days(["12-25"])));
    assert!(!delete(it, &first, 0).await);
    assert!(!delete(it, &first, 1).await, "there is none");
    assert!(put(it, &first).await && put(it, &other).await);
    let second = edited(&first, days(["12-26"]), "2026-11-25T00:00:00Z");
    assert!(put(it, &second).await);
    for wrong in [0, 1, 3] {
        assert!(!delete(it, &second, wrong).await);
    }
    assert_eq!(stored(it, &second).await, Some(second.clone()));
    assert!(delete(it, &second, 2).await);
    assert!(!delete(it, &second, 2).await);
    assert_eq!(stored(it, &second).await, None);
    assert_eq!(stored(it, &other).await, Some(other), "another one stays");
}

/// The version is told also where the calendar itself cannot be read.
pub async fn a_calendars_version_is_told_whatever_it_holds(it: &Fixture) {
    let version = async |name| it.calendars.calendar_version("default", name).await.unwrap();
    let first = calendar("holidays", days(["12-25"]));
    assert_eq!(version("holidays").await, 0);
    assert!(put(it, &first).await && put(it, &edited(&first, days(["12-26"]), START)).await);
    assert_eq!(version("holidays").await, 2);
    it.backdoor.corrupt_calendar("default", "holidays").await;
    assert!(matches!(it.calendars.calendar("default", "holidays").await, Err(StoreError::Failed(_))));
    assert_eq!(version("holidays").await, 3);
    assert_eq!(version("Holidays").await, 0);
    assert_eq!(version("a\u{0}").await, 0);
    assert_eq!(it.calendars.calendar_version("other", "holidays").await.unwrap(), 0);
}

/// After a deletion the name is free, and versions begin anew.
pub async fn a_deleted_calendar_frees_its_name(it: &Fixture) {
    let first = calendar("holidays", days(["12-25"]));
    assert!(put(it, &first).await && delete(it, &first, 1).await);
    assert!(!put(it, &edited(&first, days(["12-26"]), START)).await, "an edit does not bring it back");
    let again = calendar("holidays", days(["01-01"]));
    assert!(put(it, &again).await);
    assert_eq!(stored(it, &first).await, Some(again));
}

/// By bytes on every machine: no collation of the database's has a say.
pub async fn calendars_are_listed_by_the_bytes_of_their_names(it: &Fixture) {
    let expected = ["B", "Z", "_x", "a", "a b", "a-b", "ab", "z", "é", "日本"];
    for name in ["z", "a-b", "日本", "B", "é", "ab", "_x", "Z", "a", "a b"] {
        assert!(put(it, &calendar(name, days(["12-25"]))).await);
    }
    assert_eq!(names(&list(it, "default", None, 100).await), expected);
    for limit in 1..=11 {
        let (mut seen, mut after) = (Vec::new(), None::<String>);
        // More pages than there can be: a cursor that goes in circles is noticed below.
        for _ in 0..100 {
            let page = list(it, "default", after.as_deref(), limit).await;
            seen.extend(names(&page).into_iter().map(str::to_owned));
            if !page.has_more {
                break;
            }
            assert_eq!(page.items.len(), limit as usize, "a page that is not the last is full");
            after = seen.last().cloned();
        }
        assert_eq!(seen, expected, "by {limit}");
    }
}

/// A cursor is a name, whether or not there is such a calendar; it may be any text at all.
pub async fn a_cursor_need_not_exist(it: &Fixture) {
    for name in ["a", "ab", "b", "c"] {
        assert!(put(it, &calendar(name, days(["12-25"]))).await);
    }
    for (after, expected) in [
        ("", &["a", "ab", "b", "c"][..]),
        ("aa", &["ab", "b", "c"]),
        ("a\0", &["ab", "b", "c"]),
        ("b", &["c"]),
        ("c", &[]),
        ("🦀", &[]),
    ] {
        assert_eq!(names(&list(it, "default", Some(after), 10).await), expected, "{after:?}");
    }
}

/// Two projects may use the same name, and neither sees or touches what the other has.
pub async fn calendars_keep_to_their_project(it: &Fixture) {
    let mine = calendar("holidays", days(["12-25"]));
    let theirs = Calendar { project: "other".to_owned(), ..calendar("holidays", days(["01-01"])) };
    assert!(put(it, &mine).await);
    assert_eq!(stored(it, &theirs).await, None);
    assert!(!delete(it, &theirs, 1).await);
    assert!(!put(it, &edited(&theirs, days(["01-02"]), START)).await);
    assert!(put(it, &theirs).await);
    assert_eq!(list(it, "default", None, 10).await.items, std::slice::from_ref(&mine));
    assert_eq!(list(it, "other", None, 10).await.items, std::slice::from_ref(&theirs));
    assert_eq!(names(&list(it, "nobody", None, 10).await), [""; 0]);
    assert!(delete(it, &theirs, 1).await);
    assert_eq!(stored(it, &mine).await, Some(mine));
}

/// Nothing of a calendar is lost, whatever it is named and says.
pub async fn every_field_of_a_calendar_survives(it: &Fixture) {
    let local = |text: &str| text.parse::<Edge>().unwrap();
    let hours = |from: Option<&str>, until: Option<&str>| WeeklyHours {
        days: vec![Weekday::Mon, Weekday::Sun],
        from: from.map(|time| time.parse().unwrap()),
        until: until.map(|time| time.parse().unwrap()),
    };
    let draft = CalendarDraft {
        description: "it's \"so\" \\ {}; -- 日本 🦀 \n\t\r \u{7f} \0 \\u0000 “ü”".to_owned(),
        timezone: Some(zone("America/Argentina/ComodRivadavia")),
        ranges: vec![
            CalendarRange { from: local("2026-12-24"), until: local("2027-01-01") },
            CalendarRange { from: local("2026-12-24T18:00"), until: local("2026-12-24T18:00:01") },
        ],
        weekly: vec![hours(None, None), hours(Some("22:00"), Some("06:30")), hours(Some("09:00"), None)],
        ..days(["02-29", "1970-01-01", "2100-12-31"])
    };
    for name in ["nächtlich 'x' 🦀 %_\\", "\"", "a/b?c#d", "\u{202e}", "x".repeat(128).as_str()] {
        let project = "prö'ject \"1\"".to_owned();
        let updated_at = at("2026-11-25T00:00:00.789Z");
        let rich = Calendar { project, updated_at, ..calendar(name, draft.clone()) };
        assert!(put(it, &rich).await);
        assert_eq!(stored(it, &rich).await, Some(rich.clone()));
        let last = Calendar { version: 2, draft: days(["01-01"]), ..rich };
        assert!(put(it, &last).await);
        assert_eq!(stored(it, &last).await.as_ref(), Some(&last));
        assert!(delete(it, &last, 2).await);
    }
}

/// A name no calendar can have is that of none, not an error.
pub async fn a_name_that_cannot_be_is_not_found(it: &Fixture) {
    for (project, name) in [("default", "a\0b"), ("a\0b", "a")] {
        assert_eq!(it.calendars.calendar(project, name).await.unwrap(), None);
        assert!(!it.calendars.delete_calendar(project, name, 1).await.unwrap());
        assert_eq!(names(&list(it, project, None, 10).await), [""; 0]);
    }
}

/// As many entries as a calendar may have.
pub async fn a_big_calendar_survives(it: &Fixture) {
    let dates: Vec<String> = (0..2_000)
        .map(|day| (at("2026-01-01T00:00:00Z") + chrono::TimeDelta::days(day)).date_naive().to_string())
        .collect();
    let mut draft = days(dates.iter().map(String::as_str));
    let until = "2027-01-01T06:00".parse().unwrap();
    draft.ranges = vec![CalendarRange { from: "2026-12-24".parse().unwrap(), until }; 2_000];
    let big = calendar("big", draft);
    assert!(put(it, &big).await);
    assert_eq!(stored(it, &big).await.as_ref(), Some(&big));
    assert_eq!(list(it, "default", None, 10).await.items, std::slice::from_ref(&big));
    let user = job("report").excluding(&big).build();
    it.insert(&user).await;
    assert_eq!(facts(&it.stored(&user).await), facts(&user));
}

/// A document that cannot be read hides no other calendar, and its page is full all the same.
pub async fn an_unreadable_calendar_hides_no_other(it: &Fixture) {
    for name in ["a", "b", "c", "d", "e"] {
        assert!(put(it, &calendar(name, days(["12-25"]))).await);
    }
    for name in ["a", "c", "e"] {
        it.backdoor.corrupt_calendar("default", name).await;
    }
    for limit in [2, 3] {
        let whole = list(it, "default", None, limit).await;
        assert_eq!((names(&whole), whole.has_more), (vec!["b", "d"], false), "by {limit}");
    }
    let first = list(it, "default", None, 1).await;
    assert_eq!((names(&first), first.has_more), (vec!["b"], true));
    let second = list(it, "default", Some("b"), 1).await;
    assert_eq!((names(&second), second.has_more), (vec!["d"], false));
    let asked = it.calendars.calendar("default", "a").await;
    assert!(matches!(asked, Err(StoreError::Failed(_))), "{asked:?}");
}

/// It can be replaced and deleted by the version there is, like any other.
pub async fn an_unreadable_calendar_is_replaced_or_deleted(it: &Fixture) {
    let (a, b) = (calendar("a", days(["12-25"])), calendar("b", days(["12-25"])));
    for calendar in [&a, &b] {
        assert!(put(it, calendar).await);
        it.backdoor.corrupt_calendar("default", &calendar.name).await;
    }
    let sound = Calendar { version: 3, ..a };
    assert!(put(it, &sound).await);
    assert_eq!(stored(it, &sound).await, Some(sound));
    assert!(!delete(it, &b, 1).await, "its version has grown");
    assert!(delete(it, &b, 2).await);
}

/// Jobs due in an interval that includes both of its ends.
pub async fn jobs_due_are_counted_with_both_ends(it: &Fixture) {
    let count = async |from, until| it.store.count_due(at(from), at(until), 100).await.unwrap();
    assert_eq!(count("2026-11-24T00:00:00Z", "2099-11-24T00:00:00Z").await, 0);
    for minute in 1..=3 {
        let when = format!("2026-11-24T00:0{minute}:00Z");
        it.insert(&job(&format!("job-{minute}")).project(&format!("p{minute}")).once(&when).build()).await;
    }
    let ends = [
        ("2026-11-24T00:01:00Z", "2026-11-24T00:03:00Z", 3),
        ("2026-11-24T00:01:00.001Z", "2026-11-24T00:03:00Z", 2),
        ("2026-11-24T00:01:00Z", "2026-11-24T00:02:59.999Z", 2),
        ("2026-11-24T00:02:00Z", "2026-11-24T00:02:00Z", 1),
        ("2026-11-24T00:02:00.001Z", "2026-11-24T00:02:59Z", 0),
        ("2026-11-24T00:03:00Z", "2026-11-24T00:01:00Z", 0),
    ];
    for (from, until, due) in ends {
        assert_eq!(count(from, until).await, due, "{from} to {until}");
    }
}

/// Counting stops at the limit.
pub async fn jobs_due_are_counted_up_to_a_limit(it: &Fixture) {
    for index in 0..7 {
        it.insert(&job(&format!("job-{index}")).build()).await;
    }
    let (from, until) = (at("2026-11-24T00:00:30Z"), at("2026-11-24T00:01:00Z"));
    for (limit, due) in [(0, 0), (1, 1), (6, 6), (7, 7), (8, 7), (u32::MAX, 7)] {
        assert_eq!(it.store.count_due(from, until, limit).await.unwrap(), due, "up to {limit}");
    }
}

/// Jobs that will not fire are not due, and those that have fired are due for their next occurrence.
pub async fn only_the_next_occurrence_is_counted(it: &Fixture) {
    let count = async |at_| it.store.count_due(at(at_), at(at_), 100).await.unwrap();
    let (paused, gone) = (job("paused").build(), job("gone").build());
    for job in [&job("active").build(), &job("once").once("2026-11-24T00:01:00Z").build(), &paused, &gone] {
        it.insert(job).await;
    }
    assert_eq!(count("2026-11-24T00:01:00Z").await, 4);
    assert!(it.replace(&paused.paused(None, at("2026-11-24T00:00:30Z")), expected(&paused), &[]).await);
    assert!(it.delete(&gone, "2026-11-24T00:00:30Z").await);
    assert_eq!(count("2026-11-24T00:01:00Z").await, 2);
    it.fire("2026-11-24T00:01:00Z").await;
    assert_eq!(count("2026-11-24T00:01:00Z").await, 0);
    assert_eq!(count("2026-11-24T00:02:00Z").await, 1, "the one that has an occurrence left");
}

/// A job keeps its copies, its jitter and since when its schedule counts, and still means the same.
pub async fn a_job_with_calendars_and_jitter_survives(it: &Fixture) {
    let holidays = calendar("hölidays 'x'", days(["12-25", "2027-01-01"]));
    let weekdays = WeeklyHours {
        days: vec![Weekday::Mon, Weekday::Wed],
        from: Some("09:00".parse().unwrap()),
        until: None,
    };
    let draft = CalendarDraft { weekly: vec![weekdays], ..CalendarDraft::default() };
    let office = Calendar { version: 7, ..calendar("office", draft) };
    let mut user = job("report")
        .cron("0 8,12 * * *", "Europe/Paris")
        .jitter("10m")
        .calendar(&holidays, CalendarMode::Exclude, Roll::Next)
        .only(&office)
        .build();
    user.since = at("2026-11-23T01:02:03.456Z");
    it.insert(&user).await;
    let read = it.stored(&user).await;
    assert_eq!(facts(&read), facts(&user));
    let (mine, theirs) = (user.plan.after(at(START)), read.plan.after(at(START)));
    for (mine, theirs) in mine.zip(theirs).take(20) {
        assert_eq!((mine, user.plan.due_at(mine)), (theirs, read.plan.due_at(theirs)));
    }
    let copies = [(&holidays).into(), (&edited(&office, days(["2026-12-01"]), START)).into()];
    let changed = user.with_calendars(&copies, at("2026-11-24T00:00:10.500Z")).unwrap().unwrap().job;
    assert!(it.replace(&changed, expected(&user), &[]).await);
    assert_eq!(facts(&it.stored(&user).await), facts(&changed));
}

/// A run keeps how much later than its nominal time it was due.
pub async fn a_run_with_jitter_survives(it: &Fixture) {
    let jittered = job("report").every("1h").jitter("30m").build();
    it.insert(&jittered).await;
    let due = jittered.next_fire_at.unwrap();
    let nominal = jittered.plan.due_for(due);
    let run = Run::pending(&jittered, RunKind::Schedule, nominal, due, 0);
    assert_eq!(run.due_for(), due);
    assert!(run.jitter > HumanDuration::ZERO, "this job's first occurrence is not due at its very time");
    assert!(it.insert_run(&run).await);
    assert_eq!(it.run(&run).await, run);
}
