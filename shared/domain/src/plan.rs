//! When a job is due: its schedule within its bounds, as its calendars leave it, spread by its jitter.

use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};

use crate::calendar::{CalendarCopy, CalendarUse, Roll, check_uses};
use crate::invalid::{Findings, Invalid};
use crate::policy::DAY;
use crate::schedule::Schedule;
use crate::time::{Admission, LeftOut, Timetable, horizon};
use crate::{HumanDuration, Instant, JobId, is_in_range};

/// What a job's author chose of when it is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing<'a> {
    /// When it is due.
    pub schedule: &'a Schedule,
    /// No occurrence before this instant.
    pub start_at: Option<Instant>,
    /// No occurrence after this instant.
    pub end_at: Option<Instant>,
    /// Which calendars it leaves out or keeps to.
    pub calendars: &'a [CalendarUse],
    /// Up to how much later than its nominal time an occurrence is due.
    pub jitter: HumanDuration,
}

impl Timing<'_> {
    /// The same, each occurrence due at its nominal time.
    #[must_use]
    pub(crate) fn unjittered(self) -> Self {
        Self { jitter: HumanDuration::ZERO, ..self }
    }

    /// Everything wrong with it, apart from its schedule.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        let mut findings = Findings::default();
        for (pointer, at) in [("/start_at", self.start_at), ("/end_at", self.end_at)] {
            findings.require(at.is_none_or(is_in_range), pointer, "out_of_range", || {
                "lies outside 1970–2100".to_owned()
            });
        }
        let ordered = self.start_at.zip(self.end_at).is_none_or(|(start, end)| start <= end);
        findings.require(ordered, "/end_at", "out_of_range", || "lies before start_at".to_owned());
        findings.require(self.jitter <= DAY, "/jitter", "out_of_range", || {
            format!("{} is longer than {DAY}", self.jitter)
        });
        findings.nest("/calendars", check_uses(self.calendars));
        findings.finish()
    }
}

/// The occurrences of one job, and when each is due.
///
/// An occurrence is known by its nominal time. It is *due* so much later as the job's jitter says; without
/// jitter the two are the same. No occurrence is due at or after the nominal time of the next one, so the order of the two is
/// the same, and either can be found from the other.
#[derive(Clone, Debug)]
pub struct Plan {
    admission: Admission,
    jitter: Option<Jitter>,
}

/// Up to how much later than its nominal time an occurrence is due; `job` makes it differ from job to job.
#[derive(Clone, Copy, Debug)]
struct Jitter {
    job: JobId,
    most: TimeDelta,
}

const MILLI: TimeDelta = TimeDelta::milliseconds(1);

/// Schedules due more often than this on one day do not roll: their next occurrence is never far.
const MAX_ROLLED_PER_DAY: u64 = 24;

impl Plan {
    /// Works out what `timing` means for the job `id`. `copies` are the calendars it uses.
    ///
    /// # Errors
    /// Everything wrong with it: with the schedule (below `/schedule`), and a roll of a schedule that is due too
    /// often for it (`/calendars`).
    pub fn compile(id: JobId, timing: &Timing<'_>, copies: &[CalendarCopy]) -> Result<Self, Invalid> {
        let mut findings = Findings::default();
        findings.nest("", timing.check());
        let timetable = findings.nest("/schedule", Timetable::compile(timing.schedule));
        let timetable = timetable.and_then(|timetable| {
            findings.nest("", check_roll(&timetable, timing.calendars)).map(|()| timetable)
        });
        findings.finish()?;
        let timetable = timetable.ok_or_else(|| Invalid(Vec::new()))?;
        let from = timing.start_at.unwrap_or(Instant::UNIX_EPOCH);
        let within = from..=timing.end_at.unwrap_or(horizon() - MILLI);
        let zone = timing.schedule.zone();
        Ok(Self {
            admission: Admission::new(timetable, &zone, within, timing.calendars, copies),
            jitter: (timing.jitter > HumanDuration::ZERO)
                .then(|| Jitter { job: id, most: timing.jitter.to_delta() }),
        })
    }

    /// What the schedule means by itself.
    pub fn timetable(&self) -> &Timetable {
        self.admission.timetable()
    }

