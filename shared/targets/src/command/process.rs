//! One command: started in a process group of its own, heard, and ended with all it started.
//!
//! Should the service itself be killed outright, its commands go on: nothing is left that could end them. Their runs
//! are taken over when their leases run out, so such a command may then run twice at a time.

use std::io::{self, ErrorKind};
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use domain::details::CommandRecord;
use domain::target::CommandTarget;
use domain::{Details, LogStream, Outcome, Verdict};
use engine::Call;
use futures::FutureExt;
use futures::future::{Either, FusedFuture, join3, select};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Commands;
use super::output::{Output, feed};
use crate::template::Values;

/// How long a command may take to end after SIGTERM. The engine waits a second longer than this.
const GRACE: Duration = Duration::from_secs(2);

/// How long the pipes of a command that has ended may stay open: what it started may hold them as long as it likes.
const LINGER: Duration = Duration::from_millis(300);

/// One attempt.
pub(super) async fn run(
    commands: &Commands,
    call: &Call,
    target: &CommandTarget,
    cancel: CancellationToken,
) -> Outcome {
    if cancel.is_cancelled() {
        return Verdict::Cancelled.into();
    }
    let values = Values::new(call);
    let input = target.stdin.as_ref().map(|text| values.fill(text));
    let marks = marks(&values);
    let started = prepare(commands, target, &values, &marks).and_then(|mut command| command.spawn());
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return not_started(&error, target).into(),
    };
    let group = Group::of(&child);
    let output = |stream| Output::new(&call.journal, stream);
    let (mut stdout, mut stderr) = (output(LogStream::Stdout), output(LogStream::Stderr));
    let ended = {
        let pipes = join3(
            feed(child.stdin.take(), input.as_deref().unwrap_or_default()),
            stdout.drain(child.stdout.take()),
            stderr.drain(child.stderr.take()),
        );
        let mut pipes = pin!(pipes.fuse());
        let ended = match select(pin!(end(&mut child, &group, &cancel, marks)), pipes.as_mut()).await {
            Either::Left((ended, _)) => ended,
            Either::Right((_, end)) => end.await,
        };
        if !pipes.is_terminated() {
            let _ = timeout(LINGER, pipes).await;
        }
        ended
    };
    drop(group);
    let (verdict, status) = match ended {
        Ended::Stopped(status) => (Verdict::Cancelled, status),
        Ended::Itself(Ok(status)) => (verdict(status), Some(status)),
        Ended::Itself(Err(error)) => {
            (Verdict::retryable("spawn", format!("the command was lost sight of: {error}")), None)
        }
    };
    let (stdout, stdout_truncated) = stdout.into_text();
    let (stderr, stderr_truncated) = stderr.into_text();
    let record = CommandRecord {
        exit_code: status.and_then(|status| status.code()),
        signal: status.and_then(|status| status.signal()),
        stdout,
        stdout_truncated,
        stderr,
        stderr_truncated,
    };
    Outcome { details: Some(Details::Command(record)), ..verdict.into() }
}

/// What tells the attempt, in the environment of the command and of what it starts.
fn marks(values: &Values<'_>) -> Vec<String> {
    vec![format!("SCHEDULER_RUN_ID={}", values.run_id), format!("SCHEDULER_ATTEMPT={}", values.attempt)]
}

fn prepare(
    commands: &Commands,
    target: &CommandTarget,
    values: &Values<'_>,
    marks: &[String],
) -> io::Result<Command> {
    let (program, arguments) = target.argv.split_first().ok_or(ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(&commands.environment)
        .envs(target.env.iter().map(|(name, value)| (name, values.fill(value).into_owned())))
        .envs(marks.iter().filter_map(|mark| mark.split_once('=')))
        .env("SCHEDULER_JOB_NAME", values.job_name)
        .env("SCHEDULER_SCHEDULED_FOR", &values.scheduled_for)
        .stdin(if target.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    if let Some(directory) = &target.working_dir {
        command.current_dir(directory);
    }
    Ok(command)
}

fn not_started(error: &io::Error, target: &CommandTarget) -> Verdict {
    let program = target.argv.first().map_or("", String::as_str);
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory
            if target.working_dir.as_ref().is_some_and(|it| !std::path::Path::new(it).is_dir()) =>
        {
            Verdict::fatal("working_dir_not_found", "its working directory does not exist")
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory => Verdict::fatal(
            "command_not_found",
            format!("there is no program “{program}”, or not the interpreter it names"),
        ),
        ErrorKind::PermissionDenied => {
            Verdict::fatal("command_not_executable", format!("“{program}” may not be executed"))
        }
        ErrorKind::InvalidInput | ErrorKind::ArgumentListTooLong => {
            Verdict::fatal("invalid_request", format!("the command cannot be started as it is: {error}"))
        }
        _ => Verdict::retryable("spawn", format!("the command cannot be started now: {error}")),
    }
}

fn verdict(status: ExitStatus) -> Verdict {
    match (status.code(), status.signal()) {
        (Some(0), _) => Verdict::Succeeded,
        (Some(code), _) => {
            Verdict::retryable("exit_status", format!("the command ended with exit status {code}"))
        }
        (None, signal) => Verdict::retryable(
            "killed_by_signal",
            format!("the command was killed by signal {}", signal.unwrap_or_default()),
        ),
    }
}

enum Ended {
    Itself(io::Result<ExitStatus>),
    Stopped(Option<ExitStatus>),
}

/// Waits for the end of the command; brings it about when `cancel` fires.
async fn end(child: &mut Child, group: &Group, cancel: &CancellationToken, marks: Vec<String>) -> Ended {
    tokio::select! {
        biased;
        status = child.wait() => return Ended::Itself(status),
        () = cancel.cancelled() => (),
    }
    group.signal(Signal::TERM);
    let all = async {
        let _ = child.wait().await;
        group.gone().await;
    };
    if timeout(GRACE, all).await.is_err() {
        group.signal(Signal::KILL);
    }
    #[cfg(target_os = "linux")]
    {
        let _ = tokio::task::spawn_blocking(move || super::strays::kill(&marks)).await;
    }
    #[cfg(not(target_os = "linux"))]
    drop(marks);
    Ended::Stopped(child.wait().await.ok())
}

/// The process group of a command. What is left of it when this is dropped is killed.
///
/// Its number cannot be another group's as long as anybody is in it. Afterwards it is free, but the kernel hands
/// out all other numbers first.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // Nobody may be left.
            let _ = kill_process_group(group, signal);
        }
    }

    /// Waits until nobody is left.
    async fn gone(&self) {
        const LOOK: Duration = Duration::from_millis(20);
        while self.0.is_some_and(|group| test_kill_process_group(group).is_ok()) {
            sleep(LOOK).await;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
