//! The complete ledger of jobs with calendars and jitter: whatever happens when, each occurrence of the schedule
//! has its place in exactly one record, whether it takes place, is missed or is left out.
//!
//! `LEDGER_CASES=2000 cargo test --release -p testkit --test it calendar_ledger` runs the large size.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::calendar::{CalendarCopy, CalendarDraft, CalendarMode, Roll};
use domain::job::Surroundings;
use domain::time::Zone;
use domain::{
    HumanDuration, Instant, Job, JobDraft, JobId, JobState, Misfire, MisfirePolicy, Overlap, Plan, Reason,
    Run, RunStatus, fire, parse,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::fixtures::{START, calendar};
use testkit::{at, job};

const MILLI: TimeDelta = TimeDelta::milliseconds(1);

/// What a calendar may say: nothing, days, nights, weekends, weeks, and all there is.
fn drafts() -> impl Strategy<Value = CalendarDraft> {
    let drafts: [Value; 7] = [
        json!({}),
        json!({"dates": ["2026-11-25", "2026-11-26", "12-01", "12-24"]}),
        json!({"weekly": [{"days": ["sat", "sun"]}]}),
        json!({"timezone": "America/New_York", "weekly": [{"days": ["mon", "wed", "fri"], "from": "20:00", "until": "06:00"}]}),
        json!({"ranges": [{"from": "2026-11-28T06:30", "until": "2026-12-05"}]}),
        json!({"ranges": [{"from": "2026-11-26", "until": "2027-02-10"}]}),
        json!({"ranges": [{"from": "1970-01-01", "until": "2100-12-31"}]}),
    ];
    prop::sample::select(drafts.to_vec()).prop_map(|draft| parse::from_value(draft).unwrap())
}

fn jitter() -> impl Strategy<Value = HumanDuration> {
    prop_oneof![Just(0), 1..600_000_u64, 1..86_400_000_u64].prop_map(HumanDuration::from_millis)
}

fn misfire() -> impl Strategy<Value = Misfire> {
    let policy = prop::sample::select(vec![MisfirePolicy::Latest, MisfirePolicy::All, MisfirePolicy::Skip]);
    (policy, 0..7_200_u64, 0..72_u64, 1..20_u32).prop_map(|(policy, tolerance, hours, max)| {
        let window = HumanDuration::from_secs(tolerance + hours * 3_600);
        Misfire { policy, tolerance: HumanDuration::from_secs(tolerance), window, max }
    })
}

/// Due between every five hours and twice a week, for some weeks.
fn jobs() -> impl Strategy<Value = Job> {
    let schedule = prop::sample::select(vec!["5h", "36h", "0 9 * * *", "30 2,14 * * *", "0 0 * * 1,5"]);
    let roll = prop::sample::select(vec![Roll::None, Roll::Next, Roll::Previous]);
    let mode = prop_oneof![3 => Just(CalendarMode::Exclude), 1 => Just(CalendarMode::Only)];
    let uses = prop::collection::vec((drafts(), mode, any::<bool>()), 1..3);
    let overlap = prop_oneof![Just(Overlap::Skip), Just(Overlap::AllowAll)];
    (schedule, roll, uses, jitter(), misfire(), overlap, 20..60_i64).prop_filter_map(
        "a job that is due at all",
        |(schedule, roll, uses, jitter, misfire, overlap, days)| {
            let builder = job("job").overlap(overlap);
            let mut builder = match schedule.strip_suffix('h') {
                Some(_) => builder.every(schedule),
                None => builder.cron(schedule, "Europe/Paris"),
            };
            let mut copies = Vec::new();
            for (index, (draft, mode, rolls)) in uses.into_iter().enumerate() {
                let roll = if rolls { roll } else { Roll::None };
                let calendar = calendar(&format!("calendar-{index}"), draft);
                builder = builder.calendar(&calendar, mode, roll);
                copies.push(CalendarCopy::from(&calendar));
            }
            let end_at = Some(at(START) + TimeDelta::days(days));
            let builder =
                builder.with(|draft| (draft.jitter, draft.misfire, draft.end_at) = (jitter, misfire, end_at));
            let draft = builder.draft();
            let id = JobId::new(at(START), 1);
            let surroundings = Surroundings { zone: &Zone::default(), calendars: &copies };
            Job::create(draft, "default", id, surroundings, at(START)).ok()
        },
    )
}

/// What may happen to a job.
#[derive(Clone, Debug)]
enum Step {
    Look { active: u64 },
    Pause,
    Resume,
    Rename,
    Jitter(HumanDuration),
    Reschedule,
    Calendar(CalendarDraft),
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let step = prop_oneof![
        6 => (0..2_u64).prop_map(|active| Step::Look { active }),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        1 => Just(Step::Rename),
        2 => jitter().prop_map(Step::Jitter),
        1 => Just(Step::Reschedule),
        2 => drafts().prop_map(Step::Calendar),
    ];
    let wait = prop_oneof![0..7_200_000_i64, 0..400_000_000_i64];
    prop::collection::vec((wait, step), 1..25)
}

/// A job and everything that has been written down of it.
struct Ledger {
    job: Job,
    now: Instant,
    /// Since when the present schedule is in force.
    since: Instant,
    records: Vec<Run>,
    /// Every occurrence that has its place in a record, and whether it is left out.
    accounted: Vec<(Instant, bool)>,
    /// The same, as it must be.
    expected: Vec<(Instant, bool)>,
}

/// What `plan` says of `(since, until]`: what takes place, and what is left out.
fn occurrences(plan: &Plan, since: Instant, until: Instant) -> Vec<(Instant, bool)> {
    let placed = plan.after(since).take_while(|at| *at <= until).map(|at| (at, false));
    let left_out = plan.each_left_out(since, until + MILLI).map(|(at, _)| (at, true));
    placed.chain(left_out).collect()
}

impl Ledger {
    fn write(&mut self, plan: &Plan, runs: Vec<Run>) -> Result<(), TestCaseError> {
        for run in &runs {
            let last = run.scheduled_until.unwrap_or(run.scheduled_for);
            let left_out = run.reason == Some(Reason::Calendar);
            let stands_for = occurrences(plan, run.scheduled_for - MILLI, last);
            let stands_for: Vec<_> = stands_for.into_iter().filter(|it| it.1 == left_out).collect();
            prop_assert_eq!(run.count, stands_for.len() as u64, "{:?}", run);
            self.accounted.extend(stands_for);
        }
        self.records.extend(runs);
        Ok(())
    }

    /// Looks once; what it finds depends on how late after its due time each occurrence is.
    fn look(&mut self, active: u64) -> Result<(), TestCaseError> {
        let (now, plan) = (self.now, self.job.plan.clone());
        let Some(due) = self.job.next_fire_at else { return Ok(()) };
        let firing = fire(&self.job, due, now, active, 0);
        prop_assert_eq!(&firing, &fire(&self.job, due, now, active, 0), "the same twice");
        let Misfire { policy, tolerance, window, .. } = self.job.draft.misfire;
        for run in &firing.runs {
            let last = run.scheduled_until.unwrap_or(run.scheduled_for);
            let (late, latest) = (now - plan.due_at(run.scheduled_for), now - plan.due_at(last));
            match (run.status, run.reason) {
                (_, Some(Reason::Calendar)) => continue,
                (RunStatus::Missed, Some(Reason::Window)) => prop_assert!(latest > window.to_delta()),
                (RunStatus::Missed, _) => {
                    prop_assert!(latest > tolerance.to_delta() && late <= window.to_delta());
                }
                _ => {
                    prop_assert!(late <= window.to_delta());
                    prop_assert!(policy != MisfirePolicy::Skip || late <= tolerance.to_delta());
                }
            }
            if run.status == RunStatus::Pending {
                prop_assert!(run.scheduled_for > self.since, "fires the past");
                prop_assert_eq!(
                    run.due_for(),
                    plan.due_at(run.scheduled_for),
                    "the jitter is what it waited"
                );
            }
            prop_assert!(late >= TimeDelta::zero() && latest >= TimeDelta::zero(), "early");
        }
        let last = plan.last_due(now).map(|last| plan.due_at(last));
        prop_assert!(firing.next_fire_at.zip(last).is_none_or(|(next, last)| next > last), "it moves on");
        self.write(&plan, firing.runs)?;
        (self.job.next_fire_at, self.job.state) = (firing.next_fire_at, firing.state);
        Ok(())
    }

    /// The job as a change makes it, with all records of what it was.
    fn change(&mut self, changed: domain::job::Changed) -> Result<(), TestCaseError> {
        let domain::job::Changed { job, closing } = changed;
        let before = self.job.plan.clone();
        if job.since == self.since {
            prop_assert!(closing.is_empty());
        } else {
            self.expect(self.now);
            self.write(&before, closing)?;
            self.since = self.now;
        }
        self.job = job;
        Ok(())
    }

    /// That the schedule in force accounts for all until `until`.
    fn expect(&mut self, until: Instant) {
        self.expected.extend(occurrences(&self.job.plan, self.since, until));
    }

    fn edited(&mut self, change: impl FnOnce(&mut JobDraft)) -> Result<(), TestCaseError> {
        let mut draft = self.job.draft.clone();
        change(&mut draft);
        let surroundings = Surroundings { zone: &Zone::default(), calendars: &self.job.calendars };
        // A schedule that never fires is refused, and nothing has happened.
        match self.job.edit(draft, surroundings, self.now) {
            Ok(changed) => self.change(changed),
            Err(_) => Ok(()),
        }
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Look { active } => self.look(active),
            Step::Pause => {
                self.job = self.job.paused(None, self.now);
                Ok(())
            }
            Step::Resume => {
                let resumed = self.job.resumed(self.now);
                self.change(resumed)
            }
            Step::Rename => self.edited(|draft| draft.name.push('x')),
            Step::Jitter(most) => {
                let nominal = |job: &Job| job.next_fire_at.map(|due| job.plan.due_for(due));
                let before = nominal(&self.job);
                self.edited(|draft| draft.jitter = most)?;
                prop_assert_eq!(nominal(&self.job), before, "it is the same that is due");
                Ok(())
            }
            Step::Reschedule => {
                let every = HumanDuration::from_secs(3_600 * (5 + self.job.version % 30));
                let schedule = testkit::job("job").every(&every.to_string()).draft().schedule;
                self.edited(|draft| draft.schedule = schedule)
            }
            Step::Calendar(draft) => {
                let old = &self.job.calendars[0];
                let new = CalendarCopy { version: old.version + 1, draft, ..old.clone() };
                match self.job.with_calendars(&[new], self.now).unwrap() {
                    Some(changed) => self.change(changed),
                    None => Ok(()),
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn every_occurrence_is_in_one_record(job in jobs(), steps in steps()) {
        let (now, since) = (job.created_at, job.since);
        let mut ledger =
            Ledger { job, now, since,  records: Vec::new(), accounted: Vec::new(), expected: Vec::new() };
        for (wait, step) in steps {
            ledger.now += TimeDelta::milliseconds(wait);
            ledger.step(step)?;
            prop_assert_eq!(ledger.job.next_fire_at.is_some(), ledger.job.state == JobState::Active);
        }
        // A pause and its end account for all until then.
        ledger.step(Step::Pause)?;
        ledger.step(Step::Resume)?;
        ledger.expect(ledger.now);
        let Ledger { mut accounted, mut expected, records, .. } = ledger;
        accounted.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(accounted, expected);
        // Of two records with one id a store keeps the first.
        let ids: BTreeSet<_> = records.iter().map(|run| run.id).collect();
        prop_assert_eq!(ids.len(), records.len());
    }
}

/// 60 jobs by default, which is a few seconds in a debug build.
#[expect(clippy::disallowed_methods, reason = "the size of a test run is set from outside")]
fn cases() -> u32 {
    std::env::var("LEDGER_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(60)
}
