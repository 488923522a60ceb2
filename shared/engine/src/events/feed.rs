//! Following what is told, live: any number of followers, one reader of the store in a process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::ring::Ring;
use super::{Cursor, Event, Events, Telling, event};
use crate::error::StoreError;

/// What other processes tell is looked for so often.
const LOOK: Duration = Duration::from_secs(1);
/// However much is told, it is read no more often.
const BREATH: Duration = Duration::from_millis(100);
/// Tellings read at a time.
const PAGE: u32 = 64;
/// Tellings handed to a follower at a time.
const PORTION: usize = 8;

/// What is told, for followers. Cheap to clone: all clones share one reader, which reads only while somebody follows.
#[derive(Clone)]
pub struct Feed(Arc<Shared>);

struct Shared {
    events: Arc<dyn Events>,
    /// `None` while nobody follows, and until it is known where to begin.
    ring: Mutex<Option<Ring>>,
    /// The ring has changed.
    turned: watch::Sender<()>,
    reading: Mutex<bool>,
}

/// One reader of a [`Feed`].
pub struct Follower {
    shared: Arc<Shared>,
    turned: watch::Receiver<()>,
    /// `None` until it is known where to begin.
    cursor: Option<Cursor>,
    /// It has been where everybody is: what it does not find in memory from now on it was too slow for.
    live: bool,
    lost: bool,
}

/// What a follower is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It begins here, or is here by now, and nothing of interest lies before.
    Here(Cursor),
    /// These have happened, and each leaves the follower where it says.
    Events(Vec<(Cursor, Event)>),
    /// Some were missed: look at everything anew, and go on here.
    Reset(Cursor),
}

impl Feed {
    /// What `events` tells.
    pub fn new(events: Arc<dyn Events>) -> Self {
        let (turned, _) = watch::channel(());
        Self(Arc::new(Shared { events, ring: Mutex::default(), turned, reading: Mutex::default() }))
    }

    /// Whether there is something to follow: asks the store.
    ///
    /// # Errors
    /// The store's.
    pub async fn available(&self) -> Result<(), StoreError> {
        self.0.events.latest().await.map(drop)
    }

    /// Follows from now on. Must be called within a tokio runtime.
    pub fn follow(&self) -> Follower {
        self.follower(None, false)
    }

    /// Goes on behind `cursor`, which a follower of any process was told of. Without one that can be understood the first
    /// news is a reset.
    pub fn resume(&self, cursor: Option<Cursor>) -> Follower {
        self.follower(cursor, cursor.is_none())
    }

    fn follower(&self, cursor: Option<Cursor>, lost: bool) -> Follower {
        let shared = self.0.clone();
        let mut reading = shared.reading();
        let turned = shared.turned.subscribe();
        if !std::mem::replace(&mut *reading, true) {
            tokio::spawn(read(shared.clone()));
        }
        drop(reading);
        Follower { shared, turned, cursor, live: false, lost }
    }
}

impl Shared {
    fn reading(&self) -> MutexGuard<'_, bool> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) -> MutexGuard<'_, Option<Ring>> {
        // Every change is one call.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what is new into the ring; true where there may be more already.
    async fn look(&self) -> Result<bool, StoreError> {
        let head = self.ring().as_ref().map(Ring::head);
        let told = match head {
            Some(head) => self.events.events_after(head, false, PAGE).await?,
            None => None,
        };
        let Some(told) = told else {
            // At the beginning, or after so long without a store that what was told since is gone.
            let latest = self.events.latest().await?;
            *self.ring() = latest.map(Ring::beginning);
            self.turned.send_replace(());
            return Ok(false);
        };
        let more = told.len() == PAGE as usize;
        if !told.is_empty() {
            if let Some(ring) = &mut *self.ring() {
                for telling in told {
                    ring.push(Arc::new(telling));
                }
            }
            self.turned.send_replace(());
        }
        Ok(more)
    }
}

/// Reads for as long as anybody follows.
async fn read(shared: Arc<Shared>) {
    let mut ear = shared.events.listen();
    loop {
        {
            let mut reading = shared.reading();
            if shared.turned.receiver_count() == 0 {
                *shared.ring() = None;
                *reading = false;
                return;
            }
        }
        // Before the look, so that what is told during it wakes the wait that follows.
        ear.forget();
        match shared.look().await {
            Ok(true) => continue,
            Ok(false) => (),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "events cannot be read now; they are when the store is back");
            }
        }
        tokio::select! {
            () = sleep(LOOK) => (),
            () = async { ear.heard().await; sleep(BREATH).await } => (),
            () = shared.turned.closed() => (),
        }
    }
}

