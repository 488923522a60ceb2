//! `scheduler serve`: puts the parts together, serves until told to stop, and leaves nothing half done.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::http::HeaderValue;
use domain::time::tzdb_version;
use engine::bell::{AHEAD, POLL_FLOOR};
use engine::idempotency::REMEMBERED_FOR;
use engine::{
    Alarm, Bell, Callbacks, Clock, Dispatcher, Entropy, Feed, Idempotency, LocalAlarm, Logs, Overview,
    Scheduler, Settings, StoreError, TokenKey, retention, tick,
};
use sql::Database;
use targets::email::Security;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::access::{access, closed_where_others_reach_it};
use crate::commands::config::without_password;
use crate::config::{Config, Role};
use crate::metrics;
use crate::system::{OsEntropy, SystemClock};

/// A restart of the database, or a quick failover, is shorter; a proxy's patience (8 s in nginx.conf) is longer.
const READ_PATIENCE: Duration = Duration::from_secs(5);
/// A database that is only just starting is waited for so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Serves until SIGTERM or Ctrl-C.
pub(crate) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    closed_where_others_reach_it(&config)?;
    let recorded = metrics::record()?;
    let database = open(&config).await?;
    let bell = Bell::default();
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let (clock, alarm) = time(&database, &bell).await?;

    let shutdown = CancellationToken::new();
    let logs = Logs::new(database.run_logs(), clock.clone());
    let key = token_key(&config, &database, &*entropy).await?;
    let access = access(&config, &database, clock.clone(), entropy.clone(), &key).await?;
    let callbacks = callbacks(&database, &logs, clock.clone(), alarm.clone(), key);
    let worker = (config.role != Role::Api).then(|| {
        dispatcher(
            &config,
            &database,
            clock.clone(),
            alarm.clone(),
            &entropy,
            logs.clone(),
            callbacks.clone(),
        )
    });
    // Connections stay open while attempts finish: callbacks and health checks go on until the last moment.
    let (closing, stop_serving) = (CancellationToken::new(), CancellationToken::new());
    let listener = bind(config.listen).await?;
    let router = api::router(api::ApiState {
        access: access.clone(),
        scheduler: Scheduler::new(
            database.store(),
            database.calendars(),
            clock.clone(),
            alarm,
            entropy.clone(),
            config.zone.clone(),
        ),
        overview: Overview::new(database.store(), database.insights(), clock.clone()),
        idempotency: database.idempotency(),
        callbacks,
        logs,
        feed: Some(Feed::new(database.events())),
        store: database.store(),
        last_look: worker.clone().map(|worker| Arc::new(move || worker.last_look()) as api::LastLook),
        metrics: Arc::new(move || recorded.render()),
        ui: crate::ui::assets(),
        build: api::BuildInfo {
            version: env!("CARGO_PKG_VERSION"),
            git_sha: option_env!("SCHEDULER_GIT_SHA"),
        },
        closing: closing.clone(),
        options: api::Options {
            cors_origins: origins(&config)?,
            api: config.role != Role::Worker,
            echo: config.echo,
            commands: config.commands.is_some(),
            read_patience: READ_PATIENCE,
            ..api::Options::default()
        },
    });
    announce(&config, access.is_open().await?);
    tokio::spawn(metrics::watch_connections(database.clone()));
    if worker.is_some() {
        tokio::spawn(metrics::count(database.store()));
        tokio::spawn(forget(database.idempotency(), clock.clone()));
        tokio::spawn(retention::run(database.store(), clock, entropy.clone(), config.retention));
    }

    let mut working = worker.map(|worker| {
        let (shutdown, grace) = (shutdown.clone(), config.shutdown_grace.to_std());
        tokio::spawn(tick::serve(worker, bell.clone(), entropy, shutdown, grace))
    });
    let serving = tokio::spawn({
        let (closing, stop_serving) = (closing.clone(), stop_serving.clone());
        async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(closing.cancelled_owned());
            tokio::select! {
                result = async { served.await } => result,
                () = stop_serving.cancelled() => Ok(()),
            }
        }
    });

    tokio::select! {
        stop = stop_requested() => stop?,
        // It ends by itself only by failing, and a scheduler that does not fire must not look alive.
        failed = ended(&mut working) => return Err(failed.context("the tick loop failed")),
    }
    tracing::info!("stopping: no new runs; those under way may finish for {}", config.shutdown_grace);
    shutdown.cancel();
    if let Some(working) = working {
        working.await.context("the tick loop failed")?;
    }
    closing.cancel();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        stop_serving.cancel();
    });
    serving.await.context("the server failed")??;
    // A database that hangs is not waited for.
    let _ = tokio::time::timeout(Duration::from_secs(2), database.close()).await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Waits for the end of a task that should not end; for ever where there is none.