    /// The nominal time of the first occurrence after `after`.
    pub fn next_after(&self, after: Instant) -> Option<Instant> {
        self.admission.next_after(after)
    }

    /// The nominal time of the last occurrence at or before `until`.
    pub fn last_until(&self, until: Instant) -> Option<Instant> {
        self.admission.last_until(until)
    }

    /// How many occurrences have their nominal times in `[from, until]`.
    pub fn count(&self, from: Instant, until: Instant) -> u64 {
        self.admission.count(from, until)
    }

    /// All nominal times after `after`, in order.
    pub fn after(&self, after: Instant) -> impl Iterator<Item = Instant> {
        std::iter::successors(self.next_after(after), |last| self.next_after(*last))
    }

    /// When the occurrence `nominal` is due.
    pub fn due_at(&self, nominal: Instant) -> Instant {
        self.jitter
            .map_or(nominal, |jitter| nominal + jitter.drawn(nominal, self.most_after(nominal, jitter)))
    }

    /// The latest instant at which the occurrence `nominal` could be due, whichever job it is of.
    pub fn due_by(&self, nominal: Instant) -> Instant {
        self.jitter.map_or(nominal, |jitter| nominal + self.most_after(nominal, jitter) - MILLI)
    }

    /// The occurrence that is due at `due`. An instant at which none is due, because the rules of its zone have
    /// changed since it was stored, stands for itself.
    pub fn due_for(&self, due: Instant) -> Instant {
        let Some(jitter) = self.jitter else { return due };
        self.last_until(due).filter(|nominal| due - *nominal < jitter.most).unwrap_or(due)
    }

    /// The nominal time of the last occurrence that is due by `now`.
    pub fn last_due(&self, now: Instant) -> Option<Instant> {
        let last = self.last_until(now)?;
        if self.due_at(last) <= now { Some(last) } else { self.last_until(last - MILLI) }
    }

    /// Whether the job's calendars may leave occurrences out.
    pub(crate) fn leaves_out(&self) -> bool {
        self.admission.has_calendars()
    }

    /// The schedule's occurrences in `[from, until]` that the job's calendars leave out.
    pub(crate) fn left_out(&self, from: Instant, until: Instant) -> Option<LeftOut> {
        self.admission.left_out(from, until)
    }

    /// Each of the schedule's occurrences in `(after, until)` that the job's calendars leave out, and the name of a
    /// calendar that does.
    pub fn each_left_out(&self, after: Instant, until: Instant) -> impl Iterator<Item = (Instant, &str)> {
        self.admission.each_left_out(after, until)
    }

    /// From where the calendars have moved the occurrence `nominal`.
    pub fn moved_from(&self, nominal: Instant) -> Option<Instant> {
        self.admission.moved_from(nominal)
    }

    /// By how much less than this the occurrence `nominal` may be due after its time.
    fn most_after(&self, nominal: Instant, jitter: Jitter) -> TimeDelta {
        let room = self.next_after(nominal).map(|next| next - nominal);
        room.map_or(jitter.most, |room| room.min(jitter.most))
    }
}

impl Jitter {
    /// A share of `most` drawn by hashing, so that it is the same for ever.
    fn drawn(self, nominal: Instant, most: TimeDelta) -> TimeDelta {
        let digest = Sha256::new()
            .chain_update(self.job.0.as_bytes())
            .chain_update(nominal.timestamp_millis().to_be_bytes())
            .finalize();
        let drawn = digest.iter().take(8).fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        let most = u64::try_from(most.num_milliseconds()).unwrap_or(0).max(1);
        HumanDuration::from_millis(drawn % most).to_delta()
    }
}

fn check_roll(timetable: &Timetable, uses: &[CalendarUse]) -> Result<(), Invalid> {
    match uses.iter().position(|it| it.roll != Roll::None) {
        Some(index) if timetable.most_a_day() > MAX_ROLLED_PER_DAY => Err(Invalid::one(
            format!("/calendars/{index}/roll"),
            "invalid_value",
            format!(
                "the schedule is due more than {MAX_ROLLED_PER_DAY} times a day, too often to roll; leave roll out"
            ),
        )),
        _ => Ok(()),
    }
}
