//! Jobs and instants in one line. Everything is fixed: the same line builds the same job, id included.

use std::collections::BTreeMap;

use chrono::Utc;
use domain::calendar::{CalendarCopy, CalendarDraft, CalendarMode, CalendarUse, Roll};
use domain::job::{JobDraft, Surroundings};
use domain::schedule::{At, Cron, Date, Fold, Gap, Interval};
use domain::target::NoopTarget;
use domain::time::Zone;
use domain::{
    Calendar, HumanDuration, Instant, Job, JobId, Misfire, MisfirePolicy, Overlap, Retry, Schedule, Target,
    whole_millis,
};

/// When jobs are created unless they say otherwise.
pub const START: &str = "2026-11-24T00:00:00Z";

/// The instant written in RFC 3339.
///
/// # Panics
/// Where it is not.
pub fn at(text: &str) -> Instant {
    let instant =
        chrono::DateTime::parse_from_rfc3339(text).expect("an instant looks like 2026-11-24T00:00:00Z");
    whole_millis(instant.with_timezone(&Utc))
}

/// The duration people would write so.
///
/// # Panics
/// Where they would not.
pub fn duration(text: &str) -> HumanDuration {
    text.parse().expect("a duration looks like 1h30m")
}

/// The zone of that name.
///
/// # Panics
/// Where there is none.
pub fn zone(name: &str) -> Zone {
    Zone::named(name).expect("a zone looks like Europe/Paris")
}

/// A job of that name in project `default`, due every minute from a minute after [`START`], that calls nothing.
pub fn job(name: &str) -> JobBuilder {
    JobBuilder {
        draft: draft(name),
        calendars: Vec::new(),
        project: "default".to_owned(),
        created_at: at(START),
        id: None,
    }
}

/// The first version of a calendar of that name in project `default`, stored at [`START`].
///
/// # Panics
/// Where it is refused.
pub fn calendar(name: &str, draft: CalendarDraft) -> Calendar {
    Calendar::create("default", name, draft, at(START)).expect("a sound calendar")
}

/// A calendar of whole days: `2026-12-25`, or `12-25` for every year.
///
/// # Panics
/// Where one of them is no day.
pub fn days<'a>(days: impl IntoIterator<Item = &'a str>) -> CalendarDraft {
    let dates = days.into_iter().map(|day| day.parse().expect("a day looks like 2026-12-25 or 12-25"));
    CalendarDraft { dates: dates.collect(), ..CalendarDraft::default() }
}

/// Builds a [`Job`] or its draft.
#[derive(Clone, Debug)]
#[must_use]
pub struct JobBuilder {
    draft: JobDraft,
    calendars: Vec<CalendarCopy>,
    project: String,
    created_at: Instant,
    id: Option<JobId>,
}

impl JobBuilder {
    /// Due every `every`, counted from its creation.
    pub fn every(self, every: &str) -> Self {
        self.schedule(Schedule::Interval(Interval { every: duration(every), anchor: None, timezone: None }))
    }

    /// Due by a cron expression.
    pub fn cron(self, expression: &str, timezone: &str) -> Self {
        self.schedule(Schedule::Cron(Cron {
            expression: expression.to_owned(),
            dialect: None,
            timezone: Some(zone(timezone)),
            gap: Gap::default(),
            fold: Fold::default(),
        }))
    }

    /// Due once.
    pub fn once(self, when: &str) -> Self {
        self.once_at(at(when))
    }

    /// Due once.
    pub fn once_at(self, when: Instant) -> Self {
        self.schedule(Schedule::Date(Date { at: At::Instant(when), timezone: None }))
    }

