//! Commands: what they get, what they leave behind, and how they are ended.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::details::CommandRecord;
use domain::{Details, Outcome, RunId, RunKind, Verdict};
use engine::{Call, Executor};
use serde_json::{Value, json};
use targets::{Commands, Config, Targets};
use tokio_util::sync::CancellationToken;

use crate::common::{self, call_of, failure, with};

fn commanding() -> Targets {
    let environment = [("PATH", "/usr/bin:/bin"), ("TZ", "Mars/Olympus")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    with(Config { commands: Some(Commands::new(environment.into())), ..Config::default() })
}

fn command(argv: &[&str], more: Value) -> Value {
    let mut target = json!({"type": "command", "argv": argv});
    let Value::Object(more) = more else { panic!("not an object: {more}") };
    target.as_object_mut().unwrap().extend(more);
    target
}

/// A call of a run of its own: what a test ends must be nobody else's.
fn call(target: Value) -> Call {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let call = common::call(target);
    let nonce = RUNS.fetch_add(1, Ordering::SeqCst);
    Call { run_id: RunId::derive(call.job_id, call.scheduled_for, RunKind::Manual, nonce), ..call }
}

async fn execute(targets: &Targets, target: Value) -> Outcome {
    targets.execute(&call(target), CancellationToken::new()).await
}

fn sh(script: &str) -> Value {
    command(&["/bin/sh", "-c", script], json!({}))
}

fn record(outcome: &Outcome) -> &CommandRecord {
    let Some(Details::Command(record)) = &outcome.details else { panic!("no record: {outcome:?}") };
    record
}

fn stdout(outcome: &Outcome) -> &str {
    record(outcome).stdout.as_deref().unwrap_or_default()
}

/// Runs `script`, cancels it after a moment, and tells how long it then took.
async fn cancelled(script: &str, after: Duration) -> (Outcome, Duration) {
    let cancel = CancellationToken::new();
    let trigger = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        trigger.cancel();
    });
    let began = Instant::now();
    let outcome = commanding().execute(&call(sh(script)), cancel).await;
    (outcome, began.elapsed().saturating_sub(after))
}

/// Whether the process whose number is in the file lives, and is no zombie.
fn lives(file: &Path) -> bool {
    let pid = std::fs::read_to_string(file).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    !status.is_empty() && !status.contains(") Z ")
}

