//! Who asks: from the key or session that a request brings to the [`Principal`] behind it.
//!
//! Keys are kept as digests, in the store, and looked up at each request; what was read stays good for [`TRUSTED_FOR`], so a
//! key that was revoked opens nothing a second later, on any replica.

mod keys;
mod projects;
mod recent;
mod session;

use std::fmt::{self, Write};
use std::sync::Arc;

use chrono::TimeDelta;
use domain::api_key::ApiKey;
use domain::{Credential, Principal, Reach, Role};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

pub use self::keys::operator;
pub use self::projects::{DEFAULT_PROJECT, Project, ProjectDraft};
use self::recent::Recent;
pub use self::session::{SESSION_LASTS, SessionKey};
use crate::error::StoreError;
use crate::ports::{Clock, Entropy};
use crate::records::{Record, RecordKind, Records};

/// How long what was read of a key is taken for true.
pub const TRUSTED_FOR: TimeDelta = TimeDelta::seconds(1);
/// As many keys, the revoked ones included, as a service keeps; as many projects.
pub const MOST: usize = 1_000;

/// Of a key: what it is known by.
type Digest = [u8; 32];

/// Knows whom keys and sessions stand for, and makes them.
#[derive(Clone)]
pub struct Access {
    records: Arc<dyn Records>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    sessions: SessionKey,
    /// Of the operator's key.
    admin: Option<Digest>,
    /// Whether whoever asks may do everything, as long as no key was ever made.
    opens: bool,
    recent: Arc<Recent>,
}

/// What a request brings.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// Nothing.
    None,
    /// A key.
    Key(&'a str),
    /// A session, from a browser.
    Session(&'a str),
}

/// Why nobody is known by what a request brings.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// It brings nothing.
    #[error("there is no key")]
    Missing,
    /// It is not valid, or no longer.
    #[error("the key is not valid")]
    Invalid,
    /// It cannot be looked up.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access(***)")
    }
}

impl Access {
    /// Who has a key that is kept in `records` may do what that says; nobody else may do anything.
    pub fn new(
        records: Arc<dyn Records>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        sessions: SessionKey,
    ) -> Self {
        let recent = Arc::new(Recent::default());
        Self { records, clock, entropy, sessions, admin: None, opens: false, recent }
    }

    /// `key` opens everything, too.
    #[must_use]
    pub fn with_admin_key(self, key: &str) -> Self {
        Self { admin: Some(digest(key)), ..self }
    }

    /// Whoever asks may do everything, until a key is made.
    #[must_use]
    pub fn open_at_first(self) -> Self {
        Self { opens: true, ..self }
    }

    /// Whether whoever asks may do everything.
    pub async fn is_open(&self) -> Result<bool, StoreError> {
        if !self.opens || self.admin.is_some() {
            return Ok(false);
        }
        let now = self.clock.now();
        if let Some(open) = self.recent.open(now, TRUSTED_FOR) {
            return Ok(open);
        }
        match self.has_keys().await {
            Ok(has_keys) => {
                self.recent.remember_open(!has_keys, now);
                Ok(!has_keys)
            }
            // Nobody makes a key meanwhile, and there is nothing to be had but health.
            Err(error) => self.recent.open(now, TimeDelta::MAX).ok_or(error),
        }
    }

    /// Whether a key was ever made.
    pub async fn has_keys(&self) -> Result<bool, StoreError> {
        Ok(!self.records.records(RecordKind::Credential, "", 1).await?.is_empty())
    }

    /// Whom `proof` stands for.
    ///
    /// # Errors
    /// [`Denied`] where it is nobody.
    pub async fn principal(&self, proof: Proof<'_>) -> Result<Principal, Denied> {
        if self.is_open().await? {
            return Ok(everything("anonymous"));
        }
        match proof {
            Proof::None => Err(Denied::Missing),
            Proof::Key(text) => {
                let digest = digest(text);
                if self.is_admin(&digest) {
                    return Ok(everything("admin"));
                }
                // What has not the form of a key is none, and nobody is asked about it.
                ApiKey::parse(text).ok_or(Denied::Invalid)?;
                self.known(digest).await
            }
            Proof::Session(text) => {
                let now = self.clock.now();
                let digest = self.sessions.read(text, self.admin.as_ref(), now).ok_or(Denied::Invalid)?;
                if self.is_admin(&digest) { Ok(everything("admin")) } else { self.known(digest).await }
            }
        }
    }

    /// A session for who has `key`, good for [`SESSION_LASTS`] and as long as the key is; and whose it is.
    ///
    /// # Errors
    /// [`Denied`] where it is nobody's.
    pub async fn session(&self, key: &str) -> Result<(String, Principal), Denied> {
        let principal = self.principal(Proof::Key(key)).await?;
        let digest = digest(key);
        let session = self.sessions.write(&digest, self.is_admin(&digest), self.clock.now());
        Ok((session, principal))
    }

    fn is_admin(&self, digest: &Digest) -> bool {
        self.admin.is_some_and(|admin| admin.ct_eq(digest).into())
    }

    async fn known(&self, digest: Digest) -> Result<Principal, Denied> {
        let now = self.clock.now();
        let credential = match self.recent.credential(&digest, now, TRUSTED_FOR) {
            Some(credential) => credential,
            None => match self.look_up(&digest).await {
                Ok(found) => found.ok_or(Denied::Invalid)?,
                // It cannot have been revoked meanwhile, and what it opens is not there either.
                Err(StoreError::Unavailable(error)) => self
                    .recent
                    .credential(&digest, now, TimeDelta::MAX)
                    .ok_or(StoreError::Unavailable(error))?,
                Err(error) => return Err(error.into()),
            },
        };
        if credential.is_good_at(now) { Ok(credential.principal()) } else { Err(Denied::Invalid) }
    }

    async fn look_up(&self, digest: &Digest) -> Result<Option<Credential>, StoreError> {
        let now = self.clock.now();
        let Some(record) = self.records.record(RecordKind::Credential, &hex(digest)).await? else {
            self.recent.forget(digest);
            return Ok(None);
        };
        let mut credential: Credential = record.value()?;
        if credential.is_good_at(now) && credential.was_long_unused(now) {
            credential.last_used_at = Some(now);
            let used = Record::new(record.key, record.version + 1, &credential);
            // Whoever changes it at the same moment has the better news.
            if let Err(error) = self.records.put_record(RecordKind::Credential, &used).await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the use of a key is not written down"
                );
            }
        }
        self.recent.remember(*digest, &credential, now);
        Ok(Some(credential))
    }
}

fn everything(name: &str) -> Principal {
    Principal { name: name.to_owned(), role: Role::Admin, reach: Reach::All }
}

/// Of what is compared, so that neither length nor contents show in how long that takes.
fn digest(key: &str) -> Digest {
    Sha256::digest(key).into()
}

fn hex(digest: &Digest) -> String {
    let mut text = String::with_capacity(64);
    for byte in digest {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
