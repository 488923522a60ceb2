//! Calendars through the scheduler: what becomes of the jobs that use them.

use std::sync::Arc;

use async_trait::async_trait;
use domain::calendar::{Weekday, WeeklyHours};
use domain::{Calendar, CalendarDraft, Job, JobState, Reason, Run, RunStatus};
use engine::{CalendarPut, CalendarQuery, Calendars, Page, Scheduler, SchedulerError, Store, StoreError};
use serde_json::json;
use testkit::fixtures::{JobBuilder, calendar, days};
use testkit::{Fault, MemoryStore, at, job};

use super::bench::{Bench, key};

async fn put(bench: &Bench, name: &str, draft: CalendarDraft) -> CalendarPut {
    bench.scheduler.put_calendar("default", name, &draft, None).await.unwrap()
}

async fn stored(bench: &Bench, name: &str) -> Job {
    bench.scheduler.job("default", &key(name)).await.unwrap().job.unwrap()
}

/// A job that is due at nine every morning on which there is no holiday.
fn daily(name: &str) -> JobBuilder {
    job(name).cron("0 9 * * *", "UTC").excluding(&calendar("holidays", CalendarDraft::default()))
}

fn every_day() -> CalendarDraft {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    let week = vec![Mon, Tue, Wed, Thu, Fri, Sat, Sun];
    CalendarDraft {
        weekly: vec![WeeklyHours { days: week, from: None, until: None }],
        ..CalendarDraft::default()
    }
}

fn words(run: &Run) -> (RunStatus, Option<Reason>, String, String, u64) {
    let until = run.scheduled_until.unwrap_or(run.scheduled_for);
    let short = |at: domain::Instant| at.format("%m-%d %H:%M").to_string();
    (run.status, run.reason, short(run.scheduled_for), short(until), run.count)
}

fn skipped(from: &str, until: &str, count: u64) -> (RunStatus, Option<Reason>, String, String, u64) {
    (RunStatus::Skipped, Some(Reason::Calendar), from.to_owned(), until.to_owned(), count)
}

#[tokio::test]
async fn putting_a_calendar_reschedules_the_jobs_that_use_it() {
    let bench = Bench::new();
    put(&bench, "holidays", days(["12-25"])).await;
    put(&bench, "others", days(["12-25"])).await;
    let user = bench.create(daily("user").draft()).await;
    let other = bench.create(job("other").cron("0 9 * * *", "UTC").draft()).await;
    assert_eq!((user.next_fire_at, user.version), (Some(at("2026-11-24T09:00:00Z")), 1));

    let done = put(&bench, "holidays", days(["2026-11-24", "2026-11-25"])).await;
    assert_eq!((done.calendar.version, done.created, done.jobs_changed), (2, false, 1));
    let moved = stored(&bench, "user").await;
    assert_eq!((moved.next_fire_at, moved.version), (Some(at("2026-11-26T09:00:00Z")), 2));
    assert_eq!((moved.calendars[0].version, &moved.calendars[0].draft), (2, &done.calendar.draft));
    assert_eq!(stored(&bench, "other").await.version, other.version);
    assert_eq!(put(&bench, "others", days(["2026-11-24"])).await.jobs_changed, 0);

    // Back again: sooner than before, so the loops must be told.
    put(&bench, "holidays", days(["12-25"])).await;
    assert_eq!(stored(&bench, "user").await.next_fire_at, user.next_fire_at);
    assert_eq!(bench.store.next_due().await.unwrap(), user.next_fire_at);
    assert_eq!(bench.look_after("9h").await.fired, 2);
}

#[tokio::test]
async fn what_the_calendar_left_out_until_now_is_recorded() {
    let bench = Bench::new();
    put(&bench, "holidays", days(["2026-11-24", "2026-11-25", "2026-11-26"])).await;
    bench.create(daily("user").draft()).await;
    assert_eq!(bench.look_after("2d10h").await.fired, 0);
    put(&bench, "holidays", days(["2026-11-27"])).await;
    let runs = bench.settled().await;
    assert_eq!(runs.iter().map(words).collect::<Vec<_>>(), [skipped("11-24 09:00", "11-26 09:00", 3)]);
    // And not once more when the job fires.
    bench.look_after("2d").await;
    let runs = bench.settled().await;
    let expected = [skipped("11-24 09:00", "11-26 09:00", 3), skipped("11-27 09:00", "11-27 09:00", 1)];
    assert_eq!(runs.iter().map(words).take(2).collect::<Vec<_>>(), expected);
    assert_eq!((runs.len(), runs[2].status), (3, RunStatus::Succeeded));
}