async fn ended(task: &mut Option<JoinHandle<()>>) -> anyhow::Error {
    match task {
        Some(task) => task.await.err().map_or_else(|| anyhow::anyhow!("it ended"), anyhow::Error::new),
        None => std::future::pending().await,
    }
}

/// Connects and brings the schema up to date, waiting for a database that is still starting.
async fn open(config: &Config) -> anyhow::Result<Database> {
    let place = without_password(&config.database_url);
    let database = Database::connect(&config.database_url).await.with_context(|| place.clone())?;
    if matches!(database, Database::Sqlite(_)) && config.role != Role::All {
        bail!(
            "SCHEDULER_ROLE: SQLite serves one process, which must do everything; use PostgreSQL for several"
        );
    }
    let began = tokio::time::Instant::now();
    loop {
        match database.migrate().await {
            Ok(applied) if applied.is_empty() => break,
            Ok(applied) => {
                tracing::info!(migrations = applied.len(), "brought the schema of {place} up to date");
                break;
            }
            Err(StoreError::Unavailable(error)) if began.elapsed() < PATIENCE => {
                tracing::warn!(
                    error = &*error as &dyn std::error::Error,
                    "{place} is not available yet, trying again"
                );
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(error).with_context(|| place),
        }
    }
    Ok(database)
}

/// What fires and runs jobs in this process.
pub(crate) fn dispatcher(
    config: &Config,
    database: &Database,
    clock: Arc<dyn Clock>,
    alarm: Arc<dyn Alarm>,
    entropy: &Arc<dyn Entropy>,
    logs: Logs,
    callbacks: Callbacks,
) -> Arc<Dispatcher> {
    let targets = targets::Config {
        allow: config.allow_targets.clone(),
        secrets: config.webhook_secrets.clone(),
        mail_server: config.mail_server.clone(),
        mail_from: config.mail_from.clone(),
        commands: config.commands.clone(),
        runs_url: config.public_url.as_ref().map(|url| format!("{url}/api/v1/runs/")),
        ..targets::Config::default()
    };
    let executor = Arc::new(targets::Targets::new(targets, clock.clone(), entropy.clone()));
    let settings =
        Settings { worker: worker_name(&**entropy), lease: config.lease, concurrency: config.concurrency };
    let dispatcher = Dispatcher::new(database.store(), clock, alarm, executor, logs, callbacks, settings);
    Arc::new(dispatcher.looking_ahead(AHEAD))
}

/// What tokens and sessions are computed with. Replicas agree on it by the operator's secret, or by their database's own.
pub(crate) async fn token_key(
    config: &Config,
    database: &Database,
    entropy: &dyn Entropy,
) -> Result<TokenKey, StoreError> {
    match &config.secret_key {
        Some(secret) => Ok(TokenKey::derived(secret.as_bytes())),
        None => Callbacks::shared_key(&*database.reports(), entropy).await,
    }
}

/// What takes reports of targets.
pub(crate) fn callbacks(
    database: &Database,
    logs: &Logs,
    clock: Arc<dyn Clock>,
    alarm: Arc<dyn Alarm>,
    key: TokenKey,
) -> Callbacks {
    Callbacks::new(database.store(), database.reports(), logs.clone(), clock, alarm, key)
}

/// The clock and the alarm that go with the database: replicas share its time and ring each other through it.
pub(crate) async fn time(
    database: &Database,
    bell: &Bell,
) -> anyhow::Result<(Arc<dyn Clock>, Arc<dyn Alarm>)> {
    Ok(match database {
        Database::Postgres(store) => {
            let clock: Arc<dyn Clock> = Arc::new(store.clock().await?);
            let bell = bell.clone();
            store.listen(move || bell.ring());
            let alarm = Arc::new(store.alarm(clock.clone(), POLL_FLOOR.to_std()));
            (clock, alarm)
        }
        Database::Sqlite(_) => {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let alarm = Arc::new(LocalAlarm::new(bell.clone(), clock.clone()));
            (clock, alarm)
        }
    })
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("SCHEDULER_LISTEN: cannot listen on {address}; is a scheduler running there already?")
    })
}

