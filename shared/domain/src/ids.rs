//! Ids in `TypeID` text form: a prefix that says what it names, and 26 base-32 characters that sort by time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use type_safe_id::{StaticType, TypeSafeId};
use uuid::Uuid;

use crate::Instant;
use crate::run::RunKind;

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $tag:ident, $prefix:literal) => {
        #[derive(Clone, Copy, Default)]
        struct $tag;

        impl StaticType for $tag {
            const TYPE: &'static str = $prefix;
        }

        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", TypeSafeId::<$tag>::from_uuid(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                TypeSafeId::<$tag>::from_str(text).map(|id| Self(id.uuid())).map_err(|_| {
                    concat!("an id looks like ", $prefix, "_01kc0000000000000000000000").to_owned()
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

typed_id!(
    /// A job's id, `job_…`: a UUIDv7, so ids sort by creation.
    JobId,
    JobTag,
    "job"
);

typed_id!(
    /// A run's id, `run_…`: a UUIDv8 derived from what the run carries out, so ids sort by nominal time
    /// and firing the same occurrence twice yields the same id.
    RunId,
    RunTag,
    "run"
);

typed_id!(
    /// A backfill's id, `backfill_…`: a UUIDv7, so ids sort by creation.
    BackfillId,
    BackfillTag,
    "backfill"
);

typed_id!(
    /// An API key's id, `key_…`: a UUIDv7, so ids sort by creation.
    CredentialId,
    CredentialTag,
    "key"
);

impl CredentialId {
    /// A new id from the current time and 80 random bits.
    pub fn new(now: Instant, random: u128) -> Self {
        Self(version_7(now, random))
    }
}

impl BackfillId {
    /// A new id from the current time and 80 random bits.
    pub fn new(now: Instant, random: u128) -> Self {
        Self(version_7(now, random))
    }
}

fn version_7(now: Instant, random: u128) -> Uuid {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&random.to_be_bytes()[6..]);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}

impl JobId {
    /// No job's: for what is only tried out.
    pub const NIL: Self = Self(Uuid::nil());

    /// A new id from the current time and 80 random bits.
    pub fn new(now: Instant, random: u128) -> Self {
        Self(version_7(now, random))
    }
}

impl RunId {
    /// No run whose nominal time is `at` or later has a smaller id.
    pub fn first_at(at: Instant) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&at.timestamp_millis().max(0).to_be_bytes()[2..]);
        Self(Uuid::from_bytes(bytes))
    }

    /// The id of the run of `job` at `scheduled_for`.
    ///
    /// `nonce` tells apart two manual requests within one millisecond, and two backfills; it is 0 for scheduled
    /// runs, whose identity is the occurrence alone.
    pub fn derive(job: JobId, scheduled_for: Instant, kind: RunKind, nonce: u64) -> Self {
        let millis = scheduled_for.timestamp_millis();
        let digest = Sha256::new()
            .chain_update(job.0.as_bytes())
            .chain_update(millis.to_be_bytes())
            .chain_update([kind as u8])
            .chain_update(nonce.to_be_bytes())
            .finalize();
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&digest.as_slice()[..10]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// No run's: what comes before all ids of runs whose nominal time is `at` or later, and after all others.
    pub fn floor(at: Instant) -> Self {
        let millis = u128::try_from(at.timestamp_millis()).unwrap_or(0);
        Self(Uuid::from_u128(millis << 80))
    }

    /// The nominal time of the run.
    pub fn scheduled_for(self) -> Instant {
        let millis = i64::try_from(self.0.as_u128() >> 80).unwrap_or(i64::MAX);
        Instant::from_timestamp_millis(millis).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use chrono::Utc;

    use super::*;

    fn at(millis: i64) -> Instant {
        Utc.timestamp_millis_opt(millis).unwrap()
    }

    #[test]
    fn text_form_round_trips_and_names_its_kind() {
        let job = JobId::new(at(1_790_000_000_000), 7);
        assert_eq!(job.to_string().len(), "job_".len() + 26);
        assert_eq!(job.to_string().parse::<JobId>().unwrap(), job);
        assert!(job.to_string().parse::<RunId>().is_err());
        assert!("job_".parse::<JobId>().is_err());
        assert!("nightly".parse::<JobId>().is_err());
    }

    #[test]
    fn run_ids_are_derived_and_sort_by_nominal_time() {
        let job = JobId::new(at(1_790_000_000_000), 7);
        let id = |millis, kind, nonce| RunId::derive(job, at(millis), kind, nonce);
        assert_eq!(id(5_000, RunKind::Schedule, 0), id(5_000, RunKind::Schedule, 0));
        assert_ne!(id(5_000, RunKind::Schedule, 0), id(5_000, RunKind::Manual, 0));
        assert_ne!(id(5_000, RunKind::Manual, 1), id(5_000, RunKind::Manual, 2));
        assert!(id(5_000, RunKind::Schedule, 0) < id(5_001, RunKind::Manual, 9));
        assert!(id(4_999, RunKind::Manual, 9) < RunId::first_at(at(5_000)));
        assert!(RunId::first_at(at(5_000)) < id(5_000, RunKind::Schedule, 0));
        assert_eq!(id(5_000, RunKind::Schedule, 0).0.get_version_num(), 8);
    }

    #[test]
    fn a_window_of_time_is_a_range_of_run_ids() {
        let job = JobId::new(at(1_790_000_000_000), 7);
        for millis in [0, 1, 5_000, 1_790_000_000_000, 4_133_980_799_999] {
            for nonce in 0..50 {
                let id = RunId::derive(job, at(millis), RunKind::Manual, nonce);
                assert!(RunId::floor(at(millis)) <= id && id < RunId::floor(at(millis + 1)));
                assert_eq!(id.scheduled_for(), at(millis));
            }
        }
        assert_eq!(RunId::floor(at(-5)), RunId::floor(at(0)));
    }
}
