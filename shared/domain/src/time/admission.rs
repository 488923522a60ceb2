//! What a job's calendars make of its schedule: which occurrences they admit, and where the others go.

mod rolled;

use std::ops::RangeInclusive;

use chrono::{DateTime, NaiveDateTime, TimeDelta};

use super::local_set::LocalSet;
use super::{Timetable, Zone};
use crate::Instant;
use crate::calendar::{CalendarCopy, CalendarMode, CalendarUse, Roll};

/// A schedule as its job's calendars leave it.
///
/// An occurrence that some calendar does not admit is *left out*, unless each calendar that does not admit it
/// rolls: then it moves, to the nearest day in that direction on which all of them admit the same local time.
/// Several occurrences that meet at one instant are one. One that moves out of the job's bounds is left out, too.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    timetable: Timetable,
    zone: Zone,
    /// No occurrence takes place outside of it.
    within: RangeInclusive<Instant>,
    rules: Vec<Rule>,
    /// How far an occurrence may move: back and on.
    reach: (TimeDelta, TimeDelta),
}

/// One calendar.
#[derive(Clone, Debug)]
struct Rule {
    name: String,
    mode: CalendarMode,
    roll: Roll,
    zone: Zone,
    set: LocalSet,
}

/// Instants around one that are all admitted, or all not; `until` is the first that may differ.
struct Stretch {
    admitted: bool,
    from: Instant,
    until: Instant,
}

/// Occurrences that do not take place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) first: Instant,
    pub(crate) last: Instant,
    pub(crate) count: u64,
}

/// An occurrence moves so many days at most.
const MAX_ROLL: i64 = 31;

/// A search that has met so many stretches without an admitted occurrence ends: the job is never due again.
/// It keeps one look below some milliseconds whatever the calendars say.
const MAX_STRETCHES: usize = 3_000;

const MILLI: TimeDelta = TimeDelta::milliseconds(1);

/// In seconds. No clock is further from UTC, and none is ever changed by more.
const DAY: i64 = 86_400;

impl Timetable {
    /// How often it is due on its busiest day, more or less: days differ in length.
    pub(crate) fn most_a_day(&self) -> u64 {
        // The first occurrence may come in the middle of its day; the first of another day does not.
        let first = self.next_after(Instant::UNIX_EPOCH);
        let later = first.and_then(|first| self.next_after(first + TimeDelta::days(1) - MILLI));
        let on_day = |start| self.count(start, start + TimeDelta::days(1) - MILLI);
        first.into_iter().chain(later).map(on_day).max().unwrap_or(0)
    }
}

impl Admission {
    /// `zone` is that of the schedule. Uses whose calendar is not among `copies` admit everything.
    pub(crate) fn new(
        timetable: Timetable,
        zone: &Zone,
        within: RangeInclusive<Instant>,
        uses: &[CalendarUse],
        copies: &[CalendarCopy],
    ) -> Self {
        let rules = uses.iter().filter_map(|it| {
            let calendar = &copies.iter().find(|copy| copy.name == it.name)?.draft;
            Some(Rule {
                name: it.name.clone(),
                mode: it.mode,
                roll: it.roll,
                zone: calendar.timezone.as_ref().unwrap_or(zone).clone(),
                set: LocalSet::new(calendar),
            })
        });
        // A day more: days differ in length.
        let far = TimeDelta::days(MAX_ROLL + 1);
        let roll = uses.iter().map(|it| it.roll).find(|roll| *roll != Roll::None);
        let reach = match roll {
            None | Some(Roll::None) => (TimeDelta::zero(), TimeDelta::zero()),
            Some(Roll::Next) => (TimeDelta::zero(), far),
            Some(Roll::Previous) => (far, TimeDelta::zero()),
        };
        Self { timetable, zone: zone.clone(), within, rules: rules.collect(), reach }
    }

    /// The schedule itself, without regard to the calendars.
    pub(crate) fn timetable(&self) -> &Timetable {
        &self.timetable
    }

    /// Whether there are calendars at all.
    pub(crate) fn has_calendars(&self) -> bool {
        !self.rules.is_empty()
    }

