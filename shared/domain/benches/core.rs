//! What every fire pays: `make bench`. Compare figures of one run with each other, not with another machine's.

use chrono::TimeDelta;
use divan::{Bencher, black_box};
use domain::schedule::{CalendarInterval, Cron, Fold, Gap, Period};
use domain::time::{Timetable, Zone};
use domain::{Instant, Job, JobDraft, JobId, RunId, RunKind, Schedule, fire, parse};
use serde_json::json;

fn main() {
    divan::main();
}

/// An ordinary day; a day of DST change; expressions from plain to hard.
const EXPRESSIONS: [&str; 4] = ["*/5 * * * *", "30 2 * * 1-5", "0 0 29 2 *", "0 0 12 ? * 6#3"];

fn now() -> Instant {
    "2026-03-08T05:59:00Z".parse().unwrap_or_default()
}

fn cron(expression: &str) -> Schedule {
    let timezone = Zone::named("America/New_York").ok();
    let expression = expression.to_owned();
    Schedule::Cron(Cron { expression, dialect: None, timezone, gap: Gap::default(), fold: Fold::default() })
}

#[divan::bench(args = EXPRESSIONS)]
fn compile(bencher: Bencher<'_, '_>, expression: &str) {
    let schedule = cron(expression);
    bencher.bench(|| Timetable::compile(black_box(&schedule)));
}

#[divan::bench(args = EXPRESSIONS)]
fn next_after(bencher: Bencher<'_, '_>, expression: &str) {
    let Ok(timetable) = Timetable::compile(&cron(expression)) else { return };
    bencher.bench(|| timetable.next_after(black_box(now())));
}

#[divan::bench(args = EXPRESSIONS)]
fn explain(bencher: Bencher<'_, '_>, expression: &str) {
    let schedule = cron(expression);
    let Ok(timetable) = Timetable::compile(&schedule) else { return };
    bencher.bench(|| timetable.explain(black_box(&schedule)));
}

/// From a first day half a century ago: what is not arithmetic takes longest for the shortest period.
#[divan::bench(args = [Period::Days(1), Period::Weeks(2), Period::Months(1), Period::Years(4)])]
fn next_after_of_calendar_interval(bencher: Bencher<'_, '_>, every: Period) {
    let schedule = Schedule::CalendarInterval(CalendarInterval {
        every,
        time: "02:30".parse().unwrap_or_default(),
        start_date: "1972-02-29".parse().ok(),
        timezone: Zone::named("America/New_York").ok(),
        gap: Gap::default(),
        fold: Fold::default(),
    });
    let Ok(timetable) = Timetable::compile(&schedule) else { return };
    bencher.bench(|| timetable.next_after(black_box(now())));
}

#[divan::bench]
fn count_a_year_of_minutes(bencher: Bencher<'_, '_>) {
    let Ok(timetable) = Timetable::compile(&cron("* * * * *")) else { return };
    bencher.bench(|| timetable.count(black_box(now()), now() + TimeDelta::days(365)));
}

#[divan::bench(args = [0, 60, 86_400, 31_536_000])]
fn fire_after_seconds_of_downtime(bencher: Bencher<'_, '_>, downtime: i64) {
    let draft = json!({
        "name": "bench",
        "schedule": {"type": "interval", "every": "1s"},
        "target": {"type": "noop"},
    });
    let Ok(draft) = parse::from_value::<JobDraft>(draft) else { return };
    let Ok(job) = Job::create(draft, "default", JobId::new(now(), 1), &Zone::default(), now()) else {
        return;
    };
    let Some(due) = job.next_fire_at else { return };
    bencher.bench(|| fire(black_box(&job), due, due + TimeDelta::seconds(downtime), 0, 0));
}

#[divan::bench]
fn derive_run_id(bencher: Bencher<'_, '_>) {
    let job = JobId::new(now(), 1);
    bencher.bench(|| RunId::derive(black_box(job), now(), RunKind::Schedule, 0));
}
