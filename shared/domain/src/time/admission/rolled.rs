//! Where occurrences go that roll, and how those are found that come from elsewhere.

use std::collections::HashMap;

use chrono::{NaiveDateTime, NaiveTime, TimeDelta};

use super::{Admission, MAX_ROLL, MAX_STRETCHES, MILLI};
use crate::Instant;
use crate::calendar::Roll;

/// For a time of day, the first and the last of some days in a row on which the calendars do not admit it: in a
/// search, each occurrence that moves nowhere spares its neighbours most of their way.
type Barren = HashMap<NaiveTime, (NaiveDateTime, NaiveDateTime)>;

impl Admission {
    /// Images keep within reach of their origins, but not their order: all origins in reach are looked at. Those that
    /// are further than that from either end of a stretch which is not admitted have no image.
    pub(super) fn next_rolled(&self, after: Instant) -> Option<Instant> {
        let (back, on) = self.reach;
        let mut best: Option<Instant> = None;
        let (mut barren, mut lost) = (Barren::new(), 0);
        let mut origin = self.timetable.next_after(after - on);
        while let Some(at) = origin.filter(|at| *at - back < best.unwrap_or(*self.within.end() + MILLI)) {
            let image = self.image_by(at, &mut barren);
            best = image.filter(|image| *image > after).into_iter().chain(best).min();
            lost += usize::from(image.is_none() && at > after);
            if lost > MAX_STRETCHES {
                break;
            }
            let stretch = self.around(at);
            let inner = !stretch.admitted && stretch.from <= at - back;
            let seen = if inner { at.max(stretch.until - on - MILLI) } else { at };
            origin = self.timetable.next_after(seen);
        }
        best
    }

    pub(super) fn last_rolled(&self, until: Instant) -> Option<Instant> {
        let (back, on) = self.reach;
        let mut best: Option<Instant> = None;
        let (mut barren, mut lost) = (Barren::new(), 0);
        let mut origin = self.timetable.last_until(until + back);
        while let Some(at) = origin.filter(|at| best.unwrap_or(*self.within.start() - MILLI) < *at + on) {
            let image = self.image_by(at, &mut barren);
            best = image.filter(|image| *image <= until).into_iter().chain(best).max();
            lost += usize::from(image.is_none() && at <= until);
            if lost > MAX_STRETCHES {
                break;
            }
            let stretch = self.around(at);
            let inner = !stretch.admitted && at + on < stretch.until;
            let seen = if inner { at.min(stretch.from + back) } else { at };
            origin = self.timetable.last_until(seen - MILLI);
        }
        best
    }

    /// Where an occurrence of the schedule takes place: as planned, moved, or not at all.
    pub(super) fn image(&self, at: Instant) -> Option<Instant> {
        self.image_by(at, &mut Barren::new())
    }

    fn image_by(&self, at: Instant, barren: &mut Barren) -> Option<Instant> {
        let step = match self.refused_with(at)? {
            None => return Some(at),
            Some(Roll::None) => return None,
            Some(Roll::Next) => 1,
            Some(Roll::Previous) => -1,
        };
        let local = self.zone.local(at);
        let known = barren.get(&local.time()).copied();
        let image = (1..=MAX_ROLL)
            .filter_map(|days| local.checked_add_signed(TimeDelta::days(days * step)))
            .filter(|day| known.is_none_or(|(first, last)| *day < first || last < *day))
            .filter_map(|day| self.zone.instant(day))
            .find(|moved| self.rules.iter().all(|rule| rule.admits(*moved)));
        if image.is_none() {
            let (near, far) = (local + TimeDelta::days(step), local + TimeDelta::days(MAX_ROLL * step));
            let these = (near.min(far), near.max(far));
            let joined = known.filter(|known| known.0 <= these.1 && these.0 <= known.1);
            let all = joined.map_or(these, |known| (known.0.min(these.0), known.1.max(these.1)));
            barren.insert(local.time(), all);
        }
        image
    }

    /// How the calendars that do not admit `at` roll, `Some(None)` where all admit it, `None` where they disagree.
    #[expect(clippy::option_option, reason = "read where it is written, and nowhere else")]
    fn refused_with(&self, at: Instant) -> Option<Option<Roll>> {
        let mut rolls = self.rules.iter().filter(|rule| !rule.admits(at)).map(|rule| rule.roll);
        let Some(first) = rolls.next() else { return Some(None) };
        rolls.all(|roll| roll == first).then_some(Some(first))
    }
}
