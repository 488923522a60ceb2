//! Whether this process may start: where others reach it, something must keep them out.

use std::sync::Arc;

use engine::{Access, Clock, Entropy, TokenKey};
use sql::Database;

use crate::config::{Config, Misused};

/// Refuses to start where others reach this service and nothing keeps them out.
pub(crate) fn closed_where_others_reach_it(config: &Config) -> anyhow::Result<()> {
    let listen = config.listen;
    if listen.ip().is_loopback() || config.secret_key.is_some() {
        return Ok(());
    }
    let more = if config.admin_key.is_none() { ", and SCHEDULER_ADMIN_KEY for a first key" } else { "" };
    Err(Misused(format!(
        "SCHEDULER_LISTEN: others reach {listen}, so it takes SECRET_KEY{more}, from `openssl rand -hex 32`; \
         or listen on 127.0.0.1"
    ))
    .into())
}

/// Who may do what. On loopback whoever asks may do everything, until there is a key; elsewhere there must be one.
pub(crate) async fn access(
    config: &Config,
    database: &Database,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    key: &TokenKey,
) -> anyhow::Result<Access> {
    let access = Access::new(database.records(), clock, entropy, key.into());
    match &config.admin_key {
        Some(key) => Ok(access.with_admin_key(key)),
        None if config.listen.ip().is_loopback() => Ok(access.open_at_first()),
        None if access.has_keys().await? => Ok(access),
        None => Err(Misused(format!(
            "SCHEDULER_LISTEN: others reach {}, and there is no key; set SCHEDULER_ADMIN_KEY, from `openssl rand -hex 32`, \
             or make one with `scheduler keys create`",
            config.listen
        ))
        .into()),
    }
}
