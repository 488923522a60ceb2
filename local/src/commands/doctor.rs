//! `scheduler doctor`: looks at everything a start depends on, and says what to do about what is wrong.

use std::net::SocketAddr;
use std::process::ExitCode;

use chrono::TimeDelta;
use domain::time::tzdb_version;
use engine::Clock;
use sql::Database;

use super::config::without_password;
use crate::config::Config;
use crate::system::SystemClock;

/// Replicas do not depend on their clocks, but people read their logs.
const LARGE_SKEW: TimeDelta = TimeDelta::seconds(2);

/// One finding: what is fine, or what is wrong and what to do about it.
type Finding = Result<String, String>;

pub(crate) async fn run(config: &Config) -> ExitCode {
    let mut findings = vec![Ok(format!("configuration: version {}", env!("CARGO_PKG_VERSION")))];
    findings.extend(database(config).await);
    findings.push(port(config.listen).await);
    findings.push(Ok(format!("time zones: tz database {}, default zone {}", tzdb_version(), config.zone)));
    findings.push(Ok(match config.allow_targets.to_string().as_str() {
        "" => "targets: public addresses only".to_owned(),
        allowed => format!("targets: public addresses, and {allowed}"),
    }));
    findings.extend(mail(config).await);
    let mut healthy = true;
    for finding in findings {
        match finding {
            Ok(fine) => println!("✓ {fine}"),
            Err(wrong) => {
                healthy = false;
                println!("✗ {wrong}");
            }
        }
    }
    if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn database(config: &Config) -> Vec<Finding> {
    let place = without_password(&config.database_url);
    let database = match Database::connect(&config.database_url).await {
        Ok(database) => database,
        Err(error) => return vec![Err(format!("database: {place}: {:#}; see DATABASE_URL", chain(error)))],
    };
    let migrations = match database.migrations().await {
        Ok(migrations) => migrations,
        Err(error) => {
            return vec![Err(format!(
                "database: {place}: {:#}; is it running, and is DATABASE_URL right?",
                chain(error)
            ))];
        }
    };
    let pending = migrations.iter().filter(|migration| !migration.applied).count();
    let mut findings = vec![Ok(match pending {
        0 => format!("database: {place}, schema up to date"),
        _ => format!(
            "database: {place}, {pending} migrations pending; `serve` applies them, so does `scheduler migrate`"
        ),
    })];
    if let Database::Postgres(store) = &database {
        findings.push(match store.clock().await {
            Ok(clock) => skew(clock.now() - SystemClock.now()),
            Err(error) => Err(format!("clock: the database does not tell the time: {:#}", chain(error))),
        });
    }
    database.close().await;
    findings
}

/// Nothing where no mail server is configured: most services send no mail.
async fn mail(config: &Config) -> Option<Finding> {
    let server = config.mail_server.as_ref()?;
    Some(match targets::email::probe(server).await {
        Ok(()) if config.mail_from.is_none() => Ok(format!(
            "mail: {server} lets us in; jobs must name their sender, as SCHEDULER_SMTP_FROM is not set"
        )),
        Ok(()) => Ok(format!("mail: {server} lets us in")),
        Err(error) => Err(format!("mail: {server}: {error}; see SCHEDULER_SMTP_URL")),
    })
}

fn skew(skew: TimeDelta) -> Finding {
    let millis = skew.num_milliseconds();
    if skew.abs() < LARGE_SKEW {
        Ok(format!("clock: {millis} ms from the database's, whose time counts"))
    } else {
        Err(format!(
            "clock: {millis} ms from the database's; jobs go by the database's time, but this machine's logs \
             will mislead: synchronise it (NTP)"
        ))
    }
}

async fn port(listen: SocketAddr) -> Finding {
    match tokio::net::TcpListener::bind(listen).await {
        Ok(_) => Ok(format!("port: {listen} is free")),
        Err(error) => Err(format!(
            "port: {listen} cannot be used: {error}; is a scheduler running already? see SCHEDULER_LISTEN"
        )),
    }
}

fn chain(error: impl Into<anyhow::Error>) -> anyhow::Error {
    error.into()
}
