//! Making keys, listing and revoking them.

use domain::api_key::ApiKey;
use domain::{Credential, CredentialDraft, CredentialId, Invalid, Principal, Reach, Role};

use super::{Access, MOST, digest, hex};
use crate::error::{SchedulerError, StoreError};
use crate::records::{Record, RecordKind};

const KIND: RecordKind = RecordKind::Credential;
/// A key that changes so often while it is being revoked is left to whoever changes it.
const MAX_RACES: u32 = 20;

impl Access {
    /// Makes a key. It is told here and never again.
    pub async fn create_key(
        &self,
        by: &Principal,
        draft: CredentialDraft,
    ) -> Result<(Credential, ApiKey), SchedulerError> {
        let now = self.clock.now();
        let key = ApiKey::new([self.entropy.random(), self.entropy.random()]);
        let id = CredentialId::new(now, self.entropy.random());
        let credential = draft.credential(id, key.hint(), by, now)?;
        if let Some(project) = &credential.project
            && !self.project_exists(project).await?
        {
            return Err(Invalid::one("/project", "unknown", "there is no such project").into());
        }
        if self.is_open().await? && (credential.role, &credential.project) != (Role::Admin, &None) {
            let first =
                "the first key closes the service, so it must be one of an administrator of all projects";
            return Err(SchedulerError::Conflict(first.to_owned()));
        }
        self.make_room().await?;
        let record = Record::new(hex(&digest(key.reveal())), 1, &credential);
        if !self.records.put_record(KIND, &record).await? {
            return Err(StoreError::Failed("two keys are the same".into()).into());
        }
        self.recent.forget_all();
        Ok((credential, key))
    }

    /// The keys that `who` may see, the oldest first.
    pub async fn keys(&self, who: &Principal) -> Result<Vec<Credential>, StoreError> {
        let all = self.all_keys().await?;
        let mut seen: Vec<Credential> =
            all.into_iter().map(|(_, credential)| credential).filter(|it| it.is_ruled_by(who)).collect();
        seen.sort_by_key(|credential| credential.id);
        Ok(seen)
    }

    /// Makes a key good for nothing, at once. One that is that already stays as it is.
    pub async fn revoke_key(&self, who: &Principal, id: CredentialId) -> Result<Credential, SchedulerError> {
        for _ in 0..MAX_RACES {
            let all = self.all_keys().await?;
            let found = all.into_iter().find(|(_, it)| it.id == id && it.is_ruled_by(who));
            let Some((record, mut credential)) = found else {
                return Err(SchedulerError::NotFound { what: "key", key: id.to_string() });
            };
            if credential.role > who.role {
                let more = format!("it may do more than you: its role is {}", credential.role.as_str());
                return Err(SchedulerError::Conflict(more));
            }
            if credential.revoked_at.is_some() {
                return Ok(credential);
            }
            credential.revoked_at = Some(self.clock.now());
            let revoked = Record::new(record.key, record.version + 1, &credential);
            if self.records.put_record(KIND, &revoked).await? {
                self.recent.forget_all();
                return Ok(credential);
            }
        }
        Err(SchedulerError::Conflict("the key is in use by too many at a time; try again".to_owned()))
    }

    /// Every key that can be read.
    async fn all_keys(&self) -> Result<Vec<(Record, Credential)>, StoreError> {
        let limit = u32::try_from(MOST).unwrap_or(u32::MAX);
        let records = self.records.records(KIND, "", limit).await?;
        let read = |record: Record| match record.value() {
            Ok(credential) => Some((record, credential)),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a key cannot be read");
                None
            }
        };
        Ok(records.into_iter().filter_map(read).collect())
    }

    /// Where there are as many keys as there may be, the one goes that has been good for nothing the longest.
    async fn make_room(&self) -> Result<(), SchedulerError> {
        let all = self.all_keys().await?;
        if all.len() < MOST {
            return Ok(());
        }
        let now = self.clock.now();
        let dead = all.into_iter().filter(|(_, it)| !it.is_good_at(now));
        let Some((oldest, _)) = dead.min_by_key(|(_, it)| it.revoked_at.or(it.expires_at)) else {
            return Err(SchedulerError::Conflict(format!(
                "there are {MOST} keys already; revoke some first"
            )));
        };
        self.records.delete_record(KIND, &oldest.key, oldest.version).await?;
        Ok(())
    }
}

/// Whoever works on the machine itself, with the database at hand.
pub fn operator() -> Principal {
    Principal { name: "operator".to_owned(), role: Role::Admin, reach: Reach::All }
}