impl Follower {
    /// Waits for what comes next. Nothing is lost where the future is dropped before it is ready.
    ///
    /// # Errors
    /// The store's, while what lies behind is being read from it.
    pub async fn next(&mut self) -> Result<News, StoreError> {
        loop {
            self.turned.mark_unchanged();
            if let Some(news) = self.look().await? {
                return Ok(news);
            }
            if self.turned.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    async fn look(&mut self) -> Result<Option<News>, StoreError> {
        let Some(cursor) = self.cursor else { return Ok(self.begin()) };
        let held = self.shared.ring().as_ref().map(|ring| (ring.head(), ring.after(cursor.place, PORTION)));
        // A cursor in the midst of a telling needs that one, too, which only the store is sure to have.
        if let Some((head, Some(held))) = held
            && cursor.entries.is_none()
        {
            // Where the store was restored from a copy, its order may have begun anew, before what is asked for.
            if self.live || cursor.place <= head {
                self.live = true;
                return Ok(self.take(held.iter().map(|telling| &**telling)));
            }
        }
        if self.live {
            return Ok(self.begin_anew());
        }
        let own = cursor.entries.is_some();
        match self.shared.events.events_after(cursor.place, own, PAGE).await? {
            None => Ok(self.begin_anew()),
            Some(told) => Ok(self.take(&told)),
        }
    }

    /// Begins where everybody is.
    fn begin(&mut self) -> Option<News> {
        let head = self.head()?;
        self.cursor = Some(head);
        self.live = true;
        let lost = std::mem::take(&mut self.lost);
        Some(if lost { News::Reset(head) } else { News::Here(head) })
    }

    fn begin_anew(&mut self) -> Option<News> {
        self.cursor = None;
        self.lost = true;
        self.begin()
    }

    fn head(&self) -> Option<Cursor> {
        self.shared.ring().as_ref().map(|ring| Cursor::behind(ring.head()))
    }

    /// What these tell behind where the follower is.
    fn take<'a>(&mut self, told: impl IntoIterator<Item = &'a Telling>) -> Option<News> {
        let mut events = Vec::new();
        let mut last = None;
        for telling in told {
            events.extend(behind(self.cursor, telling));
            last = Some(telling.place);
        }
        let here = Cursor::behind(last?);
        self.cursor = Some(here);
        Some(if events.is_empty() { News::Here(here) } else { News::Events(events) })
    }
}

/// The events of a telling behind `cursor`, each with where it leaves the reader.
fn behind(cursor: Option<Cursor>, telling: &Telling) -> Vec<(Cursor, Event)> {
    let seen = cursor.filter(|cursor| cursor.place == telling.place).map_or(Some(0), |cursor| cursor.entries);
    let Some(seen) = seen else { return Vec::new() };
    let numbered = (1_u32..).zip(&telling.entries).filter(|(number, _)| seen < *number);
    let last = u32::try_from(telling.entries.len()).unwrap_or(u32::MAX);
    let events = numbered.filter_map(|(number, entry)| {
        // The last one leaves the reader behind all of it, wherever that is.
        let entries = (number < last).then_some(number);
        Some((Cursor { place: telling.place, entries }, event(telling.deed, entry)?))
    });
    events.collect()
}