    fn rolls(&self) -> bool {
        self.reach != (TimeDelta::zero(), TimeDelta::zero())
    }

    /// The first occurrence strictly after `after`.
    pub(crate) fn next_after(&self, after: Instant) -> Option<Instant> {
        let (start, end) = (*self.within.start(), *self.within.end());
        let after = after.max(start - MILLI);
        let next = if after >= end {
            None
        } else if self.rules.is_empty() {
            self.timetable.next_after(after)
        } else if self.rolls() {
            self.next_rolled(after)
        } else {
            self.next_admitted(after)
        };
        next.filter(|next| *next <= end)
    }

    /// The last occurrence at or before `until`.
    pub(crate) fn last_until(&self, until: Instant) -> Option<Instant> {
        let (start, end) = (*self.within.start(), *self.within.end());
        let until = until.min(end);
        let last = if until < start {
            None
        } else if self.rules.is_empty() {
            self.timetable.last_until(until)
        } else if self.rolls() {
            self.last_rolled(until)
        } else {
            self.last_admitted(until)
        };
        last.filter(|last| start <= *last)
    }

    fn next_admitted(&self, mut after: Instant) -> Option<Instant> {
        for _ in 0..MAX_STRETCHES {
            let at = self.timetable.next_after(after).filter(|at| at <= self.within.end())?;
            let stretch = self.around(at);
            if stretch.admitted {
                return Some(at);
            }
            after = stretch.until - MILLI;
        }
        None
    }

    fn last_admitted(&self, mut until: Instant) -> Option<Instant> {
        for _ in 0..MAX_STRETCHES {
            let at = self.timetable.last_until(until).filter(|at| self.within.start() <= at)?;
            let stretch = self.around(at);
            if stretch.admitted {
                return Some(at);
            }
            until = stretch.from - MILLI;
        }
        None
    }

    /// How many occurrences lie in `[from, until]`. Takes time by the stretch; where occurrences roll, by the
    /// occurrence.
    pub(crate) fn count(&self, from: Instant, until: Instant) -> u64 {
        let (from, until) = self.bounded(from, until);
        if self.rules.is_empty() {
            return self.timetable.count(from, until);
        }
        if self.rolls() {
            let mut images: Vec<_> = self
                .between(from - self.reach.1, until + self.reach.0)
                .filter_map(|at| self.image(at))
                .filter(|at| from <= *at && *at <= until)
                .collect();
            images.sort_unstable();
            images.dedup();
            return u64::try_from(images.len()).unwrap_or(u64::MAX);
        }
        let mut count = 0;
        let mut next = self.timetable.next_after(from - MILLI);
        while let Some(at) = next.filter(|at| *at <= until) {
            let stretch = self.around(at);
            let last = until.min(stretch.until - MILLI);
            if stretch.admitted {
                count += self.timetable.count(at, last);
            }
            next = self.timetable.next_after(last);
        }
        count
    }

    /// The schedule's occurrences in `[from, until]` that do not take place, neither then nor moved.
    pub(crate) fn left_out(&self, from: Instant, until: Instant) -> Option<LeftOut> {
        let (from, until) = self.bounded(from, until);
        if self.rules.is_empty() || until < from {
            return None;
        }
        if self.rolls() {
            let mut left_out = self.between(from, until).filter(|at| self.is_left_out(*at));
            let first = left_out.next()?;
            return Some(left_out.fold(LeftOut { first, last: first, count: 1 }, |all, last| LeftOut {
                last,
                count: all.count + 1,
                ..all
            }));
        }
        let mut found: Option<LeftOut> = None;
        let mut next = self.timetable.next_after(from - MILLI);
        while let Some(at) = next.filter(|at| *at <= until) {
            let stretch = self.around(at);
            let end = until.min(stretch.until - MILLI);
            if !stretch.admitted {
                let last = self.timetable.last_until(end).unwrap_or(at);
                let (first, before) = found.map_or((at, 0), |found| (found.first, found.count));
                found = Some(LeftOut { first, last, count: before + self.timetable.count(at, last) });
            }
            next = self.timetable.next_after(end);
        }
        found
    }