async fn dies(file: &Path) {
    let began = Instant::now();
    while lives(file) {
        assert!(began.elapsed() < Duration::from_secs(10), "it lives");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_command_gets_its_arguments_and_its_environment_and_no_other() {
    let target = command(
        &["env"],
        json!({"env": {"MINE": "{{run.id}}/{{attempt}}", "TZ": "UTC", "Q": "a b\n$HOME `id`"}}),
    );
    let call = call_of("nightly $(reboot)", target);
    let outcome = commanding().execute(&call, CancellationToken::new()).await;
    assert_eq!(outcome.verdict, Verdict::Succeeded);
    let run_id = call.run_id;
    let mut expected = vec![
        "PATH=/usr/bin:/bin".to_owned(),
        "TZ=UTC".to_owned(),
        format!("MINE={run_id}/2"),
        "Q=a b\n$HOME `id`".to_owned(),
        format!("SCHEDULER_RUN_ID={run_id}"),
        "SCHEDULER_JOB_NAME=nightly $(reboot)".to_owned(),
        "SCHEDULER_ATTEMPT=2".to_owned(),
        "SCHEDULER_SCHEDULED_FOR=2026-11-24T01:00:00Z".to_owned(),
    ];
    let mut seen: Vec<String> =
        stdout(&outcome).replace("\n$HOME", "\0$HOME").lines().map(|it| it.replace('\0', "\n")).collect();
    expected.sort();
    seen.sort();
    assert_eq!(seen, expected);
    assert_eq!(record(&outcome).exit_code, Some(0));

    let outcome =
        execute(&commanding(), command(&["printf", "%s|", "a b", "$HOME", "", "*"], json!({}))).await;
    assert_eq!(stdout(&outcome), "a b|$HOME||*|");
    assert_eq!((outcome.request, outcome.response), (None, None));
}

#[tokio::test]
async fn input_directory_and_both_outputs() {
    let directory = tempfile::tempdir().unwrap();
    let more = json!({"stdin": "for {{job.name}}\n", "working_dir": directory.path()});
    let outcome = execute(&commanding(), command(&["sh", "-c", "cat; pwd; echo oops >&2"], more)).await;
    let record = record(&outcome);
    let place = directory.path().canonicalize().unwrap();
    assert_eq!(record.stdout, Some(format!("for nightly report\n{}\n", place.display())));
    assert_eq!(record.stderr.as_deref(), Some("oops\n"));
    // Nobody reads it, and nothing is there to read.
    let more = json!({"stdin": "x".repeat(200_000)});
    assert_eq!(execute(&commanding(), command(&["true"], more)).await.verdict, Verdict::Succeeded);
    assert_eq!(stdout(&execute(&commanding(), command(&["cat"], json!({}))).await), "");
}

#[tokio::test]
async fn how_it_ended() {
    let outcome = execute(&commanding(), sh("echo half; exit 3")).await;
    assert_eq!(failure(&outcome), ("exit_status", "the command ended with exit status 3", true, None));
    assert_eq!((record(&outcome).exit_code, record(&outcome).signal), (Some(3), None));
    assert_eq!(stdout(&outcome), "half\n");

    let outcome = execute(&commanding(), sh("kill -9 $$")).await;
    assert_eq!(failure(&outcome), ("killed_by_signal", "the command was killed by signal 9", true, None));
    assert_eq!((record(&outcome).exit_code, record(&outcome).signal), (None, Some(9)));
}

#[tokio::test]
async fn what_cannot_be_started() {
    let directory = tempfile::tempdir().unwrap();
    let plain = directory.path().join("plain");
    std::fs::write(&plain, "#!/nowhere/sh\n").unwrap();
    let plain = plain.to_str().unwrap();
    for (argv, more, expected) in [
        (vec!["no-such-program"], json!({}), "command_not_found"),
        (vec!["/no/such/program"], json!({}), "command_not_found"),
        (vec![plain], json!({}), "command_not_executable"),
        (vec!["/"], json!({}), "command_not_executable"),
        (vec!["true"], json!({"working_dir": "/no/such/place"}), "working_dir_not_found"),
        (vec!["true"], json!({"working_dir": plain}), "working_dir_not_found"),
        // Not in the PATH it is given.
        (vec!["true"], json!({"env": {"PATH": "/nowhere"}}), "command_not_found"),
        (vec!["true", "a\0b"], json!({}), "invalid_request"),
        (vec![], json!({}), "invalid_request"),
    ] {
        let outcome = execute(&commanding(), command(&argv, more)).await;
        let (code, _, retryable, _) = failure(&outcome);
        assert_eq!((code, retryable), (expected, false), "{argv:?}");
    }
}

#[tokio::test]
async fn commands_are_off_unless_they_are_on() {
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("mark");
    let outcome =
        execute(&with(Config::default()), command(&["touch", mark.to_str().unwrap()], json!({}))).await;
    let message = "commands are off; an operator can allow them with SCHEDULER_ENABLE_COMMAND=true";
    assert_eq!(failure(&outcome), ("command_disabled", message, false, None));
    assert!(!mark.exists());

    let cancel = CancellationToken::new();
    cancel.cancel();
    let touching = call(command(&["touch", mark.to_str().unwrap()], json!({})));
    assert_eq!(commanding().execute(&touching, cancel).await.verdict, Verdict::Cancelled);
    assert!(!mark.exists());
}

#[tokio::test]
async fn a_gigabyte_of_output_is_drained_and_not_kept() {
    let outcome = execute(&commanding(), sh("head -c 1000000000 /dev/zero; echo end >&2")).await;
    assert_eq!(outcome.verdict, Verdict::Succeeded);
    let record = record(&outcome);
    assert!(record.stdout_truncated && !record.stderr_truncated);
    assert!(record.stdout.as_ref().unwrap().len() <= 64 * 1024);
    assert_eq!(record.stderr.as_deref(), Some("end\n"));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    assert!(peak.is_none_or(|kib| kib < 500_000), "{peak:?} KiB");
}

#[tokio::test]
async fn output_that_is_no_text() {
    let outcome = execute(&commanding(), sh(r"printf 'gr\374n\000 \342\202\254'")).await;
    assert_eq!(stdout(&outcome), "gr\u{fffd}n\u{fffd} €");
}

#[tokio::test]
async fn a_command_that_closes_its_pipes_and_lives_on_is_waited_for() {
    let began = Instant::now();
    let outcome = execute(&commanding(), sh("exec >&- 2>&-; sleep 0.5; exit 7")).await;
    assert_eq!(record(&outcome).exit_code, Some(7));
    assert!(Duration::from_millis(500) <= began.elapsed());
}

#[tokio::test]
async fn what_a_command_leaves_behind_neither_holds_the_attempt_nor_outlives_it() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    for pipes in ["", ">/dev/null 2>&1"] {
        let script = format!("sleep 100 {pipes} & echo $! > {}; echo done", pid.display());
        let began = Instant::now();
        let outcome = execute(&commanding(), sh(&script)).await;
        assert_eq!((outcome.verdict.clone(), stdout(&outcome)), (Verdict::Succeeded, "done\n"));
        assert!(began.elapsed() < Duration::from_secs(10));
        dies(&pid).await;
    }
}

#[tokio::test]
async fn what_left_the_group_holds_nothing_up() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    let script = format!("setsid sh -c 'echo $$ > {}; exec sleep 100' & sleep 0.3; echo done", pid.display());
    let began = Instant::now();
    let outcome = execute(&commanding(), sh(&script)).await;
    assert_eq!((outcome.verdict.clone(), stdout(&outcome)), (Verdict::Succeeded, "done\n"));
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(lives(&pid), "a daemon is left in peace where all went well");
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(std::fs::read_to_string(&pid).unwrap().trim().parse().unwrap())
            .unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
}