fn origins(config: &Config) -> anyhow::Result<Vec<HeaderValue>> {
    let parse = |origin: &String| {
        HeaderValue::from_str(origin)
            .with_context(|| format!("SCHEDULER_CORS_ORIGINS: “{origin}” is not an origin"))
    };
    config.cors_origins.iter().map(parse).collect()
}

/// Forgets answers that are remembered no longer.
async fn forget(idempotency: Arc<dyn Idempotency>, clock: Arc<dyn Clock>) {
    const EVERY: Duration = Duration::from_mins(1);
    const BATCH: u32 = 1_000;
    loop {
        let before = clock.now() - REMEMBERED_FOR;
        if let Err(error) = idempotency.forget(before, BATCH).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "old answers cannot be forgotten yet");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Unique to this process: a restart is another worker, whose leases are not the old one's.
fn worker_name(entropy: &dyn Entropy) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "any 32 of the random bits will do")]
    let random = entropy.random() as u32;
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{}-{random:08x}", if host.is_empty() { "scheduler" } else { host })
}

fn announce(config: &Config, open: bool) {
    let place = without_password(&config.database_url);
    let listen = config.listen;
    tracing::info!("scheduler {} on {place}, time zones {}", env!("CARGO_PKG_VERSION"), tzdb_version());
    match config.role {
        Role::All => (),
        Role::Api => {
            tracing::info!("this process serves the API only (SCHEDULER_ROLE=api); workers fire the jobs");
        }
        Role::Worker => {
            tracing::info!("this process fires jobs only (SCHEDULER_ROLE=worker); no API but health");
        }
    }
    if !config.allow_targets.is_empty() {
        tracing::info!("jobs may call these private targets: {}", config.allow_targets);
    }
    if config.webhook_secrets.is_empty() {
        tracing::info!("HTTP calls are not signed; set SCHEDULER_WEBHOOK_SECRET to sign them");
    }
    if let Some(server) = &config.mail_server {
        match server.security() {
            Security::Required | Security::Implicit => tracing::info!("e-mail goes to {server}"),
            Security::None | Security::Opportunistic => tracing::warn!(
                "e-mail{} goes to {server}: whoever is between can read it",
                if server.has_credentials() { ", with user name and password," } else { "" }
            ),
        }
    }
    if let Some(commands) = &config.commands {
        tracing::warn!("jobs may run commands with the rights of this process; they get {commands:?}");
    }
    if open {
        tracing::warn!(
            "open: whoever reaches {listen} may do everything, so it listens on loopback only; \
             set SCHEDULER_ADMIN_KEY, or make a key, to close it"
        );
    }
    tracing::info!("ready at http://{listen}/  ·  docs at http://{listen}/docs");
}

async fn stop_requested() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for Ctrl-C")?;
    tokio::select! {
        _ = terminate.recv() => (),
        _ = interrupt.recv() => (),
    }
    // A second Ctrl-C does not wait.
    tokio::spawn(async move {
        interrupt.recv().await;
        tracing::warn!("stopping at once; runs under way are taken over when their leases run out");
        std::process::exit(130);
    });
    Ok(())
}
