//! Every example of `docs/schedules.md` is true.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use domain::calendar::{Calendar, CalendarCopy};
use domain::time::Zone;
use domain::{Instant, Invalid, Job, JobDraft, JobId, parse};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../docs/schedules.md");

/// What the page says of one schedule.
struct Example<'a> {
    /// A cron expression, or the JSON of a schedule.
    schedule: &'a str,
    zone: Option<&'a str>,
    /// JSON of the job's other fields.
    others: Option<&'a str>,
    promise: Promise<'a>,
}

enum Promise<'a> {
    /// The next occurrences after an instant; the last of them where `ends`.
    Next {
        after: &'a str,
        instants: Vec<&'a str>,
        ends: bool,
    },
    Refused {
        code: &'a str,
    },
}

#[test]
fn every_example_of_the_page_is_true() {
    let examples: Vec<_> = PAGE.lines().filter_map(example_cell).collect();
    assert!(examples.len() >= 40, "only {} examples are understood", examples.len());
    let wrong: Vec<_> = examples.iter().filter_map(|cell| check(cell).err()).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The second cell of a table's row, if the line is one.
fn example_cell(line: &str) -> Option<&str> {
    let cell = line.strip_prefix("| ")?.split(" | ").nth(1)?;
    (cell != "Example").then_some(cell)
}

fn check(cell: &str) -> Result<(), String> {
    let example = read(cell).ok_or_else(|| format!("not understood: {cell}"))?;
    let job = job(&example);
    match (&example.promise, job) {
        (Promise::Refused { code }, Err(Invalid(errors))) => {
            let codes: Vec<_> = errors.iter().map(|error| error.code.as_str()).collect();
            if codes == [*code] { Ok(()) } else { Err(format!("{cell}\n  refused with {codes:?}")) }
        }
        (Promise::Refused { .. }, Ok(_)) => Err(format!("{cell}\n  is accepted")),
        (Promise::Next { .. }, Err(invalid)) => Err(format!("{cell}\n  is refused: {invalid}")),
        (Promise::Next { after, instants, ends }, Ok(job)) => {
            let promised: Vec<Instant> = instants.iter().map(|text| text.parse().unwrap()).collect();
            let more = usize::from(*ends);
            let next: Vec<_> = job.plan.after(after.parse().unwrap()).take(promised.len() + more).collect();
            if next == promised { Ok(()) } else { Err(format!("{cell}\n  is due {next:?}")) }
        }
    }
}

/// Reads `` `expression` Zone `{json}` after `instant` → `instant`, none`` and its variants.
fn read(cell: &str) -> Option<Example<'_>> {
    let (subject, promise) = match cell.split_once(" is refused: ") {
        Some((subject, code)) => {
            (subject, Promise::Refused { code: code.strip_prefix('`')?.strip_suffix('`')? })
        }
        None => {
            let (subject, rest) = cell.split_once(" after `")?;
            let (after, instants) = rest.split_once("` → ")?;
            let ends = instants.ends_with(", none");
            let instants = instants.trim_end_matches(", none").split(", ");
            let instants =
                instants.map(|it| it.strip_prefix('`')?.strip_suffix('`')).collect::<Option<_>>()?;
            (subject, Promise::Next { after, instants, ends })
        }
    };
    let (schedule, rest) = subject.strip_prefix('`')?.split_once('`')?;
    let (zone, others) = match rest.split_once('`') {
        Some((zone, others)) => (zone, Some(others.strip_suffix('`')?)),
        None => (rest, None),
    };
    let zone = Some(zone.trim()).filter(|zone| !zone.is_empty());
    Some(Example { schedule, zone, others, promise })
}

fn job(example: &Example<'_>) -> Result<Job, Invalid> {
    let schedule = if example.schedule.starts_with('{') {
        serde_json::from_str(example.schedule).unwrap()
    } else {
        json!({"type": "cron", "expression": example.schedule, "timezone": example.zone})
    };
    let others = example.others.map_or(json!({}), |others| serde_json::from_str(others).unwrap());
    let mut draft = json!({"name": "example", "target": {"type": "noop"}, "schedule": schedule});
    for (name, value) in others.as_object().unwrap() {
        draft[name] = value.clone();
    }
    let draft: JobDraft = parse::from_value(draft)?;
    // Stored before anything on the page is due. Anchors are given where they matter.
    let now = "2000-01-01T00:00:00Z".parse().unwrap();
    let zone = Zone::default();
    let calendars = calendars();
    let surroundings = domain::job::Surroundings { zone: &zone, calendars: &calendars };
    Job::create(draft, "default", JobId::new(now, 1), surroundings, now)
}

/// The calendars that the page names, as it defines them.
fn calendars() -> Vec<CalendarCopy> {
    let defined = |name: &str| -> Value {
        let (_, definition) = PAGE.split_once(&format!("`{name}` is `")).unwrap();
        serde_json::from_str(definition.split_once('`').unwrap().0).unwrap()
    };
    let now = "2000-01-01T00:00:00Z".parse().unwrap();
    ["holidays", "weekend", "office"]
        .map(|name| {
            let draft = parse::from_value(defined(name)).unwrap();
            CalendarCopy::from(&Calendar::create("default", name, draft, now).unwrap())
        })
        .into()
}