#[tokio::test]
async fn what_was_due_already_is_closed_as_edited() {
    let bench = Bench::new();
    put(&bench, "holidays", days(["12-25"])).await;
    bench.create(daily("user").draft()).await;
    // Nobody has looked since, so 11-24 is due still.
    bench.manual.set(at("2026-11-24T10:00:00Z"));
    put(&bench, "holidays", days(["2026-11-24"])).await;
    assert_eq!(bench.dispatcher.look().await.unwrap().fired, 0);
    let runs = bench.settled().await;
    let (nine, edited) = ("11-24 09:00".to_owned(), Some(Reason::Edited));
    assert_eq!(
        runs.iter().map(words).collect::<Vec<_>>(),
        [(RunStatus::Missed, edited, nine.clone(), nine, 1)]
    );
}

#[tokio::test]
async fn putting_the_same_again_changes_nothing() {
    let bench = Bench::new();
    let first = put(&bench, "holidays", days(["12-25"])).await;
    assert!(first.created);
    let user = bench.create(daily("user").draft()).await;
    bench.look_after("1h").await;
    let again = put(&bench, "holidays", days(["12-25"])).await;
    assert_eq!((again.created, again.jobs_changed), (false, 0));
    assert_eq!(again.calendar, first.calendar);
    let same = stored(&bench, "user").await;
    assert_eq!((same.version, same.next_fire_at, same.since), (1, user.next_fire_at, user.since));
}

#[tokio::test]
async fn a_put_that_broke_off_is_finished_by_the_same_again() {
    let bench = Bench::new();
    put(&bench, "holidays", days(["12-25"])).await;
    for name in ["a", "b", "c"] {
        bench.create(daily(name).draft()).await;
    }
    let mut changed = 0;
    bench.store.fail_by(move |call, _| {
        changed += u32::from(call == "replace_job");
        if call == "replace_job" && changed == 2 { Fault::Before } else { Fault::None }
    });
    let draft = days(["2026-11-24"]);
    let broken = bench.scheduler.put_calendar("default", "holidays", &draft, None).await;
    assert!(matches!(broken, Err(SchedulerError::Store(_))), "{broken:?}");
    bench.store.heal();
    assert_eq!(put(&bench, "holidays", draft).await.jobs_changed, 2);
    for name in ["a", "b", "c"] {
        assert_eq!(stored(&bench, name).await.next_fire_at, Some(at("2026-11-25T09:00:00Z")));
    }
}

#[tokio::test]
async fn versions_are_compared() {
    let bench = Bench::new();
    let put = async |expected| {
        let draft = days(["12-25"]);
        bench.scheduler.put_calendar("default", "holidays", &draft, expected).await.map(|put| put.created)
    };
    let early = put(Some(1)).await;
    assert!(
        matches!(early, Err(SchedulerError::Stale { what: "calendar", expected: 1, current: 0 })),
        "{early:?}"
    );
    assert!(put(Some(0)).await.unwrap(), "only if there is none");
    assert!(matches!(put(Some(0)).await, Err(SchedulerError::Stale { current: 1, .. })));
    assert!(!put(Some(1)).await.unwrap());
    let stale = bench.scheduler.delete_calendar("default", "holidays", Some(2)).await;
    assert!(matches!(stale, Err(SchedulerError::Stale { expected: 2, current: 1, .. })), "{stale:?}");
    bench.scheduler.delete_calendar("default", "holidays", Some(1)).await.unwrap();
    let gone = bench.scheduler.calendar("default", "holidays").await;
    assert!(matches!(gone, Err(SchedulerError::NotFound { what: "calendar", .. })), "{gone:?}");
}

