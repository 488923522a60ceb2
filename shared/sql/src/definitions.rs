//! Jobs by version. A definition never changes without its version, so what was decoded once stays true.

use std::sync::Arc;

use domain::Job;
use engine::record::JobRecord;
use quick_cache::sync::Cache;
use uuid::Uuid;

/// Enough for the jobs of a busy hour; beyond that the store reads again what it needs.
const CAPACITY: usize = 20_000;

/// A bounded cache of decoded jobs by id and version.
#[derive(Debug)]
pub(crate) struct Definitions(Cache<(Uuid, i64), Arc<Job>>);

impl Default for Definitions {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl Definitions {
    pub(crate) fn get(&self, id: Uuid, version: i64) -> Option<Arc<Job>> {
        self.0.get(&(id, version))
    }

    /// Decodes and keeps a job. `None` where the document cannot be read; this is not remembered, for it is
    /// rare and the next program may know how to read it.
    pub(crate) fn add(&self, record: JobRecord) -> Option<Arc<Job>> {
        let key = (record.id, record.version);
        match record.into_job() {
            Ok(job) => {
                let job = Arc::new(job);
                self.0.insert(key, Arc::clone(&job));
                Some(job)
            }
            Err(invalid) => {
                tracing::error!(job.id = %invalid.id, error = invalid.error, "the definition of a job cannot be read");
                None
            }
        }
    }
}
