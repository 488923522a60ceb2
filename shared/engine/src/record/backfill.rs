//! A backfill as a row.

use domain::backfill::BackfillDetails;
use domain::{Backfill, BackfillId, Instant, Invalid, JobId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{FORMAT, json, read};

/// A backfill as a row.
#[derive(Clone, Debug)]
pub struct BackfillRecord {
    /// Key; sorts by creation.
    pub id: Uuid,
    /// Tenant.
    pub project: String,
    /// For lists by job.
    pub job_id: Uuid,
    /// Compared when it is replaced.
    pub version: i64,
    /// Indexed: when somebody must look at it; `None` once it has ended.
    pub due_at: Option<Instant>,
    /// For people.
    pub created_at: Instant,
    /// Everything else.
    pub document: Value,
}

#[derive(Serialize, Deserialize)]
struct BackfillDocument {
    v: u32,
    details: BackfillDetails,
}

impl From<&Backfill> for BackfillRecord {
    fn from(backfill: &Backfill) -> Self {
        Self {
            id: backfill.id.0,
            project: backfill.project.clone(),
            job_id: backfill.job_id.0,
            version: i64::try_from(backfill.version).unwrap_or(i64::MAX),
            due_at: backfill.due_at,
            created_at: backfill.created_at,
            document: json(&BackfillDocument { v: FORMAT, details: backfill.details.clone() }),
        }
    }
}

impl BackfillRecord {
    /// The backfill.
    ///
    /// # Errors
    /// What is wrong with the document.
    pub fn into_backfill(self) -> Result<Backfill, Invalid> {
        let BackfillDocument { details, .. } = read(self.document)?;
        Ok(Backfill {
            id: BackfillId(self.id),
            project: self.project,
            job_id: JobId(self.job_id),
            details,
            due_at: self.due_at,
            version: u64::try_from(self.version).unwrap_or(0),
            created_at: self.created_at,
        })
    }
}
