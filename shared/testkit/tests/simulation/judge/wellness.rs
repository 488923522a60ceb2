//! When a node was well: up, running, in touch with the store, with the right time, and with room.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::Instant;

use super::super::event::{Event, Fate, Who};
use super::super::history::History;
use super::super::weather::Trouble;

/// A clock that is behind by more than this is not right.
const RIGHT: TimeDelta = TimeDelta::milliseconds(100);
/// How long calls that were made while a node was cut off may still be waited for, and then be backed off from.
const BACK_IN_TOUCH: TimeDelta = TimeDelta::seconds(3);

/// The times at which nodes were not well.
#[derive(Default)]
pub(crate) struct Wellness(BTreeMap<Who, Life>);

struct Life {
    started: Instant,
    ended: Instant,
    /// From when to when something was wrong.
    ills: Vec<(Ill, Instant, Instant)>,
    /// What is wrong now, since when.
    open: BTreeMap<Ill, Instant>,
    concurrency: usize,
    calls: BTreeSet<(domain::RunId, u32)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ill {
    Stopped,
    Away,
    Late,
    /// No room for another attempt.
    Full,
    /// A call failed or was slow.
    Call,
    /// Told to shut down.
    Leaving,
}

impl Wellness {
    pub(crate) fn of(history: &History) -> Self {
        let last = history.entries.last().map(|entry| entry.at).unwrap_or_default();
        let mut lives: BTreeMap<Who, Life> = BTreeMap::new();
        for entry in &history.entries {
            if let Event::Node(Fate::Started { concurrency }) = entry.event {
                lives.insert(entry.by, Life::new(entry.at, last, concurrency));
            }
            if let Some(life) = lives.get_mut(&entry.by) {
                life.see(entry.at, &entry.event);
            }
        }
        for life in lives.values_mut() {
            for ill in life.open.keys().copied().collect::<Vec<_>>() {
                life.recover(ill, last);
            }
        }
        Self(lives)
    }

    /// A node that was well all the time from `from` to `until` and had room.
    pub(crate) fn witness(&self, from: Instant, until: Instant) -> Option<Who> {
        self.0.iter().find(|(_, life)| life.was_well(from, until, |_| true)).map(|(who, _)| *who)
    }

    /// Whether a process was well all the time from `from` to `until`, with room or without, and be it to shut down.
    pub(crate) fn was_well(&self, who: Who, from: Instant, until: Instant) -> bool {
        self.0
            .get(&who)
            .is_some_and(|life| life.was_well(from, until, |ill| !matches!(ill, Ill::Full | Ill::Leaving)))
    }
}

impl Life {
    fn new(started: Instant, ended: Instant, concurrency: usize) -> Self {
        let (ills, open, calls) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        Self { started, ended, ills, open, concurrency, calls }
    }

    fn see(&mut self, at: Instant, event: &Event) {
        match event {
            Event::Node(Fate::Killed | Fate::Left | Fate::Panicked) => self.ended = self.ended.min(at),
            Event::Node(Fate::Leaving) => self.fall(Ill::Leaving, at),
            Event::Node(Fate::Stopped) => self.fall(Ill::Stopped, at),
            Event::Node(Fate::WentOn) => self.recover(Ill::Stopped, at),
            Event::Node(Fate::Away) => self.fall(Ill::Away, at),
            Event::Node(Fate::Back) => self.recover(Ill::Away, at + BACK_IN_TOUCH),
            Event::Node(Fate::Lags(lag)) if *lag > RIGHT => self.fall(Ill::Late, at),
            Event::Node(Fate::Lags(_)) => self.recover(Ill::Late, at),
            Event::Trouble { trouble, .. } => match trouble {
                // What follows is a pause of up to two seconds.
                Trouble::Torn(_) | Trouble::Refused => self.ills.push((Ill::Call, at, at + BACK_IN_TOUCH)),
                Trouble::Slow { there, back } => {
                    let took = TimeDelta::from_std(*there + *back).unwrap_or_default();
                    self.ills.push((Ill::Call, at, at + took + BACK_IN_TOUCH));
                }
                Trouble::Hangs { .. } => self.fall(Ill::Call, at),
            },
            Event::Called { run, attempt, host: Some(_), .. } => {
                self.calls.insert((*run, *attempt));
                if self.calls.len() >= self.concurrency {
                    self.fall(Ill::Full, at);
                }
            }
            Event::Ended { run, attempt, .. }
                if self.calls.remove(&(*run, *attempt)) && self.calls.len() + 1 == self.concurrency =>
            {
                self.recover(Ill::Full, at);
            }
            _ => {}
        }
    }

    fn fall(&mut self, ill: Ill, at: Instant) {
        self.open.entry(ill).or_insert(at);
    }

    fn recover(&mut self, ill: Ill, at: Instant) {
        if let Some(since) = self.open.remove(&ill) {
            self.ills.push((ill, since, at));
        }
    }

    fn was_well(&self, from: Instant, until: Instant, counts: impl Fn(Ill) -> bool) -> bool {
        let ill =
            |(ill, since, over): &(Ill, Instant, Instant)| counts(*ill) && *since <= until && from <= *over;
        self.started <= from && until <= self.ended && !self.ills.iter().any(ill)
    }
}