    /// Due by `schedule`.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.draft.schedule = schedule;
        self
    }

    /// In another project than `default`.
    pub fn project(mut self, project: &str) -> Self {
        project.clone_into(&mut self.project);
        self
    }

    /// Created at another instant than [`START`]. Ids sort by creation.
    pub fn created(self, when: &str) -> Self {
        self.created_at(at(when))
    }

    /// Created at another instant than [`START`].
    pub fn created_at(mut self, when: Instant) -> Self {
        self.created_at = when;
        self
    }

    /// With this id, not the one its name yields.
    pub fn id(mut self, id: JobId) -> Self {
        self.id = Some(id);
        self
    }

    /// With this label, too.
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.draft.labels.insert(key.to_owned(), value.to_owned());
        self
    }

    /// With this overlap rule.
    pub fn overlap(mut self, overlap: Overlap) -> Self {
        self.draft.overlap = overlap;
        self
    }

    /// With this misfire policy and the defaults for the rest.
    pub fn misfire(mut self, policy: MisfirePolicy) -> Self {
        self.draft.misfire.policy = policy;
        self
    }

    /// With at most so many attempts, `delay` apart, no jitter.
    pub fn attempts(mut self, max_attempts: u32, delay: &str) -> Self {
        let initial = duration(delay);
        self.draft.retry =
            Retry { max_attempts, initial, factor: 1.0, max: initial.max(duration("10m")), jitter: false };
        self
    }

    /// With so long for each run in all.
    pub fn deadline(mut self, deadline: &str) -> Self {
        self.draft.deadline = Some(duration(deadline));
        self
    }

    /// Due up to so much after its nominal times.
    pub fn jitter(mut self, most: &str) -> Self {
        self.draft.jitter = duration(most);
        self
    }

    /// With this calendar, too, as it is now.
    pub fn calendar(mut self, calendar: &Calendar, mode: CalendarMode, roll: Roll) -> Self {
        self.draft.calendars.push(CalendarUse { name: calendar.name.clone(), mode, roll });
        self.calendars.push(calendar.into());
        self
    }

    /// Not due within this calendar.
    pub fn excluding(self, calendar: &Calendar) -> Self {
        self.calendar(calendar, CalendarMode::Exclude, Roll::None)
    }

    /// Not due outside of this calendar.
    pub fn only(self, calendar: &Calendar) -> Self {
        self.calendar(calendar, CalendarMode::Only, Roll::None)
    }

    /// Not due before.
    pub fn starting(mut self, when: &str) -> Self {
        self.draft.start_at = Some(at(when));
        self
    }

    /// Not due after.
    pub fn ending(mut self, when: &str) -> Self {
        self.draft.end_at = Some(at(when));
        self
    }

    /// With anything else changed.
    pub fn with(mut self, change: impl FnOnce(&mut JobDraft)) -> Self {
        change(&mut self.draft);
        self
    }

    /// The draft alone.
    pub fn draft(self) -> JobDraft {
        self.draft
    }

    /// The job, as the scheduler would have created it.
    ///
    /// # Panics
    /// Where the draft is refused.
    pub fn build(self) -> Job {
        let id =
            self.id.unwrap_or_else(|| JobId::new(self.created_at, hash(&self.project, &self.draft.name)));
        let surroundings = Surroundings { zone: &Zone::default(), calendars: &self.calendars };
        Job::create(self.draft, &self.project, id, surroundings, self.created_at).expect("a sound draft")
    }
}

fn draft(name: &str) -> JobDraft {
    JobDraft {
        name: name.to_owned(),
        description: String::new(),
        labels: BTreeMap::new(),
        schedule: Schedule::Interval(Interval { every: duration("1m"), anchor: None, timezone: None }),
        target: Target::Noop(NoopTarget {}),
        retry: Retry::default(),
        timeout: duration("30s"),
        deadline: None,
        misfire: Misfire::default(),
        overlap: Overlap::default(),
        concurrency: None,
        pause_after_failures: None,
        jitter: HumanDuration::ZERO,
        calendars: Vec::new(),
        start_at: None,
        end_at: None,
        max_runs: None,
    }
}

/// FNV-1a: enough to tell the jobs of a test apart, the same in every run.
fn hash(project: &str, name: &str) -> u128 {
    let bytes = project.bytes().chain([0]).chain(name.bytes());
    u128::from(bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    }))
}