    /// Each of the schedule's occurrences in `(after, until)` that does not take place, and a calendar that does not
    /// admit it.
    pub(crate) fn each_left_out(
        &self,
        after: Instant,
        until: Instant,
    ) -> impl Iterator<Item = (Instant, &str)> {
        let (first, until) = self.bounded(after + MILLI, until - MILLI);
        let mut next = self.timetable.next_after(first - MILLI).filter(|_| !self.rules.is_empty());
        std::iter::from_fn(move || {
            while let Some(at) = next.filter(|at| *at <= until) {
                if self.is_left_out(at) {
                    next = self.timetable.next_after(at);
                    let refusing = self.rules.iter().find(|rule| !rule.admits(at));
                    return Some((at, refusing.map_or("", |rule| &rule.name)));
                }
                // Where occurrences roll they are few, and one that is not admitted is not left out.
                let seen = if self.rolls() { at } else { at.max(self.around(at).until - MILLI) };
                next = self.timetable.next_after(seen);
            }
            None
        })
    }

    /// The first occurrence that has moved to `at`; `None` where there is one at `at` anyway.
    pub(crate) fn moved_from(&self, at: Instant) -> Option<Instant> {
        if !self.rolls() || self.timetable.last_until(at) == Some(at) {
            return None;
        }
        self.between(at - self.reach.1, at + self.reach.0).find(|origin| self.image(*origin) == Some(at))
    }

    /// The part of `[from, until]` that lies within the bounds.
    fn bounded(&self, from: Instant, until: Instant) -> (Instant, Instant) {
        (from.max(*self.within.start()), until.min(*self.within.end()))
    }

    /// Whether an occurrence of the schedule takes place neither then nor moved.
    fn is_left_out(&self, at: Instant) -> bool {
        self.image(at).is_none_or(|image| !self.within.contains(&image))
    }

    fn between(&self, from: Instant, until: Instant) -> impl Iterator<Item = Instant> {
        self.timetable.after(from - MILLI).take_while(move |at| *at <= until)
    }

    fn around(&self, at: Instant) -> Stretch {
        let all = self.rules.iter().map(|rule| rule.around(at));
        all.reduce(|all, rule| match (all.admitted, rule.admitted) {
            (true, true) => {
                Stretch { admitted: true, from: all.from.max(rule.from), until: all.until.min(rule.until) }
            }
            (false, false) => {
                Stretch { admitted: false, from: all.from.min(rule.from), until: all.until.max(rule.until) }
            }
            (true, false) => rule,
            (false, true) => all,
        })
        .unwrap_or(Stretch { admitted: true, from: at, until: at + MILLI })
    }
}

impl Rule {
    fn admits(&self, at: Instant) -> bool {
        self.around_reading(self.zone.local(at)).inside == (self.mode == CalendarMode::Only)
    }

    fn around_reading(&self, reading: NaiveDateTime) -> super::local_set::Stretch {
        self.set.around(reading.and_utc().timestamp())
    }

    /// Within one stretch of even time readings and instants go together one to one, so the answer for the
    /// readings around holds for the instants around, as far as the stretch of even time goes. Further than a day
    /// from where readings differ it holds whatever the clock does.
    fn around(&self, at: Instant) -> Stretch {
        let alike = self.around_reading(self.zone.local(at));
        let admitted = alike.inside == (self.mode == CalendarMode::Only);
        let second = |reading| DateTime::from_timestamp(reading, 0);
        let (from, until) = (second(alike.from + DAY), second(alike.until - DAY));
        if let Some((from, until)) = from.zip(until).filter(|(from, until)| (*from..*until).contains(&at)) {
            return Stretch { admitted, from, until };
        }
        let even = self.zone.even(at);
        Stretch {
            admitted,
            from: second(alike.from - even.offset).map_or(even.from, |from| from.max(even.from)),
            until: second(alike.until - even.offset).map_or(even.until, |until| until.min(even.until)),
        }
    }
}