#[tokio::test]
async fn a_command_that_is_stopped_may_clean_up() {
    let script = "trap 'echo bye; exit 0' TERM; echo begun; while :; do sleep 0.05; done";
    let (outcome, took) = cancelled(script, Duration::from_millis(500)).await;
    assert_eq!(outcome.verdict, Verdict::Cancelled);
    assert_eq!(stdout(&outcome), "begun\nbye\n");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn a_command_that_ignores_sigterm_is_killed_with_its_children() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    let script =
        format!("trap '' TERM; sh -c 'while :; do sleep 1; done' & echo $! > {}; wait", pid.display());
    let (outcome, took) = cancelled(&script, Duration::from_millis(500)).await;
    assert_eq!(outcome.verdict, Verdict::Cancelled);
    assert_eq!(record(&outcome).signal, Some(9));
    assert!((Duration::from_millis(1900)..Duration::from_secs(6)).contains(&took), "{took:?}");
    dies(&pid).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_left_the_group_of_a_command_that_is_stopped_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    let script = format!("setsid sh -c 'trap \"\" TERM; echo $$ > {}; sleep 100; :' & wait", pid.display());
    let (outcome, _) = cancelled(&script, Duration::from_millis(500)).await;
    assert_eq!(outcome.verdict, Verdict::Cancelled);
    dies(&pid).await;
}

#[tokio::test]
async fn an_attempt_that_is_dropped_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    let script = format!("trap '' TERM; sleep 100 & echo $! > {}; wait", pid.display());
    let call = call(sh(&script));
    let targets = commanding();
    let attempt = targets.execute(&call, CancellationToken::new());
    assert!(tokio::time::timeout(Duration::from_millis(700), attempt).await.is_err());
    dies(&pid).await;
}
