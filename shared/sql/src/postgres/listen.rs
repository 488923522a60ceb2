//! Hearing other processes' alarms, on a connection of its own.

use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnectOptions, PgListener};

use super::alarm::CHANNEL;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A connection that says nothing for so long is asked whether it is still there: a lost one never says so.
const SILENCE: Duration = Duration::from_secs(30);
const ANSWER: Duration = Duration::from_secs(5);

/// Calls `bell` for every notification, and on every new connection: there may have been some before it.
pub(super) async fn listen(options: PgConnectOptions, mut bell: impl FnMut() + Send) {
    let mut pause = FIRST_PAUSE;
    loop {
        match subscribe(&options).await {
            Ok(listener) => {
                pause = FIRST_PAUSE;
                bell();
                hear(listener, &mut bell).await;
                tracing::info!("the connection that hears notifications was lost; connecting again");
            }
            Err(error) => {
                tracing::debug!(%error, "cannot listen for notifications; polling instead");
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        tokio::time::sleep(pause).await;
    }
}

async fn subscribe(options: &PgConnectOptions) -> sqlx::Result<PgListener> {
    // The listener wants a pool to connect again by itself. It gets one of a single connection and is dropped
    // with it when that is lost, so that there is one way of connecting only.
    let pool =
        PoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None).acquire_timeout(ANSWER);
    let pool = pool.connect_lazy_with(options.clone().application_name("scheduler listen"));
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.ignore_pool_close_event(true);
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Until the connection is lost.
async fn hear(mut listener: PgListener, bell: &mut (impl FnMut() + Send)) {
    loop {
        match tokio::time::timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(_))) => bell(),
            Ok(Ok(None) | Err(_)) => return,
            Err(_silence) => {
                let asked = sqlx::query("-- still_there\nSELECT 1").execute(&mut listener);
                if !matches!(tokio::time::timeout(ANSWER, asked).await, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}
