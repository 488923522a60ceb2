//! Settling: attempts, delays and ends.

use domain::run::{AttemptError, AttemptOutcome, Lease};
use domain::settle::cancelled;
use domain::{HumanDuration, Instant, Job, Outcome, Reason, Run, RunKind, RunStatus, Verdict, settle};
use testkit::fixtures::duration;
use testkit::{at, job};

const NOW: &str = "2026-11-24T00:01:00Z";

fn leased(job: &Job) -> Run {
    let lease = Lease { worker: "w".to_owned(), until: at("2026-11-24T00:01:30Z") };
    Run::pending(job, RunKind::Schedule, at(NOW), at(NOW), 0).leased(&lease)
}

fn ended(job: &Job, run: &Run, verdict: Verdict) -> Run {
    let outcome = Outcome::from(verdict);
    settle(run, &job.draft.retry, job.draft.timeout, at(NOW), at("2026-11-24T00:01:02Z"), outcome)
}

fn refused() -> Verdict {
    Verdict::retryable("connect", "refused")
}

fn asked_to_wait(wait: &str) -> Verdict {
    let error = AttemptError { code: "http_status".to_owned(), message: "503".to_owned() };
    Verdict::Failed { error, retryable: true, retry_after: Some(duration(wait)) }
}

fn delay(run: &Run) -> HumanDuration {
    let waited: Instant = run.due_at.unwrap();
    HumanDuration::from_millis(
        u64::try_from((waited - at("2026-11-24T00:01:02Z")).num_milliseconds()).unwrap(),
    )
}

#[test]
fn a_success_ends_it() {
    let job = job("report").build();
    let run = ended(&job, &leased(&job), Verdict::Succeeded);
    assert_eq!(
        (run.status, run.due_at, run.finished_at),
        (RunStatus::Succeeded, None, Some(at("2026-11-24T00:01:02Z")))
    );
    assert_eq!((run.started_at, run.attempts.len(), run.token), (Some(at(NOW)), 1, 1));
    assert_eq!((run.attempts[0].number, run.attempts[0].worker.as_deref()), (1, Some("w")));
}

#[test]
fn one_attempt_is_exactly_one_try() {
    let job = job("report").attempts(1, "1s").build();
    for (verdict, status) in [
        (refused(), RunStatus::Failed),
        (Verdict::fatal("http_status", "404"), RunStatus::Failed),
        (asked_to_wait("1m"), RunStatus::Failed),
        (Verdict::TimedOut, RunStatus::TimedOut),
        (Verdict::Abandoned, RunStatus::Failed),
    ] {
        let run = ended(&job, &leased(&job), verdict.clone());
        assert_eq!((run.status, run.due_at, run.attempts.len()), (status, None, 1), "{verdict:?}");
    }
}

#[test]
fn three_attempts_are_three_tries() {
    let job = job("report").attempts(3, "1m").build();
    let mut run = leased(&job);
    for tried in 1..=3_usize {
        run = ended(&job, &run, refused());
        assert_eq!(run.attempts.len(), tried);
        assert_eq!(run.status, if tried < 3 { RunStatus::Pending } else { RunStatus::Failed });
    }
    assert_eq!(run.attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn delays_grow() {
    let job = job("report").attempts(9, "10s").with(|draft| draft.retry.factor = 2.0).build();
    let mut run = leased(&job);
    let mut delays = Vec::new();
    for _ in 1..9 {
        run = ended(&job, &run, refused());
        delays.push(delay(&run).as_millis() / 1_000);
    }
    assert_eq!(delays, [10, 20, 40, 80, 160, 320, 600, 600]);
}

#[test]
fn jitter_is_the_same_on_every_node() {
    let job = job("report").with(|draft| draft.retry.max_attempts = 50).build();
    let run = ended(&job, &leased(&job), refused());
    assert_eq!(run, ended(&job, &leased(&job), refused()));
    assert!(delay(&run) <= duration("10s"));
    let second = ended(&job, &run, refused());
    assert!(delay(&second) <= duration("20s"));
}

#[test]
fn a_target_may_ask_for_more_time_but_not_for_less() {
    let job = job("report").attempts(3, "1m").build();
    let waits = |wait: &str| delay(&ended(&job, &leased(&job), asked_to_wait(wait)));
    assert_eq!(waits("1s"), duration("1m"));
    assert_eq!(waits("5m"), duration("5m"));
    assert_eq!(waits("3h"), duration("3h"), "also beyond the longest delay of our own");
    assert_eq!(waits("2w"), duration("1d"), "but not for ever");
}

#[test]
fn what_no_try_can_mend_is_not_tried_again() {
    let job = job("report").attempts(9, "1s").build();
    let run = ended(&job, &leased(&job), Verdict::fatal("http_status", "404"));
    assert_eq!((run.status, run.due_at), (RunStatus::Failed, None));
}

#[test]
fn a_shutdown_costs_no_attempt() {
    let job = job("report").attempts(2, "1m").build();
    let mut run = leased(&job);
    for _ in 0..5 {
        run = ended(&job, &run, Verdict::Interrupted);
        assert_eq!((run.status, delay(&run), run.tries()), (RunStatus::Pending, HumanDuration::ZERO, 0));
    }
    run = ended(&job, &run, refused());
    assert_eq!((run.status, delay(&run)), (RunStatus::Pending, duration("1m")));
    run = ended(&job, &run, Verdict::Interrupted);
    assert_eq!(run.status, RunStatus::Pending);
    run = ended(&job, &run, refused());
    assert_eq!((run.status, run.tries(), run.attempts.len()), (RunStatus::Failed, 2, 8));
}

#[test]
fn a_lost_worker_costs_one() {
    let job = job("report").attempts(2, "1m").build();
    let run = ended(&job, &leased(&job), Verdict::Abandoned);
    assert_eq!((run.status, run.tries()), (RunStatus::Pending, 1));
    assert_eq!(run.attempts[0].outcome, AttemptOutcome::Abandoned);
    assert_eq!(ended(&job, &run, Verdict::Abandoned).status, RunStatus::Failed);
}

#[test]
fn a_wish_to_cancel_ends_what_would_be_tried_again() {
    let job = job("report").attempts(9, "1m").build();
    let mut run = leased(&job);
    run.cancel_requested = true;
    for verdict in
        [refused(), Verdict::TimedOut, Verdict::Abandoned, Verdict::Interrupted, Verdict::Cancelled]
    {
        let after = ended(&job, &run, verdict.clone());
        assert_eq!(
            (after.status, after.reason),
            (RunStatus::Cancelled, Some(Reason::Requested)),
            "{verdict:?}"
        );
        assert_eq!((after.due_at, after.finished_at.is_some()), (None, true));
    }
    assert_eq!(ended(&job, &run, Verdict::Succeeded).status, RunStatus::Succeeded, "what is done is done");
    assert_eq!(ended(&job, &run, Verdict::fatal("x", "y")).status, RunStatus::Failed);
}

#[test]
fn a_run_nobody_took_up_is_closed_with_its_reason() {
    let job = job("report").build();
    let waiting = Run::pending(&job, RunKind::Manual, at(NOW), at(NOW), 1);
    let closed = cancelled(&waiting, Reason::Deleted, at("2026-11-24T00:02:00Z"));
    assert_eq!(
        (closed.status, closed.reason, closed.attempts.len()),
        (RunStatus::Cancelled, Some(Reason::Deleted), 0)
    );
    assert_eq!(
        (closed.due_at, closed.started_at, closed.finished_at),
        (None, None, Some(at("2026-11-24T00:02:00Z")))
    );
}
