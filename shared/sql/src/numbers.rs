//! Numbers as databases know them: signed.

/// What no column could hold is not reached in practice, and is the largest there is.
pub(crate) fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
