//! What happens to every request on its way in and to every answer on its way out.

pub mod access;
pub mod cors;
pub mod encoding;
pub mod http_metrics;
pub mod idempotency;
pub(crate) mod origin;
pub mod patience;
pub mod problems;
pub mod request_id;
pub mod security;
