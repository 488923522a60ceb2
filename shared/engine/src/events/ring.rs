//! The last things told, for all followers of a process.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Place, Telling};

/// At most so many entries are held, but always the last telling.
const MOST: usize = 20_000;

/// Everything that is told behind one place, up to another.
pub(super) struct Ring {
    /// Nothing between this place and the first telling is missing.
    begin: Place,
    tellings: VecDeque<Arc<Telling>>,
    entries: usize,
}

impl Ring {
    pub(super) fn beginning(begin: Place) -> Self {
        Self { begin, tellings: VecDeque::new(), entries: 0 }
    }

    /// The last place told.
    pub(super) fn head(&self) -> Place {
        self.tellings.back().map_or(self.begin, |last| last.place)
    }

    pub(super) fn push(&mut self, telling: Arc<Telling>) {
        self.entries += telling.entries.len();
        self.tellings.push_back(telling);
        while MOST < self.entries
            && 1 < self.tellings.len()
            && let Some(oldest) = self.tellings.pop_front()
        {
            self.entries -= oldest.entries.len();
            self.begin = oldest.place;
        }
    }

    /// The tellings behind `place`, at most `limit` of them. `None` where some are not held any more.
    pub(super) fn after(&self, place: Place, limit: usize) -> Option<Vec<Arc<Telling>>> {
        if place < self.begin {
            return None;
        }
        let first = self.tellings.partition_point(|telling| telling.place <= place);
        Some(self.tellings.range(first..).take(limit).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use domain::JobId;

    use super::*;
    use crate::events::Entry;

    fn place(seq: u64) -> Place {
        Place { transaction: 0, seq }
    }

    fn telling(seq: u64, entries: usize) -> Arc<Telling> {
        let job = JobId(uuid::Uuid::nil());
        let entry = Entry { project: String::new(), job, run: None, status: 0 };
        Arc::new(Telling { place: place(seq), deed: 0, entries: vec![entry; entries] })
    }

    #[test]
    fn what_is_too_much_goes_and_is_known_to_be_gone() {
        let mut ring = Ring::beginning(place(3));
        assert_eq!(ring.head(), place(3));
        for seq in [5, 6, 9] {
            ring.push(telling(seq, MOST / 2));
        }
        assert_eq!(ring.head(), place(9));
        assert!(ring.after(place(3), 10).is_none());
        let seqs = |after| ring.after(place(after), 10).map(|it| it.iter().map(|it| it.place.seq).collect());
        assert_eq!(seqs(5), Some(vec![6, 9]));
        assert_eq!(seqs(8), Some(vec![9]));
        assert_eq!(seqs(9), Some(vec![]));
        assert_eq!(seqs(20), Some(vec![]));
    }

    #[test]
    fn the_last_telling_stays_however_large() {
        let mut ring = Ring::beginning(place(0));
        ring.push(telling(1, 1));
        ring.push(telling(2, 2 * MOST));
        assert!(ring.after(place(0), 10).is_none());
        assert_eq!(ring.after(place(1), 10).map(|it| it.len()), Some(1));
    }
}
