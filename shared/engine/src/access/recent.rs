//! What was read a moment ago.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use domain::{Credential, Instant};

use super::Digest;

/// More keys than this are not in use at a time.
const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct Recent(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    credentials: HashMap<Digest, (Credential, Instant)>,
    open: Option<(bool, Instant)>,
    projects: BTreeSet<String>,
}

/// A clock that was set back makes nothing young again.
fn is_young(at: Instant, now: Instant, age: TimeDelta) -> bool {
    age == TimeDelta::MAX || (TimeDelta::zero()..age).contains(&(now - at))
}

impl Recent {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn credential(&self, digest: &Digest, now: Instant, age: TimeDelta) -> Option<Credential> {
        let seen = self.seen();
        seen.credentials.get(digest).filter(|(_, at)| is_young(*at, now, age)).map(|(it, _)| it.clone())
    }

    pub(super) fn remember(&self, digest: Digest, credential: &Credential, now: Instant) {
        let mut seen = self.seen();
        if MOST <= seen.credentials.len() {
            seen.credentials.clear();
        }
        seen.credentials.insert(digest, (credential.clone(), now));
    }

    pub(super) fn forget(&self, digest: &Digest) {
        self.seen().credentials.remove(digest);
    }

    /// After a change to keys: the next one who asks looks them up.
    pub(super) fn forget_all(&self) {
        let mut seen = self.seen();
        seen.credentials.clear();
        seen.open = None;
    }

    pub(super) fn open(&self, now: Instant, age: TimeDelta) -> Option<bool> {
        self.seen().open.filter(|(_, at)| is_young(*at, now, age)).map(|(open, _)| open)
    }

    pub(super) fn remember_open(&self, open: bool, now: Instant) {
        self.seen().open = Some((open, now));
    }

    /// Projects stay.
    pub(super) fn has_project(&self, name: &str) -> bool {
        self.seen().projects.contains(name)
    }

    pub(super) fn remember_project(&self, name: &str) {
        self.seen().projects.insert(name.to_owned());
    }
}
