//! What is known of an idempotency key, from its row.

use engine::{Begun, SavedResponse};

/// A key somebody has reserved before.
pub(crate) struct Known {
    pub(crate) fingerprint: String,
    pub(crate) answer: Option<String>,
}

impl Known {
    /// An answer that can no longer be read counts as one that is still to come: the request is not carried
    /// out a second time.
    pub(crate) fn to_begun(&self, fingerprint: &str) -> Begun {
        if self.fingerprint != fingerprint {
            return Begun::OtherRequest;
        }
        let answer = self.answer.as_deref().and_then(|text| serde_json::from_str::<SavedResponse>(text).ok());
        answer.map_or(Begun::InProgress, Begun::Answered)
    }
}

/// How an answer is kept.
pub(crate) fn answer_text(answer: &SavedResponse) -> sqlx::Result<String> {
    serde_json::to_string(answer).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
