//! `scheduler bench`: measures this machine, this database and this build, on a database made for the purpose.

#![expect(clippy::print_stderr, reason = "progress is for people; standard output is for the result")]

mod beat;
mod burst;
mod herd;
mod ledger;
mod load;
mod precision;
mod proc;
mod report;
mod scratch;
mod sink;
mod storm;
mod table;
mod webhook;
mod worker;
mod workers;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command, value_parser};

use self::report::Report;
use self::scratch::Scratch;
use crate::config::Config;

const ABOUT: &str = "Measure storms of due jobs, punctuality, large tables and real POSTs";

const HELP: &str = "\
Nothing of yours is touched: on PostgreSQL each run makes a database of its own on the server of --database-url
(its user must be allowed to), named scheduler_bench_…, and drops it at the end; with SQLite it is a temporary file.
The work is done by worker processes, set up as `scheduler serve` sets them up; --concurrency and --lease apply to them.

The result is one JSON object on standard output; progress goes to standard error. The exit code is 1 if any
occurrence was lost, carried out twice or started early, or did not run; being slow is no failure.

Lags are in milliseconds from the time an execution was due to its start by the service's clock. CPU times are in
microseconds per execution: of the worker processes, and of all of PostgreSQL's where it runs on this machine
(null elsewhere), so leave the server alone meanwhile.

Examples:
  scheduler bench storm                                  100 000 due jobs, on SQLite
  scheduler bench herd --database-url postgres://…       10 000 jobs that fire every second
  scheduler bench storm --processes 2 --database-url …   two processes share the work";

/// What was asked for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    jobs: usize,
    seconds: u32,
    processes: usize,
}

/// The command line of `bench`.
pub(crate) fn command() -> Command {
    let burst = |name: &'static str, about, jobs| scenario(name, about).arg(number("jobs", jobs));
    let beat = |name, about, jobs| burst(name, about, jobs).arg(number("seconds", "30"));
    Command::new("bench")
        .about(ABOUT)
        .after_help(HELP)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(burst("storm", "One-off jobs that are all due already and do nothing", "100000"))
        .subcommand(beat("herd", "Jobs that fire every second, at all phases of it", "10000"))
        .subcommand(beat("precision", "The same with few jobs: how late a start is at rest", "100"))
        .subcommand(beat("table", "Many stored jobs, of which up to 1000 are due each second", "1000000"))
        .subcommand(burst(
            "webhook",
            "One-off jobs due already, each a POST to a server on this machine",
            "20000",
        ))
        .subcommand(Command::new("worker").hide(true))
}

fn scenario(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).arg(number("processes", "1").help("Worker processes on the database"))
}

fn number(name: &'static str, default: &'static str) -> Arg {
    let help = match name {
        "jobs" => "How many jobs are stored",
        _ => "How long to measure, after a warm-up of two seconds",
    };
    Arg::new(name)
        .long(name)
        .value_name("N")
        .value_parser(value_parser!(u32).range(1..=100_000_000))
        .default_value(default)
        .help(help)
}

pub(crate) async fn run(config: &Config, matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let (name, matches) = matches.subcommand().context("which scenario?")?;
    if name == "worker" {
        return worker::run(config).await;
    }
    let said = |name: &str| matches.try_get_one::<u32>(name).ok().flatten().copied().unwrap_or(0);
    let asked = Asked {
        jobs: usize::try_from(said("jobs"))?,
        seconds: said("seconds"),
        processes: usize::try_from(said("processes"))?,
    };
    let scratch = Scratch::create(&config.database_url, asked.processes).await?;
    let result = tokio::select! {
        result = measure(config, name, asked, &scratch) => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    scratch.remove().await?;
    let report = result?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(config: &Config, name: &str, asked: Asked, scratch: &Scratch) -> anyhow::Result<Report> {
    match name {
        "storm" => storm::run(config, asked, scratch).await,
        "herd" => herd::run(config, asked, scratch).await,
        "precision" => precision::run(config, asked, scratch).await,
        "table" => table::run(config, asked, scratch).await,
        _ => webhook::run(config, asked, scratch).await,
    }
}

fn progress(text: impl std::fmt::Display) {
    eprintln!("{text}");
}