#[tokio::test]
async fn a_calendar_in_use_is_not_deleted() {
    let bench = Bench::new();
    put(&bench, "holidays", days(["12-25"])).await;
    bench.create(job("bystander").draft()).await;
    bench.create(daily("user").draft()).await;
    let refused = bench.scheduler.delete_calendar("default", "holidays", None).await;
    let Err(SchedulerError::Conflict(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("“user”"), "{why}");
    bench.scheduler.pause("default", &key("user"), None, None, None).await.unwrap();
    assert!(
        bench.scheduler.delete_calendar("default", "holidays", None).await.is_err(),
        "paused, it uses it still"
    );

    bench.scheduler.patch("default", &key("user"), &json!({"calendars": []}), None).await.unwrap();
    bench.scheduler.delete_calendar("default", "holidays", None).await.unwrap();
    let again = bench.scheduler.delete_calendar("default", "holidays", None).await;
    assert!(matches!(again, Err(SchedulerError::NotFound { .. })), "{again:?}");
}

#[tokio::test]
async fn an_unknown_calendar_is_refused() {
    let bench = Bench::new();
    let pointer = |result: Result<_, SchedulerError>| match result {
        Err(SchedulerError::Invalid(invalid)) => (invalid.0[0].pointer.clone(), invalid.0[0].code.clone()),
        other => panic!("{:?}", other.map(|_: engine::StoredJob| ())),
    };
    let unknown = |index: usize| (format!("/calendars/{index}/name"), "unknown_calendar".to_owned());
    assert_eq!(pointer(bench.scheduler.create("default", daily("user").draft()).await), unknown(0));

    put(&bench, "holidays", days(["12-25"])).await;
    bench.create(daily("user").draft()).await;
    let two = daily("user").excluding(&calendar("Holidays", CalendarDraft::default())).draft();
    assert_eq!(pointer(bench.scheduler.replace("default", &key("user"), two, None).await), unknown(1));
    let patch = json!({"calendars": [{"name": "other"}]});
    assert_eq!(pointer(bench.scheduler.patch("default", &key("user"), &patch, None).await), unknown(0));
    // A calendar of that name in another project is not this project's.
    assert_eq!(pointer(bench.scheduler.create("other", daily("user").draft()).await), unknown(0));
    assert_eq!(stored(&bench, "user").await.version, 1);
}

#[tokio::test]
async fn jobs_of_other_projects_are_left_alone() {
    let bench = Bench::new();
    put(&bench, "holidays", days(["12-25"])).await;
    bench.scheduler.put_calendar("other", "holidays", &days(["12-25"]), None).await.unwrap();
    let theirs = bench.scheduler.create("other", daily("user").draft()).await.unwrap().job.unwrap();
    assert_eq!(put(&bench, "holidays", days(["2026-11-24"])).await.jobs_changed, 0);
    let still = bench.scheduler.job("other", &key("user")).await.unwrap().job.unwrap();
    assert_eq!((still.version, still.next_fire_at), (1, theirs.next_fire_at));
    // Neither does a job of another project keep a calendar from being deleted.
    bench.scheduler.delete_calendar("default", "holidays", None).await.unwrap();
    let query = CalendarQuery { project: "other".to_owned(), after: None, limit: 10 };
    assert_eq!(bench.scheduler.calendars(&query).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_calendar_that_leaves_nothing_completes_the_job_until_one_admits_again() {
    let bench = Bench::new();
    put(&bench, "holidays", days(["12-25"])).await;
    bench.create(daily("user").draft()).await;
    assert_eq!(put(&bench, "holidays", every_day()).await.jobs_changed, 1);
    let done = stored(&bench, "user").await;
    assert_eq!((done.state, done.next_fire_at, done.version), (JobState::Completed, None, 2));
    assert_eq!(bench.look_after("2d10h").await.fired, 0);

    assert_eq!(put(&bench, "holidays", days(["2026-11-27"])).await.jobs_changed, 1);
    let again = stored(&bench, "user").await;
    assert_eq!((again.state, again.next_fire_at), (JobState::Active, Some(at("2026-11-28T09:00:00Z"))));
    bench.look_after("2d").await;
    let runs = bench.settled().await;
    assert_eq!(runs.last().map(|run| run.status), Some(RunStatus::Succeeded));
}

#[tokio::test]
async fn a_paused_job_stays_paused_over_a_change_of_its_calendar() {
    let bench = Bench::new();
    put(&bench, "holidays", days(["12-25"])).await;
    bench.create(daily("user").draft()).await;
    bench.scheduler.pause("default", &key("user"), Some("why not"), None, None).await.unwrap();
    put(&bench, "holidays", days(["2026-11-24"])).await;
    let paused = stored(&bench, "user").await;
    assert_eq!((paused.state, paused.next_fire_at), (JobState::Paused, None));
    assert_eq!(paused.pause.unwrap().since, Some(at("2026-11-25T09:00:00Z")));
    bench.look_after("1d10h").await;
    let resumed = bench.scheduler.resume("default", &key("user"), None).await.unwrap().job.unwrap();
    assert_eq!(resumed.next_fire_at, Some(at("2026-11-26T09:00:00Z")));
    let runs = bench.settled().await;
    let nine = "11-25 09:00".to_owned();
    let missed = (RunStatus::Missed, Some(Reason::Paused), nine.clone(), nine, 1);
    assert_eq!(
        runs.iter().map(words).collect::<Vec<_>>(),
        [skipped("11-24 09:00", "11-24 09:00", 1), missed]
    );
}

/// The holiday moves from the 24th to the 25th while the job is written. Each of the two falls between the other's
/// steps in many ways, among them: all of one between what the other has read and what it writes. Whichever comes
/// last leaves the job right.
#[tokio::test]
async fn a_job_that_is_written_while_its_calendar_changes_comes_out_right() {
    let ways =
        races().flat_map(|race| [Write::Create, Write::Replace, Write::Patch].map(|write| (write, race)));
    for (write, race) in ways {
        let bench = Bench::new();
        put(&bench, "holidays", days(["2026-11-24"])).await;
        if write != Write::Create {
            let before = if write == Write::Replace { job("user").draft() } else { daily("user").draft() };
            bench.create(before).await;
        }
        let [editor, writer] = race.schedulers(&bench);
        let edited = tokio::spawn(async move {
            steps(race.late[0]).await;
            editor.put_calendar("default", "holidays", &days(["2026-11-25"]), None).await.unwrap();
        });
        let written = tokio::spawn(async move {
            steps(race.late[1]).await;
            write.carry_out(&writer).await
        });
        edited.await.unwrap();
        let answered = written.await.unwrap();
        let job = stored(&bench, "user").await;
        let now = bench.store.calendar("default", "holidays").await.unwrap().unwrap();
        assert_eq!(job.calendars, [(&now).into()], "{write:?} {race:?}");
        assert_eq!(job.next_fire_at, Some(at("2026-11-24T09:00:00Z")), "{write:?} {race:?}");
        assert!(answered.version <= job.version);
    }
}

/// So do two changes of a calendar that meet.
#[tokio::test]
async fn two_changes_of_a_calendar_leave_its_jobs_right() {
    for race in races() {
        let bench = Bench::new();
        put(&bench, "holidays", days(["12-25"])).await;
        for name in ["a", "b"] {
            bench.create(daily(name).draft()).await;
        }
        let days_off = ["2026-11-24", "2026-11-25"];
        let editors = race.schedulers(&bench).into_iter().zip(race.late).zip(days_off).map(
            |((scheduler, late), day)| {
                tokio::spawn(async move {
                    steps(late).await;
                    scheduler.put_calendar("default", "holidays", &days([day]), None).await.unwrap();
                })
            },
        );
        for editor in editors.collect::<Vec<_>>() {
            editor.await.unwrap();
        }
        let now = bench.store.calendar("default", "holidays").await.unwrap().unwrap();
        assert_eq!(now.version, 3);
        for name in ["a", "b"] {
            assert_eq!(stored(&bench, name).await.calendars, [(&now).into()], "{race:?}");
        }
    }
}

/// How two callers meet: each begins late by so many steps, and takes so many more between reading a calendar and
/// whatever it does next.
#[derive(Clone, Copy, Debug)]
struct Race {
    late: [usize; 2],
    slow: [usize; 2],
}

fn races() -> impl Iterator<Item = Race> {
    const LATE: usize = 24;
    // More than all the steps of the other.
    const SLOW: usize = 100;
    let late = (0..LATE).flat_map(|by| [[by, 0], [0, by]]);
    late.flat_map(|late| [[0, 0], [SLOW, 0], [0, SLOW]].map(|slow| Race { late, slow }))
}

impl Race {
    fn schedulers(self, bench: &Bench) -> [Scheduler; 2] {
        self.slow.map(|slow| bench.scheduler_by(Arc::new(SlowCalendars { store: bench.store.clone(), slow })))
    }
}

async fn steps(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// Answers a while after it has looked.
struct SlowCalendars {
    store: Arc<MemoryStore>,
    slow: usize,
}

#[async_trait]
impl Calendars for SlowCalendars {
    async fn put_calendar(&self, calendar: &Calendar) -> Result<bool, StoreError> {
        self.store.put_calendar(calendar).await
    }

    async fn calendar(&self, project: &str, name: &str) -> Result<Option<Calendar>, StoreError> {
        let found = self.store.calendar(project, name).await;
        steps(self.slow).await;
        found
    }

    async fn calendar_version(&self, project: &str, name: &str) -> Result<u64, StoreError> {
        self.store.calendar_version(project, name).await
    }

    async fn calendars(&self, query: &CalendarQuery) -> Result<Page<Calendar>, StoreError> {
        self.store.calendars(query).await
    }

    async fn delete_calendar(&self, project: &str, name: &str, expected: u64) -> Result<bool, StoreError> {
        self.store.delete_calendar(project, name, expected).await
    }
}

/// A way to write a job that uses the calendar afterwards.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Write {
    Create,
    Replace,
    Patch,
}

impl Write {
    async fn carry_out(self, scheduler: &Scheduler) -> Job {
        let written = match self {
            Self::Create => scheduler.create("default", daily("user").draft()).await,
            Self::Replace => scheduler.replace("default", &key("user"), daily("user").draft(), None).await,
            Self::Patch => {
                let patch = json!({"description": "new"});
                scheduler.patch("default", &key("user"), &patch, None).await
            }
        };
        written.unwrap().job.unwrap()
    }
}

/// A record of what a calendar leaves out must not take the id of an occurrence that is still to come.
#[tokio::test]
async fn an_occurrence_that_a_later_calendar_admits_again_runs() {
    let bench = Bench::new();
    let from = domain::calendar::CalendarRange {
        from: "2026-11-25".parse().unwrap(),
        until: "2100-12-31".parse().unwrap(),
    };
    put(&bench, "holidays", CalendarDraft { ranges: vec![from], ..CalendarDraft::default() }).await;
    bench.create(daily("user").draft()).await;
    bench.look_after("9h").await;
    bench.settled().await;
    put(&bench, "holidays", days(["12-25"])).await;
    assert_eq!(stored(&bench, "user").await.next_fire_at, Some(at("2026-11-25T09:00:00Z")));
    bench.look_after("1d").await;
    let ran = bench.settled().await.iter().filter(|run| run.status == RunStatus::Succeeded).count();
    assert_eq!(ran, 2, "11-25 09:00 was inserted under an id that exists, and never ran");
}

/// A job completed by its calendar, and active again later: the time between is silent.
#[tokio::test]
async fn what_a_calendar_leaves_out_of_a_completed_job_is_recorded() {
    let bench = Bench::new();
    put(&bench, "holidays", days(["12-25"])).await;
    bench.create(daily("user").draft()).await;
    put(&bench, "holidays", every_day()).await;
    bench.look_after("2d10h").await;
    put(&bench, "holidays", days(["2026-11-27"])).await;
    let runs = bench.settled().await;
    assert_eq!(runs.iter().map(words).collect::<Vec<_>>(), [skipped("11-24 09:00", "11-26 09:00", 3)]);
}
