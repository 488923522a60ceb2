//! What whoever asks for a run may have otherwise than the job has it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{BackfillId, Overlap};

/// What was asked for of one run. Empty for runs of the schedule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// In place of the target's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
    /// In place of the job's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// The backfill it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backfill: Option<BackfillId>,
}

impl Asked {
    /// Nothing where nothing was asked for.
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}
